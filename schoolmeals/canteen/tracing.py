"""What a receipt sold, without anybody's name: for whoever walks from a price back to the contract. For everybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from schoolmeals import identity, ledger
from schoolmeals.canteen.models import Menu, MenuItem, Sale, SaleLine, SaleUndo, Sitting
from schoolmeals.canteen.orders import SERVED
from schoolmeals.database import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldLine:
    """A line of a receipt and the line of the menu that it was sold by; prices of one, in minor units."""

    line: int
    menu_item_id: UUID
    names: Mapping[str, str]
    is_set_meal: bool
    age_group: str | None
    quantity: int
    price_minor: int
    menu_price_minor: int
    contract_item_id: UUID | None
    was_on_menu: bool
    """Whether the menu's version that was sold from has this line, at this price and resting on the same contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """What one tap sold. Whose it was and who paid which part is not told; nor at what minute."""

    school_id: UUID
    receipt: UUID
    day: date
    meal: str | None
    menu_version: int | None
    menu_published_at: datetime | None
    total_minor: int
    posted_minor: int
    """What the journal entry of this receipt moved to the meals that were sold."""
    currency: str
    is_undone: bool
    lines: tuple[SoldLine, ...]

    @property
    def adds_up(self) -> bool:
        """Whether the lines, the receipt and the books say the same sum."""
        return sum(one.price_minor * one.quantity for one in self.lines) == self.total_minor == self.posted_minor


def sold(look: Work, receipt: UUID) -> Sold | None:
    """What the receipt with this id sold, in whatever school; None where it sold nothing or is not there."""
    # Every key begins with the school; its few hundred schools are asked one by one, inside one statement.
    schools = [one.id for one in identity.organisations(look, ["school"])]
    sale = look.session.scalar(select(Sale).where(Sale.school_id.in_(schools), Sale.id == receipt))
    if sale is None or sale.verdict != SERVED:
        return None
    menu = look.session.scalar(
        select(Menu).where(
            Menu.school_id == sale.school_id, Menu.sitting_id == sale.sitting_id, Menu.day == sale.service_day
        )
    )
    sitting = look.session.get(Sitting, (sale.school_id, sale.sitting_id))
    undone = select(SaleUndo.id).where(SaleUndo.school_id == sale.school_id, SaleUndo.sale_id == sale.id)
    posted = ledger.moved_to(look, sale.school_id, sale.entry_id, "meals-sold") if sale.entry_id is not None else 0
    is_last = menu is not None and menu.version == sale.menu_version
    return Sold(
        school_id=sale.school_id,
        receipt=sale.id,
        day=sale.service_day,
        meal=sitting.meal if sitting is not None else None,
        menu_version=sale.menu_version,
        menu_published_at=menu.published_at if menu is not None and is_last else None,
        total_minor=sale.total_minor,
        posted_minor=posted,
        currency=sale.currency,
        is_undone=look.session.scalar(undone) is not None,
        lines=_lines(look, sale, menu),
    )


def _lines(look: Work, sale: Sale, menu: Menu | None) -> tuple[SoldLine, ...]:
    found = (
        select(SaleLine, MenuItem)
        .join(MenuItem, (MenuItem.school_id == SaleLine.school_id) & (MenuItem.id == SaleLine.menu_item_id))
        .where(SaleLine.school_id == sale.school_id, SaleLine.sale_id == sale.id)
        .order_by(SaleLine.line)
    )
    return tuple(
        SoldLine(
            line=line.line,
            menu_item_id=item.id,
            names={"kk": item.name_kk, "ru": item.name_ru, "en": item.name_en},
            is_set_meal=line.is_set_meal,
            age_group=item.age_group,
            quantity=line.quantity,
            price_minor=line.price_minor,
            menu_price_minor=item.price_minor,
            contract_item_id=line.contract_item_id,
            was_on_menu=menu is not None and _was_sold(line, item, menu, sale.menu_version or 0),
        )
        for line, item in look.session.execute(found)
    )


def _was_sold(line: SaleLine, item: MenuItem, menu: Menu, version: int) -> bool:
    is_in_version = item.from_version <= version and (item.until_version is None or version < item.until_version)
    is_same = (line.price_minor, line.contract_item_id) == (item.price_minor, item.contract_item_id)
    return item.menu_id == menu.id and is_in_version and is_same
