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
    contracts_of_school,
)
from schoolmeals.procurement.queries.tenders import TenderLine, TenderPage, TenderSearch, tenders
from schoolmeals.procurement.rules.stages import TenderStage

__all__ = [
    "ContractItemFacts",
    "ContractLine",
    "TenderLine",
    "TenderPage",
    "TenderSearch",
    "TenderStage",
    "contract_items_of",
    "contracts_of_school",
    "note_served_meals",
    "tenders",
]
