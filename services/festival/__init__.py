"""Festival: the allocation of stock to booths, its way there and home, and the account of every piece.

In, keyed by festival:  AnnounceFestival, OpenBooth, RequestAllocation, ...   commands of organisers
                        StockReserved, ReservationRefused, StockDispatched, LotRecallReached, ...   from inventory
                        SellThroughSoFar, SellThroughCounted, ReopeningGranted, BoothForwardingBegun, ...   from sales
                        DeadlineReached, RevisionRequested                    from festival itself
In, keyed by lot:       StockChanged     from inventory: a view of the stock for plans, perhaps stale
In, keyed by entry:     ProductSet, FacilitySet, LeadTimeSet, ...   from production: a copy of the catalogue
Out:                    ReservationRequested, ReleaseRequested, DispatchOrdered, ...   orders to inventory, by lot
                        BoothOpened, BoothStocked, BoothStockMoved, BoothClosing, ...   for sales and tills, by booth
                        AllocationPlanned, ShipmentSent, CommandRefused, ...   for anyone, by festival

`domain/`      the pure rules. Begin with `rules` (commands) and `answers` (inventory and sales). Then, in the order
               of a festival: `festival`; `planning/` (fairness); `allocation/` with `request` (reserve, release),
               `shortage` (plan again), `revising` and `revision`; `logistics/` with `shipment`, `transfer`, `losses`;
               `catalogue`, `changing` and `merging` (mistakes); `booth` (the sums), `booth_sales` (sold so far);
               `replenishment/` (forecasts, refills); `closing`.
`store/`       the entities as MongoDB documents.
`handlers/`    the three processors. `commands` and `answers` register each event once, with its rule and its reads.
`api/`         commands and pages over HTTP. `app.py`: the wiring.
"""
