"""MADE UP: quantity in one report, price and popularity of each product."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Good:
    """`min_qty` to `max_qty` pieces in one report; `rupiah` for one piece; `popularity` weighs how often it is
    bought."""

    min_qty: int
    max_qty: int
    rupiah: int
    popularity: float = 1.0


GOODS: dict[str, Good] = {
    "KTI": Good(2, 8, 350_000),
    "TTN": Good(4, 12, 150_000, 1.5),
    "IPA": Good(4, 10, 90_000),
    "TRJ": Good(4, 12, 120_000, 1.2),
    "KLK": Good(3, 9, 110_000),
    "KRJ": Good(6, 14, 45_000, 1.2),
    "SVR": Good(10, 24, 20_000, 2.0),
    "MKP": Good(2, 6, 250_000),
    "MRA": Good(2, 6, 200_000),
    "SHP": Good(6, 16, 25_000, 1.3),
    "TKS": Good(3, 9, 60_000, 0.8),
    "PLP": Good(10, 24, 10_000, 1.5),
    "PGG": Good(3, 9, 40_000, 0.6),
    "PKP": Good(6, 14, 35_000),
    "KBS": Good(10, 20, 4_000, 60.0),
    "KKR": Good(6, 16, 40_000, 3.0),
    "HMK": Good(6, 14, 15_000),
    "KKG": Good(10, 24, 4_000, 1.5),
    "PPY": Good(8, 18, 8_000, 1.5),
    "CBI": Good(8, 18, 10_000, 1.5),
    "KLR": Good(10, 20, 5_000),
    "BGH": Good(4, 10, 30_000, 1.1),
    "HTN": Good(10, 20, 6_000, 1.2),
    "POC": Good(5, 12, 25_000, 0.7),
    "SFA": Good(1, 2, 2_500_000, 0.3),
    "MBL": Good(1, 3, 900_000, 0.4),
    "TRL": Good(1, 3, 700_000, 0.3),
    "PGR": Good(1, 2, 1_200_000, 0.2),
    "TBL": Good(6, 14, 35_000, 1.2),
    "KPL": Good(4, 10, 75_000),
    "SBN": Good(12, 30, 8_000, 1.6),
    "MKL": Good(6, 14, 30_000, 1.2),
}

# The most popular product: it sells out before noon.
CAKES = "KBS"
