"""A tariff from draft to street: drafted, simulated, approved by somebody else, announced.

Each act is one transaction with its record. What is approved or published is never edited: a
change is a new draft. Two people's eyes are the database's rule as well as ours.
"""

import re
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection

from city.audit import record
from city.errors import Conflict, Forbidden, Invalid, NotFound
from city.identifiers import TariffVersionId
from city.people.actors import Actor
from city.works.database import UnitOfWork
from parking.rules.tariffs.document import TariffDocument
from parking.rules.tariffs.reading import read_document
from parking.store import tariff_drafts as store
from parking.store.devices import bump
from parking.store.tariffs import ensure_tariff

SIMULATE_TASK: Final = "journeys.simulate_tariff"
LONGEST_SIMULATION: Final = timedelta(days=400)
LONGEST_NOTICE_S: Final = 366 * 86_400
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)


def draft(
    uow: UnitOfWork,
    actor: Actor,
    code: str,
    document: JsonValue,
    *,
    note: str = "",
    origin: store.Origin = "person",
) -> store.VersionRecord:
    """Write a draft; the tariff is made where its code is new.

    Raises
    ------
    Invalid
        Where the document breaks a rule of the language: the field is ``document.…``.
    """
    checked_code(code)
    name = _read(document).name
    tariff_id = ensure_tariff(uow.connection, code, name.zh, name.en)
    version_id = store.add_draft(
        uow.connection,
        tariff_id,
        document,
        note=note,
        origin=origin,
        at=uow.clock.now(),
        by=actor.subject,
    )
    made = find(uow, version_id)
    detail: dict[str, JsonValue] = {"tariff": code, "version": made.version, "origin": origin}
    record(uow, actor, "parking.tariff_drafted", "tariff_version", str(version_id), detail)
    return made


def edit(
    uow: UnitOfWork,
    actor: Actor,
    version_id: TariffVersionId,
    document: JsonValue,
    *,
    revision: int,
    note: str | None = None,
) -> store.VersionRecord:
    """Replace the document of a draft.

    Parameters
    ----------
    revision : int
        The one that was read: an edit made on another is refused, not overwritten.

    Raises
    ------
    Conflict
        Where it is no draft any more, or somebody else edited it meanwhile.
    """
    _read(document)
    found = _of_status(uow, version_id, "draft")
    _require_revision(found, revision)
    store.change(
        uow.connection,
        version_id,
        document=document,
        note=found.note if note is None else note,
        revision=revision + 1,
        edited_at=uow.clock.now(),
        edited_by=actor.subject,
    )
    _record(uow, actor, "parking.tariff_edited", found, {"revision": revision + 1})
    return find(uow, version_id)


def ask_simulation(
    uow: UnitOfWork,
    actor: Actor,
    version_id: TariffVersionId,
    from_at: datetime,
    to_at: datetime,
) -> UUID:
    """Ask for a simulation of a draft on the stays that began in a stretch of time.

    A job runs it; `simulation` tells how it went.
    """
    found = _of_status(uow, version_id, "draft", "approved")
    if to_at <= from_at:
        raise Invalid("must lie after from_at", field="to_at")
    if to_at - from_at > LONGEST_SIMULATION:
        raise Invalid(f"must lie within {LONGEST_SIMULATION.days} days of from_at", field="to_at")
    made = store.add_simulation(
        uow.connection, found, from_at, to_at, at=uow.clock.now(), by=actor.subject
    )
    uow.defer(SIMULATE_TASK, {"simulation_id": str(made)})
    _record(uow, actor, "parking.tariff_simulation_asked", found, {"simulation_id": str(made)})
    return made


def approve(
    uow: UnitOfWork, actor: Actor, version_id: TariffVersionId, *, revision: int
) -> store.VersionRecord:
    """Approve a draft as it stands.

    Raises
    ------
    Forbidden
        Where the approver wrote it or edited it last: four eyes.
    Conflict
        Where it is no draft any more, was edited meanwhile, or this revision was not simulated.
    """
    found = _of_status(uow, version_id, "draft")
    _require_revision(found, revision)
    if actor.subject in {found.drafted_by, found.edited_by}:
        raise Forbidden("Somebody else must approve what you have written.", reason="four-eyes")
    if not store.simulated(uow.connection, version_id, revision):
        raise Conflict("this revision has not been simulated on past stays yet", field="revision")
    store.change(
        uow.connection,
        version_id,
        status="approved",
        approved_at=uow.clock.now(),
        approved_by=actor.subject,
    )
    _record(uow, actor, "parking.tariff_approved", found, {"revision": revision})
    return find(uow, version_id)


def publish(
    uow: UnitOfWork, actor: Actor, version_id: TariffVersionId, *, valid_from: datetime
) -> store.VersionRecord:
    """Announce an approved version: it is in force for stays that begin from an instant on.

    Raises
    ------
    Invalid
        Where the notice period of the tariff would be shorter.
    Conflict
        Where it is not approved, or would take effect before or with the last one.
    """
    bump(uow.connection)
    found = _of_status(uow, version_id, "approved")
    home = store.tariff_by_id(uow.connection, found.tariff_id, lock=True)
    if home is None:
        raise NotFound("no such tariff", field="id")
    now = uow.clock.now()
    earliest_at = now + timedelta(seconds=home.notice_s)
    if valid_from < earliest_at:
        raise Invalid(
            f"leaves less than the notice period of {home.notice_s} s",
            field="valid_from",
            earliest=earliest_at.isoformat(),
        )
    last_from = store.latest_published_from(uow.connection, found.tariff_id)
    if last_from is not None and valid_from <= last_from:
        raise Conflict("must take effect after the last version", field="valid_from")
    store.change(
        uow.connection,
        version_id,
        status="published",
        valid_from=valid_from,
        published_at=now,
        published_by=actor.subject,
    )
    text = store.document_of(uow.connection, version_id)
    if text is not None:
        name = TariffDocument.model_validate_json(text).name
        store.rename(uow.connection, found.tariff_id, name.zh, name.en)
    detail: dict[str, JsonValue] = {"valid_from": valid_from.isoformat()}
    _record(uow, actor, "parking.tariff_published", found, detail)
    return find(uow, version_id)


def withdraw(
    uow: UnitOfWork, actor: Actor, version_id: TariffVersionId, *, reason: str
) -> store.VersionRecord:
    """Take a version back: a draft, an approved one, or one that is not in force yet.

    Raises
    ------
    Conflict
        Where it is in force, or was: stays are pinned to it; publish another instead.
    """
    bump(uow.connection)
    found = _of_status(uow, version_id, "draft", "approved", "published")
    now = uow.clock.now()
    if found.status == "published" and (found.valid_from is None or found.valid_from <= now):
        raise Conflict("is in force: publish another version instead", field="id")
    store.change(
        uow.connection,
        version_id,
        status="withdrawn",
        withdrawn_at=now,
        withdrawn_by=actor.subject,
        withdrawn_reason=reason,
    )
    _record(uow, actor, "parking.tariff_withdrawn", found, {"was": found.status, "reason": reason})
    return find(uow, version_id)


def set_notice(uow: UnitOfWork, actor: Actor, code: str, notice_s: int) -> store.KnownTariff:
    """Say how long before they take effect a tariff's changes must be announced."""
    if not 0 <= notice_s <= LONGEST_NOTICE_S:
        raise Invalid(f"must lie between 0 and {LONGEST_NOTICE_S}", field="notice_s")
    found = by_code(uow.connection, code)
    store.set_notice(uow.connection, found.id, notice_s)
    detail: dict[str, JsonValue] = {"from_s": found.notice_s, "to_s": notice_s}
    record(uow, actor, "parking.tariff_notice_set", "tariff", str(found.id), detail)
    return store.KnownTariff(found.id, found.code, found.name_zh, found.name_en, notice_s)


def checked_code(code: str) -> str:
    """Pass a tariff's code; Invalid where it cannot be one."""
    if _CODE.fullmatch(code) is None:
        raise Invalid("is not a code: lower-case letters, digits, - and _", field="code")
    return code


def by_code(connection: Connection, code: str) -> store.KnownTariff:
    """Give a tariff by its code; NotFound where there is none."""
    found = None if _CODE.fullmatch(code) is None else store.tariff_by_code(connection, code)
    if found is None:
        raise NotFound("no such tariff", field="code")
    return found


def find(uow: UnitOfWork, version_id: TariffVersionId) -> store.VersionRecord:
    """Give a version; NotFound where there is none."""
    found = store.record_of(uow.connection, version_id)
    if found is None:
        raise NotFound("no such tariff version", field="id")
    return found


def _read(document: JsonValue) -> TariffDocument:
    try:
        return read_document(document)
    except Invalid as error:
        raise Invalid(error.message, field=f"document.{error.field}") from None


def _of_status(
    uow: UnitOfWork, version_id: TariffVersionId, *wanted: store.Status
) -> store.VersionRecord:
    found = store.record_of(uow.connection, version_id, lock=True)
    if found is None:
        raise NotFound("no such tariff version", field="id")
    if found.status not in wanted:
        raise Conflict(f"is {found.status}, not {' or '.join(wanted)}", field="id")
    return found


def _require_revision(found: store.VersionRecord, revision: int) -> None:
    if found.revision != revision:
        raise Conflict(f"was edited meanwhile: it is at {found.revision}", field="revision")


def _record(
    uow: UnitOfWork,
    actor: Actor,
    action: str,
    version: store.VersionRecord,
    detail: dict[str, JsonValue],
) -> None:
    what: dict[str, JsonValue] = {"version": version.version, **detail}
    record(uow, actor, action, "tariff_version", str(version.id), what)
