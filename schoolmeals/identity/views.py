"""Pages of the identity room."""

from flask import Blueprint

from schoolmeals.web import NavItem

navigation: tuple[NavItem, ...] = ()
pages = Blueprint("identity", __name__, template_folder="templates")
