"""An authority of one stack, and the certificates of its servers, all in PEM files that only their owner can read.

`python -m deploy.secure.certificates FOLDER` makes what is missing or ends soon. `--renew` makes new certificates of
the servers. `--new-authority` makes an authority that clients trust beside the former one.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.secure.files import KAFKA, MONGO, SecretFiles
from shared.private_file import replace_private

SERVERS = (KAFKA, MONGO)
AUTHORITY_LIFETIME = timedelta(days=730)
SERVER_LIFETIME = timedelta(days=60)
RENEWED_BEFORE = timedelta(days=30)
# The clocks of clients may be behind.
_EARLIER = timedelta(minutes=5)
LOCAL: Sequence[x509.GeneralName] = (x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")))


def prepare(folder: Path, now: datetime) -> SecretFiles:
    """The certificates of `folder`, made where one is missing or ends within 30 days."""
    files = SecretFiles(folder)
    if ends_soon(files.authority, now):
        new_authority(files, now)
    for name in SERVERS:
        if ends_soon(files.server(name), now):
            renew(files, name, now)
    return files


def new_authority(
    files: SecretFiles, now: datetime, *, name: str = "Karya authority", within: Sequence[x509.GeneralName] = ()
) -> None:
    """Make an authority that signs from now on. The former one stays among the trusted ones until the next change.

    `within`: the names and networks for which its certificates count; without any they count for all.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        _builder(subject, subject, key.public_key(), now, AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(identifier, critical=False)
    )
    if within:
        builder = builder.add_extension(x509.NameConstraints(within, excluded_subtrees=None), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    former = [certificate_in(files.authority)] if files.authority.exists() else []
    # First: an authority that signs must be trusted, also when the process ends between the two.
    replace_private(files.authorities, b"".join(map(_public, (certificate, *former))))
    replace_private(files.authority, _pem(key, certificate))


def renew(files: SecretFiles, server: str, now: datetime, names: Sequence[x509.GeneralName] = LOCAL) -> None:
    """Make a new key and certificate for a server under these names, signed by the present authority."""
    authority = certificate_in(files.authority)
    signing_key = serialization.load_pem_private_key(files.authority.read_bytes(), None)
    assert isinstance(signing_key, ec.EllipticCurvePrivateKey), "an authority of another program"
    key = ec.generate_private_key(ec.SECP256R1())
    # A broker is a client of brokers too.
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        _builder(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, server)]),
            authority.subject,
            key.public_key(),
            now,
            SERVER_LIFETIME,
        )
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
        .sign(signing_key, hashes.SHA256())
    )
    replace_private(files.server(server), _pem(key, certificate))


def ends_soon(file: Path, now: datetime) -> bool:
    """Whether the certificate in this file is missing, or ends within 30 days."""
    return not file.exists() or certificate_in(file).not_valid_after_utc - now < RENEWED_BEFORE


def certificate_in(file: Path) -> x509.Certificate:
    """The one certificate in a file. Raises OSError and ValueError."""
    [certificate] = x509.load_pem_x509_certificates(file.read_bytes())
    return certificate


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + lifetime)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> bytes:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + _public(certificate)


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def main() -> None:
    folder, *options = sys.argv[1:]
    now = datetime.now(UTC)
    files = prepare(Path(folder), now)
    if "--new-authority" in options:
        new_authority(files, now)
    if "--renew" in options:
        for name in SERVERS:
            renew(files, name, now)
    for name in SERVERS:
        file = files.server(name)
        print(f"{file}: until {certificate_in(file).not_valid_after_utc:%Y-%m-%d}")


if __name__ == "__main__":
    main()
