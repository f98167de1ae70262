"""Ids made by us, not by the database: UUIDv7, so that they sort by the time of their making (RFC 9562)."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import uuid_utils

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def new_id(at: datetime | None = None) -> UUID:
    """A new UUIDv7, stamped with ``at`` (aware) or with the present."""
    if at is None:
        return UUID(bytes=uuid_utils.uuid7().bytes)
    microseconds = (at - _EPOCH) // timedelta(microseconds=1)
    return UUID(bytes=uuid_utils.uuid7(nanoseconds=microseconds * 1_000).bytes)
