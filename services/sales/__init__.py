"""Sales: the stock and sales of every booth, disputes, and the money owed. Every rupiah is counted once.

In, keyed by booth:     BoothOpened, BoothChanged, PricesChanged, TillAdded, TillStruck, BoothStocked,
                        BoothStockLost, BoothStockMoved, LotRecounted, LotWithdrawn, LotReinstated, DisputeResolved,
                        VoidOrdered, BoothForwarded, BoothClosing, ReopeningRequested   from festival
                        ReceiptIssued, ReceiptVoided, BoothCounted, DrawerOpened, CashDropped, CashCounted,
                        DeviceIntroduced, RecordTakenOut, TillClosed          from tills: late, early, twice
                        DeadlineReached, ShareHoldAnswered, RecordForwarded, DeviceForwarded,
                        ForwardingContinued                                   its own
In, keyed by facility:  ShareOpened, SaleShared, PoolAdjusted, BoothSettled, DemandCounted, ShareHoldRequested,
                        ShareReopened
                                                              its own, from booth to facility
Out:                    SaleAccounted, VoidRefused, DeviceHeard, BoothReopened, BoothRedirected   for tills and
                                                              anyone, by booth
                        SellThroughSoFar, SellThroughCounted, ReopeningGranted, ResolutionApplied,
                        BoothForwardingBegun, ...
                                                              for festival, by festival
                        SettlementIssued, SettlementCorrected, SettlementPostponed   for facilities, by facility
                        DemandSignalled                       for facilities: demand, sold-out times, lost sales
                        SalePublished, AdjustmentPublished    for subscribers, by facility, without personal names

`domain/`      the pure rules. Begin with `at_booth` in `rules`. Then, in the order of a day: `booth` (stock and
               progress), `device` (records received), `prices`, `receipt` (a purchase and its sales), `selling`
               (recorded, waiting, disputed, voided), `accounting` (every sum that a sale changes), `pool` (unlabelled
               sales and their fair shares), `counting`, `drawer` (cash), `shelf` (times of stock and sales),
               `interim` (reports of an open booth), `forwarding` (records that count at another booth), `closing`
               (settlement and corrections), `reopening`, `doubts` (sales without stock), `lost_sales` (sold-out
               times and their cost). By facility: `facility`,
               with `settlement` (shares of the money), `demand` (a basis for production) and `public` (events for
               subscribers).
`store.py`     the MongoDB documents of the entities.
`handlers.py`  the two processors. Each event is registered once, with its rule and its reads.
`api/`         the HTTP pages.
`app.py`       the wiring.
"""
