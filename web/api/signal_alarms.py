"""What the engineer on duty asks: alarms, signals at a glance, findings, pictures."""

from __future__ import annotations

import threading
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint
from flask import Response

from city.errors import NotFound
from city.people.roles import Role
from signals.rules.live.alarm_words import Words, words
from signals.rules.live.alarms import Code
from signals.services import alarms as service
from signals.services import networks
from signals.store import alarms as store
from signals.store import bins
from web import access
from web.acts import act
from web.api.cursors import after, page
from web.api.schemas.signal_alarms import (
    AlarmNoteIn,
    SignalAlarmOut,
    SignalAlarmsOut,
    SignalAlarmsQuery,
    SignalFindingsOut,
    SignalFindingsQuery,
    SignalOverviewOut,
    SignalPicturesOut,
    SignalPicturesQuery,
)
from web.api.signal_cabinets import act_json
from web.api.signals import AUTHORS, NETWORK, READERS

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork

blueprint = APIBlueprint("signal_alarms", __name__, url_prefix="/api/v1", tag="Signals")

SIGNAL: Final = f"{NETWORK}/signals/<string:name>"
KEPT_SPANS: Final = 8
"""Spans whose pictures are kept: a page asks for all pictures of one."""


def _alarm(found: store.Alarm) -> dict[str, Any]:
    zh, en = words(Code(found.code), found.subject, found.value, found.facts)
    said = {part: {"zh": getattr(zh, part), "en": getattr(en, part)} for part in Words._fields}
    values = asdict(found)
    for inner in ("network_id", "value", "limit_value", "facts"):
        del values[inner]
    return values | said


@blueprint.get(f"{NETWORK}/alarms")
@access.allow(*READERS, Role.MAINTAINER)
@blueprint.input(SignalAlarmsQuery, location="query")
@blueprint.output(SignalAlarmsOut)
@blueprint.doc(summary="What is wrong in a network, since when, why, and what was done")
def signal_alarms(network_id: UUID, query_data: SignalAlarmsQuery) -> dict[str, Any]:
    """List alarms."""
    with access.wiring().database.read() as connection:
        networks.network(connection, network_id)
        found = store.alarms(
            connection,
            network_id,
            query_data.state,
            signal=query_data.signal,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
    return page(found, query_data.limit, _alarm)


@blueprint.post(f"{NETWORK}/alarms/<uuid:alarm_id>/acknowledgement")
@access.allow(*AUTHORS)
@act
@blueprint.input(AlarmNoteIn)
@blueprint.output(SignalAlarmOut)
@blueprint.doc(summary="Say that you have seen an alarm, and what you do about it")
def acknowledge_signal_alarm(
    uow: UnitOfWork, network_id: UUID, alarm_id: UUID, json_data: AlarmNoteIn
) -> dict[str, Any]:
    """Acknowledge."""
    note = (json_data.note or "").strip() or None
    return _alarm(service.acknowledge(uow, access.known_actor(), network_id, alarm_id, note))


@blueprint.get(f"{NETWORK}/overview")
@access.allow(*READERS, Role.MAINTAINER)
@blueprint.output(SignalOverviewOut)
@blueprint.doc(summary="All signals of a network now, at a glance")
def signal_overview(network_id: UUID) -> dict[str, Any]:
    """Show all signals."""
    now = access.wiring().wall.now()
    with access.wiring().database.read() as connection:
        networks.network(connection, network_id)
        found = service.overview(connection, network_id, now)
    rows = []
    for each in found:
        values = asdict(each)
        values["title"] = {"zh": values.pop("title_zh"), "en": values.pop("title_en")}
        values["last_act"] = None if each.last_act is None else act_json(each.last_act)
        rows.append(values)
    return {"at": now, "signals": rows}


@blueprint.get(f"{NETWORK}/findings")
@access.allow(*READERS)
@blueprint.input(SignalFindingsQuery, location="query")
@blueprint.output(SignalFindingsOut)
@blueprint.doc(summary="What the daily watchdog found, in plain words")
def signal_findings(network_id: UUID, query_data: SignalFindingsQuery) -> dict[str, Any]:
    """List findings."""
    since = (access.wiring().wall.now() - timedelta(days=query_data.days)).date()
    with access.wiring().database.read() as connection:
        networks.network(connection, network_id)
        found = bins.findings(connection, network_id, since, query_data.signal)
    return {
        "items": [
            {
                "signal": each.signal,
                "day": each.day.isoformat(),
                "code": each.code,
                "subject": each.subject,
                "severity": each.severity,
                "words": {"zh": each.zh, "en": each.en},
            }
            for each in found
        ]
    }


class _Drawn:
    """The pictures of the last spans that were asked for."""

    def __init__(self) -> None:
        self._kept: dict[tuple[object, ...], dict[str, str]] = {}
        self._lock = threading.Lock()

    def of(self, network_id: UUID, name: str, query: SignalPicturesQuery) -> dict[str, str]:
        """Draw what is not kept."""
        from signals.services import detections  # noqa: PLC0415 - NumPy is slow to load

        key = (network_id, name, query.from_at, query.until_at)
        with self._lock:
            found = self._kept.get(key)
        if found is None:
            with access.wiring().database.read() as connection:
                done = detections.measured(
                    connection, network_id, name, query.from_at, query.until_at, draw=True
                )
            found = done.pictures
            with self._lock:
                self._kept[key] = found
                while len(self._kept) > KEPT_SPANS:
                    del self._kept[next(iter(self._kept))]
        return found


_DRAWN: Final = _Drawn()


@blueprint.get(f"{SIGNAL}/pictures")
@access.allow(*READERS)
@blueprint.input(SignalPicturesQuery, location="query")
@blueprint.output(SignalPicturesOut)
@blueprint.doc(summary="Which pictures there are of a signal's span")
def signal_pictures(network_id: UUID, name: str, query_data: SignalPicturesQuery) -> dict[str, Any]:
    """List pictures."""
    return {"items": sorted(_DRAWN.of(network_id, name, query_data))}


@blueprint.get(f"{SIGNAL}/pictures/<string:picture>")
@access.allow(*READERS)
@blueprint.input(SignalPicturesQuery, location="query")
@blueprint.doc(
    summary="One picture as SVG: coordination diagram, split monitor, terminations",
    responses={200: "The drawing"},
)
def signal_picture(
    network_id: UUID, name: str, picture: str, query_data: SignalPicturesQuery
) -> Response:
    """Give a picture."""
    found = _DRAWN.of(network_id, name, query_data).get(picture)
    if found is None:
        raise NotFound("no such picture", field="picture")
    return Response(found, content_type="image/svg+xml; charset=utf-8")
