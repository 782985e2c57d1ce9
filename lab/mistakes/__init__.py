"""A made-up season of three festivals as command lines. Each kind of mistake is made once and corrected.

`script`       the form of the season's text, and how its steps are played: no I/O.
`season.txt`   the season itself: command lines, and fragments of the answers that they must get.
"""
