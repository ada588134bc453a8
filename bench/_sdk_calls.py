"""Run the public SDKs' calls against a gateway; only the peers' Python has these SDKs.

``.venv-peers/bin/python bench/_sdk_calls.py ADDRESS``: a JSON line a call. The clients are as they
come from the index; only the address is set: ``_core._gate_way`` and ``_gateway``.
"""

import hashlib
import io
import json
import sys
import threading
import time
import urllib.request
import zipfile
from collections.abc import Callable
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from alipay import AliPay  # type: ignore[import-not-found] # in the peers' environment alone
from wechatpayv3 import (  # type: ignore[import-not-found] # in the peers' environment alone
    WeChatPay,
    WeChatPayType,
)

WAIT_S = 10.0
DAY_S = 86400


class Inbox:
    """Takes notifications as a merchant does, and keeps them as they came."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, str], bytes]] = []
        inbox = self

        class Take(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                inbox.received.append((self.path, dict(self.headers), body))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"success")

            def log_message(self, *_: object) -> None:
                """Say nothing: stdout is for results."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Take)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def wait(self, path: str) -> tuple[dict[str, str], bytes]:
        """Give the first notification to a path; fails where none comes in ten seconds."""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            for where, headers, body in list(self.received):
                if where == path:
                    return headers, body
            time.sleep(0.05)
        raise TimeoutError(path)


def report(sdk: str, call: str, ok: object, detail: object = "") -> None:
    """Print the outcome of one call."""
    print(json.dumps({"sdk": sdk, "call": call, "ok": bool(ok), "detail": str(detail)[:200]}))


def fetch(url: str, data: bytes | None = None) -> bytes:
    """Get, or post where there is something to send."""
    request = urllib.request.Request(url, data=data)  # noqa: S310 - the gateway's own http address
    with urllib.request.urlopen(request, timeout=WAIT_S) as answer:  # noqa: S310 - as above
        content: bytes = answer.read()
    return content


def scan_and_pay(address: str, code: str) -> None:
    """Do as the payer who scans a code and presses the button."""
    token = code.rpartition("=")[2].rpartition("/")[2]
    fetch(f"{address}/payer/{token}/pay", b"")


def follow_and_pay(address: str, link: str) -> None:
    """Do as the payer whose phone is led to the channel's page and who presses its button."""
    with urllib.request.urlopen(link, timeout=WAIT_S) as page:  # noqa: S310 - the gateway's own
        scan_and_pay(address, page.url)


def today() -> str:
    """Give today's date in China."""
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + 8 * 3600))


def wechat(address: str, given: dict[str, str], inbox: Inbox, mode: str) -> None:
    """Run a native order's life, bar codes, refunds and bills through ``wechatpayv3``."""
    sdk = f"wechatpayv3 ({mode})"
    more = (
        {"public_key": given["public_key"], "public_key_id": given["public_key_id"]}
        if mode == "public-key"
        else {}
    )
    # The certificate mode fetches the platform's certificate while it is built, so the address
    # must be known by then; the SDK has no parameter for it.
    if mode == "certificate":
        from wechatpayv3 import core  # noqa: PLC0415 - the peers alone have it

        class Here(core.Core):  # type: ignore[misc] # the SDK ships no types
            def _init_certificates(self) -> None:
                self._gate_way = address
                super()._init_certificates()

        core.Core = Here
    client = WeChatPay(
        WeChatPayType.NATIVE,
        mchid=given["mchid"],
        private_key=given["private_key"],
        cert_serial_no=given["cert_serial_no"],
        appid=given["appid"],
        apiv3_key=given["apiv3_key"],
        notify_url=f"{inbox.address}/{mode}/paid",
        **more,
    )
    client._core._gate_way = address  # noqa: SLF001 - the one way to point it elsewhere

    def call(name: str, wanted: int, answer: tuple[int, Any], **fields: object) -> dict[str, Any]:
        status, text = answer
        body: dict[str, Any] = json.loads(text) if text else {}
        matches = all(body.get(key) == value for key, value in fields.items())
        report(sdk, name, status == wanted and matches, f"{status} {text}")
        return body

    no = f"{mode[:3]}{int(time.time() * 1000)}"
    amount = {"total": 1250, "currency": "CNY"}
    made = call("pay (native)", 200, client.pay("停车费", f"{no}A", amount))
    call("query unpaid", 200, client.query(out_trade_no=f"{no}A"), trade_state="NOTPAY")
    scan_and_pay(address, made["code_url"])
    paid = call("query paid", 200, client.query(out_trade_no=f"{no}A"), trade_state="SUCCESS")
    call("query by id", 200, client.query(paid["transaction_id"]), out_trade_no=f"{no}A")
    headers, body = inbox.wait(f"/{mode}/paid")
    told = client.callback(headers, body)
    report(sdk, "callback (paid)", told and told["resource"]["out_trade_no"] == f"{no}A", told)
    call("pay again", 400, client.pay("停车费", f"{no}A", amount), code="ORDERPAID")

    payer = {"openid": "oGatewayPayer"}
    call(
        "pay (jsapi)",
        200,
        client.pay("停车费", f"{no}B", amount, payer=payer, pay_type=WeChatPayType.JSAPI),
    )
    status, _ = client.close(f"{no}B")
    report(sdk, "close", status == 204, status)
    call("query closed", 200, client.query(out_trade_no=f"{no}B"), trade_state="CLOSED")

    inside_wechat(address, given, client, f"{no}J", call)

    scene = {"device_ip": "127.0.0.1", "store_info": {"id": "1"}}
    for tail, wanted in (("11", "SUCCESS"), ("03", "USERPAYING")):
        code = {"auth_code": f"1300610988280094{tail}"}
        call(
            f"pay (bar code, {wanted})",
            200,
            client.pay(
                "停车费", f"{no}C{tail}", amount, payer=code, scene_info=scene,
                pay_type=WeChatPayType.CODEPAY,
            ),
            trade_state=wanted,
        )  # fmt: skip
    call("reverse", 200, client.codepay_reverse(f"{no}C03"), out_trade_no=f"{no}C03")

    back = {"refund": 250, "total": 1250, "currency": "CNY"}
    where = f"{inbox.address}/{mode}/refunded"
    for name in ("refund", "refund again"):
        call(
            name,
            200,
            client.refund(f"{no}R", back, out_trade_no=f"{no}A", notify_url=where),
            out_refund_no=f"{no}R",
        )
    headers, body = inbox.wait(f"/{mode}/refunded")
    told = client.callback(headers, body)
    report(sdk, "callback (refunded)", told and told["event_type"] == "REFUND.SUCCESS", told)
    call("query refund", 200, client.query_refund(f"{no}R"), status="SUCCESS")
    call(
        "refund too much",
        400,
        client.refund(f"{no}S", {**back, "refund": 1001}, out_trade_no=f"{no}A"),
    )

    for name, ask in (("trade bill", client.trade_bill), ("fund-flow bill", client.fundflow_bill)):
        offer = call(name, 200, ask(today(), tar_type=""))
        status, content = client.download_bill(offer["download_url"])
        digest = hashlib.sha1(content).hexdigest()  # noqa: S324 - the channel's own choice
        right = digest == offer["hash_value"]
        report(sdk, f"download {name}", status == 200 and right and b"`" in content, len(content))


def inside_wechat(
    address: str, given: dict[str, str], client: Any, no: str, call: Callable[..., dict[str, Any]]
) -> None:
    """Pay an order inside WeChat: who pays by its web authorisation, the call signed by the SDK."""
    asked = {
        "appid": given["appid"],
        "redirect_uri": f"{address}/back",
        "response_type": "code",
        "scope": "snsapi_base",
        "state": "s1",
    }
    line = HTTPConnection(urlsplit(address).netloc, timeout=WAIT_S)
    line.request(
        "GET",
        f"{urlsplit(given['authorise']).path}?{urlencode(asked)}",
        headers={"User-Agent": "MicroMessenger/8.0.54"},
    )
    back = urlsplit(line.getresponse().headers["Location"])
    line.close()
    exchange = {
        "appid": given["appid"],
        "secret": given["app_secret"],
        "code": parse_qs(back.query)["code"][0],
        "grant_type": "authorization_code",
    }
    payer = json.loads(fetch(f"{given['tokens']}?{urlencode(exchange)}"))["openid"]
    made = call(
        "pay (jsapi, paid inside WeChat)",
        200,
        client.pay(
            "停车费",
            no,
            {"total": 1250},
            payer={"openid": payer},
            pay_type=WeChatPayType.JSAPI,
        ),
    )
    signed = (given["appid"], str(int(time.time())), "n1", f"prepay_id={made['prepay_id']}")
    names = ("appId", "timeStamp", "nonceStr", "package")
    page = {**dict(zip(names, signed, strict=True)), "signType": "RSA", "agreed": True}
    page["paySign"] = client.sign(list(signed))
    told = json.loads(fetch(f"{address}/payer/bridge", json.dumps(page).encode()))
    ok = told == {"err_msg": "get_brand_wcpay_request:ok"}
    report("wechatpayv3", "sign (the page's call)", ok, told)
    query = client.query(out_trade_no=no)
    call("query paid (jsapi)", 200, query, trade_state="SUCCESS", trade_type="JSAPI")


def alipay(address: str, given: dict[str, str], inbox: Inbox) -> None:
    """Run a precreated order's life, bar codes, a page, refunds and a bill."""
    sdk = "python-alipay-sdk"
    client = AliPay(
        appid=given["appid"],
        app_notify_url=f"{inbox.address}/alipay/paid",
        app_private_key_string=given["app_private_key"],
        alipay_public_key_string=given["alipay_public_key"],
    )
    client._gateway = given["gateway"]  # noqa: SLF001 - the one way to point it elsewhere

    def call(name: str, answer: dict[str, Any], code: str = "10000", **fields: object) -> Any:
        matches = all(answer.get(key) == value for key, value in fields.items())
        report(sdk, name, answer["code"] == code and matches, answer)
        return answer

    no = f"ali{int(time.time() * 1000)}"
    made = call("precreate", client.api_alipay_trade_precreate("停车费", f"{no}A", "12.50"))
    call(
        "query before the scan",
        client.api_alipay_trade_query(f"{no}A"),
        "40004",
        sub_code="ACQ.TRADE_NOT_EXIST",
    )
    scan_and_pay(address, made["qr_code"])
    call("query paid", client.api_alipay_trade_query(f"{no}A"), trade_status="TRADE_SUCCESS")
    _, body = inbox.wait("/alipay/paid")
    told = dict(parse_qsl(body.decode(), keep_blank_values=True))
    report(sdk, "verify (paid)", client.verify(told, told.pop("sign")), told)

    for tail, code in (("11", "10000"), ("03", "10003"), ("20", "20000"), ("05", "40004")):
        answer = client.api_alipay_trade_pay(
            f"{no}C{tail}", "bar_code", f"2876339300000000{tail}", "停车费", total_amount="3.00"
        )
        call(f"pay (bar code, {code})", answer, code)
    call("query after 20000", client.api_alipay_trade_query(f"{no}C20"))
    call("cancel waiting", client.api_alipay_trade_cancel(f"{no}C03"), action="close")
    call("cancel paid", client.api_alipay_trade_cancel(f"{no}C11"), action="refund")

    query = client.api_alipay_trade_page_pay("停车费", f"{no}P", "5.00", return_url=inbox.address)
    page = fetch(f"{given['gateway']}?{query}")
    report(sdk, "page pay", "5.00" in page.decode(), len(page))
    call("close", client.api_alipay_trade_close(f"{no}P"))
    led = client.api_alipay_trade_wap_pay("停车费", f"{no}W", "4.00", quit_url=inbox.address)
    call(
        "query before the phone follows the wap page",
        client.api_alipay_trade_query(f"{no}W"),
        "40004",
        sub_code="ACQ.TRADE_NOT_EXIST",
    )
    follow_and_pay(address, f"{given['gateway']}?{led}")
    paid = client.api_alipay_trade_query(f"{no}W")
    call("wap pay", paid, trade_status="TRADE_SUCCESS", total_amount="4.00")

    for name, changed in (("refund", "Y"), ("refund again", "N")):
        answer = client.api_alipay_trade_refund("2.50", f"{no}A", out_request_no=f"{no}R")
        call(name, answer, fund_change=changed, refund_fee="2.50")
    call(
        "query refund",
        client.api_alipay_trade_fastpay_refund_query(f"{no}R", out_trade_no=f"{no}A"),
        refund_status="REFUND_SUCCESS",
    )
    offer = call(
        "bill",
        client.server_api(
            "alipay.data.dataservice.bill.downloadurl.query",
            {"bill_type": "trade", "bill_date": today()},
        ),
    )
    with zipfile.ZipFile(io.BytesIO(fetch(offer["bill_download_url"]))) as archive:
        text = archive.read(archive.namelist()[0]).decode("gbk")
    report(sdk, "download bill", f"{no}A" in text, len(text))


def main() -> None:
    """Run all of it; the exit status says nothing, the lines do."""
    address = sys.argv[1]
    keys = json.loads(fetch(f"{address}/gateway/keys"))
    inbox = Inbox()
    wechat(address, keys["wechat"], inbox, "public-key")
    wechat(address, keys["wechat"], inbox, "certificate")
    alipay(address, keys["alipay"], inbox)


if __name__ == "__main__":
    main()
