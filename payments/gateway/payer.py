"""The payer's side: the page behind every code, and the press of the button without a page."""

import json
from collections.abc import Callable
from html import escape
from typing import Final

from flask import Blueprint, Response, redirect, request, url_for
from pydantic import JsonValue
from werkzeug.wrappers import Response as BaseResponse

from city.money import Money
from payments.gateway.desk import Desk, is_unpaid
from payments.gateway.orders import Order, Refused, State, Why
from payments.rules.channel_bills.lines import CURRENCY
from payments.rules.channels import Channel

_NAMES: Final = {
    Channel.WECHAT: ("微信支付", "WeChat Pay", "#07734b"),
    Channel.ALIPAY: ("支付宝", "Alipay", "#0b57c2"),
    Channel.UNIONPAY: ("云闪付", "UnionPay", "#b3121d"),
}
_STATES: Final = {
    State.HIDDEN: ("待支付", "To be paid"),
    State.OPEN: ("待支付", "To be paid"),
    State.WAITING: ("等待输入密码", "Waiting for the password"),
    State.PAID: ("支付成功", "Paid"),
    State.CLOSED: ("订单已关闭", "Closed"),
    State.VOIDED: ("订单已撤销", "Taken back"),
}
COLOURS: Final = {channel: colour for channel, (_, _, colour) in _NAMES.items()}
HOLDERS: Final = {
    Channel.WECHAT: "oGatewayPayer0000000000000000",
    Channel.ALIPAY: "2088000000000000",
    Channel.UNIONPAY: "6200000000000000000",
}
"""The one payer at each channel, by the id that the channel gives them."""
_PAGE: Final = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name} · {amount}</title>
<style>
:root {{ color-scheme: light dark; --mark: {colour}; --ground: #f3f4f2; --card: #fff;
  --ink: #1c211e; --soft: #545c57; --line: #dfe3df; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ground: #121513; --card: #1c211e; --ink: #eef1ee;
  --soft: #a9b2ac; --line: #343b36; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
  background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, "Noto Sans CJK SC", sans-serif; }}
main {{ width: 100%; max-width: 24rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 1rem; overflow: hidden; }}
header {{ background: var(--mark); color: #fff; padding: 1rem 1.5rem; font-weight: 600; }}
header small {{ display: block; font-weight: 400; }}
section {{ padding: 1.5rem; }}
h1 {{ margin: 0 0 1rem; font-size: 2.5rem; line-height: 1.1; font-variant-numeric: tabular-nums; }}
dl {{ display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 0 0 1.5rem; }}
dt {{ color: var(--soft); }} dd {{ margin: 0; overflow-wrap: anywhere; text-align: right; }}
button, a.go {{ display: block; width: 100%; min-height: 3rem; border: 0; border-radius: .75rem;
  background: var(--mark); color: #fff; font: inherit; font-weight: 600; text-align: center;
  line-height: 3rem; text-decoration: none; cursor: pointer; }}
:focus-visible {{ outline: 3px solid var(--ink); outline-offset: 2px; }}
p {{ margin: 1rem 0 0; color: var(--soft); font-size: .875rem; }}
</style></head><body><main>
<header>{name}<small lang="en">{english}</small></header>
<section>
<h1>{amount}</h1>
<dl><dt>商品 · For</dt><dd>{subject}</dd><dt>订单 · Order</dt><dd>{order_no}</dd>
<dt>状态 · State</dt>
<dd id="state" role="status">{state}<br><span lang="en">{state_english}</span></dd></dl>
{action}
<p>演示网关，不涉及真实资金。<span lang="en">A local gateway: no real money moves.</span></p>
</section></main></body></html>
"""


def payer_routes(desk: Desk, return_address: Callable[[Order], str]) -> Blueprint:
    """Give the payer's routes; each is reached by the token in an order's code alone."""
    routes = Blueprint("payer", __name__, url_prefix="/payer")

    def show(token: str) -> BaseResponse:
        return _shown(desk.book.find_token(token, desk.now()), return_address)

    def pay(token: str) -> BaseResponse:
        order = desk.book.find_token(token, desk.now())
        if order.terms.payer:
            raise Refused(Why.NOT_FOUND)  # paid inside WeChat alone, by whom it was opened for
        paid = desk.pay(order, HOLDERS[order.channel])
        if _wants_json():
            return _shown(paid, return_address)
        return redirect(url_for("payer.show", token=token), 303)

    def no(refused: Refused) -> Response:
        status = 404 if refused.why == "not-found" else 409
        return Response(f"{refused.message}\n", status=status, mimetype="text/plain")

    routes.add_url_rule("/<token>", "show", show, methods=["GET"])
    routes.add_url_rule("/<token>/pay", "pay", pay, methods=["POST"])
    routes.register_error_handler(Refused, no)
    return routes


def order_json(order: Order) -> dict[str, JsonValue]:
    """Show an order to tests and people; no key and no payer."""
    return {
        "channel": order.channel.value,
        "order_no": order.order_no,
        "channel_no": order.channel_no,
        "state": order.state.value,
        "amount_minor": order.terms.amount_minor,
        "refunds": [
            {
                "refund_no": refund.refund_no,
                "amount_minor": refund.amount_minor,
                "state": refund.state.value,
            }
            for refund in order.refunds
        ],
    }


def _wants_json() -> bool:
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"


def _shown(order: Order, return_address: Callable[[Order], str]) -> BaseResponse:
    if _wants_json():
        return Response(json.dumps(order_json(order)), mimetype="application/json")
    name, english, colour = _NAMES[order.channel]
    state, state_english = _STATES[order.state]
    action = ""
    if is_unpaid(order):
        action = (
            f'<form method="post" action="{url_for("payer.pay", token=order.token)}">'
            '<button type="submit">确认支付 · <span lang="en">Pay</span></button></form>'
        )
    elif order.state is State.PAID and (back := return_address(order)):
        action = f'<a class="go" href="{escape(back)}">返回商家 · <span lang="en">Back</span></a>'
    page = _PAGE.format(
        name=name,
        english=english,
        colour=colour,
        amount=Money(order.terms.amount_minor, CURRENCY).text("zh"),
        subject=escape(order.terms.subject or "停车费"),
        order_no=escape(order.order_no),
        state=state,
        state_english=state_english,
        action=action,
    )
    return Response(page, mimetype="text/html")
