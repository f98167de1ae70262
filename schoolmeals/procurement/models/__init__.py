"""The room's tables. What happened to a tender is in ``tender_act``; the rest is what acts speak of."""

from schoolmeals.procurement.models.commission import (
    CommissionSeat,
    InterestDeclaration,
    PoolMember,
    Tenure,
    TenureException,
)
from schoolmeals.procurement.models.notices import Enquiry, EnquiryAnswer, Subscription, TenderDocument
from schoolmeals.procurement.models.plans import PlanLine, ServedMeals
from schoolmeals.procurement.models.tenders import Lot, LotItem, Tender, TenderAct, TenderSection, TenderVersion

__all__ = [
    "CommissionSeat",
    "Enquiry",
    "EnquiryAnswer",
    "InterestDeclaration",
    "Lot",
    "LotItem",
    "PlanLine",
    "PoolMember",
    "ServedMeals",
    "Subscription",
    "Tender",
    "TenderAct",
    "TenderDocument",
    "TenderSection",
    "TenderVersion",
    "Tenure",
    "TenureException",
]
