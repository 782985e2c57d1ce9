"""Inventory: what every facility has on hand, what is promised, what is on its way. Never below zero.

In, keyed by lot:  LotRecorded, CorrectionRequested, LotRecalled   from production
                   ReservationRequested, ReleaseRequested, DispatchOrdered, ReturnReceived, LossRecorded
                                                                   from festival
Out:               StockChanged                      the lot's whole balance, for anyone, by lot
                   StockReserved, ReservationRefused, StockDispatched, ...   answers, by festival
                   LotCorrected, CorrectionRefused                           answers, by facility

Read on in this order; every service has these rooms:
`domain/`    the rules, pure: `rules.py` has `decide(state, event) -> (state, events)`. Begin here.
`store.py`   how a lot is kept in MongoDB.
`reads.py`   which lot an event touches.
`handlers.py`  the key family: topics, collections, rules, tied together for the step (`shared/runtime/step.py`).
`api.py`     what people may read over HTTP.
`app.py`     wiring, nothing else.
"""
