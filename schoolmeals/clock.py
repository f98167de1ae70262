"""The only place that asks the machine what time it is. Everyone else is handed an instant."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Gives the present instant in UTC, aware."""


def system_clock() -> datetime:
    """The machine's own time, in UTC."""
    return datetime.now(UTC)


class MovableClock:
    """A clock that stands still until it is told to move; for tests and the demo."""

    def __init__(self, now: datetime) -> None:
        self.now = in_utc(now)

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> datetime:
        """Move by a span and give the new instant."""
        self.now += by
        return self.now


def in_utc(instant: datetime) -> datetime:
    """The same instant in UTC. A naive time is a programmer's mistake: nobody knows when it was."""
    if instant.tzinfo is None:
        raise ValueError("a time without a zone is refused")
    return instant.astimezone(UTC)
