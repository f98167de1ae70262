"""Sealed bids: nobody reads one early, and nobody changes one. Format and limits are in ``docs/sealing.md``.

Nothing here needs the database, the network or flask. A notice publishes :func:`published_keys` of a :class:`KeySet`;
a bidder calls :func:`seal_bid`; the server takes a :func:`submitted_manifest` and checks each upload by
:func:`require_ciphertext`; at the opening it reads the :func:`recorded_manifest`, members call :func:`open_share`, and
:func:`open_envelope` does the rest. The browser's half (``static/src``) has the same names and the same bytes.
"""

from schoolmeals.procurement.sealing.age_keys import new_member_key, new_passphrase, unwrap, wrap
from schoolmeals.procurement.sealing.bids import PRICE, QUALIFICATION, WHOLE, Bid
from schoolmeals.procurement.sealing.envelopes import SIZE_CLASSES, Header, SealedFile
from schoolmeals.procurement.sealing.faults import SENTENCES, Fault, FaultCode, SealingFault
from schoolmeals.procurement.sealing.key_sets import (
    KeySet,
    Member,
    PublishedKeys,
    published_keys,
    require_published,
    shown_fingerprint,
)
from schoolmeals.procurement.sealing.manifests import (
    MANIFEST_MAX_BYTES,
    Manifest,
    SealedEnvelope,
    SealedShare,
    manifest_digest,
    recorded_manifest,
    require_sealed_to,
    submitted_manifest,
)
from schoolmeals.procurement.sealing.opener import (
    OpenedEnvelope,
    OpenedShare,
    open_envelope,
    open_share,
    open_with_recovery,
    recovery_identities,
    require_ciphertext,
    require_committed,
)
from schoolmeals.procurement.sealing.sealer import SealedBid, SourceFile, seal_bid

__all__ = [
    "MANIFEST_MAX_BYTES",
    "PRICE",
    "QUALIFICATION",
    "SENTENCES",
    "SIZE_CLASSES",
    "WHOLE",
    "Bid",
    "Fault",
    "FaultCode",
    "Header",
    "KeySet",
    "Manifest",
    "Member",
    "OpenedEnvelope",
    "OpenedShare",
    "PublishedKeys",
    "SealedBid",
    "SealedEnvelope",
    "SealedFile",
    "SealedShare",
    "SealingFault",
    "SourceFile",
    "manifest_digest",
    "new_member_key",
    "new_passphrase",
    "open_envelope",
    "open_share",
    "open_with_recovery",
    "published_keys",
    "recorded_manifest",
    "recovery_identities",
    "require_ciphertext",
    "require_committed",
    "require_published",
    "require_sealed_to",
    "seal_bid",
    "shown_fingerprint",
    "submitted_manifest",
    "unwrap",
    "wrap",
]
