"""The canteen: menus, tills and sales; the bridge between a child's lunch and the books.

*Sitting*: when a meal is served. *Menu*: what one sitting of one day offers, in versions. *Set meal*: the meal of an
age group, always served. *Buffet item*: what may be bought beside it. *Tap*: one order at a till. *Sale*: a tap and its
answer, served or refused, never changed. *Undo*: a sale taken back, once, by a reversal in the books.

Never here: who eats free. A till is told the same about every child, whoever pays.
"""

from schoolmeals.canteen.actions.days import close_day
from schoolmeals.canteen.actions.menus import (
    copy_day,
    end_sitting,
    hold_sitting,
    move_sitting,
    publish_menu,
    put_item,
    replace_item,
    take_off_item,
)
from schoolmeals.canteen.actions.taps import ring_up
from schoolmeals.canteen.actions.undoing import undo_sale
from schoolmeals.canteen.menus import (
    DayCounts,
    MealFacts,
    MealItem,
    MenuFacts,
    MenuLine,
    NewMenuItem,
    SittingCount,
    SittingFacts,
)
from schoolmeals.canteen.orders import Answer, AnswerItem, NamedDecision, Order, OrderItem, PupilAtTill
from schoolmeals.canteen.queries import (
    city_counts,
    closing_of,
    day_counts,
    meals_of,
    menu_in_draft,
    menu_of,
    sales_of_day,
    sales_of_till,
    sittings_of,
    trial_balance_of,
)
from schoolmeals.canteen.rules import AGE_GROUPS, MEALS, age_group_of, nearest_age_group
from schoolmeals.canteen.tracing import Sold, SoldLine, sold
from schoolmeals.canteen.watching import (
    Tap,
    pulse_of_taps,
    sales_numbered,
    sittings_now,
    sittings_over,
    taps_recorded,
    whose_sale,
)
from schoolmeals.canteen.words import allergen_words, sitting_name
from schoolmeals.canteen.words import hours as sitting_hours

__all__ = [
    "AGE_GROUPS",
    "MEALS",
    "Answer",
    "AnswerItem",
    "DayCounts",
    "MealFacts",
    "MealItem",
    "MenuFacts",
    "MenuLine",
    "NamedDecision",
    "NewMenuItem",
    "Order",
    "OrderItem",
    "PupilAtTill",
    "SittingCount",
    "SittingFacts",
    "Sold",
    "SoldLine",
    "Tap",
    "age_group_of",
    "allergen_words",
    "city_counts",
    "close_day",
    "closing_of",
    "copy_day",
    "day_counts",
    "end_sitting",
    "hold_sitting",
    "meals_of",
    "menu_in_draft",
    "menu_of",
    "move_sitting",
    "nearest_age_group",
    "publish_menu",
    "pulse_of_taps",
    "put_item",
    "replace_item",
    "ring_up",
    "sales_numbered",
    "sales_of_day",
    "sales_of_till",
    "sitting_hours",
    "sitting_name",
    "sittings_now",
    "sittings_of",
    "sittings_over",
    "sold",
    "take_off_item",
    "taps_recorded",
    "trial_balance_of",
    "undo_sale",
    "whose_sale",
]
