"""The JSON API of the pupils room."""

from schoolmeals.web import ApiBlueprint

api = ApiBlueprint("pupils_api", __name__, url_prefix="/api", description="pupils")
