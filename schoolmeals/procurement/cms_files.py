"""Detached signatures in CMS files (RFC 5652): who signed by what, and whether the signature fits the text. Pure.

Where the algorithm is one that we know (RSA, ECDSA, Ed25519 with SHA-2) the signature is checked against the
certificate in the file; whose authority stands behind the certificate is not asked. Any other algorithm, GOST among
them, is named and said to be not verified here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from pyasn1.codec.der import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1_modules import rfc5652

from schoolmeals.procurement.rules.contracts import VERIFIED

NOT_VERIFIED_HERE: Final = "not-verified-here"
LARGEST_BYTES: Final = 200_000
_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_HASHES: Final[dict[str, Callable[[], hashes.HashAlgorithm]]] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256,
    "2.16.840.1.101.3.4.2.2": hashes.SHA384,
    "2.16.840.1.101.3.4.2.3": hashes.SHA512,
}
ALGORITHM_NAMES: Final = {
    "1.2.840.113549.1.1.1": "RSA",
    "1.2.840.113549.1.1.11": "RSA, SHA-256",
    "1.2.840.113549.1.1.12": "RSA, SHA-384",
    "1.2.840.113549.1.1.13": "RSA, SHA-512",
    "1.2.840.10045.4.3.2": "ECDSA, SHA-256",
    "1.2.840.10045.4.3.3": "ECDSA, SHA-384",
    "1.2.840.10045.4.3.4": "ECDSA, SHA-512",
    "1.3.101.112": "Ed25519",
    "1.2.643.7.1.1.1.1": "GOST R 34.10-2012",
    "1.2.643.7.1.1.1.2": "GOST R 34.10-2012",
    "1.2.398.3.10.1.1.2.3.1": "GOST 34.310-2004",
    "1.2.398.3.10.1.1.2.3.2": "GOST 34.10-2015",
}
_KNOWN: Final = frozenset(oid for oid, name in ALGORITHM_NAMES.items() if not name.startswith("GOST"))


class NotCms(Exception):
    """The file is no detached CMS signature, or one that does not fit the text. The message is a stable code."""


@dataclass(frozen=True, slots=True)
class CmsFacts:
    """What a file says. ``signer`` is the certificate's subject as it calls itself."""

    state: str
    algorithm: str
    signer: str
    serial: str

    def as_json(self) -> dict[str, Any]:
        """For the row of a signature."""
        return {"algorithm": self.algorithm, "signer": self.signer, "serial": self.serial}


def read_cms(data: bytes, content: bytes) -> CmsFacts:
    """What a detached signature over ``content`` comes to. Raises NotCms ``not-cms``, ``no-signer``, or
    ``signature-wrong`` where it can be checked and does not fit.
    """
    signed = _signed_data(data)
    signers = list(signed["signerInfos"])
    if len(signers) != 1:
        raise NotCms("no-signer")
    signer = signers[0]
    certificate = _certificate(signed, signer)
    oid = str(signer["signatureAlgorithm"]["algorithm"])
    name, serial = _named(certificate)
    make_hash = _HASHES.get(str(signer["digestAlgorithm"]["algorithm"]))
    algorithm = ALGORITHM_NAMES.get(oid, oid)
    if oid not in _KNOWN or make_hash is None or certificate is None:
        return CmsFacts(NOT_VERIFIED_HERE, algorithm, name, serial)
    try:
        _verify(certificate, signer, make_hash(), content)
    except UnsupportedAlgorithm:
        return CmsFacts(NOT_VERIFIED_HERE, algorithm, name, serial)
    except (InvalidSignature, ValueError, TypeError) as error:
        raise NotCms("signature-wrong") from error
    return CmsFacts(VERIFIED, algorithm, name, serial)


def _signed_data(data: bytes) -> Any:
    if not 0 < len(data) <= LARGEST_BYTES:
        raise NotCms("not-cms")
    try:
        info, rest = decoder.decode(data, asn1Spec=rfc5652.ContentInfo())
        if rest or str(info["contentType"]) != _SIGNED_DATA:
            raise NotCms("not-cms")
        signed, _ = decoder.decode(bytes(info["content"]), asn1Spec=rfc5652.SignedData())
    except (PyAsn1Error, ValueError, TypeError, RecursionError) as error:
        raise NotCms("not-cms") from error
    if signed["encapContentInfo"]["eContent"].isValue:
        # It brings a text of its own, which need not be the contract's.
        raise NotCms("not-detached")
    return signed


def _certificate(signed: Any, signer: Any) -> x509.Certificate | None:
    """The certificate that the signer names, where it is in the file and can be read."""
    identifier = signer["sid"]["issuerAndSerialNumber"]
    for choice in signed["certificates"]:
        try:
            found = x509.load_der_x509_certificate(encoder.encode(choice["certificate"]))
        except (ValueError, PyAsn1Error, UnsupportedAlgorithm):
            continue
        if not identifier.isValue or int(identifier["serialNumber"]) == found.serial_number:
            return found
    return None


def _named(certificate: x509.Certificate | None) -> tuple[str, str]:
    if certificate is None:
        return "", ""
    return certificate.subject.rfc4514_string(), f"{certificate.serial_number:x}"


def _verify(certificate: x509.Certificate, signer: Any, algorithm: hashes.HashAlgorithm, content: bytes) -> None:
    """Raise InvalidSignature, ValueError or UnsupportedAlgorithm."""
    signed_bytes = content
    if signer["signedAttrs"].isValue:
        if _digest_in(signer) != _digest(algorithm, content):
            raise InvalidSignature
        # Signed as a SET, whatever tag the file has it under.
        signed_bytes = b"\x31" + encoder.encode(signer["signedAttrs"])[1:]
    key, signature = certificate.public_key(), bytes(signer["signature"])
    match key:
        case rsa.RSAPublicKey():
            key.verify(signature, signed_bytes, padding.PKCS1v15(), algorithm)
        case ec.EllipticCurvePublicKey():
            key.verify(signature, signed_bytes, ec.ECDSA(algorithm))
        case ed25519.Ed25519PublicKey():
            key.verify(signature, signed_bytes)
        case _:
            raise UnsupportedAlgorithm("this kind of key")


def _digest_in(signer: Any) -> bytes | None:
    for attribute in signer["signedAttrs"]:
        if str(attribute["attrType"]) == _MESSAGE_DIGEST:
            value, _ = decoder.decode(bytes(attribute["attrValues"][0]))
            return bytes(value)
    return None


def _digest(algorithm: hashes.HashAlgorithm, content: bytes) -> bytes:
    made = hashes.Hash(algorithm)
    made.update(content)
    return made.finalize()
