"""A festival as an organiser announces it over HTTP."""

FESTIVAL = {
    "festival": "ODOP",
    "name": "One Day One Prison's Product",
    "place": "Kupang",
    "zone": "Asia/Makassar",
    "first_day": "2026-04-18",
    "last_day": "2026-04-20",
    # Tests run in any year.
    "confirmed": True,
}
