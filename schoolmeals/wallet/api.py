"""The JSON API of the wallet room."""

from schoolmeals.web import ApiBlueprint

api = ApiBlueprint("wallet_api", __name__, url_prefix="/api", description="wallet")
