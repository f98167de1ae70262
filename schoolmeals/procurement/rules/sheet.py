"""The score sheet: one document with everything that an evaluation rests on, and what it comes to.

``inputs`` hold the procedure, the bids without the names of their staff, what was found and voted, contested and
scored. ``results`` follow from them, by :func:`evaluated`, without anything else. Whoever has the file computes it
again (:func:`first_difference`); its SHA-256 is in the tender's history.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

import rfc8785

from schoolmeals.procurement.profiles import Profile, ProfileError
from schoolmeals.procurement.rules.admission import Decision, Finding, Vote, decision, is_admitted
from schoolmeals.procurement.rules.low_price import LowPriceFacts, abnormally_low, judged
from schoolmeals.procurement.rules.pricing import Priced, priced
from schoolmeals.procurement.rules.quorum import quorum_of
from schoolmeals.procurement.rules.ranking import Entry, ranked
from schoolmeals.procurement.rules.scoring import (
    BidFacts,
    Ground,
    Point,
    fallen,
    judged_point,
    overcommitted,
    point,
)

FORMAT: Final = "schoolmeals-scores/1"
_Json = Mapping[str, Any]


def sheet_of(inputs: _Json) -> dict[str, Any]:
    """The whole document for these inputs."""
    return {"format": FORMAT, "inputs": dict(inputs), "results": evaluated(inputs), "digests": digests_of(inputs)}


def sheet_text(sheet: _Json) -> str:
    """The document as RFC 8785 JSON: the bytes that are published."""
    return rfc8785.dumps(dict(sheet)).decode()


def evaluated(inputs: _Json) -> dict[str, Any]:
    """Everything that follows from the inputs: admission, points, low prices and the ranking of each lot."""
    profile = Profile.from_json(inputs["profile"])
    admission = {bid["bid_id"]: _decisions(bid, inputs, profile) for bid in inputs["bids"]}
    admitted = [bid for bid in inputs["bids"] if is_admitted(admission[bid["bid_id"]].values())]
    facts = [BidFacts.from_json(bid) for bid in admitted]
    over = overcommitted(facts, inputs["fte_elsewhere"], profile.number("fte_max_percent").value)
    out = fallen(((one["seat_id"], one["sha256"]) for one in inputs["contests"]), _voters(inputs))
    points = {one.bid_id: _points(one, inputs, profile, over=over, out=out) for one in facts}
    lots = {lot["lot_id"]: _lot(lot, admitted, points, inputs, profile) for lot in inputs["lots"]}
    return {
        "admission": {bid: {code: _told(one) for code, one in made.items()} for bid, made in admission.items()},
        "overcommitted": sorted(over),
        "fallen": sorted(out),
        "points": {bid: [one.as_json() for one in made] for bid, made in points.items()},
        "lots": lots,
    }


def first_difference(sheet: _Json) -> str | None:
    """What in a sheet does not follow from it, the first such place; None where all of it does.

    A place is told with what the file says there and what was computed. Never raises for a file of JSON.
    """
    try:
        if sheet["format"] != FORMAT:
            return f"format: the file says {sheet['format']}, known is {FORMAT}"
        places = (*_commitments(sheet["inputs"]), *_compared(sheet))
    except (ProfileError, LookupError, TypeError, ValueError, AttributeError, AssertionError) as error:
        return f"the file is not a score sheet: {type(error).__name__} {error}"
    return next(iter(places), None)


def digests_of(inputs: _Json) -> dict[str, str]:
    """The digest of each part of the inputs, so that whoever changes one without a trace in the results is found."""
    parts = {name: value for name, value in inputs.items() if name != "bids"}
    parts |= {f"bids.{bid['bid_id']}": bid for bid in inputs["bids"]}
    return {name: hashlib.sha256(rfc8785.dumps(value)).hexdigest() for name, value in sorted(parts.items())}


def commitment_of(seat_id: str, bid_id: str, criterion: str, points_milli: int, salt: str) -> str:
    """What is written down of a score while it is hidden. The salt is disclosed with the score."""
    text = f"{seat_id} {bid_id} {criterion} {points_milli}"
    return hmac.new(bytes.fromhex(salt), text.encode(), hashlib.sha256).hexdigest()


def quorum(voters: int, profile: Profile) -> int:
    """How many must take part."""
    members = max(voters, profile.commission("members_min").value)
    return quorum_of(members, profile.commission("quorum_percent").value)


def _voters(inputs: _Json) -> list[str]:
    return [one["seat_id"] for one in inputs["voters"]]


def _decisions(bid: _Json, inputs: _Json, profile: Profile) -> dict[str, Decision]:
    voters = inputs["admission_voters"]
    needed = quorum(len(voters), profile)
    return {
        one["code"]: decision(Finding.from_json(one["finding"]), [_vote(vote) for vote in one["votes"]], voters, needed)
        for one in bid["requirements"]
    }


def _vote(value: _Json) -> Vote:
    return Vote(
        seat_id=value["seat_id"],
        met=value["met"],
        reason_code=value["reason_code"],
        reason=value["reason"],
        evidence=tuple(value["evidence"]),
        at=datetime.fromisoformat(value["at"]),
    )


def _told(one: Decision) -> dict[str, Any]:
    return {"met": one.met, "votes_for": one.votes_for, "votes_against": one.votes_against, "flag": one.flag}


def _points(
    bid: BidFacts, inputs: _Json, profile: Profile, *, over: frozenset[str], out: frozenset[str]
) -> list[Point]:
    lot = next(one for one in inputs["lots"] if one["lot_id"] == bid.lot_id)
    ground = Ground(
        deadline=date.fromisoformat(inputs["deadline"]),
        posts=tuple(lot["posts"]),
        domestic_percent=lot["domestic_percent"],
        contested=out,
        overcommitted=over,
    )
    return [
        point(one, bid, ground) if one.kind == "rule" else judged_point(one, _scores(bid.bid_id, one.code, inputs))
        for one in profile.criteria
    ]


def _scores(bid_id: str, criterion: str, inputs: _Json) -> dict[str, int]:
    """What each voter gave; who has left the commission gives nothing."""
    voting = set(_voters(inputs))
    return {
        one["seat_id"]: one["points_milli"]
        for one in inputs["scores"]
        if one["bid_id"] == bid_id and one["criterion"] == criterion and one["seat_id"] in voting
    }


def _lot(
    lot: _Json, admitted: Iterable[_Json], points: Mapping[str, list[Point]], inputs: _Json, profile: Profile
) -> dict[str, Any]:
    bids = [bid for bid in admitted if bid["lot_id"] == lot["lot_id"]]
    values = {bid["bid_id"]: priced(bid["prices"], lot["items"], profile.price_mode) for bid in bids}
    unranked = {bid: one.out for bid, one in values.items() if one.out}
    low: list[dict[str, Any]] = []
    if profile.low_price is not None:
        prices = {bid: one.price_minor for bid, one in values.items() if not one.out and one.price_minor is not None}
        low = _low_prices(prices, inputs, profile)
        unranked |= {one["bid_id"]: "low-price-rejected" for one in low if one["accepted"] is False}
    entries = [_entry(bid, values[bid["bid_id"]], points) for bid in bids if bid["bid_id"] not in unranked]
    return {
        "values": {bid: one.value_minor for bid, one in values.items()},
        "low_prices": low,
        "unranked": unranked,
        "ranking": [one.as_json() for one in ranked(entries, profile)],
    }


def _low_prices(prices: Mapping[str, int], inputs: _Json, profile: Profile) -> list[dict[str, Any]]:
    """Whose price had to be explained, in turn: where one was not accepted, those that are left are looked at anew."""
    rule = profile.low_price
    assert rule is not None
    left = dict(prices)
    found: list[dict[str, Any]] = []
    while low := abnormally_low(left, rule):
        told = [_low_price(one, inputs, profile) for one in low]
        found += [one for one in told if one["bid_id"] not in {known["bid_id"] for known in found}]
        rejected = [one["bid_id"] for one in told if one["accepted"] is False]
        if not rejected:
            break
        left = {bid: price for bid, price in left.items() if bid not in rejected}
    return found


def _low_price(low: LowPriceFacts, inputs: _Json, profile: Profile) -> dict[str, Any]:
    about = next((one for one in inputs["low_prices"] if one["bid_id"] == low.bid_id), None)
    voters = _voters(inputs)
    votes = {one["seat_id"]: one["accepted"] for one in about["votes"]} if about is not None else {}
    return {
        "bid_id": low.bid_id,
        "price_minor": low.price_minor,
        "mean_of_others_minor": low.mean_of_others_minor,
        "next_minor": low.next_minor,
        "under_mean": low.under_mean,
        "under_next": low.under_next,
        "accepted": judged(votes, voters, quorum(len(voters), profile)),
    }


def _entry(bid: _Json, value: Priced, points: Mapping[str, list[Point]]) -> Entry:
    return Entry(
        bid_id=bid["bid_id"],
        tenderer_id=bid["tenderer"]["id"],
        points={one.criterion: one.points_milli for one in points[bid["bid_id"]]},
        price_minor=value.price_minor,
        value_minor=value.value_minor,
        received_at=bid["received_at"],
    )


def _commitments(inputs: _Json) -> Iterator[str]:
    for one in inputs["scores"]:
        said = commitment_of(one["seat_id"], one["bid_id"], one["criterion"], one["points_milli"], one["salt"])
        if said != one["commitment"]:
            place = f"inputs.scores.{one['bid_id']}.{one['criterion']}.{one['seat_id']}"
            yield f"{place}: the score {one['points_milli']} is not what was committed to"


def _compared(sheet: _Json) -> Iterator[str]:
    yield from _differences("results", sheet["results"], evaluated(sheet["inputs"]))
    yield from _differences("digests", sheet["digests"], digests_of(sheet["inputs"]))


def _differences(place: str, said: Any, computed: Any) -> Iterator[str]:
    """Where two values of JSON differ, in the order of what was computed. Whole numbers and truths are told apart."""
    if isinstance(said, Mapping) and isinstance(computed, Mapping):
        for name in [*computed, *(name for name in said if name not in computed)]:
            yield from _differences(f"{place}.{name}", said.get(name, _NOTHING), computed.get(name, _NOTHING))
    elif isinstance(said, list) and isinstance(computed, list) and len(said) == len(computed):
        for number, (one, other) in enumerate(zip(said, computed, strict=True)):
            yield from _differences(f"{place}.{_label(other, number)}", one, other)
    elif type(said) is not type(computed) or said != computed:
        yield f"{place}: the file says {said!r}, computed is {computed!r}"


def _label(value: Any, number: int) -> str:
    """What a row of a list is called: by its criterion or bid where it has one."""
    if isinstance(value, Mapping):
        return str(value.get("criterion") or value.get("bid_id") or number)
    return str(number)


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


_NOTHING: Final = _Nothing()
