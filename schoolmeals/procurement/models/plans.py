"""What is meant to be bought, and what was eaten."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class PlanLine(Model):
    """One line of an organiser's annual plan: meals for one school in one span of time, and the money set aside."""

    __tablename__ = "plan_line"
    __table_args__ = (
        CheckConstraint("starts_on <= ends_on", name="starts_before_it_ends"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("planned_days > 0", name="days_positive"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawal_reason IS NULL)", name="withdrawn_with_a_reason"),
        Index("ix_plan_line_year", "year", "organiser_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organiser_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    school_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    year: Mapped[int] = mapped_column(SmallInteger)
    """The financial year that pays."""
    title: Mapped[dict[str, Any]]
    """By language: kk, ru, en."""
    profile_code: Mapped[str]
    """The procedure that is meant, e.g. ``kz-catering-points``."""
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    planned_days: Mapped[int] = mapped_column(SmallInteger)
    """Days of meals; never more than the calendar has school days."""
    pupils: Mapped[dict[str, Any]]
    """How many are to be fed, by age group."""
    meals: Mapped[list[Any]]
    """``breakfast``, ``lunch``, ``afternoon-snack``, ``dinner``."""
    amount_minor: Mapped[int]
    currency: Mapped[str]
    announce_on: Mapped[date]
    made_by: Mapped[UUID | None]
    made_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawal_reason: Mapped[str | None]


class ServedMeals(Model):
    """How many set meals a school really served on a day, told by its canteen."""

    __tablename__ = "served_meals"
    __table_args__ = (CheckConstraint("meals >= 0", name="not_negative"),)

    school_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    meal: Mapped[str] = mapped_column(primary_key=True)
    age_group: Mapped[str] = mapped_column(primary_key=True)
    meals: Mapped[int]
