"""Festival: who gets which stock, on its way there and home again, until every piece is accounted for.

In, keyed by festival:  AnnounceFestival, OpenBooth, RequestAllocation, ...   commands of organisers
                        StockReserved, ReservationRefused, StockDispatched, LotRecallReached, ...   from inventory
                        SellThroughSoFar, SellThroughCounted                  from sales
                        DeadlineReached, RevisionRequested                    its own
In, keyed by lot:       StockChanged     from inventory: a view to plan by, perhaps out of date
Out:                    ReservationRequested, ReleaseRequested, DispatchOrdered, ...   orders to inventory, by lot
                        BoothOpened, BoothStocked, BoothStockMoved, BoothClosing, ...   for sales and tills, by booth
                        AllocationPlanned, ShipmentSent, CommandRefused, ...   for anyone, by festival

`domain/`      the rules, pure. Begin with `rules`, for commands, and `answers`, for what inventory and sales say.
               Then, in the order of a festival: `festival`; `planning/` (fairness); `allocation/`, with `request`
               (reserve, release), `shortage` (plan again), `revising` and `revision` (where reality differs);
               `logistics/`, with `shipment`, `transfer`, `losses`; `booth` (the sums), `pace` (sold so far);
               `replenishment/` (the forecast, the refill); `closing`.
`store/`       how entities are kept in MongoDB.
`handlers/`    the two processors. `commands` and `answers` register each event once: its rule and its reads.
`api`          commands and pages over HTTP; `app.py` the wiring.
"""
