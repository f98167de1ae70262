"""Points that evidence earns, computed: by which rule, from what, proven by which files, and why so many.

Nobody sets these points. Who doubts one contests the evidence; where most of the commission do so, it falls, and what
rested on it counts no more. Whoever is offered beyond a full working day in the whole city counts in no bid at all.

Facts are read from plain JSON and points are written as such, so that the published score sheet is all that is needed
to compute everything again. Thousandths of points, rounded down.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from schoolmeals.errors import N_
from schoolmeals.procurement.profiles import Criterion

DAYS_OF_A_YEAR: Final = 365
_ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is offered. ``key`` is a pseudonym, the same wherever the same person is offered in the tender."""

    key: str
    post: str
    grade: int | None
    education: str
    fte_percent: int
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """Work for a customer, from the first day to the last. Whether the customer is public is kept and never asked."""

    starts_on: date
    ends_on: date
    public: bool
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaxYear:
    """A year of taxes in a region."""

    year: int
    region: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """A file that a bid names for a requirement or a criterion."""

    about: str
    sha256: str
    valid_until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BidFacts:
    """What points are computed from: a bid without names."""

    bid_id: str
    lot_id: str
    staff: tuple[Person, ...] = ()
    experience: tuple[Period, ...] = ()
    taxes: tuple[TaxYear, ...] = ()
    proofs: tuple[Proof, ...] = ()
    origin_percent: int | None = None
    completed: int = 0
    """Contracts of the supplier that have ended well."""
    terminated: int = 0
    """Contracts of the supplier that were ended by its fault."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "BidFacts":
        """As a score sheet has it."""
        return cls(
            bid_id=value["bid_id"],
            lot_id=value["lot_id"],
            staff=tuple(_person(one) for one in value["staff"]),
            experience=tuple(
                Period(_day(one["starts_on"]), _day(one["ends_on"]), one["public"], tuple(one["evidence"]))
                for one in value["experience"]
            ),
            taxes=tuple(TaxYear(one["year"], one["region"], tuple(one["evidence"])) for one in value["taxes"]),
            proofs=tuple(
                Proof(one["for"], one["sha256"], _day(one["valid_until"]) if one["valid_until"] else None)
                for one in value["evidence"]
            ),
            origin_percent=value["origin_percent"],
            completed=value["past"]["completed"],
            terminated=value["past"]["terminated"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all bids of a lot are measured against."""

    deadline: date
    """The local day on which bids ended: what is proven is proven for that day."""
    posts: tuple[Mapping[str, Any], ...] = ()
    """The staff that the lot asks for: ``post``, ``count``, ``fte_percent``."""
    domestic_percent: int = 0
    contested: frozenset[str] = frozenset()
    """Evidence that fell."""
    overcommitted: frozenset[str] = frozenset()
    """People who are offered beyond their working time."""

    def stands(self, evidence: Iterable[str]) -> bool:
        """Whether there is evidence, and none of it fell."""
        hashes = set(evidence)
        return bool(hashes) and hashes.isdisjoint(self.contested)

    def counts(self, person: Person) -> bool:
        """Whether a person is proven, and free to do the work."""
        return self.stands(person.evidence) and person.key not in self.overcommitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Points for one criterion of one bid, with everything that they follow from."""

    criterion: str
    rule: str
    version: int
    inputs: Mapping[str, Any]
    evidence: tuple[str, ...]
    points_milli: int
    most_milli: int
    code: str
    """Which sentence of :data:`EXPLANATIONS` tells it; its facts are in ``inputs``."""

    def as_json(self) -> dict[str, Any]:
        """For a score sheet."""
        return {
            "criterion": self.criterion,
            "rule": self.rule,
            "version": self.version,
            "inputs": dict(self.inputs),
            "evidence": list(self.evidence),
            "points_milli": self.points_milli,
            "most_milli": self.most_milli,
            "code": self.code,
        }


@dataclass(frozen=True, slots=True)
class _Found:
    """What a rule makes of a bid."""

    points_milli: int
    inputs: Mapping[str, Any]
    evidence: Iterable[str] = ()
    code: str = ""


def point(criterion: Criterion, bid: BidFacts, ground: Ground) -> Point:
    """The points of a bid for a criterion that is computed. Raises KeyError for a rule that this version has not."""
    found = RULES[criterion.rule, criterion.rule_version](criterion, bid, ground)
    least = criterion.params.get("from_milli", 0)
    return Point(
        criterion=criterion.code,
        rule=criterion.rule,
        version=criterion.rule_version,
        inputs=found.inputs,
        evidence=tuple(sorted(set(found.evidence))),
        points_milli=max(least, min(found.points_milli, criterion.most.value)),
        most_milli=criterion.most.value,
        code=found.code or criterion.rule,
    )


def judged_point(criterion: Criterion, scores: Mapping[str, int]) -> Point:
    """The points of a judged criterion: the mean of what each voter gave, by seat; half a thousandth rounds up."""
    given = [scores[seat] for seat in sorted(scores)]
    mean = (2 * sum(given) + len(given)) // (2 * len(given)) if given else 0
    return Point(
        criterion=criterion.code,
        rule=criterion.rule,
        version=criterion.rule_version,
        inputs={"scores": dict(sorted(scores.items())), "count": len(given)},
        evidence=(),
        points_milli=mean,
        most_milli=criterion.most.value,
        code="judged",
    )


def joined(periods: Iterable[tuple[date, date]]) -> list[tuple[date, date]]:
    """Periods with both ends, joined where they overlap or touch, so that no day counts twice."""
    spans: list[tuple[date, date]] = []
    for starts_on, ends_on in sorted(periods):
        if spans and starts_on <= spans[-1][1] + _ONE_DAY:
            spans[-1] = (spans[-1][0], max(spans[-1][1], ends_on))
        else:
            spans.append((starts_on, ends_on))
    return spans


def loads(bids: Iterable[BidFacts], elsewhere: Mapping[str, int]) -> dict[str, int]:
    """How much of a working day each person is offered for: in all these bids and elsewhere in the city, in percent."""
    found: dict[str, int] = dict(elsewhere)
    for bid in bids:
        for person in bid.staff:
            found[person.key] = found.get(person.key, 0) + person.fte_percent
    return found


def overcommitted(bids: Iterable[BidFacts], elsewhere: Mapping[str, int], most_percent: int) -> frozenset[str]:
    """The people in these bids who are offered for more than they can work."""
    listed = list(bids)
    offered = {person.key for bid in listed for person in bid.staff}
    return frozenset(key for key, percent in loads(listed, elsewhere).items() if percent > most_percent) & offered


def fallen(contests: Iterable[tuple[str, str]], voters: Iterable[str]) -> frozenset[str]:
    """The evidence that more than half of the voters contest, given who contests what; nobody counts twice."""
    voting = set(voters)
    seats: dict[str, set[str]] = {}
    for seat, sha256 in contests:
        if seat in voting:
            seats.setdefault(sha256, set()).add(seat)
    return frozenset(sha256 for sha256, found in seats.items() if 2 * len(found) > len(voting))


def _full_years(criterion: Criterion, bid: BidFacts, ground: Ground) -> _Found:
    proven = [one for one in bid.experience if ground.stands(one.evidence) and one.starts_on <= ground.deadline]
    spans = joined((one.starts_on, min(one.ends_on, ground.deadline)) for one in proven)
    days = sum((last - first).days + 1 for first, last in spans)
    years = days // DAYS_OF_A_YEAR
    inputs = {
        "spans": [[first.isoformat(), last.isoformat()] for first, last in spans],
        "days": days,
        "years": years,
        "unproven": len(bid.experience) - len(proven),
    }
    points = years * criterion.params["points_milli_per_year"]
    return _Found(points, inputs, (sha256 for one in proven for sha256 in one.evidence))


def _years_of_tax(criterion: Criterion, bid: BidFacts, ground: Ground) -> _Found:
    proven = [one for one in bid.taxes if ground.stands(one.evidence) and one.year <= ground.deadline.year]
    years = sorted({one.year for one in proven})
    inputs = {"years": years, "count": len(years)}
    points = len(years) * criterion.params["points_milli_per_year"]
    return _Found(points, inputs, (sha256 for one in proven for sha256 in one.evidence))


def _average_grade(criterion: Criterion, bid: BidFacts, ground: Ground) -> _Found:
    """The best of those who are proven, over as many as the lot asks for: whoever is missing counts as nothing."""
    post, table = criterion.params["post"], criterion.params["points_milli"]
    offered = [one for one in bid.staff if one.post == post]
    asked = sum(row["count"] for row in ground.posts if row["post"] == post) or len(offered)
    proven = [one for one in offered if ground.counts(one)]
    ranked = sorted(proven, key=lambda one: (-table.get(str(one.grade), 0), one.key))[:asked]
    total = sum(table.get(str(one.grade), 0) for one in ranked)
    inputs = {
        "grades": [one.grade for one in ranked],
        "asked": asked,
        "counted": len(ranked),
        "overcommitted": sum(one.key in ground.overcommitted for one in offered),
    }
    return _Found(total // asked if asked else 0, inputs, (sha256 for one in ranked for sha256 in one.evidence))


def _best_education(criterion: Criterion, bid: BidFacts, ground: Ground) -> _Found:
    post, table = criterion.params["post"], criterion.params["points_milli"]
    offered = [one for one in bid.staff if one.post == post]
    proven = [one for one in offered if ground.counts(one)]
    best = max(proven, key=lambda one: (table.get(one.education, 0), one.key), default=None)
    inputs = {
        "education": best.education if best is not None else None,
        "offered": len(offered),
        "overcommitted": sum(one.key in ground.overcommitted for one in offered),
    }
    if best is None:
        return _Found(0, inputs, code="nobody-proven")
    return _Found(table.get(best.education, 0), inputs, best.evidence)


def _evidence_count(criterion: Criterion, bid: BidFacts, ground: Ground) -> _Found:
    hashes = _proofs(criterion, bid, ground)
    return _Found(len(hashes) * criterion.params["points_milli_each"], {"count": len(hashes)}, hashes)


def _valid_certificate(criterion: Criterion, bid: BidFacts, ground: Ground) -> _Found:
    hashes = _proofs(criterion, bid, ground)
    inputs = {"count": len(hashes), "day": ground.deadline.isoformat()}
    return _Found(criterion.params["points_milli"] if hashes else 0, inputs, hashes)


def _share_above_minimum(criterion: Criterion, bid: BidFacts, ground: Ground) -> _Found:
    hashes = _proofs(criterion, bid, ground)
    percent = bid.origin_percent if bid.origin_percent is not None and hashes else 0
    tens = max(percent - ground.domestic_percent, 0) // 10
    inputs = {"percent": percent, "least": ground.domestic_percent, "tens": tens}
    return _Found(tens * criterion.params["points_milli_per_10_percent"], inputs, hashes)


def _past_performance(_criterion: Criterion, bid: BidFacts, _ground: Ground) -> _Found:
    inputs = {"completed": bid.completed, "terminated": bid.terminated}
    return _Found(1000 * bid.completed - 2000 * bid.terminated, inputs)


def _lowest_price(_criterion: Criterion, _bid: BidFacts, _ground: Ground) -> _Found:
    return _Found(0, {})


def _proofs(criterion: Criterion, bid: BidFacts, ground: Ground) -> list[str]:
    """The files for a criterion that stand and hold on the last day of bids; the same file counts once."""
    return sorted(
        {
            one.sha256
            for one in bid.proofs
            if one.about == criterion.code
            and ground.stands([one.sha256])
            and (one.valid_until is None or one.valid_until >= ground.deadline)
        }
    )


def _person(value: Mapping[str, Any]) -> Person:
    return Person(
        value["person"],
        value["post"],
        value["grade"],
        value["education"],
        value["fte_percent"],
        tuple(value["evidence"]),
    )


def _day(text: str) -> date:
    return date.fromisoformat(text)


RULES: Final[Mapping[tuple[str, int], Callable[[Criterion, BidFacts, Ground], _Found]]] = {
    ("full-years", 1): _full_years,
    ("years-of-tax", 1): _years_of_tax,
    ("average-grade", 1): _average_grade,
    ("best-education", 1): _best_education,
    ("evidence-count", 1): _evidence_count,
    ("valid-certificate", 1): _valid_certificate,
    ("share-above-minimum", 1): _share_above_minimum,
    ("past-performance", 1): _past_performance,
    ("lowest-price", 1): _lowest_price,
}
"""Every rule that was ever used, by name and version; a new version is a new row, so that old sheets still compute."""
EXPLANATIONS: Final = {
    "full-years": N_(
        "Full years of proven work: %(years)s. Days, none counted twice: %(days)s. Entries without proof: %(unproven)s."
    ),
    "years-of-tax": N_("Years of taxes that are proven: %(count)s."),
    "average-grade": N_(
        "People asked for: %(asked)s; proven and free: %(counted)s; beyond their working time: %(overcommitted)s."
    ),
    "best-education": N_("The best proven education of those offered, %(offered)s in all, counts."),
    "nobody-proven": N_(
        "Offered: %(offered)s; beyond their working time: %(overcommitted)s. Nobody is proven and free."
    ),
    "evidence-count": N_("Different files of evidence: %(count)s."),
    "valid-certificate": N_("Certificates that hold on %(day)s: %(count)s."),
    "share-above-minimum": N_(
        "Promised and proven: %(percent)s %%. Asked for: %(least)s %%. Full tens above: %(tens)s."
    ),
    "past-performance": N_(
        "Contracts here that ended well: %(completed)s; ended by the supplier's fault: %(terminated)s. Nothing else is "
        "counted: neither what parents report nor penalties."
    ),
    "lowest-price": N_("The price decides the order itself and earns no points."),
    "judged": N_("The mean of what each member gave alone. Members: %(count)s."),
}
"""How each point is told to people."""
