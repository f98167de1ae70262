"""The room's tables. What happened to a tender is in ``tender_act``; the rest is what acts speak of."""

from schoolmeals.procurement.models.awards import Award, Complaint, ComplaintFile, ComplaintPost, Recheck
from schoolmeals.procurement.models.bids import CiphertextPart, FrozenBid, OpenedBid, OpeningShare, SealedRow
from schoolmeals.procurement.models.commission import (
    CommissionSeat,
    InterestDeclaration,
    PoolMember,
    Tenure,
    TenureException,
)
from schoolmeals.procurement.models.contracts import (
    Contract,
    ContractChange,
    ContractDocument,
    ContractItem,
    ContractPrice,
    ContractSignature,
    ContractStaff,
    Lease,
)
from schoolmeals.procurement.models.notices import Enquiry, EnquiryAnswer, Subscription, TenderDocument
from schoolmeals.procurement.models.plans import PlanLine, ServedMeals
from schoolmeals.procurement.models.protocols import MemberKey, Protocol, ProtocolPaper
from schoolmeals.procurement.models.registers import RegisterEntry, RegisterImport
from schoolmeals.procurement.models.suppliers import (
    ExperienceContract,
    Supplier,
    SupplierEquipment,
    SupplierEvidence,
    SupplierRepresentative,
    SupplierStaff,
    SupplierTax,
)
from schoolmeals.procurement.models.tenders import Lot, LotItem, Tender, TenderAct, TenderSection, TenderVersion

__all__ = [
    "Award",
    "CiphertextPart",
    "CommissionSeat",
    "Complaint",
    "ComplaintFile",
    "ComplaintPost",
    "Contract",
    "ContractChange",
    "ContractDocument",
    "ContractItem",
    "ContractPrice",
    "ContractSignature",
    "ContractStaff",
    "Enquiry",
    "EnquiryAnswer",
    "ExperienceContract",
    "FrozenBid",
    "InterestDeclaration",
    "Lease",
    "Lot",
    "LotItem",
    "MemberKey",
    "OpenedBid",
    "OpeningShare",
    "PlanLine",
    "PoolMember",
    "Protocol",
    "ProtocolPaper",
    "Recheck",
    "RegisterEntry",
    "RegisterImport",
    "SealedRow",
    "ServedMeals",
    "Subscription",
    "Supplier",
    "SupplierEquipment",
    "SupplierEvidence",
    "SupplierRepresentative",
    "SupplierStaff",
    "SupplierTax",
    "Tender",
    "TenderAct",
    "TenderDocument",
    "TenderSection",
    "TenderVersion",
    "Tenure",
    "TenureException",
]
