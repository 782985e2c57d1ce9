"""A made-up festival season against a running Karya: ten facilities, three festivals, from report to settlement.

`goods`      quantities, prices and popularity of each product.
`season`     the facilities' reports and the organisers' requests: pure, from a seed.
`market`     the records of a booth's tills, from the booth's stock: pure, from a seed.
             Its parts: `shelves` (stock), `prices` (price lists), `device` (one device's records).
`records`    the Kafka records of all of them: pure.
`scenario`   the season as a story: its parts in order, and what each of them needs.
`fleet`      the devices, which are enrolled and send signed records to the gateway.
`restored`   a till that goes on from a copy of its folder.
`kafka`      sends commands to topics, and reads events from them.
`organiser`  commands and pages of festival's HTTP API.
`summary`    the outcome of a season for each facility.
"""
