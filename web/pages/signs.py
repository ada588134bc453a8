"""A bay's own page, which its QR code opens, what it leads to, and the signs to be printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Response, request, url_for
from markupsafe import Markup

from city.errors import Invalid, NotFound
from city.identifiers import BayId, FacilityId, parse_id
from city.people.roles import Role
from parking.live_capacity import for_the_public
from parking.rules.tariffs.reasons import duration_text
from parking.services import places
from parking.services.signs import Sign, prices, sign_of_bay, signs_of_facility
from web import access, qr
from web.api.cursors import after, cursor
from web.pages.blueprint import blueprint
from web.pages.context import DRIVER_ROLES, language
from web.pages.render import page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

    from parking.rules.tariffs.model import Quote
    from parking.store.places import Facility

SIGN_ROLES: Final = (Role.OPERATOR, Role.ADMINISTRATOR)
KERB: Final = "kerb"
SHEET: Final = 60
"""Signs on one page to print."""
GATED: Final = frozenset({"garage", "mechanical"})
"""Kinds of facilities whose gates begin and end every stay."""


def _address(bay_id: UUID) -> str:
    """Give the address that a bay's code says: where browsers reach us, whoever asks."""
    origin = access.wiring().settings.page_origin
    return origin + url_for("pages.bay", bay_id=bay_id)


def _code(sign: Sign) -> str:
    return qr.svg(_address(sign.bay.id), f"{sign.facility.name_en} {sign.bay.label}")


def name_of(each: Any) -> str:
    """Give a facility's or an operator's name in the page's language."""
    own, other = (
        (each.name_zh, each.name_en) if language() == "zh" else (each.name_en, each.name_zh)
    )
    return str(own or other)


@blueprint.get("/bays/<uuid:bay_id>")
@access.public
def bay(bay_id: UUID) -> Response:
    """Show which bay this is, who runs it and what it costs now; start a stay from here."""
    wiring, caller = access.wiring(), access.actor()
    now = wiring.clock.now()
    with wiring.database.read() as connection:
        sign = sign_of_bay(connection, bay_id)
        costs = prices(connection, sign.facility, now)
    usable = for_the_public(wiring.places, [(BayId(sign.bay.id), sign.facility)], now)
    return page(
        "bay.html",
        subject=str(bay_id),
        sign=sign,
        place=name_of(sign.facility),
        operator=name_of(sign.operator) if sign.operator else None,
        prices=prices_shown(costs, sign.facility),
        since=local_time(now, sign.facility),
        usable=bool(usable),
        gated=sign.facility.kind in GATED,
        is_driver=caller is not None and caller.has_any(Role.DRIVER),
        start=url_for("pages.mine", bay=bay_id),
        origin=wiring.settings.page_origin,
    )


def prices_shown(
    costs: Sequence[tuple[timedelta, Quote]], facility: Facility
) -> list[dict[str, Any]]:
    """Give the prices of usual stays in the page's words, each with its lines."""
    spoken = language()
    return [
        {
            "length": duration_text(round(length.total_seconds()), spoken),
            "total": quote.total.text(spoken),
            "lines": [
                {
                    "from": local_time(line.from_at, facility),
                    "to": local_time(line.to_at, facility),
                    "why": line.why.text(spoken),
                    "amount": type(quote.total)(line.minor, quote.total.currency).text(spoken),
                }
                for line in quote.lines
            ],
        }
        for length, quote in costs
    ]


def local_time(at: datetime, facility: Facility) -> str:
    """Give the time of day at a facility."""
    return facility.local(at).strftime("%H:%M")


@blueprint.get("/mine")
@access.allow(*DRIVER_ROLES)
def mine() -> Response:
    """Show a driver's own stays, bills and vehicles; with a scanned bay, to start a stay there."""
    sign = _scanned(request.args.get("bay"))
    return page("mine.html", sign=sign, place=name_of(sign.facility) if sign else None)


def _scanned(bay: str | None) -> Sign | None:
    """Give the bay that the address names; None where it names none that there is."""
    if bay is None:
        return None
    try:
        with access.wiring().database.read() as connection:
            return sign_of_bay(connection, parse_id(bay, "bay"))
    except (NotFound, Invalid):
        return None


@blueprint.get("/bays/<uuid:bay_id>/qr.svg")
@access.allow(*SIGN_ROLES)
def bay_code(bay_id: UUID) -> Response:
    """Send a bay's QR code to be printed."""
    with access.wiring().database.read() as connection:
        sign = sign_of_bay(connection, bay_id)
    access.require_district(sign.bay.district)
    name = f"{sign.facility.code}-{sign.bay.label}.svg".encode("ascii", "replace").decode()
    safe = "".join(each if each.isalnum() or each in "-_." else "-" for each in name)
    return Response(
        _code(sign),
        content_type="image/svg+xml",
        headers={
            "Content-Disposition": f'inline; filename="{safe}"',
            "Cache-Control": "private, no-cache",
        },
    )


@blueprint.get("/facilities/<uuid:facility_id>/signs")
@access.allow(*SIGN_ROLES)
def signs(facility_id: UUID) -> Response:
    """Show the signs of a facility's bays, to be printed."""
    with access.wiring().database.read() as connection:
        home = places.facility(connection, FacilityId(facility_id))
        access.require_district(home.district)
        found = signs_of_facility(
            connection, facility_id, after=after(request.args.get("cursor")), limit=SHEET
        )
    gate = access.wiring().settings.page_origin + url_for("pages.gate", facility_id=facility_id)
    return page(
        "signs.html",
        place=name_of(home),
        facility=home,
        # Drawn here from our own address and an escaped name, as the bays' below.
        gate=Markup(qr.svg(gate, home.name_en)) if home.kind != KERB else None,  # noqa: S704 - see above
        signs=[
            {
                "label": each.bay.label,
                "operator": name_of(each.operator) if each.operator else None,
                "phone": each.operator.phone if each.operator else None,
                # Drawn here from our own address and escaped names: no markup of others' in it.
                "code": Markup(_code(each)),  # noqa: S704 - see above
            }
            for each in found.items
        ],
        host=access.wiring().settings.page_origin.partition("://")[2],
        following=cursor(found.next),
    )
