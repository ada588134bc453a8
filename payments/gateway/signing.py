"""The page of a channel on which payers sign for a car, pause it and stop it; stands for its app.

How a merchant's page leads there in the real channels is not publicly documented. Here it is by the
address alone: which car is typed in on the page, so that no plate stands in an address.
"""

from html import escape
from typing import Final
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from city.errors import Invalid
from city.vehicles import normalise_plate
from payments.gateway.desk import Desk
from payments.gateway.payer import COLOURS, HOLDERS
from payments.gateway.signatures import Car, Signature, SignatureState
from payments.rules.channels import Channel
from payments.rules.deductions import PlateColour

_SIGN: Final = {
    Channel.WECHAT: ("微信支付分停车服务", "WeChat Pay: parking by pay score"),
    Channel.ALIPAY: ("支付宝停车代扣", "Alipay: parking deductions"),
}
_WORDS: Final = {
    PlateColour.BLUE: "蓝 · blue",
    PlateColour.GREEN: "绿 · green",
    PlateColour.YELLOW: "黄 · yellow",
    PlateColour.BLACK: "黑 · black",
    PlateColour.WHITE: "白 · white",
    PlateColour.LIMEGREEN: "黄绿 · yellow and green",
}
_PAGE: Final = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0; padding: 1rem; display: grid; place-items: center; min-height: 90vh;
  font: 1rem/1.5 system-ui, "Noto Sans CJK SC", sans-serif; }}
main {{ width: 100%; max-width: 24rem; }}
h1 {{ font-size: 1.375rem; border-bottom: .25rem solid {colour}; padding-bottom: .5rem; }}
h1 small {{ display: block; font-size: .875rem; font-weight: 400; }}
label, legend {{ display: block; margin-top: 1rem; }}
fieldset {{ border: 0; padding: 0; margin: 0; }} fieldset label {{ margin-top: .25rem; }}
input[type=text], select, button {{ box-sizing: border-box; width: 100%; min-height: 3rem;
  font: inherit; padding: 0 .75rem; }}
button {{ margin-top: 1rem; }}
</style></head><body><main>
<h1>{name}<small lang="en">{english}</small></h1>
<p role="status">{said}</p>
<form method="post">
<input type="hidden" name="return_url" value="{back}">
<label>车牌号 · <span lang="en">Plate</span>
<input type="text" name="plate_number" required maxlength="16" autocomplete="off"></label>
<label>车牌颜色 · <span lang="en">Colour</span><select name="plate_color">{colours}</select></label>
<fieldset><legend>账户余额 · <span lang="en">Money in the account</span></legend>
<label><input type="radio" name="purse" value="full" checked> 充足 · <span lang="en">enough</span>
</label><label><input type="radio" name="purse" value="empty"> 不足 · <span lang="en">none</span>
</label></fieldset>
<button name="state" value="normal">开通 · <span lang="en">Sign</span></button>
<button name="state" value="paused">暂停 · <span lang="en">Pause</span></button>
<button name="state" value="stopped">关闭 · <span lang="en">Stop</span></button>
</form>
<p>演示网关，不涉及真实资金。<span lang="en">A local gateway: no real money moves.</span></p>
</main></body></html>
"""


def signing_routes(desk: Desk) -> Blueprint:
    """Give the page of each channel that deducts."""
    routes = Blueprint("signing", __name__, url_prefix="/payer/signatures")

    def show(channel: str) -> Response:
        return _page(Channel(channel), request.args.get("return_url", ""))

    def sign(channel: str) -> BaseResponse:
        at, given = Channel(channel), request.form
        back = given.get("return_url", "")
        try:
            car = _car(given.get("plate_number", ""), given.get("plate_color", ""))
            state = SignatureState(given.get("state", ""))
        except (Invalid, ValueError):
            return _page(at, back, "请填写车牌 · Which car?", 400)
        solvent = given.get("purse") != "empty"
        desk.signatures.sign(Signature(at, car, HOLDERS[at], state, solvent, desk.now()))
        if not _is_page(back):
            return _page(at, "", {"normal": "已开通 · Signed"}.get(state, "已变更 · Changed"))
        joint = "&" if urlsplit(back).query else "?"
        return redirect(f"{back}{joint}{urlencode({'holder': HOLDERS[at]})}", 303)

    for channel in _SIGN:
        for method, view in (("GET", show), ("POST", sign)):
            routes.add_url_rule(
                f"/{channel.value}",
                f"{view.__name__}_{channel.value}",
                view,
                methods=[method],
                defaults={"channel": channel.value},
            )
    return routes


def _car(plate: str, colour: str) -> Car:
    text = normalise_plate(plate)
    if not text:
        raise Invalid("is empty", field="plate_number")
    return Car(text, PlateColour(colour))


def _is_page(address: str) -> bool:
    return address.startswith(("https://", "http://"))


def _page(channel: Channel, back: str, said: str = "", status: int = 200) -> Response:
    name, english = _SIGN[channel]
    colours = "".join(
        f'<option value="{each.value}">{words}</option>' for each, words in _WORDS.items()
    )
    content = _PAGE.format(
        name=name,
        english=english,
        colour=COLOURS[channel],
        said=escape(said),
        back=escape(back),
        colours=colours,
    )
    return Response(content, status=status, mimetype="text/html")
