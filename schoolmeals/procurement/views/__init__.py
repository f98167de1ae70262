"""Pages of the tenders' room, one file for each group of doors."""

from schoolmeals.errors import N_
from schoolmeals.procurement.views import admission as admission
from schoolmeals.procurement.views import amendments as amendments
from schoolmeals.procurement.views import awards as awards
from schoolmeals.procurement.views import bid_room as bid_room
from schoolmeals.procurement.views import bids as bids
from schoolmeals.procurement.views import (
    ceremony,
    commission,
    declarations,
    drafts,
    enquiries,
    members,
    openings,
    plans,
    pool,
    protocols,
    public,
)
from schoolmeals.procurement.views import complaints as complaints
from schoolmeals.procurement.views import confirmations as confirmations
from schoolmeals.procurement.views import contracts as contracts
from schoolmeals.procurement.views import draws as draws
from schoolmeals.procurement.views import mending as mending
from schoolmeals.procurement.views import ocds as ocds
from schoolmeals.procurement.views import papers as papers
from schoolmeals.procurement.views import registers as registers
from schoolmeals.procurement.views import scores as scores
from schoolmeals.procurement.views import scoring as scoring
from schoolmeals.procurement.views import securities as securities
from schoolmeals.procurement.views import signing as signing
from schoolmeals.procurement.views import subscriptions as subscriptions
from schoolmeals.procurement.views import supplier_ledger as supplier_ledger
from schoolmeals.procurement.views import suppliers as suppliers
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import READERS
from schoolmeals.procurement.views.supplier_frame import SUPPLIERS
from schoolmeals.web import PUBLIC_POLICY, NavItem

navigation: tuple[NavItem, ...] = (
    NavItem("procurement.tenders", N_("Tenders"), PUBLIC_POLICY),
    NavItem("procurement.contract_list", N_("Contracts"), PUBLIC_POLICY),
    NavItem("procurement.desk", N_("Work on tenders"), READERS),
    NavItem("procurement.my_contracts", N_("My contracts"), contracts.SIDES),
    NavItem("procurement.my_suppliers", N_("My supplier"), SUPPLIERS),
    NavItem("procurement.my_seats", N_("My commissions"), members.MEMBERS),
)

__all__ = [
    "ceremony",
    "commission",
    "declarations",
    "drafts",
    "enquiries",
    "members",
    "navigation",
    "openings",
    "pages",
    "plans",
    "pool",
    "protocols",
    "public",
]
