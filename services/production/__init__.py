"""Production: terminals' reports become lots with numbers for the whole chain; staff keep the catalogue.

In, by facility:  ProductionReported, ProductionCorrected, RecallLot, LiftRecall, WithdrawReport
                                                                          from terminals
                  LotCorrected, CorrectionRefused, ReportWithdrawn, WithdrawalRefused
                                                                          from inventory
                  FacilityListed, ProductListed, ReportReleased           from production itself
In, by entry:     SetTerm, SetProduct, SetFacility, SetLeadTime, RetireEntry    commands of staff
                  EntryAsked, EntryAnswered                               from production itself
Out:              LotRecorded, CorrectionRequested, LotRecalled, LotRecallLifted, WithdrawalRequested
                                                                          for inventory, by lot
                  ReportAccepted, ReportRejected                          for terminals, by facility
                  FacilityListed, ProductListed                           for terminals too, by facility
                  TermSet, ProductSet, FacilitySet, LeadTimeSet, EntryCommandRefused    for anyone, by entry

Each report gets one answer. A report of goods is answered once its facility and its product are in the catalogue, a
recall and its lifting at once, a correction or withdrawal after inventory's decision. Only production knows the maker
of a lot, as a keyed pseudonym.

`domain/`, `store/`, `handlers.py`, `api/` and `app.py` are the modules that every service has (see inventory). In
`domain/` begin with `rules` (reports), then `entries` (the catalogue) and `facility_catalogue` (the facility's part).
`reference.py` and `reference.yaml` are the reference data. `seed.py` makes the catalogue's first commands of them.
"""
