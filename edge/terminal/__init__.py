"""The facility's terminal: it records production without a network, and reports to the service when there is one.

Each record gets its id and time when it is made, and stays in the terminal's spool. `sync` sends the records that
Kafka has not acknowledged yet, and receives production's answers: the lot number for the label, or the wrong field.
"""
