"""Menus, sales, days. A sale is one tap's order and its answer, served or refused; it is never changed."""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    Time,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class Sitting(Model):
    """When a meal is served: breakfast, lunch of the first shift, ..."""

    __tablename__ = "sitting"
    __table_args__ = (
        CheckConstraint("meal IN ('breakfast', 'lunch', 'afternoon-snack', 'dinner')", name="meal"),
        CheckConstraint("opens_at < closes_at", name="opens_before_it_closes"),
    )

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    meal: Mapped[str]
    shift: Mapped[int] = mapped_column(SmallInteger)
    opens_at: Mapped[time] = mapped_column(Time)
    """Local time of the school."""
    closes_at: Mapped[time] = mapped_column(Time)
    ended_on: Mapped[date | None]
    """From this day on the sitting is no longer held."""


class Menu(Model):
    """What one sitting of one day offers. Only a published menu is sold; publishing again makes the next version."""

    __tablename__ = "menu"
    __table_args__ = (
        UniqueConstraint("school_id", "day", "sitting_id"),
        ForeignKeyConstraint(["school_id", "sitting_id"], ["sitting.school_id", "sitting.id"]),
    )

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date]
    sitting_id: Mapped[UUID]
    version: Mapped[int] = mapped_column(default=0)
    published_at: Mapped[datetime | None]
    published_by: Mapped[UUID | None]


class MenuItem(Model):
    """One line of a menu: the set meal of an age group, or something from the buffet.

    It is on the menu's version ``v`` where ``from_version <= v`` and ``v < until_version`` (or that is None).
    """

    __tablename__ = "menu_item"
    __table_args__ = (
        ForeignKeyConstraint(["school_id", "menu_id"], ["menu.school_id", "menu.id"]),
        ForeignKeyConstraint(["school_id", "photo_id"], ["photo.school_id", "photo.id"]),
        CheckConstraint("kind IN ('set', 'buffet')", name="kind"),
        CheckConstraint("price_minor >= 0", name="price_not_negative"),
        CheckConstraint("(kind = 'set') = (age_group IS NOT NULL)", name="set_meals_have_an_age_group"),
        Index("ix_menu_item_menu", "school_id", "menu_id"),
    )

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    menu_id: Mapped[UUID]
    position: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str]
    age_group: Mapped[str | None]
    """``6-10``, ``11-14`` or ``15-18``; only for set meals."""
    name_kk: Mapped[str]
    name_ru: Mapped[str]
    name_en: Mapped[str]
    dishes: Mapped[list[Any]]
    """For a set meal its dishes: ``[{"kk": ..., "ru": ..., "en": ...}]``."""
    photo_id: Mapped[UUID | None]
    price_minor: Mapped[int]
    currency: Mapped[str]
    portion_g: Mapped[int | None]
    kcal: Mapped[int | None]
    allergens: Mapped[list[Any]]
    contract_item_id: Mapped[UUID | None]
    """The price line of the catering contract that this price comes from."""
    from_version: Mapped[int]
    """The menu's version that brought the item; until that is published it is a draft."""
    until_version: Mapped[int | None]
    """The version that no longer has it. What was ever published is never changed, only followed by another item."""


class Sale(Model):
    """One tap: what was asked for and what was answered. A refused tap is kept with its code and stays refused."""

    __tablename__ = "sale"
    __table_args__ = (
        ForeignKeyConstraint(["school_id", "pupil_id"], ["pupil.school_id", "pupil.id"]),
        # Asked at the commit: the books come last, because every tap of the school waits for their accounts.
        ForeignKeyConstraint(
            ["school_id", "entry_id"],
            ["journal_entry.school_id", "journal_entry.id"],
            deferrable=True,
            initially="DEFERRED",
        ),
        CheckConstraint("(verdict = 'served') = (code IS NULL)", name="refused_with_a_code"),
        CheckConstraint("verdict IN ('served', 'refused')", name="verdict"),
        CheckConstraint("total_minor = money_minor + grace_minor + courtesy_minor", name="shares_add_up"),
        UniqueConstraint("school_id", "device_id", "seq"),
        Index("ix_sale_pupil_day", "school_id", "pupil_id", "service_day"),
        Index("ix_sale_day", "school_id", "service_day"),
    )

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    """The tap's id, made by the till; also the journal entry's id and the receipt's number."""
    device_id: Mapped[UUID]
    seq: Mapped[int]
    """Counted by the device, from 1."""
    cashier_id: Mapped[UUID | None]
    pupil_id: Mapped[UUID | None]
    """None only where a refused tap's card named nobody."""
    card_id: Mapped[UUID | None]
    """None where the pupil was found by name."""
    sitting_id: Mapped[UUID]
    menu_version: Mapped[int | None]
    service_day: Mapped[date]
    tapped_at: Mapped[datetime]
    """By the device's clock."""
    recorded_at: Mapped[datetime]
    verdict: Mapped[str]
    code: Mapped[str | None]
    facts: Mapped[dict[str, Any]]
    """The parameters of the code's sentence."""
    warnings: Mapped[list[Any]]
    """Codes that did not stop the sale, each with its facts: ``[{"code": ..., "facts": {...}}]``."""
    decisions: Mapped[list[Any]]
    """What the cashier decided by name: ``[{"code": ..., "reason": ...}]``."""
    declined: Mapped[list[Any]]
    """What was left out of a meal that was served: ``[[menu_item_id, quantity, is_set_meal]]``."""
    total_minor: Mapped[int]
    money_minor: Mapped[int]
    """What the purse paid; with the next two it adds up to the total, as in the journal entry."""
    grace_minor: Mapped[int]
    courtesy_minor: Mapped[int]
    currency: Mapped[str]
    entry_id: Mapped[UUID | None]
    """None where nothing was sold or everything cost nothing."""
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)


class SaleLine(Model):
    """What was sold: the item, its price at that moment and the contract line it rests on."""

    __tablename__ = "sale_line"
    __table_args__ = (
        ForeignKeyConstraint(["school_id", "sale_id"], ["sale.school_id", "sale.id"]),
        ForeignKeyConstraint(["school_id", "menu_item_id"], ["menu_item.school_id", "menu_item.id"]),
        CheckConstraint("quantity BETWEEN 1 AND 20", name="quantity"),
    )

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    sale_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    menu_item_id: Mapped[UUID]
    is_set_meal: Mapped[bool] = mapped_column(Boolean)
    quantity: Mapped[int] = mapped_column(SmallInteger)
    price_minor: Mapped[int]
    """Of one."""
    contract_item_id: Mapped[UUID | None]


class SaleUndo(Model):
    """A sale that was taken back, once. The reversal in the ledger has this row's id."""

    __tablename__ = "sale_undo"
    __table_args__ = (
        ForeignKeyConstraint(["school_id", "sale_id"], ["sale.school_id", "sale.id"]),
        UniqueConstraint("school_id", "sale_id"),
    )

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sale_id: Mapped[UUID]
    undone_by: Mapped[UUID | None]
    undone_at: Mapped[datetime]
    reason: Mapped[str]


class DayClosing(Model):
    """A school day whose taps were counted and whose books balanced at that moment."""

    __tablename__ = "day_closing"

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    closed_by: Mapped[UUID | None]
    closed_at: Mapped[datetime]
    counts: Mapped[dict[str, Any]]
    trial_balance: Mapped[list[Any]]
