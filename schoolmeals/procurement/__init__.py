"""Tenders, from the plan to the signed contract, with bids that nobody can read early.

*Tender*: what is bought, in *lots*, one for each school; its *items* are meals of an age group, or goods. *Act*:
something that happened to a tender, one immutable row; from its acts everything else is computed, the *stage* too.
*Version*: the published text, whole and for ever. *Profile*: the procedure's numbers and terms, with the law that they
rest on. *Commission*: who decides, drawn by lot from a *pool*. *Seat*: one person's place in it.

Never here: what pupils eat and who pays for it. The canteen tells how many meals were served, and takes prices by a
contract's items.
"""

from schoolmeals.procurement.actions.plans import note_served_meals
from schoolmeals.procurement.queries.contracts import (
    ContractItemFacts,
    ContractLine,
    contract_items_of,
    contracts,
    contracts_of_school,
    contracts_of_schools,
)
from schoolmeals.procurement.queries.tenders import TenderLine, TenderPage, TenderSearch, tenders
from schoolmeals.procurement.queries.tracing import (
    AwardStep,
    BidStep,
    ContractStep,
    Digest,
    PriceTrace,
    TenderStep,
    trace_of_prices,
)
from schoolmeals.procurement.rows import ServerKeys
from schoolmeals.procurement.rules.contracts import STAGE_NAMES as CONTRACT_STAGE_NAMES
from schoolmeals.procurement.rules.contracts import ContractStage, LeaseState
from schoolmeals.procurement.rules.stages import OVER as OVER_STAGES
from schoolmeals.procurement.rules.stages import STAGE_NAMES, TenderStage
from schoolmeals.procurement.words import AGE_GROUP_NAMES, MEAL_NAMES, STAGE_KINDS

__all__ = [
    "AGE_GROUP_NAMES",
    "CONTRACT_STAGE_NAMES",
    "MEAL_NAMES",
    "OVER_STAGES",
    "STAGE_KINDS",
    "STAGE_NAMES",
    "AwardStep",
    "BidStep",
    "ContractItemFacts",
    "ContractLine",
    "ContractStage",
    "ContractStep",
    "Digest",
    "LeaseState",
    "PriceTrace",
    "ServerKeys",
    "TenderLine",
    "TenderPage",
    "TenderSearch",
    "TenderStage",
    "TenderStep",
    "contract_items_of",
    "contracts",
    "contracts_of_school",
    "contracts_of_schools",
    "note_served_meals",
    "tenders",
    "trace_of_prices",
]
