"""Inventory: what every facility has on hand, what is promised, what is on its way. Never below zero.

In, keyed by lot:  LotRecorded, CorrectionRequested, LotRecalled   from production
                   ReservationRequested, ReleaseRequested, DispatchOrdered, ReturnReceived, LossRecorded
                                                                   from festival
Out:               StockChanged                      the lot's whole balance, for anyone, by lot
                   StockReserved, ReservationRefused, StockDispatched, ...   answers, by festival
                   LotCorrected, CorrectionRefused                           answers, by facility

Read on in this order; every service has these rooms:
`domain/`    the rules, pure: a rule in `rules.py` is `(state, event, body) -> (state, events)`. Begin here.
`store.py`   how a lot is kept in MongoDB.
`handlers.py`  the processor for the step (`shared/runtime/step.py`): topics, collections, and each event registered
               once, with its rule and its reads.
`api.py`     what people may read over HTTP.
`app.py`     wiring, nothing else.
"""
