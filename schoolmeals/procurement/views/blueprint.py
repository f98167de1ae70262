"""The room's pages hang on this."""

from flask import Blueprint

pages = Blueprint(
    "procurement",
    "schoolmeals.procurement",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/procurement",
)
