"""Days are the days of the place: at half past midnight in Almaty, UTC still has yesterday."""

from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from schoolmeals import database
from schoolmeals.database import Work
from schoolmeals.errors import Invalid
from schoolmeals.procurement.actions import tenure
from tests.factories.procurement import Procurement, texts

NIGHT: Final = datetime(2026, 11, 23, 19, 30, tzinfo=UTC)
"""Half past midnight of the 24th in Almaty."""
YESTERDAY, TODAY = date(2026, 11, 23), date(2026, 11, 24)


def except_until(world: Procurement, until: date) -> None:
    """Let somebody be appointed beyond the limit until a day."""
    about: dict[str, Any] = {"office": "commission-member", "organisation_id": world.city_id}
    person_id = world.editor.id
    reason = texts("nobody else")
    world.do(
        tenure.publish_tenure_exception,
        **about,
        person_id=person_id,
        reason=reason,
        until=until,
        actor=world.city_admin,
    )


def test_a_day_begins_at_local_midnight(world: Procurement) -> None:
    world.clock.now = NIGHT
    with pytest.raises(Invalid):
        except_until(world, YESTERDAY)
    except_until(world, TODAY)


def test_days_of_utc_would_be_found(world: Procurement, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a day that is over is taken."""
    world.clock.now = NIGHT
    monkeypatch.setattr(database, "local_zone", lambda: ZoneInfo("UTC"))
    except_until(world, YESTERDAY)


def test_an_installation_elsewhere_has_its_own_days(world: Procurement, monkeypatch: pytest.MonkeyPatch) -> None:
    def today(work: Work) -> date:
        return work.today

    world.clock.now = NIGHT
    assert world.look(today) == TODAY
    monkeypatch.setattr(database, "local_zone", lambda: ZoneInfo("America/Bogota"))
    assert world.look(today) == YESTERDAY
