"""Keys of the gateway and of its one merchant a channel, made at the start or kept in a folder.

A real merchant makes its own key and the channel certifies it; here the gateway makes both ends,
so that a client has all it needs from one document. They guard nothing but a simulation, and are
never the same in two gateways.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from pydantic import JsonValue

from city.errors import Invalid
from payments.rules.authenticity import certificate_of, private_key_of, serial_hex
from payments.rules.unionpay import UNIONPAY_NAME
from payments.rules.wechat_v3 import API_KEY_BYTES, PUBLIC_KEY_PREFIX

WECHAT_MERCHANT: Final = "1900009999"
WECHAT_APP: Final = "wx9999999999999999"
ALIPAY_APP: Final = "2021009999999999"
ALIPAY_SELLER: Final = "2088999999999999"
UNIONPAY_MERCHANT: Final = "777290058999999"
_VALID: Final = timedelta(days=5 * 365)
_BITS: Final = 2048
_KEYS: Final = (
    "wechat-merchant",
    "wechat-platform",
    "wechat-public",
    "alipay-app",
    "alipay-platform",
    "unionpay-merchant",
    "unionpay-root",
    "unionpay-platform",
)
_CERTIFIED: Final[Mapping[str, tuple[str, str]]] = {
    "wechat-merchant": (WECHAT_MERCHANT, "wechat-merchant"),
    "wechat-platform": ("Tenpay.com sign (gateway)", "wechat-platform"),
    "unionpay-root": ("UnionPay root (gateway)", "unionpay-root"),
    "unionpay-merchant": (f"041@GATEWAY@{UNIONPAY_MERCHANT}@00000001", "unionpay-root"),
    "unionpay-platform": (f"041@GATEWAY@{UNIONPAY_NAME}@00000002", "unionpay-root"),
}
"""Who stands in a certificate, and whose key signs it."""


@dataclass(frozen=True, slots=True)
class Keys:
    """All keys of a gateway.

    Parameters
    ----------
    private : Mapping
        RSA keys by name: ``wechat-merchant``, ``wechat-platform``, ``wechat-public``,
        ``alipay-app``, ``alipay-platform``, ``unionpay-merchant``, ``-root``, ``-platform``.
    certificates : Mapping
        Certificates by the name of their key.
    api_v3_key : bytes
        WeChat Pay's symmetric key of the merchant: 32 ASCII characters.
    public_key_id : str
        What WeChat Pay calls its public key.
    """

    private: Mapping[str, rsa.RSAPrivateKey]
    certificates: Mapping[str, x509.Certificate]
    api_v3_key: bytes
    public_key_id: str

    def public(self, name: str) -> rsa.RSAPublicKey:
        """Give the public half of a key."""
        return self.private[name].public_key()

    def serial(self, name: str) -> str:
        """Give a certificate's serial in upper-case hexadecimal."""
        return serial_hex(self.certificates[name])

    def certificate_pem(self, name: str) -> str:
        """Give a certificate in PEM."""
        return _certificate_pem(self.certificates[name]).decode("ascii")

    def client_document(self, address: str) -> dict[str, JsonValue]:
        """Give what a client of each channel is configured with, private keys included."""
        return {
            "wechat": {
                "gateway": address,
                "appid": WECHAT_APP,
                "mchid": WECHAT_MERCHANT,
                "private_key": self._private_pem("wechat-merchant"),
                "cert_serial_no": self.serial("wechat-merchant"),
                "apiv3_key": self.api_v3_key.decode("ascii"),
                "public_key": self._public_pem("wechat-public"),
                "public_key_id": self.public_key_id,
                "platform_certificate": self.certificate_pem("wechat-platform"),
                "parking_signing": f"{address}/payer/signatures/wechat",
                "app_secret": self.app_secret,
                "authorise": f"{address}/connect/oauth2/authorize",
                "tokens": f"{address}/sns/oauth2/access_token",
            },
            "alipay": {
                "gateway": f"{address}/gateway.do",
                "appid": ALIPAY_APP,
                "seller_id": ALIPAY_SELLER,
                "app_private_key": self._private_pem("alipay-app"),
                "alipay_public_key": self._public_pem("alipay-platform"),
                "parking_signing": f"{address}/payer/signatures/alipay",
            },
            "unionpay": {
                "gateway": f"{address}/gateway/api",
                "mer_id": UNIONPAY_MERCHANT,
                "cert_id": self.unionpay_certificate_id,
                "private_key": self._private_pem("unionpay-merchant"),
                "root_certificate": self.certificate_pem("unionpay-root"),
            },
        }

    @property
    def app_secret(self) -> str:
        """The official account's AppSecret; from the APIv3 key, so that kept folders have one."""
        return sha256(b"app secret" + self.api_v3_key).hexdigest()[:32]

    @property
    def unionpay_certificate_id(self) -> str:
        """Serial number of the merchant's certificate in decimal, as ``certId``."""
        return str(self.certificates["unionpay-merchant"].serial_number)

    def _private_pem(self, name: str) -> str:
        return _private_pem(self.private[name]).decode("ascii")

    def _public_pem(self, name: str) -> str:
        return (
            self.public(name)
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            .decode("ascii")
        )


def make_keys(now: datetime) -> Keys:
    """Make new keys; about a second."""
    private = {name: rsa.generate_private_key(65537, _BITS) for name in _KEYS}
    certificates = {
        name: _certify(subject, private[name], _CERTIFIED[issuer][0], private[issuer], now)
        for name, (subject, issuer) in _CERTIFIED.items()
    }
    return Keys(
        private,
        certificates,
        secrets.token_hex(16).encode("ascii"),
        f"{PUBLIC_KEY_PREFIX}{secrets.randbelow(10**32):032d}",
    )


def kept_keys(folder: Path, now: datetime) -> Keys:
    """Read the keys of a folder, which is filled with new ones where it has none.

    Files are readable by their owner alone.

    Raises
    ------
    Invalid
        Where the folder cannot be written, or holds only some of the files or broken ones.
    """
    field = "--keys"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any(folder.iterdir()):
            write_keys(folder, make_keys(now))
        private = {
            name: private_key_of((folder / f"{name}.key.pem").read_bytes(), field) for name in _KEYS
        }
        certificates = {
            name: certificate_of((folder / f"{name}.cert.pem").read_bytes(), field)
            for name in _CERTIFIED
        }
        api_v3_key = (folder / "wechat-apiv3.key").read_bytes()
        public_key_id = (folder / "wechat-public-key-id").read_text("ascii").strip()
    except OSError as error:
        raise Invalid(f"{folder}: {error.strerror or error}", field=field) from None
    except UnicodeDecodeError:
        raise Invalid(f"{folder}: wechat-public-key-id is not ASCII", field=field) from None
    if len(api_v3_key) != API_KEY_BYTES or not api_v3_key.isascii():
        raise Invalid(f"{folder}: wechat-apiv3.key is not {API_KEY_BYTES} characters", field=field)
    if not public_key_id.startswith(PUBLIC_KEY_PREFIX):
        raise Invalid(f"{folder}: wechat-public-key-id is not one", field=field)
    return Keys(private, certificates, api_v3_key, public_key_id)


def write_keys(folder: Path, keys: Keys) -> None:
    """Write keys into an empty folder, as `kept_keys` reads them."""
    files = {f"{name}.key.pem": _private_pem(key) for name, key in keys.private.items()}
    files |= {
        f"{name}.cert.pem": _certificate_pem(each) for name, each in keys.certificates.items()
    }
    files["wechat-apiv3.key"] = keys.api_v3_key
    files["wechat-public-key-id"] = keys.public_key_id.encode("ascii")
    for name, content in files.items():
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)


def _certify(
    subject: str, key: rsa.RSAPrivateKey, issuer: str, issuer_key: rsa.RSAPrivateKey, now: datetime
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=key is issuer_key, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


def _private_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _certificate_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
