"""The wallet: each pupil's prepaid money in one school, and the ways it comes in.

*Purse*: the guardians' money for one pupil. *Grace*: what set meals have been lent to the pupil beyond it. *Courtesy
fund*: what the school pays when grace is used up. *Top-up*: money on its way into a purse, by the payment provider's
hosted page or over the school's cash desk. *Limit*: what a guardian lets a pupil spend on buffet items in a day.

Accounts in the ledger: per pupil ``purse`` (liability, floor 0) and ``grace`` (asset, ceiling: the school's grace
limit); per school ``meals-sold`` (income), ``courtesy-meals`` (expense), ``cash-desk`` and ``provider-clearing``
(assets). Never here: what was eaten, and who eats free.
"""

from schoolmeals.wallet.purses import lock_purses, school_accounts
from schoolmeals.wallet.queries import purse_of, purses_of
from schoolmeals.wallet.rules import (
    PurseFacts,
    PurseState,
    SchoolAccounts,
    Shares,
    charge_movements,
    fill_movements,
    waterfall,
)

__all__ = [
    "PurseFacts",
    "PurseState",
    "SchoolAccounts",
    "Shares",
    "charge_movements",
    "fill_movements",
    "lock_purses",
    "purse_of",
    "purses_of",
    "school_accounts",
    "waterfall",
]
