"""Stripe's test cards, as far as the double knows them. No other number is accepted, so nobody types a real one."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final


class Outcome(Enum):
    """What becomes of a payment with the card."""

    SUCCEEDS = auto()
    DECLINES = auto()
    ASKS_ONCE = auto()
    """A 3-D Secure step on the page; once saved, it pays without the person."""
    ASKS_ALWAYS = auto()
    """A 3-D Secure step each time, so that it cannot pay without the person."""


@dataclass(frozen=True, slots=True)
class TestCard:
    """``token`` is the name of the ready-made payment method; ``decline_code`` is Stripe's."""

    number: str
    token: str
    outcome: Outcome
    decline_code: str = ""
    can_be_saved: bool = True

    __test__ = False

    @property
    def last4(self) -> str:
        return self.number[-4:]


CARDS: Final = (
    TestCard("4242424242424242", "pm_card_visa", Outcome.SUCCEEDS),
    TestCard("4000002500003155", "pm_card_authenticationRequiredOnSetup", Outcome.ASKS_ONCE),
    TestCard(
        "4000000000009995",
        "pm_card_visa_chargeDeclinedInsufficientFunds",
        Outcome.DECLINES,
        "insufficient_funds",
        False,
    ),
    TestCard("4000000000000002", "pm_card_visa_chargeDeclined", Outcome.DECLINES, "generic_decline", False),
    TestCard("4000000000000341", "pm_card_chargeCustomerFail", Outcome.DECLINES, "generic_decline"),
    TestCard("4000002760003184", "pm_card_authenticationRequired", Outcome.ASKS_ALWAYS),
)
CARD_BY_NUMBER: Final = {card.number: card for card in CARDS}
CARD_BY_TOKEN: Final = {card.token: card for card in CARDS}
ON_THE_PAGE: Final = CARDS[:4]
"""The cards that the hosted page offers."""
