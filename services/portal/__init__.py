"""The portal: what people see and touch.

It keeps people's sessions and the statements that were issued. Its pages show what the other services answer to the
person's own access token, so that rights are decided there. It passes on the requests of tills and terminals to
gateway and identity.
"""
