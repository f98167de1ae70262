"""The JSON API of the parents room."""

from schoolmeals.web import ApiBlueprint

api = ApiBlueprint("parents_api", __name__, url_prefix="/api", description="parents")
