"""The JSON API of the identity room."""

from schoolmeals.web import ApiBlueprint

api = ApiBlueprint("identity_api", __name__, url_prefix="/api", description="identity")
