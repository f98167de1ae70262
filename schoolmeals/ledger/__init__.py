"""Double-entry bookkeeping, and the only place where money moves.

*Account*: asset, liability, income or expense, in one currency, with running totals, and a floor or a ceiling where it
has one.
*Journal entry*: one event of the books, with the id of what caused it. *Posting*: one immutable row with both legs,
debit
account and credit account, so nothing unbalanced can be written. *Reversal*: an entry that mirrors an earlier one;
nothing is ever changed or deleted. *Trial balance*: all debits and all credits, which are equal.

Every call is for one school, and everything it writes has ``school_id`` first in its keys. Never here: why money moves.
"""

from schoolmeals.ledger.actions import lock, lock_question, open_accounts, post, posting, reverse
from schoolmeals.ledger.bounds import set_bounds
from schoolmeals.ledger.models import Account, JournalEntry, Posting
from schoolmeals.ledger.queries import account_of, accounts_of, balance_at, moved_to, statement_lines, trial_balance
from schoolmeals.ledger.rules import (
    AccountKind,
    AccountState,
    Entry,
    Movement,
    NewAccount,
    StatementLine,
    TrialBalanceRow,
)

__all__ = [
    "Account",
    "AccountKind",
    "AccountState",
    "Entry",
    "JournalEntry",
    "Movement",
    "NewAccount",
    "Posting",
    "StatementLine",
    "TrialBalanceRow",
    "account_of",
    "accounts_of",
    "balance_at",
    "lock",
    "lock_question",
    "moved_to",
    "open_accounts",
    "post",
    "posting",
    "reverse",
    "set_bounds",
    "statement_lines",
    "trial_balance",
]
