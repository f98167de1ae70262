"""Ids made by us, not by the database: UUIDv7, so that they sort by the time of their making (RFC 9562)."""

from datetime import datetime
from uuid import UUID

import uuid_utils


def new_id(at: datetime | None = None) -> UUID:
    """A new UUIDv7, stamped with ``at`` (aware) or with the present."""
    if at is None:
        return UUID(bytes=uuid_utils.uuid7().bytes)
    microseconds = round(at.timestamp() * 1_000_000)
    seconds, rest = divmod(microseconds, 1_000_000)
    return UUID(bytes=uuid_utils.uuid7(seconds, rest * 1_000).bytes)
