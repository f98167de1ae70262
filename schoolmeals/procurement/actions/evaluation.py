"""The end of an evaluation: all points computed, the bids ranked, the score sheet written, and the protocol."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from schoolmeals.database import Work, insert_rows
from schoolmeals.errors import Invalid
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import AtHand, permitted, record_act
from schoolmeals.procurement.admitting import began_anew_at
from schoolmeals.procurement.documents import digest_of
from schoolmeals.procurement.evaluating import inputs_of, revealed_scores, seats_that_scored, to_judge
from schoolmeals.procurement.models import Score, ScoreSheet, TenderAct
from schoolmeals.procurement.profiles import Length
from schoolmeals.procurement.protocols import make_protocol, protocol_sha256
from schoolmeals.procurement.reckoning import reckoning_of
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.judging import (
    SINGLE_REASON,
    extended_before,
    may_finish,
    reasons_missing,
)
from schoolmeals.procurement.rules.quorum import voters
from schoolmeals.procurement.rules.sheet import quorum, sheet_of, sheet_text
from schoolmeals.procurement.rules.terms import Term, as_payload
from schoolmeals.procurement.score_minutes import evaluation_minutes
from schoolmeals.procurement.table import require, said_in
from schoolmeals.procurement.unsealing import cancelled_lots, envelopes_due, opened_row, profile_at


def extend_evaluation(work: Work, tender_id: UUID, reason: str, *, zone: ZoneInfo) -> None:
    """Give the evaluation more time, once, with a published reason. Raises Invalid, NotNow ``extended-before``."""
    hand = permitted(work, "extend_evaluation", tender_id)
    profile = profile_at(work, hand)
    # A round that begins anew has a term of its own, and with it an extension of its own.
    made = select(func.count()).where(
        TenderAct.tender_id == hand.id,
        TenderAct.kind == ActKind.EVALUATION_EXTENDED.value,
        TenderAct.at >= began_anew_at(work, hand, to=("admission", "evaluation")),
    )
    require(extended_before(work.session.scalar(made) or 0, profile))
    given = said_in("reason", reason)
    before, more = hand.facts.terms["evaluation"], profile.term("evaluation_extension")
    longer = reckoning_of(work, hand.tender, zone).begin(before.until, more, accelerator=profile.accelerator)
    length = Length(before.length.amount + more.amount, more.unit)
    term = Term(before.start, longer.until, length, before.accelerator)
    record_act(work, hand, ActKind.EVALUATION_EXTENDED, {"reason": given, "terms": as_payload({"evaluation": term})})


def finish_evaluation(
    work: Work, tender_id: UUID, *, zone: ZoneInfo, single_reasons: Mapping[str, str] | None = None
) -> str:
    """Compute all points, rank the bids of each lot and publish the score sheet; gives its digest.

    ``single_reasons`` says, by lot, why a bid that is alone may win. Of a lot that was cancelled meanwhile nothing is
    asked. Raises Invalid without it, NotNow
    ``prices-sealed``, ``scores-hidden`` or ``low-price-open``.
    """
    hand = permitted(work, "finish_evaluation", tender_id)
    profile = profile_at(work, hand)
    reasons = {lot: text.strip() for lot, text in (single_reasons or {}).items()}
    sheet = sheet_of(inputs_of(work, hand, profile, zone, single_reasons=reasons))
    results = sheet["results"]
    gone = {str(lot_id) for lot_id in cancelled_lots(hand)}
    _require_complete(work, hand, [made for lot_id, made in results["lots"].items() if lot_id not in gone])
    alone = [one for one in reasons_missing(results, sheet["inputs"]["bids"], reasons) if one not in gone]
    if alone and profile.number("single_bid_needs_reason").value:
        raise Invalid(fields={f"single-{lot}": [SINGLE_REASON] for lot in alone})
    text = sheet_text(sheet)
    row = ScoreSheet(id=new_id(hand.at), tender_id=hand.id, at=hand.at, text=text, sha256=digest_of(text))
    work.session.add(row)
    work.session.flush()
    _keep_points(work, hand, results["points"])
    minutes = evaluation_minutes(sheet, row.sha256.hex())
    protocol_id = make_protocol(work, hand, "evaluation", minutes)
    payload = {
        "lots": {lot: made["ranking"] for lot, made in results["lots"].items()},
        "unranked": {lot: made["unranked"] for lot, made in results["lots"].items()},
        "sheet_sha256": row.sha256.hex(),
        "protocol_sha256": protocol_sha256(work, protocol_id),
    }
    record_act(work, hand, ActKind.EVALUATED, payload, subject_id=row.id)
    return row.sha256.hex()


def _require_complete(work: Work, hand: AtHand, lots: Sequence[Mapping[str, Any]]) -> None:
    profile = profile_at(work, hand)
    judged = to_judge(work, hand, profile)
    done = seats_that_scored(revealed_scores(work, hand.id), hand.seats, judged)
    low = [one for lot in lots for one in lot["low_prices"]]
    require(
        may_finish(
            sealed=sum(opened_row(work, one) is None for one in envelopes_due(work, hand)),
            revealed_by=len(done),
            needed=quorum(len(voters(hand.seats)), profile),
            judged=bool(judged.bids and judged.criteria),
            low_open=sum(one["accepted"] is None for one in low),
        )
    )


def _keep_points(work: Work, hand: AtHand, points: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Write down what each point came to, beside the sheet that proves it."""
    rows = [
        {
            "id": new_id(hand.at),
            "tender_id": hand.id,
            "bid_id": UUID(bid_id),
            "criterion": one["criterion"],
            "seat_id": None,
            "points_milli": one["points_milli"],
            "note": "",
            "salt": None,
            "commitment": None,
            "rule": one["rule"],
            "rule_version": one["version"],
            "inputs": one["inputs"],
            "evidence": one["evidence"],
            "at": hand.at,
        }
        for bid_id, made in points.items()
        for one in made
    ]
    insert_rows(work.session, Score, rows)
