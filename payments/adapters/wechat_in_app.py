"""WeChat Pay inside WeChat's own browser (JSAPI): who pays, and what the page calls WeChat with.

The secret of the official account goes to WeChat's own server in the address, as its documentation
has it; neither address nor answer is ever written down.
"""

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric import rsa

from city.time import Clock
from payments.adapters.http import NoAnswer, exchange
from payments.rules import wechat_v3
from payments.rules.in_app import AppCall, PayerTold

if TYPE_CHECKING:
    from pydantic import JsonValue

ASK_ADDRESS: Final = "https://open.weixin.qq.com/connect/oauth2/authorize"
TOKEN_ADDRESS: Final = "https://api.weixin.qq.com/sns/oauth2/access_token"  # noqa: S105 - an address
_LONGEST_CODE: Final = 128
_LONGEST_PAYER: Final = 128


@dataclass(frozen=True, slots=True)
class WechatApp:
    """The official account that pages ask as.

    Parameters
    ----------
    app_id : str
        The one that the merchant's orders name.
    secret : str
        Its AppSecret.
    key : rsa.RSAPrivateKey
        The merchant's, which signs calls as it signs requests.
    ask_address, token_address : str
        WeChat's, or a gateway's.
    """

    app_id: str
    secret: str = field(repr=False)
    key: rsa.RSAPrivateKey = field(repr=False)
    ask_address: str = ASK_ADDRESS
    token_address: str = TOKEN_ADDRESS


class WechatInApp:
    """How WeChat Pay is paid inside WeChat; see `InApp`."""

    def __init__(self, app: WechatApp, wall: Clock) -> None:
        self._app = app
        self._wall = wall

    def ask_address(self, back: str, state: str) -> str:
        """Give WeChat's address, its parameters in the one order that WeChat takes."""
        asked = urlencode(
            [
                ("appid", self._app.app_id),
                ("redirect_uri", back),
                ("response_type", "code"),
                ("scope", "snsapi_base"),
                ("state", state),
            ]
        )
        return f"{self._app.ask_address}?{asked}#wechat_redirect"

    def payer_of(self, code: str) -> PayerTold:
        """Exchange a code for the payer's openid."""
        if not code or len(code) > _LONGEST_CODE or not code.isascii():
            return PayerTold("", "no-code")
        asked = urlencode(
            {
                "appid": self._app.app_id,
                "secret": self._app.secret,
                "code": code,
                "grant_type": "authorization_code",
            }
        )
        try:
            reply = exchange("GET", f"{self._app.token_address}?{asked}")
            node: JsonValue = json.loads(reply.body)
        except NoAnswer as none:
            return PayerTold("", none.reason)
        except (ValueError, RecursionError):
            return PayerTold("", "answer-malformed")
        found = node if isinstance(node, dict) else {}
        payer, refused = found.get("openid"), found.get("errcode")
        if isinstance(refused, int) and refused:
            return PayerTold("", str(refused))
        if not isinstance(payer, str) or not 0 < len(payer) <= _LONGEST_PAYER:
            return PayerTold("", "answer-malformed")
        return PayerTold(payer)

    def call(self, order_code: str) -> AppCall:
        """Sign what the page hands to ``getBrandWCPayRequest``."""
        timestamp = str(int(self._wall.now().timestamp()))
        nonce, package = secrets.token_hex(16), f"prepay_id={order_code}"
        signed = wechat_v3.call_signature(
            self._app.key, self._app.app_id, timestamp, nonce, package
        )
        return AppCall(self._app.app_id, timestamp, nonce, package, signed)
