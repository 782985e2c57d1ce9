"""Gateway: where devices and programs send their records, and read what services say to them, over HTTP.

In, by facility:  ReportAccepted, ReportRejected, FacilityListed, ProductListed   from production
                  SalePublished, AdjustmentPublished, SettlementIssued, SettlementCorrected, SettlementPostponed
                                                                                  from sales
In, by booth:     every event of the topic of a booth's stock and prices          from festival
                  SaleAccounted, VoidRefused, DeviceHeard, BoothReopened          from sales
In, by subject:   DeviceEnrolled, DeviceRevoked                                   from identity
In, by place:     HoldRecord                                                      from its own intake
                  ReleaseRecords, RefuseRecords                                   from operators
Out:              RecordHeld, HeldRecordReleased, HeldRecordRefused, HeldCommandRefused
                                                                                  for devices and operators, by place
                  released records, unchanged, for production and sales

Over HTTP it takes the records of terminals and tills, and appends their exact bytes to the topics of production and
of sales. Those of a revoked device it holds.

`domain/`, `store.py`, `handlers.py`, `api/` and `app.py` are the modules that every service has (see inventory). A
rule keeps each event as a news item of its facility or booth, and others keep devices with their keys.
`api/intake.py` takes records, `api/records.py` checks them, and `api/news.py` has the pages of news.
`domain/holding.py` has the rules of held records, and `api/held.py` their pages.
"""
