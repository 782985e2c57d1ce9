"""The booth's till: it sells, voids and counts with no network, and tells sales when there is one.

A till numbers its records from 1 without gaps, so that sales knows when it has them all. What it has heard
tells it the prices, which slice of the booth's stock is its own to sell, and which lots were withdrawn. It
warns when more is sold than that slice, but takes every sale that happened.
"""
