"""The facility's terminal: it records what was made with no network, and tells production when there is one.

Each record gets its id and time when it is made and stays in the terminal's spool. `sync` sends what Kafka has
not acknowledged yet, and hears what production answered: the lot number for the label, or which field is wrong.
"""
