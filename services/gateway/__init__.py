"""Gateway: where devices and programs send their records, and read what services say to them, over HTTP.

In, by facility:  ReportAccepted, ReportRejected, FacilityListed, ProductListed   from production
                  SalePublished, AdjustmentPublished, SettlementIssued, SettlementCorrected, SettlementPostponed
                                                                                  from sales
In, by booth:     every event of the topic of a booth's stock and prices          from festival
                  SaleAccounted, VoidRefused, DeviceHeard, BoothReopened          from sales
In, by subject:   DeviceEnrolled, DeviceRevoked                                   from identity
Out:              nothing of its own. Over HTTP it takes the records of terminals and tills, and appends their exact
                  bytes to the topics of production and of sales.

`domain/`, `store.py`, `handlers.py`, `api/` and `app.py` are the modules that every service has (see inventory). A
rule keeps each event as a news item of its facility or booth, and others keep devices with their keys.
`api/intake.py` takes records, `api/records.py` checks them, and `api/news.py` has the pages of news.
"""
