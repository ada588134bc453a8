"""The adapters of an installation, from one document of keys.

The document is what ``/gateway/keys`` of a local gateway gives, or the same members written by
hand for the real channels. A channel that is not in it is not offered. Where one key follows
another, the members that say whom to believe take a list: the old one beside the new.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import JsonValue

from city.errors import Invalid
from city.time import Clock
from payments.adapters.alipay import AlipayChannel
from payments.adapters.alipay_line import AlipayAccount
from payments.adapters.http import address_of
from payments.adapters.unionpay import UnionPayAccount, UnionPayChannel
from payments.adapters.wechat import WechatChannel
from payments.adapters.wechat_in_app import ASK_ADDRESS, TOKEN_ADDRESS, WechatApp
from payments.adapters.wechat_line import WechatAccount
from payments.rules.authenticity import (
    certificate_of,
    private_key_of,
    public_key_of,
    serial_hex,
)
from payments.rules.channels import Channel, ChannelAdapter
from payments.rules.wechat_v3 import API_KEY_BYTES, PUBLIC_KEY_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable

NOTICE_PATH: Final = "/api/v1/channel-notices"
"""Where channels tell us; their name follows."""


class _Section:
    """One channel's members, each read with its name for the error and never its content."""

    def __init__(self, name: str, value: JsonValue) -> None:
        if not isinstance(value, dict):
            raise Invalid("must be an object", field=name)
        self._name, self._value = name, value

    def field(self, name: str) -> str:
        return f"{self._name}.{name}"

    def text(self, name: str) -> str:
        found = self._value.get(name)
        if not isinstance(found, str) or not found.strip():
            raise Invalid("is missing", field=self.field(name))
        return found.strip()

    def texts(self, name: str) -> list[str]:
        found = self._value.get(name)
        if found is None:
            return []
        values = found if isinstance(found, list) else [found]
        texts = [each for each in values if isinstance(each, str) and each.strip()]
        if len(texts) != len(values):
            raise Invalid("must be a text or a list of texts", field=self.field(name))
        return texts

    def private_key(self, name: str) -> rsa.RSAPrivateKey:
        return private_key_of(_pem(self.text(name), "PRIVATE KEY"), self.field(name))

    def given(self, name: str) -> bool:
        return bool(self._value.get(name))

    def address(self, name: str = "gateway", usual: str = "") -> str:
        if usual and not self.given(name):
            return usual
        return address_of(self.text(name), self.field(name))

    def signing_address(self) -> str:
        """Where drivers sign for deductions; empty where none is given: then there are none."""
        name = "parking_signing"
        return self.address(name) if self.given(name) else ""


def read_channels(
    document: JsonValue, notify_address: str, wall: Clock
) -> dict[Channel, ChannelAdapter]:
    """Build the adapter of each channel that a document configures.

    Parameters
    ----------
    document : JsonValue
        Members ``wechat``, ``alipay``, ``unionpay``.
    notify_address : str
        Where the channels reach our API, without a path.
    wall : Clock
        Wall time: signatures know no other.

    Raises
    ------
    Invalid
        Naming the member at fault, never its content.
    """
    if not isinstance(document, dict):
        raise Invalid("must be an object", field="channels")
    base = address_of(notify_address, "notify_address")
    known: dict[str, Callable[[_Section, str, Clock], ChannelAdapter]] = {
        Channel.WECHAT: _wechat,
        Channel.ALIPAY: _alipay,
        Channel.UNIONPAY: _unionpay,
    }
    return {
        Channel(name): build(_Section(name, document[name]), f"{base}{NOTICE_PATH}/{name}", wall)
        for name, build in known.items()
        if document.get(name) is not None
    }


def read_channel_file(
    path: Path | None, notify_address: str, wall: Clock
) -> dict[Channel, ChannelAdapter]:
    """Build the adapters from a file; none where there is none.

    Raises
    ------
    Invalid
        Where it cannot be read or does not serve.
    """
    if path is None:
        return {}
    try:
        document: JsonValue = json.loads(path.read_bytes())
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise Invalid(f"{path}: {reason}", field="PAYMENT_CHANNELS") from None
    except (ValueError, RecursionError):
        raise Invalid(f"{path}: is not JSON", field="PAYMENT_CHANNELS") from None
    return read_channels(document, notify_address, wall)


def _wechat(given: _Section, notify_url: str, wall: Clock) -> WechatChannel:
    verifiers = {}
    for pem in given.texts("platform_certificate"):
        field = given.field("platform_certificate")
        certificate = certificate_of(pem.encode(), field)
        verifiers[serial_hex(certificate)] = public_key_of(pem.encode(), field)
    keys, ids = given.texts("public_key"), given.texts("public_key_id")
    if len(keys) != len(ids):
        raise Invalid("must be as many as keys", field=given.field("public_key_id"))
    for pem, name in zip(keys, ids, strict=True):
        if not name.startswith(PUBLIC_KEY_PREFIX):
            raise Invalid(f"begins with {PUBLIC_KEY_PREFIX}", field=given.field("public_key_id"))
        verifiers[name] = public_key_of(_pem(pem, "PUBLIC KEY"), given.field("public_key"))
    if not verifiers:
        raise Invalid("neither it nor a certificate is given", field=given.field("public_key"))
    api_key = given.text("apiv3_key").encode()
    if len(api_key) != API_KEY_BYTES:
        raise Invalid(f"is not {API_KEY_BYTES} characters", field=given.field("apiv3_key"))
    key, app_id = given.private_key("private_key"), given.text("appid")
    account = WechatAccount(
        address=given.address(),
        app_id=app_id,
        merchant_id=given.text("mchid"),
        key=key,
        serial=given.text("cert_serial_no"),
        api_key=api_key,
        verifiers=verifiers,
        answer_serial=ids[-1] if ids else "",
        signing_address=given.signing_address(),
        app=_wechat_app(given, app_id, key),
    )
    return WechatChannel(account, notify_url, wall)


def _wechat_app(given: _Section, app_id: str, key: rsa.RSAPrivateKey) -> WechatApp | None:
    """Read the official account; None without its secret: then nobody pays inside WeChat."""
    if not given.given("app_secret"):
        return None
    return WechatApp(
        app_id,
        given.text("app_secret"),
        key,
        ask_address=given.address("authorise", ASK_ADDRESS),
        token_address=given.address("tokens", TOKEN_ADDRESS),
    )


def _alipay(given: _Section, notify_url: str, wall: Clock) -> AlipayChannel:
    field = given.field("alipay_public_key")
    keys = tuple(
        public_key_of(_pem(each, "PUBLIC KEY"), field) for each in given.texts("alipay_public_key")
    )
    if not keys:
        raise Invalid("is missing", field=field)
    account = AlipayAccount(
        address=given.address(),
        app_id=given.text("appid"),
        seller_id=given.text("seller_id"),
        key=given.private_key("app_private_key"),
        platform_keys=keys,
        signing_address=given.signing_address(),
    )
    return AlipayChannel(account, notify_url, wall)


def _unionpay(given: _Section, notify_url: str, wall: Clock) -> UnionPayChannel:
    account = UnionPayAccount(
        address=given.address(),
        merchant_id=given.text("mer_id"),
        key=given.private_key("private_key"),
        certificate_id=given.text("cert_id"),
        root=certificate_of(
            given.text("root_certificate").encode(), given.field("root_certificate")
        ),
    )
    return UnionPayChannel(account, notify_url, wall)


def _pem(text: str, kind: str) -> bytes:
    """Give a key in PEM; the consoles of the channels show it without its first and last line."""
    if "-----BEGIN" in text:
        return text.encode()
    body = "".join(text.split())
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n".encode()
