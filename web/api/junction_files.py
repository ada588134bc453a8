"""A file per junction over HTTP: papers, controller, plans; and how signals were on line."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint
from flask import Response

from signals.rules.controllers.inspection import Inspection
from signals.services import junction_file as service
from signals.services import networks, on_line
from web import access
from web.acts import act, look
from web.api.schemas.junction_files import (
    JunctionDocumentIn,
    JunctionDocumentOut,
    JunctionFileOut,
    OnLineQuery,
    SignalsOnLineOut,
)
from web.api.signal_work import READERS
from web.api.signals import NETWORK

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork
    from signals.services.on_line import MonthOnLine
    from signals.store.cabinet_looks import CabinetLook
    from signals.store.cabinets import Binding
    from signals.store.junction_documents import JunctionDocument
    from signals.store.running_plans import RunningPlan

blueprint = APIBlueprint("junction_files", __name__, url_prefix="/api/v1", tag="Signals")

SIGNAL: Final = f"{NETWORK}/signals/<string:name>"
DOCUMENTS: Final = f"{SIGNAL}/documents"


@blueprint.get(f"{SIGNAL}/file")
@access.allow(*READERS)
@blueprint.output(JunctionFileOut)
@blueprint.doc(summary="A junction's file: documents, controller, plans, how it was on line")
def junction_file(network_id: UUID, name: str) -> dict[str, Any]:
    """Give a file."""
    wiring = access.wiring()
    now = wiring.wall.now()
    with wiring.database.read() as connection:
        found = service.of(connection, network_id, name, now)
    return {
        "at": now,
        "network_code": found.network_code,
        "signal": found.signal,
        "title": {"zh": found.title_zh, "en": found.title_en},
        "cabinet": None if found.cabinet is None else _cabinet(found.cabinet, found.look),
        "reporters": [
            {
                "subject": each.subject,
                "added_at": each.added_at,
                "heard_at": each.heard_at,
                "newest_at": each.newest_at,
                "refused_at": each.refused_at,
                "refused_rows": each.refused_rows,
                "refused_reason": each.refused_reason,
            }
            for each in found.reporters
        ],
        "month": None if found.month is None else _on_line(found.month),
        "month_before": None if found.month_before is None else _on_line(found.month_before),
        "plans": [_plan(each) for each in found.plans],
        "documents": [_document(each) for each in found.documents],
        "may_keep": access.known_actor().has_any(*service.KEEPERS),
    }


@blueprint.post(DOCUMENTS)
@access.allow(*service.KEEPERS)
@act
@blueprint.input(JunctionDocumentIn)
@blueprint.output(JunctionDocumentOut, status_code=201)
@blueprint.doc(summary="Keep a drawing, photo or wiring: the next version of what has its title")
def keep_junction_document(
    uow: UnitOfWork, network_id: UUID, name: str, json_data: JunctionDocumentIn
) -> dict[str, Any]:
    """Keep a document."""
    made = service.keep_document(
        uow,
        access.known_actor(),
        network_id,
        name,
        kind=service.Paper(json_data.kind),
        title=json_data.title,
        content=json_data.content,
        note=json_data.note,
    )
    return _document(made)


@blueprint.get(f"{DOCUMENTS}/<uuid:document_id>/content")
@access.allow(*READERS)
@look
@blueprint.doc(summary="A document itself; the look is on record", responses={200: "The document"})
def junction_document(uow: UnitOfWork, network_id: UUID, name: str, document_id: UUID) -> Response:
    """Show a document."""
    caller = access.known_actor()
    found, content = service.view_document(uow, caller, network_id, name, document_id)
    answer = Response(content, content_type=found.format)
    answer.headers["Cache-Control"] = "private, no-store"
    # A PDF may hold scripts of its own: it is opened by the reader's own program, not here.
    if found.format == "application/pdf":
        answer.headers["Content-Disposition"] = (
            f'attachment; filename="{found.kind}-{found.version}.pdf"'
        )
    return answer


@blueprint.get(f"{NETWORK}/on-line")
@access.allow(*READERS)
@blueprint.input(OnLineQuery, location="query")
@blueprint.output(SignalsOnLineOut)
@blueprint.doc(summary="How long each signal was heard in a month, of the time listened")
def signals_on_line(network_id: UUID, query_data: OnLineQuery) -> dict[str, Any]:
    """Give a month."""
    wiring = access.wiring()
    now = wiring.wall.now()
    asked = query_data.month
    first = on_line.today(now).replace(day=1)
    if asked is not None:
        first = date.fromisoformat(f"{asked}-01")
    with wiring.database.read() as connection:
        networks.network(connection, network_id)
        found = on_line.month(connection, network_id, first, now)
    return {
        "month": first,
        "at": now,
        "rate": on_line.together(found),
        "items": [
            _on_line(each)
            | {"signal": each.signal, "title": {"zh": each.title_zh, "en": each.title_en}}
            for each in found
        ],
    }


def _cabinet(bound: Binding, look: CabinetLook | None) -> dict[str, Any]:
    told = Inspection() if look is None else look.told
    return {
        "protocol": bound.address.protocol,
        "transport": bound.address.transport,
        "controller": bound.address.controller,
        "simulated": bound.simulated,
        "bound_at": bound.bound_at,
        "looked_at": None if look is None else look.looked_at,
    } | asdict(told)


def _on_line(found: MonthOnLine) -> dict[str, Any]:
    return {
        "heard_s": found.heard_s,
        "watched_s": found.watched_s,
        "elapsed_s": found.elapsed_s,
        "rate": found.rate,
    }


def _plan(found: RunningPlan) -> dict[str, Any]:
    programme = found.programme
    said = programme.get("name") if isinstance(programme, dict) else None
    return {
        "name": None if said is None else str(said),
        "origin": found.origin,
        "version_id": found.version_id,
        "from_at": found.from_at,
        "until_at": found.until_at,
    }


def _document(found: JunctionDocument) -> dict[str, Any]:
    return {
        "id": found.id,
        "kind": found.kind,
        "title": found.title,
        "version": found.version,
        "format": found.format,
        "bytes": found.bytes,
        "sha256": found.sha256,
        "note": found.note,
        "kept_at": found.kept_at,
        "kept_by": found.kept_name,
    }
