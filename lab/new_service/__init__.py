"""`make new-service NAME=stalls`: the rooms of a new service with a first event, its rule, its page and its test.

The service takes notes: one event comes in, one goes out. Replace the note by what the service is for.
"""
