"""Detached CMS signatures: those of known algorithms are checked, others are named and not believed."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from schoolmeals.procurement.cms_files import NOT_VERIFIED_HERE, NotCms, read_cms
from schoolmeals.procurement.rules.contracts import VERIFIED

TEXT = b'{"format":"schoolmeals-contract/v1"}'
GOST = bytes.fromhex("06082a85030701010101")
"""The object identifier 1.2.643.7.1.1.1.1 in DER."""


def certificate(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ДӘМ")])
    day = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(4242).not_valid_before(day).not_valid_after(day + timedelta(days=400))
    return made.sign(key, hashes.SHA256())


def signed(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, text: bytes = TEXT, *, detached: bool = True) -> bytes:
    options = [pkcs7.PKCS7Options.Binary, *([pkcs7.PKCS7Options.DetachedSignature] if detached else [])]
    builder = pkcs7.PKCS7SignatureBuilder().set_data(text).add_signer(certificate(key), key, hashes.SHA256())
    return builder.sign(serialization.Encoding.DER, options)


@pytest.fixture(scope="module")
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def test_known_algorithms_are_checked(ec_key: ec.EllipticCurvePrivateKey, rsa_key: rsa.RSAPrivateKey) -> None:
    for key, algorithm in ((ec_key, "ECDSA, SHA-256"), (rsa_key, "RSA")):
        facts = read_cms(signed(key), TEXT)
        assert (facts.state, facts.algorithm, facts.signer, facts.serial) == (VERIFIED, algorithm, "CN=ДӘМ", "1092")


def test_a_signature_under_another_text_is_refused(ec_key: ec.EllipticCurvePrivateKey) -> None:
    with pytest.raises(NotCms, match="signature-wrong"):
        read_cms(signed(ec_key), TEXT + b" ")


def test_a_flipped_byte_of_the_signature_is_refused(ec_key: ec.EllipticCurvePrivateKey) -> None:
    data = bytearray(signed(ec_key))
    data[-3] ^= 1
    with pytest.raises(NotCms, match="signature-wrong"):
        read_cms(bytes(data), TEXT)


def test_a_file_that_brings_its_own_text_is_refused(ec_key: ec.EllipticCurvePrivateKey) -> None:
    with pytest.raises(NotCms, match="not-detached"):
        read_cms(signed(ec_key, detached=False), TEXT)


@pytest.mark.parametrize("data", [b"", b"hello", b"\x30\x80", b"\x30" * 400, bytes(300_000)])
def test_what_is_no_cms_is_refused(data: bytes) -> None:
    with pytest.raises(NotCms, match="not-cms"):
        read_cms(data, TEXT)


def test_an_algorithm_that_is_not_known_is_named_and_not_believed(ec_key: ec.EllipticCurvePrivateKey) -> None:
    """The same file whose signer says GOST: the same length, so that nothing else moves."""
    ecdsa = bytes.fromhex("06082a8648ce3d040302")
    data = signed(ec_key)
    head, tail = data.rsplit(ecdsa, 1)
    facts = read_cms(head + GOST + tail, TEXT)
    assert (facts.state, facts.algorithm) == (NOT_VERIFIED_HERE, "GOST R 34.10-2012")
