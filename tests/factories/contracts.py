"""Contracts for tests: people with passkeys of their own, who sign, and contracts brought as far as a test needs."""

import hashlib
import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url

from schoolmeals.actors import SYSTEM, Actor
from schoolmeals.identity import Site
from schoolmeals.identity.models import Passkey
from schoolmeals.ids import new_id
from schoolmeals.procurement.actions import contracts, signing
from schoolmeals.procurement.actions.contracts import DirectTerms
from schoolmeals.procurement.queries import contracts as contract_queries
from schoolmeals.procurement.queries.drafts import items_of, lots_of
from schoolmeals.procurement.rules.contracts import BuffetItem
from tests.factories import saved

if TYPE_CHECKING:
    from tests.factories.procurement import Procurement

ALMATY: Final = ZoneInfo("Asia/Almaty")
SITE: Final = Site("School meals", "https://meals.example.kz")
TEA: Final = BuffetItem({"kk": "Шай", "ru": "Чай", "en": "Tea"}, "cup", 100_00)


class Authenticator:
    """Somebody's passkey, as their device keeps it."""

    def __init__(self, actor: Actor, site: Site = SITE) -> None:
        self.actor, self.site, self.count = actor, site, 0
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = new_id().bytes
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        saved(
            Passkey(
                id=new_id(),
                person_id=actor.id,
                credential_id=self.id,
                public_key=cbor2.dumps(public),
                sign_count=0,
                transports=[],
                name="Phone",
                created_at=datetime.now(UTC),
            )
        )

    def sign(self, digest: bytes) -> dict[str, Any]:
        """The credential that a browser would send for ``digest`` as the challenge."""
        self.count += 1
        client = json.dumps(
            {"type": "webauthn.get", "challenge": bytes_to_base64url(digest), "origin": self.site.origin}
        ).encode()
        head = hashlib.sha256(self.site.domain.encode()).digest()
        data = head + bytes([0b101]) + self.count.to_bytes(4)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return {
            "id": bytes_to_base64url(self.id),
            "rawId": bytes_to_base64url(self.id),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": bytes_to_base64url(client),
                "authenticatorData": bytes_to_base64url(data),
                "signature": bytes_to_base64url(signature),
                "userHandle": None,
            },
        }


def make(world: "Procurement", tender_id: UUID, *, buffet: tuple[BuffetItem, ...] = (TEA,)) -> UUID:
    """A contract of the tender's first lot, not signed yet."""
    lot_id, contract_id = world.look(lots_of, tender_id, actor=SYSTEM)[0].id, new_id(world.clock())
    world.do(contracts.make_contract, tender_id, lot_id, contract_id, zone=ALMATY, buffet=buffet)
    return contract_id


def sign(world: "Procurement", tender_id: UUID, contract_id: UUID, device: Authenticator) -> Any:
    """Sign by somebody's passkey."""
    digest = world.look(contract_queries.digest_to_sign, contract_id, actor=device.actor)
    about = {"site": SITE, "credential": device.sign(digest), "zone": ALMATY}
    return world.do(signing.sign_contract, tender_id, contract_id, actor=device.actor, **about)


def in_force(world: "Procurement", tender_id: UUID) -> tuple[UUID, Authenticator, Authenticator]:
    """A contract that both sides have signed: its id, the supplier's and the buyer's passkey."""
    contract_id = make(world, tender_id)
    supplier, buyer = Authenticator(world.supplier), Authenticator(world.buyer)
    for device in (supplier, buyer):
        sign(world, tender_id, contract_id, device)
    return contract_id, supplier, buyer


def direct_terms(world: "Procurement", **about: Any) -> DirectTerms:
    """Two months with the world's supplier."""
    said = {
        "supplier_id": world.supplier_id,
        "starts_on": date(2027, 1, 11),
        "ends_on": date(2027, 3, 10),
        "prices": {},
        "reason": "Nobody bid",
    }
    return DirectTerms(**{**said, **about})


def direct_prices(world: "Procurement", tender_id: UUID, price_minor: int = 800_00) -> dict[UUID, int]:
    """A price for each item of the tender's first lot."""
    lot_id = world.look(lots_of, tender_id, actor=SYSTEM)[0].id
    return {item.id: price_minor for item in world.look(items_of, lot_id, actor=SYSTEM)}
