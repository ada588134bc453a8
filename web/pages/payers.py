"""The way to a channel's app and back that tells us who pays there, from each page that pays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import redirect, request, url_for

from journeys import know_payer
from journeys import pay_together as together
from journeys.pay_by_link import open_link
from web import access, limits, payers
from web.api.paying import at_a_channel
from web.pages.blueprint import blueprint
from web.pages.context import DRIVER_ROLES

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

KNOWN: Final = "in-app"
UNKNOWN: Final = "no-payer"
"""What the page is led back to: it goes on paying, or says that it cannot."""
SENT_BY_ONE_REMOTE: Final = 120
"""In a quarter of an hour: a phone network's customers share an address."""


@blueprint.get("/pay/<link>/payer")
@access.public
def ask_payer(link: str) -> Response:
    """Ask the app who pays a bill."""
    with access.wiring().database.unit_of_work() as uow:
        open_link(uow, link)
    return _sent(url_for("pages.pay", link=link))


@blueprint.get("/pay/together/<link>/payer")
@access.public
def ask_payer_together(link: str) -> Response:
    """Ask the app who pays several bills."""
    with access.wiring().database.unit_of_work() as uow:
        together.open_link(uow, link)
    return _sent(url_for("pages.pay_together", link=link))


@blueprint.get("/mine/cards/payer")
@access.allow(*DRIVER_ROLES)
def ask_payer_of_cards() -> Response:
    """Ask the app who tops a card up."""
    return _sent(url_for("pages.my_cards"))


@blueprint.get("/pay/payer/back")
@access.public
def back_from_app() -> Response:
    """Take what a browser brings back from the app, and lead it to the page that it left."""
    wiring, in_app = access.wiring(), payers.app()
    kept = request.cookies.get(payers.AWAY_COOKIE, "")
    state, code = request.args.get("state", ""), request.args.get("code", "")
    with at_a_channel() as free:
        # Where every place is taken the code is not exchanged: the payer is not known then.
        back = know_payer.learn(wiring.database, in_app, kept, state, code if free else "")
    response = redirect(f"{back.page}#{KNOWN if back.payer else UNKNOWN}", 303)
    response.delete_cookie(payers.AWAY_COOKIE)
    if back.payer:
        payers.keep(response, payers.PAYER_COOKIE, back.payer, know_payer.KNOWN_FOR)
    return _untold(response)


def _sent(page: str) -> Response:
    """Send the browser to the app; it keeps what it must bring back."""
    in_app, wiring = payers.app(), access.wiring()
    limits.count("payers-asked", limits.remote(), SENT_BY_ONE_REMOTE)
    back = wiring.settings.page_origin + url_for("pages.back_from_app")
    with wiring.database.unit_of_work() as uow:
        sent = know_payer.send(uow, in_app, page, back)
    response = redirect(sent.address, 303)
    payers.keep(response, payers.AWAY_COOKIE, sent.kept, know_payer.AWAY_FOR)
    return _untold(response)


def _untold(response: Response) -> Response:
    """Neither the page's address, which is a proof, nor a code is told to anybody or kept."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response
