"""A school's purses, limits, grace and sales in plain Python: what the till must answer, without a database."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

UNDO_WITHIN = timedelta(minutes=5)


@dataclass
class Purse:
    """One pupil. ``grace`` is what was lent; minor units."""

    money: int = 0
    grace: int = 0
    limit: int | None = None
    set_meals: int = 0
    buffet_spent: int = 0


@dataclass(frozen=True)
class Wish:
    """What is asked for: portions of the set meal, juices, buns, and whether a second portion is meant."""

    meals: int
    juices: int
    buns: int
    second_is_meant: bool


@dataclass
class Told:
    """An answer, and what it did."""

    pupil: int
    code: str | None
    meals: int = 0
    buffet: int = 0
    is_cut_short: bool = False
    is_over_limit: bool = False
    shares: tuple[int, int, int] = (0, 0, 0)
    at: datetime | None = None
    undo_id: UUID | None = None


@dataclass
class SchoolModel:
    """The prices, the pupils, every answer ever given."""

    meal: int
    juice: int
    bun: int
    grace_limit: int
    purses: list[Purse]
    told: dict[UUID, Told] = field(default_factory=dict)
    courtesy: int = 0
    sold: int = 0

    def tap(self, tap_id: UUID, pupil: int, wish: Wish, at: datetime) -> Told:
        """Decide one tap that was never sent before."""
        purse = self.purses[pupil]
        told = self._decided(purse, pupil, wish)
        told.at = at
        if told.code is None:
            purse.set_meals += told.meals
            purse.buffet_spent += told.buffet
            told.shares = self._pay(purse, told)
        self.told[tap_id] = told
        return told

    def top_up(self, pupil: int, amount: int) -> None:
        """Money comes in and repays grace first."""
        purse = self.purses[pupil]
        purse.money += amount
        repaid = min(purse.grace, purse.money)
        purse.money -= repaid
        purse.grace -= repaid

    def undo(self, tap_id: UUID, undo_id: UUID, at: datetime, *, by_till: bool) -> str | None:
        """Take a sale back; the refusal's code where that cannot be done."""
        told = self.told[tap_id]
        if told.undo_id is not None:
            return None if told.undo_id == undo_id else "already-undone"
        if told.code is not None:
            return "not-sold"
        assert told.at is not None
        if by_till and at - told.at > UNDO_WITHIN:
            return "too-late-to-undo"
        told.undo_id = undo_id
        purse = self.purses[told.pupil]
        money, grace, courtesy = told.shares
        owed = min(purse.grace, grace)
        purse.money += money + grace - owed
        purse.grace -= owed
        purse.set_meals -= told.meals
        purse.buffet_spent -= told.buffet
        self.courtesy -= courtesy
        self.sold -= money + grace + courtesy
        return None

    def _decided(self, purse: Purse, pupil: int, wish: Wish) -> Told:
        buffet = wish.juices * self.juice + wish.buns * self.bun
        if wish.meals and purse.set_meals + wish.meals > 1 and not wish.second_is_meant:
            return Told(pupil, "V53")
        is_first = bool(wish.meals) and purse.set_meals == 0
        left = max(0, purse.money - (self.meal if is_first else 0))
        extras = buffet + (wish.meals - is_first) * self.meal
        is_over_limit = bool(buffet) and purse.limit is not None and buffet > max(0, purse.limit - purse.buffet_spent)
        if not is_over_limit and extras <= left:
            return Told(pupil, None, wish.meals, buffet)
        if is_first:
            return Told(pupil, None, 1, 0, is_cut_short=True, is_over_limit=is_over_limit)
        return Told(pupil, "L60" if is_over_limit else "F70")

    def _pay(self, purse: Purse, told: Told) -> tuple[int, int, int]:
        first = self.meal if told.meals and purse.set_meals == told.meals else 0
        rest = told.meals * self.meal + told.buffet - first
        money = min(first, purse.money)
        grace = min(first - money, max(0, self.grace_limit - purse.grace))
        courtesy = first - money - grace
        purse.money -= money + rest
        purse.grace += grace
        self.courtesy += courtesy
        self.sold += first + rest
        return money + rest, grace, courtesy
