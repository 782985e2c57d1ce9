"""The booth's till: it sells, voids and counts without a network, and reports to sales when there is one.

A till numbers its records from 1 without gaps, so that sales knows when it has all of them. Received events give the
till its prices, its slice of the booth's stock, and the withdrawn lots. The till warns when more than the slice is
sold, but records every sale that happened.
"""
