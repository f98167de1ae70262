"""Pages of the wallet room."""

from flask import Blueprint

from schoolmeals.web import NavItem

navigation: tuple[NavItem, ...] = ()
pages = Blueprint("wallet", __name__, template_folder="templates")
