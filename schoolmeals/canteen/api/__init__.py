"""The JSON API of the canteen room: the same deeds and looks as the pages."""

from schoolmeals.canteen.api import days, menus, till
from schoolmeals.canteen.api.blueprint import api

__all__ = ["api", "days", "menus", "till"]
