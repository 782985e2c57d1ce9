"""Production intake: from what a facility's terminal reports to a lot that the whole chain can name.

In, by facility: ProductionReported, ProductionCorrected and RecallLot from terminals; LotCorrected and
CorrectionRefused from inventory. Out: LotRecorded, CorrectionRequested and LotRecalled, by lot, for
inventory; ReportAccepted and ReportRejected, by facility, for the terminal that asked. Each report gets one
answer: a report of goods and a recall at once, a correction when inventory said whether it fits the stock.

The facilities and the catalogue are reference data in YAML, validated at start. Who made a lot (a keyed
pseudonym) is kept here and told to nobody.

`domain/`, `store.py`, `handlers.py`, `api.py` and `app.py` are the rooms that every service has (see
inventory); `reference.py` and `reference.yaml` are the facilities and the catalogue.
"""
