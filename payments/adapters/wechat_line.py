"""The line to WeChat Pay APIv3: what a merchant is configured with, requests and answers signed."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import JsonValue

from city.time import Clock
from payments.adapters.http import NoAnswer, exchange
from payments.adapters.wechat_in_app import WechatApp
from payments.rules import wechat_v3
from payments.rules.authenticity import NotAuthentic

Node = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class WechatAccount:
    """What a merchant is configured with.

    Parameters
    ----------
    address : str
        ``https://api.mch.weixin.qq.com``, or a gateway's.
    app_id, merchant_id : str
    key : rsa.RSAPrivateKey
        Signs our requests.
    serial : str
        Of the certificate over it, upper-case hexadecimal.
    api_key : bytes
        The APIv3 key.
    verifiers : Verifiers
        Whom to believe: certificates' serials and public-key ids; the old beside the new while
        one follows the other.
    answer_serial : str
        Under which of them we ask to be answered; empty: as the channel likes.
    """

    address: str
    app_id: str
    merchant_id: str
    key: rsa.RSAPrivateKey
    serial: str
    api_key: bytes
    verifiers: wechat_v3.Verifiers
    answer_serial: str = ""
    signing_address: str = ""
    """Where drivers sign for parking by pay score; empty where the merchant has no such product."""
    app: WechatApp | None = None
    """The official account that pages in WeChat ask as; None: they show codes there."""


class WechatLine:
    """Signs what is asked, and believes what is signed by whom we trust.

    Parameters
    ----------
    account : WechatAccount
    wall : Clock
        Wall time, which signatures are made and checked by.
    """

    def __init__(self, account: WechatAccount, wall: Clock) -> None:
        self._account = account
        self._wall = wall

    def call(
        self, method: str, target: str, body: Mapping[str, JsonValue] | None = None
    ) -> tuple[int, Node]:
        """Send a signed request; give the status and the object that a signed answer holds.

        Raises
        ------
        NoAnswer
            Where none came, it was not signed by whom we trust, or it cannot be read.
        """
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        reply = exchange(
            method,
            self._account.address + target,
            body=content,
            headers=self.headers(method, target, content),
        )
        try:
            wechat_v3.verify_signed(
                reply.headers, reply.body, self._account.verifiers, self._wall.now()
            )
            node = json.loads(reply.body) if reply.body else {}
        except NotAuthentic as refused:
            raise NoAnswer(f"answer-{refused.reason.value}") from None
        except (ValueError, RecursionError):
            raise NoAnswer("answer-malformed") from None
        if not isinstance(node, dict):
            raise NoAnswer("answer-malformed")
        return reply.status, node

    def headers(self, method: str, target: str, content: bytes) -> dict[str, str]:
        """Give what a request is sent with, its signature among it."""
        account = self._account
        given = {
            "Accept": "application/json",
            "User-Agent": "greenbay",
            "Authorization": wechat_v3.authorization(
                account.key,
                merchant_id=account.merchant_id,
                serial=account.serial,
                method=method,
                target=target,
                body=content,
                at=self._wall.now(),
                nonce=secrets.token_hex(16).upper(),
            ),
        }
        if content:
            given["Content-Type"] = "application/json"
        if account.answer_serial:
            given["Wechatpay-Serial"] = account.answer_serial
        return given
