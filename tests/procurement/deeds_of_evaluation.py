"""How the deeds of admission and evaluation are done, for the table of permissions."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from schoolmeals.database import Work
from schoolmeals.ids import new_id
from schoolmeals.procurement.actions import admission, evaluation, low_prices, scoring
from tests.factories.procurement import ALMATY, Procurement

RECIPES: Final[dict[str, Callable[[Procurement, Work, UUID], Any]]] = {
    "decide_requirement": lambda _world, work, tender: admission.decide_requirement(
        work, tender, new_id(work.now), "resources", met=True, zone=ALMATY
    ),
    "ask_fix": lambda _world, work, tender: admission.ask_fix(
        work, tender, new_id(work.now), ["resources"], "A certificate is missing", zone=ALMATY
    ),
    "give_fix": lambda _world, work, tender: admission.give_fix(
        work, tender, new_id(work.now), "Here it is", [], answer_id=new_id(work.now)
    ),
    "finish_admission": lambda _world, work, tender: admission.finish_admission(work, tender, zone=ALMATY),
    "give_score": lambda _world, work, tender: scoring.give_score(work, tender, new_id(work.now), "menu-quality", 1500),
    "reveal_scores": lambda _world, work, tender: scoring.reveal_scores(work, tender),
    "contest_evidence": lambda _world, work, tender: scoring.contest_evidence(
        work, tender, new_id(work.now), "a" * 64, reason_code="not-genuine", reason="the stamp"
    ),
    "ask_low_price": lambda _world, work, tender: low_prices.ask_low_price(work, tender, new_id(work.now), zone=ALMATY),
    "explain_low_price": lambda _world, work, tender: low_prices.explain_low_price(
        work, tender, new_id(work.now), "We grow it ourselves"
    ),
    "judge_low_price": lambda _world, work, tender: low_prices.judge_low_price(
        work, tender, new_id(work.now), accepted=True, reason="It adds up"
    ),
    "extend_evaluation": lambda _world, work, tender: evaluation.extend_evaluation(
        work, tender, "too many bids", zone=ALMATY
    ),
    "finish_evaluation": lambda _world, work, tender: evaluation.finish_evaluation(work, tender, zone=ALMATY),
}
"""Deeds by the names of their actions. There are no bids here; what that leads to is no matter of permission."""
