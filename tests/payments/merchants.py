"""A merchant of each channel over real HTTP, reading and writing by the rules that we ship."""

from __future__ import annotations

import json
import secrets
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

import httpx

from city.time import WallClock
from payments.gateway.keys import Keys, make_keys
from payments.rules import alipay, unionpay, wechat_v3
from payments.rules.authenticity import certificate_of, private_key_of, public_key_of

if TYPE_CHECKING:
    from collections.abc import Callable

WAIT_S = 60.0


@cache
def keys() -> Keys:
    """Make keys once a process: it takes a second."""
    return make_keys(WallClock().now())


class Inbox:
    """Takes notifications; ``answers`` are given in turn, then the last for ever."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        inbox, given = self, list(answers) or [(200, b"success")]

        class Take(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                inbox.received.append((dict(self.headers), body))
                status, answer = given.pop(0) if len(given) > 1 else given[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Take)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/notify"

    def wait(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        """Give what came once there are as many; fails after a minute."""
        until(lambda: len(self.received) >= count)
        return self.received

    def close(self) -> None:
        """Take nothing more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; fails after a minute."""
    end = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def form(body: bytes) -> dict[str, str]:
    """Read a form as a framework does."""
    return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True))


def scan(address: str, code: str) -> dict[str, Any]:
    """Look at an order as its payer does who scanned the code."""
    token = code.rpartition("=")[2].rpartition("/")[2]
    answer = httpx.get(
        f"{address}/payer/{token}", headers={"Accept": "application/json"}, timeout=WAIT_S
    )
    found: dict[str, Any] = answer.json()
    return found


def pay(address: str, code: str) -> int:
    """Press the payer's button; gives the status."""
    token = code.rpartition("=")[2].rpartition("/")[2]
    answer = httpx.post(
        f"{address}/payer/{token}/pay", headers={"Accept": "application/json"}, timeout=WAIT_S
    )
    return answer.status_code


class Wechat:
    """A merchant of WeChat Pay, by certificate and public key at once."""

    def __init__(self, address: str) -> None:
        self.given = httpx.get(f"{address}/gateway/keys", timeout=WAIT_S).json()["wechat"]
        self.address = address
        certificate = self.given["platform_certificate"].encode()
        platform = certificate_of(certificate, "certificate")
        self.verifiers = {
            f"{platform.serial_number:X}": public_key_of(certificate, "certificate"),
            self.given["public_key_id"]: public_key_of(self.given["public_key"].encode(), "key"),
        }
        self.key = private_key_of(self.given["private_key"].encode(), "key")

    def call(
        self, method: str, target: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """Send a signed request; the answer's signature is checked on its raw bytes."""
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        authorization = wechat_v3.authorization(
            self.key,
            merchant_id=self.given["mchid"],
            serial=self.given["cert_serial_no"],
            method=method,
            target=target,
            body=content,
            at=WallClock().now(),
            nonce=secrets.token_hex(16),
        )
        answer = httpx.request(
            method,
            self.address + target,
            content=content,
            headers={"Authorization": authorization, **headers},
            timeout=WAIT_S,
        )
        wechat_v3.verify_signed(answer.headers, answer.content, self.verifiers, WallClock().now())
        return answer.status_code, json.loads(answer.content) if answer.content else {}

    def open(
        self, order_no: str, minor: int, url: str, product: str = "native", **more: Any
    ) -> Any:
        """Ask for an order; gives status and answer."""
        body = {
            "appid": self.given["appid"],
            "mchid": self.given["mchid"],
            "description": "停车费",
            "out_trade_no": order_no,
            "amount": {"total": minor, "currency": "CNY"},
            "notify_url": url,
            **more,
        }
        return self.call("POST", f"/v3/pay/transactions/{product}", body)

    def query(self, order_no: str) -> tuple[int, dict[str, Any]]:
        """Ask how an order stands."""
        target = f"/v3/pay/transactions/out-trade-no/{quote(order_no)}"
        return self.call("GET", f"{target}?mchid={self.given['mchid']}")

    def refund(self, order_no: str, refund_no: str, minor: int, total: int, url: str = "") -> Any:
        """Ask for a refund; gives status and answer."""
        body = {
            "out_trade_no": order_no,
            "out_refund_no": refund_no,
            "amount": {"refund": minor, "total": total, "currency": "CNY"},
            "notify_url": url,
        }
        return self.call("POST", "/v3/refund/domestic/refunds", body)

    def told(self, headers: dict[str, str], body: bytes) -> wechat_v3.Notification:
        """Read a notification as our adapter does."""
        return wechat_v3.read_notification(
            headers,
            body,
            verifiers=self.verifiers,
            api_key=self.given["apiv3_key"].encode(),
            now=WallClock().now(),
        )


class Alipay:
    """An application of Alipay's."""

    def __init__(self, address: str) -> None:
        self.given = httpx.get(f"{address}/gateway/keys", timeout=WAIT_S).json()["alipay"]
        self.key = private_key_of(self.given["app_private_key"].encode(), "key")
        self.public = public_key_of(self.given["alipay_public_key"].encode(), "key")

    def parameters(self, method: str, biz: dict[str, Any], **more: str) -> dict[str, str]:
        """Write and sign a request."""
        parameters = {
            "app_id": self.given["appid"],
            "method": method,
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": "2026-03-02 09:00:00",
            "version": "1.0",
            "biz_content": json.dumps(biz, ensure_ascii=False),
            **more,
        }
        return {**parameters, "sign": alipay.sign(self.key, parameters)}

    def call(self, method: str, biz: dict[str, Any], **more: str) -> dict[str, Any]:
        """Send a request; the answer's signature is checked on the node's raw text."""
        answer = httpx.post(
            self.given["gateway"], data=self.parameters(method, biz, **more), timeout=WAIT_S
        )
        return alipay.read_response(self.public, answer.text, method)


class UnionPay:
    """A merchant of UnionPay's."""

    def __init__(self, address: str) -> None:
        self.given = httpx.get(f"{address}/gateway/keys", timeout=WAIT_S).json()["unionpay"]
        self.key = private_key_of(self.given["private_key"].encode(), "key")
        self.root = certificate_of(self.given["root_certificate"].encode(), "root")

    def call(
        self, kind: tuple[str, str], path: str = "backTransReq", **more: str
    ) -> dict[str, str]:
        """Send a message; the answer is checked by the certificate that it carries."""
        message = {
            "version": "5.1.0",
            "encoding": "UTF-8",
            "bizType": "000000",
            "txnType": kind[0],
            "txnSubType": kind[1],
            "accessType": "0",
            "channelType": "08",
            "merId": self.given["mer_id"],
            "txnTime": "20260302090000",
            "currencyCode": "156",
            **more,
        }
        signed = unionpay.sign(message, self.key, self.given["cert_id"])
        answer = httpx.post(f"{self.given['gateway']}/{path}.do", data=signed, timeout=WAIT_S)
        return self.checked(unionpay.read_response(answer.content))

    def checked(self, message: dict[str, str]) -> dict[str, str]:
        """Check a message of UnionPay's."""
        unionpay.verify_from_unionpay(message, self.root, WallClock().now())
        return message
