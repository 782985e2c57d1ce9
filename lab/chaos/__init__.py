"""Faults at random, seeded times under a steady load, and what they did: nothing lost, nothing twice, or say so.

`proxy`     cuts and slows connections between services and their servers.
`crew`      the service instances: killed, frozen, joined, left.
`load`      terminals, tills and organisers that go on whatever happens, each with its own spool.
`terminals` one of its terminals each, `tills` one of its tills, at `pace`.
`transactions` another client, which takes back some of what it has written.
`faults`    what is done when: a plan drawn from the seed, and how each fault begins and ends.
`watch`     progress and lag over time: how long nothing moved, how long a fault was felt.
`told`      a model of what terminals and tills were acknowledged for, and organisers were done for, folded in memory.
`kept`      what production and sales keep, against that model.
`model`     the reckoning: what was acknowledged is in the ledgers and kept as it was told, and all is as a replay of
            Kafka makes it.
`run`       all of it together, and the report.
"""
