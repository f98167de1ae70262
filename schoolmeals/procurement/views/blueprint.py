"""The room's pages hang on this."""

from flask import Blueprint

from schoolmeals.procurement.bundled import can_seal

pages = Blueprint(
    "procurement",
    "schoolmeals.procurement",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/procurement",
)
pages.add_app_template_global(can_seal)
