"""Ids made by us, not by the database: UUIDv7, so that they sort by the time of their making (RFC 9562); and the short
numbers by which people name them on the telephone.
"""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import uuid_utils

SPOKEN_DIGITS: Final = 10
"""Of a thousand sales of one day, two share a number on one day in twenty thousand."""
_RANDOM_BYTES: Final = 5
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def new_id(at: datetime | None = None) -> UUID:
    """A new UUIDv7, stamped with ``at`` (aware) or with the present."""
    if at is None:
        return UUID(bytes=uuid_utils.uuid7().bytes)
    microseconds = (at - _EPOCH) // timedelta(microseconds=1)
    return UUID(bytes=uuid_utils.uuid7(nanoseconds=microseconds * 1_000).bytes)


def spoken_number(id: UUID) -> str:
    """What people read out of an id: ten digits in two groups, ``48290 37114``; the same for ever. It comes from the
    id's random end, so two ids of different days may share it: say the day with it.
    """
    digits = f"{int.from_bytes(id.bytes[-_RANDOM_BYTES:], 'big') % 10**SPOKEN_DIGITS:0{SPOKEN_DIGITS}d}"
    return f"{digits[:5]}\u00a0{digits[5:]}"


def number_in_sql(column: str) -> str:
    """The number of :func:`spoken_number` as an SQL expression over a column of type uuid."""
    return f"mod(('x' || right({column}::text, 10))::bit(40)::bigint, 10000000000)"


def number_heard(text: str) -> int | None:
    """A number as somebody typed it, with whatever stands between its digits; None where it holds anything else."""
    bare = "".join(text.replace("№", "").replace("-", "").split())
    return int(bare) if bare.isascii() and bare.isdigit() and len(bare) <= SPOKEN_DIGITS else None
