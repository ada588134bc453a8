"""Who pays inside a channel's app, as their browser keeps it sealed for us, and their orders."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Final, Literal

from flask import request

from city.errors import NotFound
from journeys import know_payer
from journeys.ways_to_pay import Device
from payments.rules.channels import Channel, Method
from payments.rules.in_app import hash_of, in_app_of
from web import access

if TYPE_CHECKING:
    from datetime import timedelta

    from werkzeug.wrappers import Response

    from city.works.database import UnitOfWork
    from payments.rules.channel_orders import ChannelOrder
    from payments.rules.in_app import InApp

APP_CHANNEL: Final = Channel.WECHAT
"""The one whose app shows our pages."""
PAYER_COOKIE: Final = "greenbay_payer"
AWAY_COOKIE: Final = "greenbay_payer_away"


def app() -> InApp:
    """Give the app that may be asked who pays; NotFound where none is set up."""
    found = in_app_of(access.wiring().channels, APP_CHANNEL)
    if found is None:
        raise NotFound("No app of a channel is set up here.")
    return found


def device(way: Literal["code", "page", "in-app"]) -> Device:
    """Give what the device that asks can do, by what its page says of it."""
    if way == "page":
        return Device(page_from=request.remote_addr or "")
    return Device(in_app=True, payer=_known()) if way == "in-app" else Device()


def call_of(order: ChannelOrder, code: str, uow: UnitOfWork | None = None) -> dict[str, str] | None:
    """Give what the page hands to the app for an order; None where it is not the caller's.

    Parameters
    ----------
    order : ChannelOrder
    code : str
        What its channel opened it with.
    uow : UnitOfWork or None
        The one that is open; None: one of its own.
    """
    in_app = in_app_of(access.wiring().channels, order.channel)
    if order.method is not Method.JSAPI or in_app is None or not code:
        return None
    payer = _known(uow)
    if not payer or hash_of(payer) != order.payer_hash:
        return None
    call = in_app.call(code)
    return {
        "app_id": call.app_id,
        "timestamp": call.timestamp,
        "nonce": call.nonce,
        "package": call.package,
        "signature": call.signature,
    }


def keep(response: Response, name: str, value: str, lasts: timedelta) -> None:
    """Let a browser keep a note of ours: no script reads it, and no other site sends it along."""
    response.set_cookie(
        name,
        value,
        max_age=int(lasts.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=access.wiring().settings.secure_cookies,
    )


def _known(uow: UnitOfWork | None = None) -> str:
    kept = request.cookies.get(PAYER_COOKIE, "")
    if not kept:
        return ""
    with nullcontext(uow) if uow else access.wiring().database.unit_of_work() as opened:
        return know_payer.known(opened, kept)
