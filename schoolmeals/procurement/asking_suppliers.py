"""Letters to a supplier whom the commission asks something: nobody keeps a term of a day that they never heard of."""

from typing import Final
from uuid import UUID

from schoolmeals import identity, mail
from schoolmeals.actors import SYSTEM
from schoolmeals.database import Work, transaction
from schoolmeals.errors import N_
from schoolmeals.procurement.models import FrozenBid, Supplier, Tender
from schoolmeals.web import frame

PLACES: Final = {"mend": "mend", "low-price": "low-price"}
"""What can be asked, and where on the bid's pages it is answered."""


def ask_supplier(bid_id: str, what: str) -> None:
    """Promise the letter about what is asked of a bid, where the supplier has left an address."""
    here = frame()
    if not here.settings.sends_letters:
        return
    with transaction(SYSTEM, here.clock()) as work:
        bid = work.session.get_one(FrozenBid, UUID(bid_id))
        supplier = work.session.get(Supplier, bid.tenderer_id)
        if supplier is None or not supplier.email:
            return
        tender = work.session.get_one(Tender, bid.tender_id)
        base = here.settings.base_url.rstrip("/")
        mail.promise(
            work,
            to=supplier.email,
            language=_language(work, supplier),
            subject=SUBJECT,
            text=TEXTS[what],
            key=mail.letters_key(here.settings.secret_key),
            params={
                "number": tender.number or "",
                "address": f"{base}/tenders/{tender.id}/bids/{bid.id}/{PLACES[what]}",
            },
        )


def _language(work: Work, supplier: Supplier) -> str:
    """The language of whoever registered the supplier; Kazakh where nobody is known."""
    who = supplier.registered_by
    people = identity.people(work, [who]) if who is not None else {}
    return people[who].language if who in people else "kk"


SUBJECT: Final = N_("Tender %(number)s: the commission waits for your answer")
TEXTS: Final = {
    "mend": N_(
        "The commission asks you, once, to mend your bid. You have until the end of the term that this page"
        " shows:\n\n%(address)s"
    ),
    "low-price": N_(
        "The commission asks you to explain your price, which is far under the others. You have until the end of the"
        " term that this page shows:\n\n%(address)s"
    ),
}
