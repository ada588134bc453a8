"""The line to Alipay's open platform: what an application is configured with, signed both ways."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import JsonValue

from city.time import Clock
from payments.adapters.http import NoAnswer, exchange
from payments.rules import alipay
from payments.rules.authenticity import NotAuthentic, Refusal
from payments.rules.channel_bills.lines import local_text

_HTTP_OK: Final = 200

Node = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class AlipayAccount:
    """What an application is configured with.

    Parameters
    ----------
    address : str
        ``https://openapi.alipay.com/gateway.do``, or a gateway's.
    app_id, seller_id : str
    key : rsa.RSAPrivateKey
        Signs our requests.
    platform_keys : tuple of rsa.RSAPublicKey
        Whom to believe; the old beside the new while one follows the other.
    """

    address: str
    app_id: str
    seller_id: str
    key: rsa.RSAPrivateKey
    platform_keys: tuple[rsa.RSAPublicKey, ...]
    signing_address: str = ""
    """Where drivers sign for deductions; empty where the application has no such product."""


class AlipayLine:
    """Signs what is asked, and believes what is signed by whom we trust.

    Parameters
    ----------
    account : AlipayAccount
    notify_url : str
        Where its notifications reach us.
    wall : Clock
        Wall time, which requests carry.
    """

    def __init__(self, account: AlipayAccount, notify_url: str, wall: Clock) -> None:
        self._account = account
        self._notify_url = notify_url
        self._wall = wall

    def signed(self, method: str, biz: Mapping[str, JsonValue]) -> dict[str, str]:
        """Give a request's parameters with their signature."""
        parameters = {
            "app_id": self._account.app_id,
            "method": method,
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": local_text(self._wall.now()),
            "version": "1.0",
            "notify_url": self._notify_url,
            "biz_content": json.dumps(biz, ensure_ascii=False),
        }
        return {**parameters, "sign": alipay.sign(self._account.key, parameters)}

    def call(self, method: str, biz: Mapping[str, JsonValue]) -> Node:
        """Ask a method of Alipay's; give what a signed answer holds.

        Raises
        ------
        NoAnswer
            Where none came, it was not signed by whom we trust, or it cannot be read.
        """
        reply = exchange(
            "POST",
            self._account.address,
            body=urlencode(self.signed(method, biz)).encode("ascii"),
            headers={"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"},
        )
        if reply.status != _HTTP_OK:
            raise NoAnswer(f"status-{reply.status}")
        reason = "no key of Alipay's is configured"
        for key in self._account.platform_keys:
            try:
                return alipay.read_response(key, reply.body.decode(), method)
            except NotAuthentic as refused:
                reason = f"answer-{refused.reason.value}"
            except ValueError:
                raise NoAnswer("answer-malformed") from None
        raise NoAnswer(reason)

    def believe(self, told: Mapping[str, str]) -> None:
        """Refuse a notification that no key of Alipay's signed; NotAuthentic."""
        refused = NotAuthentic(Refusal.UNKNOWN_KEY, "no key of Alipay's is configured")
        for key in self._account.platform_keys:
            try:
                alipay.verify_notification(key, told)
            except NotAuthentic as other:
                refused = other
            else:
                return
        raise refused
