"""Identity: accounts and devices, sign-in, and the access tokens by which every service knows its callers.

In, by subject:   OpenAccount, CloseAccount, ReplaceCredential, GrantRole, WithdrawRole, EnrolDevice, RevokeDevice
                                                                 from administrators, organisers and invited people
                  GrantAsked                                     from identity itself
In, by festival:  FestivalAnnounced                              from festival
Out:              AccountOpened, AccountClosed, CredentialReplaced, RoleGranted, RoleWithdrawn,
                  DeviceEnrolled, DeviceRevoked, AccountCommandRefused
                                                                 for anyone, by subject
                  GrantAsked                                     for identity itself, by subject

Events name an account by its subject, a pseudonym, and a device by one that follows from its key. Logins, names,
passwords, sessions, codes and signing keys lie in a database of their own. No processor writes it, and no rebuild
touches it. People may sign in at another OpenID Connect provider, whose client identity is then.

`domain/`, `store/`, `handlers.py`, `api/` and `app.py` are the modules that every service has (see inventory). In
`store/`, `accounts` and `devices` have the documents of the step. `secrets` names the modules of the other database,
and `upkeep` removes from it what nobody needs. `seed.py` makes the first accounts.
"""
