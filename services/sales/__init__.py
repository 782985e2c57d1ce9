"""Sales: what every booth holds and sold, what is in doubt, and what is owed to whom. Every rupiah is counted once.

In, keyed by booth:     BoothOpened, BoothStocked, BoothStockLost, BoothStockMoved, LotWithdrawn, DisputeResolved,
                        BoothClosing                          from festival
                        SaleReported, SaleVoided, BoothCounted, TillClosed   from tills: late, early, twice
                        DeadlineReached                       its own
In, keyed by facility:  ShareOpened, ShareEarned, ShareReversed, BoothSettled, DemandCounted
                                                              its own, from booth to facility
Out:                    SaleRecorded, SaleVoidRecorded, SaleDisputed     for tills and anyone, by booth
                        SellThroughSoFar, SellThroughCounted  for festival, by festival
                        SettlementIssued, SettlementCorrected            for facilities, by facility
                        DemandSignalled                       for facilities: what was asked for, sold out, and missed
                        SalePublished, SaleWithdrawn          for subscribers, by facility: nobody's name in it

`domain/`      the rules, pure. Begin with `decide` in `__init__`. Then, in the order of a day: `booth` (what it
               holds, which records of its tills were heard), `sale`, `selling` (recorded, waiting, disputed,
               voided), `shelf` (when), `so_far` (what an open booth tells), `public` (what subscribers see),
               `closing` (settled, and corrected after), `missed` (sold out, and lost by it). By facility:
               `facility`, with `settlement` (the shares) and `demand` (what to make next).
`store.py`     how entities are kept in MongoDB, and which of them an event touches.
`handlers.py`  the two key families, tied together for the step.
`api/`         what people may read over HTTP.
`app.py`       wiring, nothing else.
"""
