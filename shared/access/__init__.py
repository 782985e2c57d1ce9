"""Who may do what: roles and their rights, what each HTTP route needs, and the tokens that carry roles.

`rights` is the table of roles and actions. `routes` gives each HTTP route its action. `tokens` checks access tokens.
`session` is the client's side: it keeps tokens and sends them, as `device_session` does for a device. `signatures`
has those of devices, over records and challenges.
"""
