"""The wallet: each pupil's prepaid money in one school, and the ways it comes in.

*Purse*: the guardians' money for one pupil. *Grace*: what set meals have been lent to the pupil beyond it. *Courtesy
fund*: what the school pays when grace is used up. *Top-up*: money on its way into a purse, by the payment provider's
hosted page or over the school's cash desk. *Limit*: what a guardian lets a pupil spend on buffet items in a day.

Accounts in the ledger: per pupil ``purse`` (liability, floor 0) and ``grace`` (asset, ceiling: the school's grace
limit); per school ``meals-sold`` (income), ``courtesy-meals`` (expense), ``cash-desk`` and ``provider-clearing``
(assets). Never here: what was eaten, and who eats free.
"""

from schoolmeals.wallet.actions import (
    fail_top_up,
    keep_checkout,
    reverse_cash,
    set_limit,
    settle_top_up,
    start_top_up,
    take_cash,
)
from schoolmeals.wallet.purses import (
    PurseLocking,
    forget_school_accounts,
    lock_purses,
    lock_purses_and,
    school_accounts,
)
from schoolmeals.wallet.queries import (
    pulse_of_purses,
    purse_of,
    purses_of,
    statement_of,
    top_ups_numbered,
    top_ups_of,
    top_ups_of_school_day,
    top_ups_settled,
)
from schoolmeals.wallet.rules import (
    PurseFacts,
    PurseState,
    SchoolAccounts,
    Shares,
    TopUpBounds,
    TopUpFacts,
    TopUpStage,
    charge_movements,
    fill_movements,
    waterfall,
)
from schoolmeals.wallet.statements import Statement

__all__ = [
    "PurseFacts",
    "PurseLocking",
    "PurseState",
    "SchoolAccounts",
    "Shares",
    "Statement",
    "TopUpBounds",
    "TopUpFacts",
    "TopUpStage",
    "charge_movements",
    "fail_top_up",
    "fill_movements",
    "forget_school_accounts",
    "keep_checkout",
    "lock_purses",
    "lock_purses_and",
    "pulse_of_purses",
    "purse_of",
    "purses_of",
    "reverse_cash",
    "school_accounts",
    "set_limit",
    "settle_top_up",
    "start_top_up",
    "statement_of",
    "take_cash",
    "top_ups_numbered",
    "top_ups_of",
    "top_ups_of_school_day",
    "top_ups_settled",
    "waterfall",
]
