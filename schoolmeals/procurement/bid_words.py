"""The words of the room in which bids are made, for its page and its script; translated where they are shown."""

from typing import Final

from schoolmeals.errors import N_

HOW: Final = {
    "evidence": N_("You prove it by papers."),
    "declared": N_("You state it."),
    "computed": N_("It is computed from all bids."),
    "register": N_("The commission looks it up in a register of the state."),
}
PARTS: Final = {
    "demands": N_("What is asked of you"),
    "staff": N_("Staff"),
    "equipment": N_("Equipment"),
    "experience": N_("Experience and taxes"),
    "criteria": N_("What earns points"),
    "menu": N_("Menu and origin"),
    "prices": N_("Prices"),
}
RECEIPT_NAMES: Final = {
    "bid": N_("Bid submitted"),
    "withdrawal": N_("Bid withdrawn"),
    "confirmation": N_("Bid confirmed for the amended tender"),
}
TEXTS: Final = {
    "saved": N_("The draft is saved on this device, encrypted. Nothing was sent."),
    "saving": N_("Saving"),
    "not-saved": N_("This browser keeps no data, so the draft will be lost with the page."),
    "done": N_("Filled in"),
    "open": N_("To do"),
    "optional": N_("If you like"),
    "staff-missing": N_("Chosen: %(have)s of %(need)s, %(post)s"),
    "price-missing": N_("Give a price from 0,01 to %(ceiling)s."),
    "not-declared": N_("State this, or you cannot be admitted."),
    "percent": N_("Give a whole number from 0 to 100."),
    "sealing": N_("Sealing in this browser"),
    "fetching": N_("Taking your papers along"),
    "sending": N_("Submitting the bid"),
    "uploading": N_("Sending the sealed files: %(done)s of %(total)s"),
    "interrupted": N_("The connection broke. What has arrived stays; go on when you are online again."),
    "complete": N_("The sealed files have arrived whole."),
    "paper-gone": N_("One of the papers was removed or changed. Load the page again."),
    "failed": N_("Something went wrong on this device. Load the page again and try once more."),
    "wrong-digest": N_("The keys are not those of the notice that you hold. Nothing was sealed. Tell the organiser."),
    "keys-amended": N_("The commission's keys have changed with an amendment. Compare them with the amended notice."),
    "elsewhere": N_("The sealed files are on the device where you sealed them. Go on there, or seal anew and replace."),
}
