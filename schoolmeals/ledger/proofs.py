"""The laws of the books, proven anew on the live database. Each law is one question that must have no rows for an
answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from schoolmeals.database import Work

_LEGS: Final = """
    SELECT school_id, debit_account_id AS account_id, entry_id, line, amount_minor AS debit, 0 AS credit,
           debit_balance_after AS balance_after, debit_version AS version FROM posting
     UNION ALL
    SELECT school_id, credit_account_id, entry_id, line, 0, amount_minor,
           credit_balance_after, credit_version FROM posting
"""

_SIGN: Final = "CASE WHEN account.kind IN ('asset', 'expense') THEN 1 ELSE -1 END"


@dataclass(frozen=True, slots=True)
class Law:
    """A sentence that must hold, and the query for what breaks it: ``(school_id, id, detail)`` rows."""

    name: str
    sentence: str
    breaks: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One law's outcome. ``examples`` are at most ten of its breaks, as text."""

    law: Law
    examples: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.examples


LAWS: Final = (
    Law(
        "totals",
        "Every account's totals are the sums of its postings, and its version is their number.",
        f"""
        WITH sums AS (
            SELECT school_id, account_id, sum(debit) AS debits, sum(credit) AS credits, count(*) AS legs
              FROM ({_LEGS}) AS leg GROUP BY school_id, account_id)
        SELECT account.school_id, account.id,
               format('debits %s, postings %s; credits %s, postings %s; version %s, postings %s', account.debits_minor,
                      sums.debits, account.credits_minor, sums.credits, account.version, sums.legs)
          FROM account LEFT JOIN sums ON sums.school_id = account.school_id AND sums.account_id = account.id
         WHERE (account.debits_minor, account.credits_minor, account.version)
            <> (coalesce(sums.debits, 0), coalesce(sums.credits, 0), coalesce(sums.legs, 0))
        """,  # noqa: S608 (made of our own text alone)
    ),
    Law(
        "chain",
        "Each posting continues where the account's posting before it ended, without a gap.",
        f"""
        WITH chain AS (
            SELECT leg.*, {_SIGN} * (leg.debit - leg.credit) AS change,
                   lag(leg.balance_after, 1, 0) OVER following AS balance_before,
                   lag(leg.version, 1, 0) OVER following AS version_before
              FROM ({_LEGS}) AS leg
              JOIN account ON account.school_id = leg.school_id AND account.id = leg.account_id
            WINDOW following AS (PARTITION BY leg.school_id, leg.account_id ORDER BY leg.version))
        SELECT school_id, account_id, format('entry %s line %s', entry_id, line) FROM chain
         WHERE version <> version_before + 1 OR balance_after <> balance_before + change
        """,  # noqa: S608
    ),
    Law(
        "bounds",
        "No account is or ever was outside its bounds as they stand.",
        """
        SELECT school_id, id, format('balance %s, floor %s, ceiling %s', balance_minor, floor_minor, ceiling_minor)
          FROM account WHERE balance_minor < floor_minor OR balance_minor > ceiling_minor
        """,
    ),
    Law(
        "balance",
        "In each currency all debits equal all credits.",
        """
        SELECT NULL, NULL, format('%s: debits %s, credits %s', currency, sum(debits_minor), sum(credits_minor))
          FROM account GROUP BY currency HAVING sum(debits_minor) <> sum(credits_minor)
        """,
    ),
    Law(
        "one-currency",
        "Both accounts of a posting have the same currency.",
        """
        SELECT posting.school_id, posting.entry_id, format('%s against %s', debit.currency, credit.currency)
          FROM posting
          JOIN account AS debit ON debit.school_id = posting.school_id AND debit.id = debit_account_id
          JOIN account AS credit ON credit.school_id = posting.school_id AND credit.id = credit_account_id
         WHERE debit.currency <> credit.currency
        """,
    ),
    Law(
        "entries-move",
        "Every journal entry has at least one posting.",
        """
        SELECT entry.school_id, entry.id, entry.kind FROM journal_entry AS entry
         WHERE NOT EXISTS (SELECT FROM posting WHERE posting.school_id = entry.school_id
                               AND posting.entry_id = entry.id)
        """,
    ),
    Law(
        "reversals-mirror",
        "A reversal moves exactly what its original moved, the other way.",
        """
        WITH reversal AS (SELECT school_id, id, reverses_id FROM journal_entry WHERE reverses_id IS NOT NULL),
             net AS (
            SELECT reversal.school_id, reversal.id, posting.debit_account_id AS debit_id,
                   posting.credit_account_id AS credit_id, sum(posting.amount_minor) AS amount
              FROM reversal JOIN posting ON posting.school_id = reversal.school_id AND posting.entry_id = reversal.id
             GROUP BY 1, 2, 3, 4),
             original AS (
            SELECT reversal.school_id, reversal.id, posting.credit_account_id AS debit_id,
                   posting.debit_account_id AS credit_id, sum(posting.amount_minor) AS amount
              FROM reversal JOIN posting
                ON posting.school_id = reversal.school_id AND posting.entry_id = reversal.reverses_id
             GROUP BY 1, 2, 3, 4)
        SELECT school_id, id, format('%s against %s', net.amount, original.amount)
          FROM net FULL JOIN original USING (school_id, id, debit_id, credit_id)
         WHERE net.amount IS DISTINCT FROM original.amount
        """,
    ),
)


def prove(work: Work) -> Iterator[Finding]:
    """Each law's finding in turn."""
    for law in LAWS:
        rows = work.session.execute(text(f"SELECT * FROM ({law.breaks}) AS broken LIMIT 10"))  # noqa: S608 (our text)
        yield Finding(law, tuple(f"school {school}, {id}: {detail}" for school, id, detail in rows))
