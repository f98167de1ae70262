"""The room's tables. What happened to a tender is in ``tender_act``; the rest is what acts speak of."""

from schoolmeals.procurement.models.bids import CiphertextPart, FrozenBid, OpenedBid, OpeningShare, SealedRow
from schoolmeals.procurement.models.commission import (
    CommissionSeat,
    InterestDeclaration,
    PoolMember,
    Tenure,
    TenureException,
)
from schoolmeals.procurement.models.notices import Enquiry, EnquiryAnswer, Subscription, TenderDocument
from schoolmeals.procurement.models.plans import PlanLine, ServedMeals
from schoolmeals.procurement.models.protocols import MemberKey, Protocol, ProtocolPaper
from schoolmeals.procurement.models.tenders import Lot, LotItem, Tender, TenderAct, TenderSection, TenderVersion

__all__ = [
    "CiphertextPart",
    "CommissionSeat",
    "Enquiry",
    "EnquiryAnswer",
    "FrozenBid",
    "InterestDeclaration",
    "Lot",
    "LotItem",
    "MemberKey",
    "OpenedBid",
    "OpeningShare",
    "PlanLine",
    "PoolMember",
    "Protocol",
    "ProtocolPaper",
    "SealedRow",
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
