"""The JSON API of the canteen room."""

from schoolmeals.web import ApiBlueprint

api = ApiBlueprint("canteen_api", __name__, url_prefix="/api", description="canteen")
