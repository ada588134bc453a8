"""A file per junction: its papers in versions, its controller, its plans, how it was on line."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from city import vault
from city.audit import record
from city.errors import Conflict, NotFound
from city.identifiers import uuid7
from city.people.actors import Actor
from city.people.roles import Role
from city.works.database import UnitOfWork
from signals.rules.maintenance.uploads import format_of
from signals.services import networks, on_line
from signals.store import cabinet_looks, cabinets, reporters, running_plans
from signals.store import junction_documents as store
from signals.store import networks as network_store
from signals.store.cabinet_looks import CabinetLook
from signals.store.cabinets import Binding
from signals.store.junction_documents import JunctionDocument
from signals.store.reporters import Reporter
from signals.store.running_plans import RunningPlan

KEEPERS: Final = (Role.MAINTAINER, Role.ENGINEER, Role.ADMINISTRATOR)
MOST_DOCUMENTS: Final = 300
"""Versions of a junction's papers."""
PLANS_SHOWN: Final = 50


class Paper(StrEnum):
    """What a document is."""

    DRAWING = "drawing"
    PHOTO = "photo"
    WIRING = "wiring"
    PLAN = "plan"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class JunctionFile:
    """What is kept of a junction."""

    network_code: str
    signal: str
    title_zh: str
    title_en: str
    cabinet: Binding | None
    look: CabinetLook | None
    reporters: list[Reporter]
    month: on_line.MonthOnLine | None
    month_before: on_line.MonthOnLine | None
    plans: list[RunningPlan]
    documents: list[JunctionDocument]


def of(connection: Connection, network_id: UUID, name: str, now: datetime) -> JunctionFile:
    """Give a junction's file.

    Raises
    ------
    NotFound
        Where there is no such network or signal.
    """
    network = networks.network(connection, network_id)
    titles = {signal: (zh, en) for signal, zh, en in network_store.titles(connection, network_id)}
    if name not in titles:
        raise NotFound("no such signal", field="name")
    today = on_line.today(now)
    before = today.replace(day=1) - timedelta(days=1)
    months = [on_line.month(connection, network_id, each, now, name) for each in (today, before)]
    bound = cabinets.bindings(connection, network_id, [name])
    return JunctionFile(
        network.code,
        name,
        *titles[name],
        bound[0] if bound else None,
        next(iter(cabinet_looks.looks(connection, network_id, name)), None),
        reporters.of_network(connection, network_id, [name]),
        next((each for each in months[0] if each.signal == name), None),
        next((each for each in months[1] if each.signal == name and each.watched_s), None),
        running_plans.history(connection, network_id, name, limit=PLANS_SHOWN),
        store.documents(connection, network.code, name, limit=MOST_DOCUMENTS),
    )


def keep_document(
    uow: UnitOfWork,
    actor: Actor,
    network_id: UUID,
    name: str,
    *,
    kind: Paper,
    title: str,
    content: bytes,
    note: str | None,
) -> JunctionDocument:
    """Keep a paper of a junction, sealed: the next version of the one with its kind and title.

    The same content again is the version that is there.

    Raises
    ------
    NotFound
        Where there is no such network or signal.
    Invalid
        Where it is no whole picture or PDF, or too large.
    Conflict
        Where the junction has papers enough.
    """
    actor.require(*KEEPERS)
    connection = uow.connection
    network = networks.network(connection, network_id)
    if not network_store.known_signals(connection, network_id, [name]):
        raise NotFound("no such signal", field="name")
    form = format_of(content)
    sha256 = hashlib.sha256(content).hexdigest()
    store.lock(connection, network.code, name)
    before = store.latest(connection, network.code, name, kind.value, title.strip())
    if before is not None and before.sha256 == sha256:
        return before
    if store.count(connection, network.code, name) >= MOST_DOCUMENTS:
        raise Conflict(f"the junction has {MOST_DOCUMENTS} documents", field="content")
    made = JunctionDocument(
        uuid7(),
        network.code,
        name,
        kind.value,
        title.strip(),
        1 if before is None else before.version + 1,
        form.value,
        len(content),
        sha256,
        vault.keep_picture(uow, content),
        (note or "").strip() or None,
        uow.wall.now(),
        actor.subject,
        actor.name,
    )
    store.add(connection, made)
    _record(uow, actor, "signals.document_kept", made)
    return made


def view_document(
    uow: UnitOfWork, actor: Actor, network_id: UUID, name: str, document_id: UUID
) -> tuple[JunctionDocument, bytes]:
    """Show a paper; the look is on record.

    Raises
    ------
    NotFound
        Where the junction has no such paper.
    """
    network = networks.network(uow.connection, network_id)
    found = store.document_of(uow.connection, document_id)
    if found is None or (found.network_code, found.signal) != (network.code, name):
        raise NotFound("the junction has no such document", field="document_id")
    content = vault.open_picture(uow, found.picture_id)
    _record(uow, actor, "signals.document_seen", found)
    return found, content


def _record(uow: UnitOfWork, actor: Actor, action: str, found: JunctionDocument) -> None:
    detail: dict[str, Any] = {
        "network": found.network_code,
        "signal": found.signal,
        "kind": found.kind,
        "title": found.title,
        "version": found.version,
        "sha256": found.sha256,
    }
    record(uow, actor, action, "junction_document", str(found.id), detail)
