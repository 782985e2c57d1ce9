"""A made-up season of three festivals, told as command lines, with one of each mistake and its taking back.

`script`       the form of the season's text, and how its steps are played: no I/O.
`season.txt`   the season itself: what is typed, and what Karya must answer.
"""
