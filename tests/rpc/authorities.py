"""An authority that signs certificates of clients, and revokes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.rpc.certificates import Certificate

DAY = timedelta(days=1)


class Authority:
    """``cert``: its own certificate; ``crl``: the file that lists what it has revoked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("authority")
        self.cert, self.crl = folder / "authority.pem", folder / "revoked.pem"
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False,
            encipher_only=False, decipher_only=False,
        )  # fmt: skip
        own = self._builder(self._name, self._key.public_key())
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        own = own.add_extension(usage, critical=True)
        self.cert.write_bytes(own.sign(self._key, SHA256()).public_bytes(Encoding.PEM))
        self.revoke()

    def sign(self, name: str) -> Certificate:
        """Make a certificate for a client."""
        key = ec.generate_private_key(ec.SECP256R1())
        signed = self._builder(_named(name), key.public_key()).sign(self._key, SHA256())
        made = Certificate(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        made.cert.write_bytes(signed.public_bytes(Encoding.PEM))
        made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return made

    def revoke(self, *certificates: Certificate) -> None:
        """Write the list of what is revoked."""
        now = datetime.now(UTC)
        listed = x509.CertificateRevocationListBuilder().issuer_name(self._name)
        listed = listed.last_update(now - DAY).next_update(now + DAY)
        for each in certificates:
            number = x509.load_pem_x509_certificate(each.cert.read_bytes()).serial_number
            revoked = x509.RevokedCertificateBuilder().serial_number(number)
            listed = listed.add_revoked_certificate(revoked.revocation_date(now - DAY).build())
        part = self.crl.with_suffix(".part")
        part.write_bytes(listed.sign(self._key, SHA256()).public_bytes(Encoding.PEM))
        part.replace(self.crl)

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + DAY)
        )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
