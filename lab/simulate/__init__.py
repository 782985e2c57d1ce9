"""A festival season to watch Karya by: ten facilities, three festivals, from the first report to the last rupiah.

`goods`    what is made in which quantity, at which price, how much it is liked. All of it made up.
`season`   what facilities report and organisers want: pure, from a seed.
`market`   what the tills of a booth sell, from what the booth holds: pure, from a seed.
`play`     says all of it to a running Karya, as terminals, tills and organisers would.
`summary`  what became of it, per facility.
"""
