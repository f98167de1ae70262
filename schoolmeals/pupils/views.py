"""Pages of the pupils room."""

from flask import Blueprint

from schoolmeals.web import NavItem

navigation: tuple[NavItem, ...] = ()
pages = Blueprint("pupils", __name__, template_folder="templates")
