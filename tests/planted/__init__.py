"""Wrong builds, to show that the checks can fail: each bug is planted by patching the product's code from here.

`bugs`     what is planted, and which test must go red with it.
`plugin`   plants the bug that the variable PLANTED names: as a pytest plugin, and in the services that tests start.
`service`  a service with that bug, for a chaos run.
`chaos`    `python -m tests.planted.chaos BUG`: a chaos run with one service planted; it must find something.
"""
