"""Figures of places, bays and areas, as JSON and as a file; a bay's day reconciled."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint
from flask import Response

from city.errors import NotFound
from city.people import Role
from journeys import draw_figures
from journeys.reconcile_day import reconcile_day
from parking.rules.figures.measures import figures_of
from parking.services import figures as figure_service
from parking.services import places
from parking.services.figures import Grouping, Wanted
from web import access
from web.api.cursors import after, cursor
from web.api.days import day_in
from web.api.schemas.figures import (
    AreasOut,
    AreasQuery,
    BayDayOut,
    BayFiguresOut,
    BayFiguresQuery,
    DaysQuery,
    FiguresOut,
    FiguresQuery,
    FileQuery,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from sqlalchemy import Connection

    from journeys.draw_figures import Line, Money
    from parking.rules.figures.bay_day import BayDay, Finding
    from parking.rules.figures.measures import Figures, Tally
    from parking.services.figures import AreaCounts, Group
    from parking.store.places import Bay, Facility

blueprint = APIBlueprint("figures", __name__, url_prefix="/api/v1", tag="Figures")

ROLES: Final = (Role.OPERATOR, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)
SHORT_FROM: Final = 0.85
"""Above it a driver has to look for a bay. Source: the 85 % rule of kerb pricing (Shoup, 2005)."""
IDLE_BELOW: Final = 0.5
DIGITS: Final = 6
CSV: Final[Any] = {
    200: {
        "description": "UTF-8 with a byte order mark, a line per group and currency",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}


def _wanted(connection: Connection, query: DaysQuery) -> Wanted:
    """Give what is asked for, within what the caller may see."""
    caller = access.known_actor()
    if query.district is not None:
        access.require_district(query.district)
    facility_id = None
    if query.facility_id is not None:
        facility_id = _home(connection, query.facility_id).id
    return Wanted(
        query.first_day,
        query.last_day + timedelta(days=1),
        frozenset({query.district}) if query.district else caller.districts,
        facility_id,
        query.kind,
    )


def _home(connection: Connection, facility_id: UUID) -> Facility:
    found = places.facility(connection, facility_id)
    if not access.known_actor().in_district(found.district):
        raise NotFound("There is no such facility in your districts.", field="facility_id")
    return found


def _counts(tally: Tally) -> dict[str, Any]:
    return {
        "service_s": tally.service_us / 1e6,
        "open_s": tally.open_us / 1e6,
        "occupied_s": tally.occupied_us / 1e6,
        "free_s": tally.free_us / 1e6,
        "unknown_s": (tally.open_us - tally.known_us) / 1e6,
        "arrivals": tally.arrivals,
        "ended": tally.ended,
        "matched": tally.matched,
        "dwell_stays": tally.dwell_stays,
        "changes": tally.changes,
    }


def _values(figures: Figures) -> dict[str, Any]:
    return {
        name: None if value is None else round(value, DIGITS)
        for name, value in asdict(figures).items()
    }


def _money(each: Money) -> dict[str, Any]:
    sums = each.sums

    def amount(minor: int) -> dict[str, Any]:
        return {"minor": minor, "currency": sums.currency}

    earned = each.revenue_per_bay_day_minor
    return {
        "bills": sums.bills,
        "due": amount(sums.due_minor),
        "received": amount(sums.received_minor),
        "collected_share": _rounded(sums.collected_share),
        "arrears": amount(sums.arrears_minor),
        "recovered": amount(sums.recovered_minor),
        "recovered_share": _rounded(sums.recovered_share),
        "revenue_per_bay_day": None if earned is None else amount(earned),
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, DIGITS)


def _group(group: Group, home: Facility | None) -> dict[str, Any]:
    return {
        "district": group.district or (home.district if home else None),
        "facility_id": group.facility_id,
        "facility": {"zh": home.name_zh, "en": home.name_en} if home else None,
        "day": group.day,
        "hour_at": group.hour_at,
        "hour": group.hour,
        "weekday": group.weekday,
    }


def _line(line: Line, home: Facility | None) -> dict[str, Any]:
    return {
        "group": _group(line.group, home),
        "counts": _counts(line.tally),
        "figures": _values(line.figures),
        "money": [_money(each) for each in line.money],
    }


@blueprint.get("/figures")
@access.allow(*ROLES)
@blueprint.input(FiguresQuery, location="query")
@blueprint.output(FiguresOut)
@blueprint.doc(summary="Turnover, occupancy, dwell and money of some days, grouped")
def figures(query_data: FiguresQuery) -> dict[str, Any]:
    """List figures by group."""
    wiring = access.wiring()
    with wiring.database.read() as connection:
        drawn = draw_figures.draw(
            connection,
            _wanted(connection, query_data),
            Grouping(query_data.by),
            now=wiring.clock.now(),
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
    return {
        "items": [
            _line(each, drawn.homes.get(each.group.facility_id) if each.group.facility_id else None)
            for each in drawn.lines
        ],
        "total": _line(drawn.total, None),
        "next": cursor(drawn.next),
        "counted_until_at": drawn.counted_until_at,
    }


@blueprint.get("/figures/bays")
@access.allow(*ROLES)
@blueprint.input(BayFiguresQuery, location="query")
@blueprint.output(BayFiguresOut)
@blueprint.doc(summary="Figures of a facility's bays over up to 31 days")
def bay_figures(query_data: BayFiguresQuery) -> dict[str, Any]:
    """List figures by bay."""
    with access.wiring().database.read() as connection:
        home = _home(connection, query_data.facility_id)
        first, until = query_data.first_day, query_data.last_day + timedelta(days=1)
        page = draw_figures.draw_bays(
            connection,
            home,
            first,
            until,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
        wanted = Wanted(first, until, facility_id=home.id)
        counted_until_at = figure_service.counted_until(connection, wanted)
    return {
        "items": [
            {
                "bay_id": each.bay.id,
                "label": each.bay.label,
                "counts": _counts(each.tally),
                "figures": _values(each.figures),
                "money": [_money(money) for money in each.money],
            }
            for each in page.items
        ],
        "next": cursor(page.next),
        "counted_until_at": counted_until_at,
    }


@blueprint.get("/figures/areas")
@access.allow(*ROLES)
@blueprint.input(AreasQuery, location="query")
@blueprint.output(AreasOut)
@blueprint.doc(summary="Supply and demand by cell of the city's grid, over up to 31 days")
def areas(query_data: AreasQuery) -> dict[str, Any]:
    """List cells with their bays and how taken they are."""
    with access.wiring().database.read() as connection:
        wanted = _wanted(connection, query_data)
        found = draw_figures.draw_areas(connection, wanted, step_e6=query_data.step_e6)
        counted_until_at = figure_service.counted_until(connection, wanted)
    return {"items": [_area(each) for each in found], "counted_until_at": counted_until_at}


def _area(area: AreaCounts) -> dict[str, Any]:
    worked_out = figures_of(area.tally)
    box = area.cell.box
    return {
        "cell": area.cell.code,
        "box": [box.west, box.south, box.east, box.north],
        "bays": area.bays,
        "balance": _balance(worked_out.occupancy),
        "counts": _counts(area.tally),
        "figures": _values(worked_out),
    }


def _balance(occupancy: float | None) -> str:
    if occupancy is None:
        return "unknown"
    if occupancy >= SHORT_FROM:
        return "short"
    return "idle" if occupancy < IDLE_BELOW else "balanced"


# --- as a file -----------------------------------------------------------------------------------


@blueprint.get("/figures/file")
@access.allow(*ROLES)
@blueprint.input(FileQuery, location="query")
@blueprint.doc(
    summary="The same figures, all of them, as a CSV file",
    responses=CSV,
)
def file(query_data: FileQuery) -> Response:
    """Give figures as a file for a spreadsheet."""
    wiring = access.wiring()
    written = io.StringIO()
    rows: csv.DictWriter[str] | None = None
    with wiring.database.read() as connection:
        wanted = _wanted(connection, query_data)
        lines = draw_figures.every_line(
            connection, wanted, Grouping(query_data.by), now=wiring.clock.now()
        )
        for line, home in lines:
            for row in _rows(line, home):
                if rows is None:
                    rows = csv.DictWriter(written, list(row))
                    rows.writeheader()
                rows.writerow(row)
    name = f"figures-{query_data.by}-{query_data.first_day}-{query_data.last_day}.csv"
    return Response(
        "\ufeff" + written.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _rows(line: Line, home: Facility | None) -> Iterable[dict[str, Any]]:
    group = line.group
    place = {
        "district": group.district or (home.district if home else None),
        "facility_id": group.facility_id,
        "facility": _harmless(home.code) if home else None,
        "name_zh": _harmless(home.name_zh) if home else None,
        "name_en": _harmless(home.name_en) if home else None,
        "day": group.day,
        "hour_at": None if group.hour_at is None else group.hour_at.isoformat(),
        "hour": group.hour,
        "weekday": group.weekday,
    }
    counted = {**place, **_counts(line.tally), **_values(line.figures)}
    for money in line.money or (None,):
        sums = money.sums if money is not None else None
        yield {
            **counted,
            "currency": sums.currency if sums else None,
            "bills": sums.bills if sums else None,
            "due_minor": sums.due_minor if sums else None,
            "received_minor": sums.received_minor if sums else None,
            "collected_share": _rounded(sums.collected_share) if sums else None,
            "arrears_minor": sums.arrears_minor if sums else None,
            "recovered_minor": sums.recovered_minor if sums else None,
            "recovered_share": _rounded(sums.recovered_share) if sums else None,
            "revenue_per_bay_day_minor": money.revenue_per_bay_day_minor if money else None,
        }


def _harmless(text: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


# --- a bay's day ---------------------------------------------------------------------------------


@blueprint.get("/bays/<uuid:bay_id>/days/<day>")
@access.allow(*ROLES)
@blueprint.output(BayDayOut)
@blueprint.doc(summary="A bay's day reconciled: sensor, stays and bills, and where they part")
def bay_day(bay_id: UUID, day: str) -> dict[str, Any]:
    """Show what a bay's sensor, stays and bills tell of a day."""
    wiring = access.wiring()
    local = day_in(day)
    with wiring.database.read() as connection:
        bay = places.bay(connection, bay_id)
        if not access.known_actor().in_district(bay.district):
            raise NotFound("There is no such bay in your districts.")
        home = places.facility(connection, bay.facility_id)
        told = reconcile_day(connection, bay.id, local, wiring.clock.now())
    return _day(bay, home, local, told)


def _day(bay: Bay, home: Facility, day: date, told: BayDay) -> dict[str, Any]:
    return {
        "bay_id": bay.id,
        "label": bay.label,
        "facility_id": home.id,
        "timezone": home.timezone,
        "day": day,
        "start_at": told.start_at,
        "end_at": max(told.start_at, told.end_at),
        "spells": [
            {"state": each.state.value, "from_at": each.from_at, "until_at": each.until_at}
            for each in told.spells
        ],
        "stays": [
            {
                "session_id": each.id,
                "state": each.stay.state.value,
                "opened_at": each.stay.opened_at,
                "closed_at": each.stay.closed_at,
                "closing_reason": each.stay.closing_reason.value
                if each.stay.closing_reason
                else None,
                "has_vehicle": each.stay.vehicle_id is not None,
                "bill_id": each.bill_id,
            }
            for each in told.stays
        ],
        "bills": [
            {
                "bill_id": bill.id,
                "session_id": session_id,
                "amount": bill.amount.as_json(),
                "received": None if bill.received is None else bill.received.as_json(),
                "issued_at": bill.issued_at,
                "due_at": bill.due_at,
                "paid_at": bill.paid_at,
            }
            for session_id, bill in told.bills
        ],
        "findings": [_finding(each) for each in told.findings],
    }


def _finding(found: Finding) -> dict[str, Any]:
    return {
        "leak": found.leak.value,
        "from_at": found.from_at,
        "until_at": found.until_at,
        "session_id": found.session_id,
        "bill_id": found.bill_id,
        "amount": None if found.amount is None else found.amount.as_json(),
    }
