"""Receipt arithmetic in whole rupiah: discounts spread over lines, and the value of some pieces of a line.

Tills and sales use the same functions, so that both reach the same rupiah.
"""

from collections.abc import Sequence


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Whole parts of `total` in proportion to `weights`, which are at least 0 and not all 0.

    The parts add up to `total`. No part exceeds its weight if `total` is at most the sum of the weights. The method
    is largest remainder (Hamilton); of equal remainders the first in order wins.
    Raises ZeroDivisionError if `total` is above 0 and all weights are 0.
    """
    if total == 0:
        return [0] * len(weights)
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    remainders = sorted(range(len(weights)), key=lambda index: -(total * weights[index] % whole))
    for index in remainders[: total - sum(parts)]:
        parts[index] += 1
    return parts


def net_amounts(gross: Sequence[int], discounts: Sequence[int], receipt_discount: int) -> list[int]:
    """Net rupiah of each line: its gross amount, less its own discount, less its part of the receipt's discount.

    The receipt's discount is apportioned to what the lines cost after their own discounts.
    """
    after_own = [amount - discount for amount, discount in zip(gross, discounts, strict=True)]
    if receipt_discount == 0:
        return after_own
    parts = apportion(receipt_discount, after_own)
    return [amount - part for amount, part in zip(after_own, parts, strict=True)]


def value(net_rupiah: int, qty: int, pieces: int) -> int:
    """Rupiah of the first `pieces` of a line of `qty` pieces that cost `net_rupiah` in all, rounded down.

    Differences of two values add up to the net amount, however a line is divided: what a void returns is
    `value(standing before) - value(standing after)`.
    """
    return net_rupiah * pieces // qty
