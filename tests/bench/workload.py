"""Taps for the workloads: every pupil eats once a day, so that each tap is a real sale and none a second portion."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from schoolmeals.canteen.orders import Order
from schoolmeals.ids import new_id
from tests.bench.ground import City, School

ZONE: Final = ZoneInfo("Asia/Almaty")
NUMBERS_EACH: Final = 10_000_000
"""How many numbers a workload may count on a till before it meets the next workload's."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some pupils of one school at one of its tills on one day."""

    school: School
    till_id: UUID
    at: datetime
    places: range
    """Which of the school's pupils."""
    first_seq: int

    def orders(self) -> list[Order]:
        """The batch as the product's own values."""
        return [
            Order(
                id=new_id(),
                seq=self.first_seq + n,
                tapped_at=self.at,
                sitting_id=self.school.sitting_id,
                number_hash=self.school.card_hashes[place],
                wants_set_meal=True,
            )
            for n, place in enumerate(self.places)
        ]

    def body(self) -> bytes:
        """The batch as a till sends it."""
        taps: list[dict[str, Any]] = [
            {
                "id": str(new_id()),
                "seq": self.first_seq + n,
                "tapped_at": self.at.isoformat(),
                "sitting_id": str(self.school.sitting_id),
                "card_number": self.school.card_numbers[place],
                "wants_set_meal": True,
                "items": [],
                "decisions": [],
            }
            for n, place in enumerate(self.places)
        ]
        return json.dumps({"taps": taps}).encode()


def batches(
    city: City, size: int, *, workload: int, days: range, share: int = 0, shares: int = 1, till: int = 0
) -> Iterator[Batch]:
    """Batches of ``size``, day after day and school after school; one of ``shares`` equal parts of the schools.

    ``workload`` must differ between all that run on the same tills, ``days`` between all that feed the same pupils.
    """
    numbers = count(workload * NUMBERS_EACH + 1, size)
    for place in days:
        noon = datetime.combine(city.days[place], time(12), tzinfo=ZONE).astimezone(UTC)
        at = min(noon, city.now - timedelta(seconds=1))
        for school in city.schools[share::shares]:
            whole = range(0, len(school.card_hashes) - size + 1, size)
            for first in whole:
                yield Batch(school, school.till_ids[till], at, range(first, first + size), next(numbers))
