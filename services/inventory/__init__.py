"""Inventory: the stock, the reservations and the dispatches of every facility. Stock never falls below zero.

In, keyed by lot:  LotRecorded, CorrectionRequested, LotRecalled, LotRecallLifted, WithdrawalRequested
                                                                   from production
                   ReservationRequested, ReleaseRequested, DispatchOrdered, ReturnReceived, ReturnRecounted,
                   SurplusCounted, LossRecorded
                                                                   from festival
Out:               StockChanged                      the lot's whole balance, for anyone, by lot
                   StockReserved, ReservationRefused, StockDispatched, ...   answers, by festival
                   LotCorrected, CorrectionRefused, ReportWithdrawn, WithdrawalRefused   answers, by facility

Every service has these modules. Read them in this order:
`domain/`    the pure rules: a rule in `rules.py` is `(state, event, body) -> (state, events)`. Begin here.
`store.py`   the MongoDB document of a lot.
`handlers.py`  the processor for the step (`shared/runtime/step.py`): topics, collections, and each event registered
               once, with its rule and its reads.
`api.py`     the HTTP pages.
`app.py`     the wiring.
"""
