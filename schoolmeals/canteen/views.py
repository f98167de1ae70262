"""Pages of the canteen room."""

from flask import Blueprint

from schoolmeals.web import NavItem

navigation: tuple[NavItem, ...] = ()
pages = Blueprint("canteen", __name__, template_folder="templates")
