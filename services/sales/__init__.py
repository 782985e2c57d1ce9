"""Sales: what every booth holds and sold, what is in doubt, and what is owed to whom. Every rupiah is counted once.

In, keyed by booth:     BoothOpened, PricesChanged, TillAdded, TillStruck, BoothStocked, BoothStockLost,
                        BoothStockMoved, LotWithdrawn, DisputeResolved, VoidOrdered, BoothClosing   from festival
                        ReceiptIssued, ReceiptVoided, BoothCounted, DrawerOpened, CashDropped, CashCounted,
                        DeviceIntroduced, TillClosed          from tills: late, early, twice
                        DeadlineReached                       its own
In, keyed by facility:  ShareOpened, SaleShared, PoolAdjusted, BoothSettled, DemandCounted
                                                              its own, from booth to facility
Out:                    SaleAccounted, VoidRefused, DeviceHeard          for tills and anyone, by booth
                        SellThroughSoFar, SellThroughCounted  for festival, by festival
                        SettlementIssued, SettlementCorrected            for facilities, by facility
                        DemandSignalled                       for facilities: what was asked for, sold out, and missed
                        SalePublished, AdjustmentPublished    for subscribers, by facility: nobody's name in it

`domain/`      the rules, pure. Begin with `at_booth` in `rules`. Then, in the order of a day: `booth` (what it
               holds), `device` (whose records were heard), `prices`, `receipt` (a purchase and its sales),
               `selling` (recorded, waiting, disputed, voided), `accounting` (what each change of a sale means for
               every sum), `pool` (unlabelled sales, shared fairly), `counting`, `drawer` (the money), `shelf`
               (when), `so_far` (what an open booth tells), `closing` (settled, and corrected after), `missed` (sold
               out, and lost by it). By facility: `facility`, with `settlement` (the shares), `demand` (what to make
               next) and `public` (what subscribers see).
`store.py`     how entities are kept in MongoDB.
`handlers.py`  the two processors. Each event is registered once: its rule and its reads.
`api/`         what people may read over HTTP.
`app.py`       wiring, nothing else.
"""
