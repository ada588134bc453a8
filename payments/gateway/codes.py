"""The payer's phone: a fresh code of each channel to be scanned, and what waits for a password."""

import json
import secrets
from html import escape
from typing import Final

import segno
from flask import Blueprint, Response, request, url_for

from city.money import Money
from payments.gateway.desk import ENDINGS, Code, Desk
from payments.gateway.orders import Order, State
from payments.gateway.payer import COLOURS
from payments.rules.channel_bills.lines import CURRENCY
from payments.rules.channels import Channel

_BEGINS: Final = {Channel.WECHAT: "13", Channel.ALIPAY: "28", Channel.UNIONPAY: "62"}
_DIGITS: Final = {Channel.WECHAT: 18, Channel.ALIPAY: 18, Channel.UNIONPAY: 19}
_NAMES: Final = {Channel.WECHAT: "微信支付", Channel.ALIPAY: "支付宝", Channel.UNIONPAY: "云闪付"}
_KINDS: Final = {
    Code.PAYS: "直接付款 · pays at once",
    Code.PASSWORD: "需输入密码 · asks for the password",
    Code.EMPTY: "余额不足 · not enough money",
    Code.EXPIRED: "已过期 · its minute is over",
}
_PAYS: Final = "11"
_MOST_WAITING: Final = 20
_PAGE: Final = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>付款码 · Payment codes</title>
<style>
:root {{ color-scheme: light dark; }}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; overflow-wrap: anywhere; padding: 1rem; max-width: 28rem;
  font: 1rem/1.5 system-ui, "Noto Sans CJK SC", sans-serif; }}
section {{ border-left: .375rem solid; padding-left: 1rem; margin-bottom: 2rem; }}
code {{ display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums; }}
img {{ display: block; background: #fff; }}
</style></head><body>
<h1>付款码 · <span lang="en">Payment codes</span></h1>
<p>{kinds}</p>
{codes}
<h2>等待输入密码 · <span lang="en">Waiting for the password</span></h2>
<ul>{waiting}</ul>
<p>演示网关，不涉及真实资金。<span lang="en">A local gateway: no real money moves.</span></p>
</body></html>
"""


def shown_code(channel: Channel, kind: Code) -> str:
    """Give a fresh code of a channel, as the payer's app shows one; its end says what happens."""
    ending = next((end for end, each in ENDINGS.items() if each is kind), _PAYS)
    between = _DIGITS[channel] - len(_BEGINS[channel]) - len(ending)
    return f"{_BEGINS[channel]}{secrets.randbelow(10**between):0{between}d}{ending}"


def code_routes(desk: Desk) -> Blueprint:
    """Give the page with the one payer's codes."""
    routes = Blueprint("codes", __name__, url_prefix="/payer/codes")

    def show() -> Response:
        kind = next((each for each in _KINDS if each.value == request.args.get("kind")), Code.PAYS)
        codes = {channel: shown_code(channel, kind) for channel in _BEGINS}
        waiting = [each for each in desk.book.orders() if each.state is State.WAITING]
        waiting = waiting[-_MOST_WAITING:]
        best = request.accept_mimetypes.best_match(["text/html", "application/json"])
        if best == "application/json":
            content = {
                "codes": {channel.value: code for channel, code in codes.items()},
                "waiting": [
                    {"order_no": each.order_no, "page": _page_of(each)} for each in waiting
                ],
            }
            return Response(json.dumps(content), mimetype="application/json")
        return Response(_written(codes, waiting), mimetype="text/html")

    routes.add_url_rule("", "show", show, methods=["GET"])
    return routes


def _page_of(order: Order) -> str:
    return url_for("payer.show", token=order.token)


def _written(codes: dict[Channel, str], waiting: list[Order]) -> str:
    return _PAGE.format(
        kinds=" · ".join(
            f'<a href="?kind={kind.value}">{words}</a>' for kind, words in _KINDS.items()
        ),
        codes="".join(
            f'<section style="border-color: {COLOURS[channel]}"><h2>{_NAMES[channel]}</h2>'
            f'<img alt="" width="200" height="200" src="{segno.make_qr(code).svg_data_uri()}">'
            f"<code>{code}</code></section>"
            for channel, code in codes.items()
        ),
        waiting="".join(
            f'<li><a href="{_page_of(each)}">{_NAMES[each.channel]} '
            f"{Money(each.terms.amount_minor, CURRENCY).text('zh')} · {escape(each.order_no)}"
            "</a></li>"
            for each in waiting
        ),
    )
