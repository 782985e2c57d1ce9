"""Inventory: the stock, the reservations and the dispatches of every facility. Stock never falls below zero.

In, keyed by lot:  LotRecorded, CorrectionRequested, LotRecalled   from production
                   ReservationRequested, ReleaseRequested, DispatchOrdered, ReturnReceived, LossRecorded
                                                                   from festival
Out:               StockChanged                      the lot's whole balance, for anyone, by lot
                   StockReserved, ReservationRefused, StockDispatched, ...   answers, by festival
                   LotCorrected, CorrectionRefused                           answers, by facility

Every service has these modules. Read them in this order:
`domain/`    the pure rules: `rules.py` has `decide(state, event) -> (state, events)`. Begin here.
`store.py`   the MongoDB document of a lot.
`reads.py`   the lot that an event reads.
`handlers.py`  the key family: topics, collections and rules, wired together for the step (`shared/runtime/step.py`).
`api.py`     the HTTP pages.
`app.py`     the wiring.
"""
