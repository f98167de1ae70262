"""The room's pages hang on these two. The till's are told apart, because a stranger there is told something else."""

from flask import Blueprint

pages = Blueprint(
    "canteen",
    "schoolmeals.canteen",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/canteen",
)
till_pages = Blueprint("till", "schoolmeals.canteen")
