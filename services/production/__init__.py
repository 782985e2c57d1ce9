"""Production: terminals' reports become lots with numbers for the whole chain.

In, by facility: ProductionReported, ProductionCorrected, RecallLot, LiftRecall and WithdrawReport from terminals;
LotCorrected, CorrectionRefused, ReportWithdrawn and WithdrawalRefused from inventory. Out: LotRecorded,
CorrectionRequested, LotRecalled, LotRecallLifted and WithdrawalRequested, by lot, for inventory; ReportAccepted and
ReportRejected, by facility, for the terminal. Each report gets one answer. A report of goods, a recall and its
lifting are answered at once, a correction and a withdrawal after inventory's decision.

The facilities and the catalogue are reference data in YAML, validated at start. Only production knows the maker of a
lot, as a keyed pseudonym.

`domain/`, `store.py`, `handlers.py`, `api.py` and `app.py` are the modules that every service has (see inventory).
`reference.py` and `reference.yaml` are the facilities and the catalogue.
"""
