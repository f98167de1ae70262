"""What the worker does for the pupils room: it writes long rolls in parts and draws papers, so that pages can show how
far it is.
"""

from functools import partial
from typing import Final
from uuid import UUID

from schoolmeals import identity
from schoolmeals.actors import SYSTEM
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import Conflict
from schoolmeals.files import KeptFacts, make_paper
from schoolmeals.jobs import Task
from schoolmeals.keys import derive_key
from schoolmeals.pupils.actions.cards import NewCard, reissue_cards
from schoolmeals.pupils.actions.guardians import give_claim_codes, invite_guardians
from schoolmeals.pupils.actions.imports import apply_roster
from schoolmeals.pupils.actions.numbers import hide_numbers
from schoolmeals.pupils.roster_files import read_roster
from schoolmeals.pupils.roster_loading import school_names, standing_file
from schoolmeals.pupils.roster_values import hidden
from schoolmeals.web.frame import frame
from schoolmeals.workdays import local_day

APPLY: Final = "pupils.apply_roster"
PRINT_CARDS: Final = "pupils.print_cards"
PRINT_CODES: Final = "pupils.print_codes"
ROWS_A_PART: Final = 1_000


def apply_in_parts(school_id: str, import_id: str) -> None:
    """Write a confirmed roll. Cut off and started again, it goes on where it stopped."""
    school, which = UUID(school_id), UUID(import_id)
    here = frame()
    file_key = derive_key(here.settings.secret_key, "pupils roster files")
    try:
        with reading(SYSTEM, here.clock()) as look:
            file_name, content = standing_file(look, school, which, file_key)
            names = school_names(look, school)
    except Conflict:
        # Another run has finished it, or the file cannot be read any more; the page says which.
        return
    key = derive_key(here.settings.secret_key, "pupils sourced ids")
    roster = read_roster(file_name, content, key=key, school_names=names)
    is_whole = False
    while not is_whole:
        now = here.clock()
        today = local_day(now, here.zone)
        with transaction(SYSTEM, now) as work:
            is_whole = apply_roster(work, school, which, roster=roster, today=today, at_once=ROWS_A_PART)


def hide_all_numbers() -> None:
    """Keep as fingerprints what IINs an older version kept as they were, school by school."""
    here = frame()
    hide = partial(hidden, derive_key(here.settings.secret_key, "pupils sourced ids"))
    with reading(SYSTEM, here.clock()) as look:
        places = [one.id for one in identity.schools(look)]
    for school_id in places:
        with transaction(SYSTEM, here.clock()) as work:
            hide_numbers(work, school_id, hide)


def print_cards(file_id: str) -> None:
    """Draw cards, and let them open once they are on paper; the QR cards that the pupils had end then."""
    make_paper(UUID(file_id), _issue)


def print_codes(file_id: str) -> None:
    """Draw letters, and let their codes count once they are on paper; earlier ones that nobody used end then."""
    make_paper(UUID(file_id), _give)


def _issue(work: Work, order: KeptFacts) -> None:
    assert order.school_id is not None
    new = [NewCard(UUID(pupil_id), bytes.fromhex(one), "qr", label) for pupil_id, one, label in order.facts["cards"]]
    reissue_cards(_as_owner(work, order), order.school_id, new)


def _give(work: Work, order: KeptFacts) -> None:
    assert order.school_id is not None
    owner = _as_owner(work, order)
    if families := _hashes(order, "codes"):
        give_claim_codes(owner, order.school_id, families)
    if listed := _hashes(order, "listed"):
        invite_guardians(owner, order.school_id, listed)


def _hashes(order: KeptFacts, name: str) -> dict[UUID, bytes]:
    return {UUID(whose): bytes.fromhex(one) for whose, one in order.facts.get(name, [])}


def _as_owner(work: Work, order: KeptFacts) -> Work:
    """The work as whoever ordered the paper, with the roles that they hold now."""
    return work.acting(identity.acting_person(work, order.owner_id))


TASKS: tuple[Task, ...] = (
    Task(APPLY, apply_in_parts),
    Task("pupils.hide_numbers", hide_all_numbers, every="40 2 * * *"),
    Task(PRINT_CARDS, print_cards),
    Task(PRINT_CODES, print_codes),
)
