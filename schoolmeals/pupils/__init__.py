"""A school's roll: classes, pupils and what they must not eat, their cards, their photos, their guardians.

*Sourced id*: what the system that the roll comes from calls a pupil. *Card*: anything with a number that a reader can
read; only a keyed hash of the number is kept. *Guardianship*: who may see a pupil and pay for them.

Never here: money. A pupil who leaves keeps their purse, and a card holds nothing.
"""

from schoolmeals.pupils.actions.cards import NewCard, block_card, issue_card, issue_cards, reissue_cards, unblock_card
from schoolmeals.pupils.actions.guardians import (
    Claimed,
    add_guardian,
    claim_pupil,
    end_guardianship,
    give_claim_codes,
)
from schoolmeals.pupils.actions.photos import forget_photo, keep_photo, set_photo
from schoolmeals.pupils.actions.roll import (
    change_pupil,
    enrol_pupil,
    enrol_pupils,
    open_class,
    pupil_leaves,
    pupil_returns,
    set_allergens,
)
from schoolmeals.pupils.facts import (
    AllergenFact,
    CardFacts,
    ClassFacts,
    GuardianFacts,
    NewPupil,
    PupilFacts,
    PupilPage,
    ShownCard,
    TillFacts,
)
from schoolmeals.pupils.pictures import shrunk as shrunk_photo
from schoolmeals.pupils.queries import (
    NAMED,
    cards_of,
    classes_of_school,
    guardians_of,
    my_pupils,
    pupil,
    pupil_counts,
    pupils_of_school,
    require_guardian,
    shifts_of_classes,
    ties_of,
    till_facts,
    till_questions,
)
from schoolmeals.pupils.rules import EU_ALLERGENS, CardNumber, card_number, number_hash

__all__ = [
    "EU_ALLERGENS",
    "NAMED",
    "AllergenFact",
    "CardFacts",
    "CardNumber",
    "Claimed",
    "ClassFacts",
    "GuardianFacts",
    "NewCard",
    "NewPupil",
    "PupilFacts",
    "PupilPage",
    "ShownCard",
    "TillFacts",
    "add_guardian",
    "block_card",
    "card_number",
    "cards_of",
    "change_pupil",
    "claim_pupil",
    "classes_of_school",
    "end_guardianship",
    "enrol_pupil",
    "enrol_pupils",
    "forget_photo",
    "give_claim_codes",
    "guardians_of",
    "issue_card",
    "issue_cards",
    "keep_photo",
    "my_pupils",
    "number_hash",
    "open_class",
    "pupil",
    "pupil_counts",
    "pupil_leaves",
    "pupil_returns",
    "pupils_of_school",
    "reissue_cards",
    "require_guardian",
    "set_allergens",
    "set_photo",
    "shifts_of_classes",
    "shrunk_photo",
    "ties_of",
    "till_facts",
    "till_questions",
    "unblock_card",
]
