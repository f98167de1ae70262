"""What stage a tender is in, read from its raw times. No stage is ever stored.

:data:`STAGES` is the whole rule, as data: the first line whose conditions all hold names the stage. Python decides by
it here, and ``queries.tenders`` turns the very same lines into SQL for lists; a test holds the two together.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from schoolmeals.errors import N_


class TenderStage(StrEnum):
    """Where a tender stands. The values appear in addresses and in the API."""

    DRAFT = "draft"
    UNDER_REVIEW = "under-review"
    APPROVED = "approved"
    DISCUSSION = "discussion"
    BIDDING = "bidding"
    CLOSED = "closed"
    OPENING = "opening"
    ADMISSION = "admission"
    EVALUATION = "evaluation"
    AWARDING = "awarding"
    STANDSTILL = "standstill"
    CONTRACTING = "contracting"
    COMPLETE = "complete"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    UNSUCCESSFUL = "unsuccessful"


@dataclass(frozen=True, slots=True, kw_only=True)
class TenderTimes:
    """A tender's raw times, all in UTC; the columns of the same names. ``..._until`` is the last instant of a term."""

    submitted_at: datetime | None = None
    approved_at: datetime | None = None
    published_at: datetime | None = None
    discussion_until: datetime | None = None
    bidding_until: datetime | None = None
    closed_at: datetime | None = None
    opening_started_at: datetime | None = None
    opened_at: datetime | None = None
    admitted_at: datetime | None = None
    evaluated_at: datetime | None = None
    awarded_at: datetime | None = None
    standstill_until: datetime | None = None
    completed_at: datetime | None = None
    suspended_at: datetime | None = None
    cancelled_at: datetime | None = None
    unsuccessful_at: datetime | None = None


TIMES: Final = tuple(one.name for one in fields(TenderTimes))


@dataclass(frozen=True, slots=True)
class Test:
    """A condition on one time: that it is ``set``, that it is not, or that it has ``passed``."""

    time: str
    what: str


def _has(time: str) -> Test:
    return Test(time, "set")


def _lacks(time: str) -> Test:
    return Test(time, "unset")


def _passed(time: str) -> Test:
    return Test(time, "passed")


STAGES: Final[tuple[tuple[TenderStage, tuple[Test, ...]], ...]] = (
    (TenderStage.CANCELLED, (_has("cancelled_at"),)),
    (TenderStage.APPROVED, (_lacks("published_at"), _has("approved_at"))),
    (TenderStage.UNDER_REVIEW, (_lacks("published_at"), _has("submitted_at"))),
    (TenderStage.DRAFT, (_lacks("published_at"),)),
    (TenderStage.UNSUCCESSFUL, (_has("unsuccessful_at"),)),
    (TenderStage.COMPLETE, (_has("completed_at"),)),
    (TenderStage.SUSPENDED, (_has("suspended_at"),)),
    (TenderStage.CONTRACTING, (_has("awarded_at"), _passed("standstill_until"))),
    (TenderStage.STANDSTILL, (_has("awarded_at"),)),
    (TenderStage.AWARDING, (_has("evaluated_at"),)),
    (TenderStage.EVALUATION, (_has("admitted_at"),)),
    (TenderStage.ADMISSION, (_has("opened_at"),)),
    (TenderStage.OPENING, (_has("opening_started_at"),)),
    (TenderStage.CLOSED, (_has("closed_at"),)),
    (TenderStage.CLOSED, (_passed("bidding_until"),)),
    (TenderStage.BIDDING, (_passed("discussion_until"),)),
    (TenderStage.DISCUSSION, ()),
)
"""The rule. A term that ends at 23:59:59 has passed from the next instant on, not at it."""

STAGE_NAMES: Final = {
    TenderStage.DRAFT: N_("Draft"),
    TenderStage.UNDER_REVIEW: N_("Under review"),
    TenderStage.APPROVED: N_("Approved, not published"),
    TenderStage.DISCUSSION: N_("Discussion"),
    TenderStage.BIDDING: N_("Bids are taken"),
    TenderStage.CLOSED: N_("Bids are closed"),
    TenderStage.OPENING: N_("Bid opening"),
    TenderStage.ADMISSION: N_("Admission"),
    TenderStage.EVALUATION: N_("Evaluation"),
    TenderStage.AWARDING: N_("Waiting for the protocol"),
    TenderStage.STANDSTILL: N_("Standstill"),
    TenderStage.CONTRACTING: N_("Contracts are signed"),
    TenderStage.COMPLETE: N_("Complete"),
    TenderStage.SUSPENDED: N_("Suspended"),
    TenderStage.CANCELLED: N_("Cancelled"),
    TenderStage.UNSUCCESSFUL: N_("Unsuccessful"),
}

UNPUBLISHED: Final = frozenset({TenderStage.DRAFT, TenderStage.UNDER_REVIEW, TenderStage.APPROVED})
"""Stages in which the tender is invisible but to those who make it."""
OVER: Final = frozenset({TenderStage.COMPLETE, TenderStage.CANCELLED, TenderStage.UNSUCCESSFUL})
TAKING_BIDS: Final = frozenset({TenderStage.BIDDING})
OPENED: Final = frozenset(
    {
        TenderStage.ADMISSION,
        TenderStage.EVALUATION,
        TenderStage.AWARDING,
        TenderStage.STANDSTILL,
        TenderStage.CONTRACTING,
    }
)
"""Stages in which the bids are known and work on them goes on."""
OCDS_STATUS: Final = {
    **dict.fromkeys(UNPUBLISHED, "planning"),
    **dict.fromkeys(set(TenderStage) - UNPUBLISHED - OVER, "active"),
    TenderStage.CONTRACTING: "complete",
    TenderStage.COMPLETE: "complete",
    TenderStage.CANCELLED: "cancelled",
    TenderStage.UNSUCCESSFUL: "unsuccessful",
}
"""The code of OCDS ``tender.status`` for each stage."""


def tender_stage(times: TenderTimes, now: datetime) -> TenderStage:
    """The stage at ``now`` (aware) of a tender with these times."""
    for stage, tests in STAGES:
        if all(_holds(test, times, now) for test in tests):
            return stage
    raise AssertionError("the last line of the rule has no conditions")


def is_over(until: datetime, now: datetime) -> bool:
    """Whether a term whose last instant is ``until`` has ended."""
    return now > until


def _holds(test: Test, times: TenderTimes, now: datetime) -> bool:
    value: datetime | None = getattr(times, test.time)
    return _CHECKS[test.what](value, now)


_CHECKS: Final[dict[str, Callable[[Any, datetime], bool]]] = {
    "set": lambda value, _now: value is not None,
    "unset": lambda value, _now: value is None,
    "passed": lambda value, now: value is not None and is_over(value, now),
}
