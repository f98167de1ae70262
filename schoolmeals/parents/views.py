"""Pages of the parents room."""

from flask import Blueprint

from schoolmeals.web import NavItem

navigation: tuple[NavItem, ...] = ()
pages = Blueprint("parents", __name__, template_folder="templates")
