"""Money as whole minor units. There is no fraction of a tiyn here, and no binary fraction of anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import total_ordering
from typing import Final

MINOR_DIGITS: Final = {"KZT": 2, "EUR": 2, "USD": 2, "GBP": 2, "KGS": 2, "UZS": 2, "JPY": 0}
"""ISO 4217: how many digits of each currency stand behind the decimal sign."""


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """``minor`` whole minor units of an ISO 4217 ``currency``; for KZT the minor unit is the tiyn (1/100 tenge)."""

    minor: int
    currency: str = "KZT"

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"money counts whole minor units, not {type(self.minor).__name__}")
        if self.currency not in MINOR_DIGITS:
            raise ValueError(f"unknown currency {self.currency!r}")

    @classmethod
    def major(cls, amount: int, currency: str = "KZT") -> "Money":
        """``amount`` whole tenge (or other major units) as money."""
        return cls(amount * 10 ** MINOR_DIGITS[currency], currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same_currency(other).minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same_currency(other).minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __mul__(self, count: int) -> "Money":
        if type(count) is not int:
            raise TypeError("money is multiplied by whole counts; use split for shares")
        return Money(self.minor * count, self.currency)

    __rmul__ = __mul__

    def __bool__(self) -> bool:
        return self.minor != 0

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same_currency(other).minor

    def split(self, weights: Sequence[int]) -> "tuple[Money, ...]":
        """Shares in proportion to ``weights`` (whole, not negative, not all zero), which add up to the whole.

        What does not divide goes one minor unit at a time to the largest remainders, earlier shares first, so the same
        weights always give the same shares and nothing is lost.
        """
        total = sum(weights)
        if total <= 0 or any(weight < 0 for weight in weights):
            raise ValueError("weights are whole, not negative and not all zero")
        sign = -1 if self.minor < 0 else 1
        parts = [divmod(abs(self.minor) * weight, total) for weight in weights]
        shares = [whole for whole, _ in parts]
        by_remainder = sorted(range(len(parts)), key=lambda i: (-parts[i][1], i))
        for i in by_remainder[: abs(self.minor) - sum(shares)]:
            shares[i] += 1
        return tuple(Money(sign * share, self.currency) for share in shares)

    def _same_currency(self, other: "Money") -> "Money":
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")
        return other
