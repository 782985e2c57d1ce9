"""Faults at random, seeded times under a steady load, then a reckoning: nothing lost, nothing doubled.

The faults:
`faults`        the plan, drawn from the seed.
`injector`      how each fault begins and ends, on `instances` (services), `proxy` (connections), `outage` (servers).
`progress`      samples of progress and lag: standstills, recovery times.

The load:
`load`          all agents and festivals together.
`terminals`     an agent for each terminal; `tills` one for each till, `transactions` one for another Kafka client.
                They record at the rate of a `ticker` and count in a `tally`.
`running`       the tasks in which devices record and sync.
`festival`      one festival as a story; `incidents` what happens to its tills.
`organiser`     festival's HTTP API, repeated until an instance answers.

The check:
`expected`      the state that follows from what Kafka acknowledged, folded in memory.
`comparison`    the documents of production and sales against the expected state.
`reckoning`     all checks after the faults.
`run`           a whole run, and its report.
"""
