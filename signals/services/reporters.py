"""Who may tell of a signal, and what its detectors are used for."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from city.audit import record
from city.errors import Conflict, Invalid, NotFound
from city.identifiers import uuid7
from city.people.actors import Actor
from city.works.database import UnitOfWork
from signals.services import networks
from signals.store import reporters as store
from signals.store.reporters import DetectorUse, Reporter

if TYPE_CHECKING:
    from pydantic import JsonValue

MOST_USES: Final = 512
"""Of one signal's detectors."""


def register(uow: UnitOfWork, actor: Actor, network_id: UUID, name: str, subject: str) -> Reporter:
    """Let a device tell of a signal; its credential, of the same name, is issued apart.

    Raises
    ------
    NotFound
        Where there is no such signal.
    Conflict
        Where a reporter in service speaks under the subject.
    """
    networks.parts(uow.connection, network_id, [name])
    _put(uow, actor, network_id, {name: subject}, simulated=False)
    found = store.of_network(uow.connection, network_id, [name])
    made = next(each for each in found if each.subject == subject)
    detail: dict[str, JsonValue] = {"signal": name, "subject": subject}
    record(uow, actor, "signals.reporter_added", "signal_network", str(network_id), detail)
    return made


def register_simulated(
    uow: UnitOfWork, actor: Actor, network_id: UUID, subjects: Mapping[str, str]
) -> int:
    """Let simulated controllers tell of signals, those that do not yet; give how many."""
    known = {each.subject for each in store.of_network(uow.connection, network_id)}
    fresh = {name: subject for name, subject in subjects.items() if subject not in known}
    if fresh:
        _put(uow, actor, network_id, fresh, simulated=True)
        detail: dict[str, JsonValue] = {"simulated": len(fresh)}
        record(uow, actor, "signals.reporters_added", "signal_network", str(network_id), detail)
    return len(fresh)


def _put(
    uow: UnitOfWork,
    actor: Actor,
    network_id: UUID,
    subjects: Mapping[str, str],
    *,
    simulated: bool,
) -> None:
    places = store.make_places(uow.connection, network_id, list(subjects))
    rows = {subject: (uuid7(), places[name]) for name, subject in subjects.items()}
    try:
        with uow.attempt():
            store.add(
                uow.connection, rows, simulated=simulated, at=uow.wall.now(), by=actor.subject
            )
    except IntegrityError as error:
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", "")
        if constraint != "reporter_subject":
            raise
        raise Conflict("a reporter speaks under this name", field="subject") from None


def remove(
    uow: UnitOfWork, actor: Actor, network_id: UUID, name: str, reporter_id: UUID
) -> Reporter:
    """Take a reporter out of service: nothing it says is taken any more.

    Raises
    ------
    NotFound
        Where the signal has no such reporter in service.
    """
    found = store.of_network(uow.connection, network_id, [name])
    gone = next((each for each in found if each.id == reporter_id), None)
    at = uow.wall.now()
    if gone is None or not store.remove(uow.connection, reporter_id, at=at, by=actor.subject):
        raise NotFound("no such reporter in service", field="reporter_id")
    detail: dict[str, JsonValue] = {"signal": name, "subject": gone.subject}
    record(uow, actor, "signals.reporter_removed", "signal_network", str(network_id), detail)
    return gone


def set_detectors(
    uow: UnitOfWork, actor: Actor, network_id: UUID, uses: Mapping[str, Sequence[DetectorUse]]
) -> None:
    """Say what the detectors of some signals are used for, in the place of what was said before.

    Raises
    ------
    NotFound
        Where there is no such signal.
    Invalid
        On too many uses, one given twice, or a phase that the signal does not have: phase n is
        its n-th signal group.
    """
    parts = networks.parts(uow.connection, network_id, list(uses))
    for name, each in uses.items():
        if len(each) > MOST_USES:
            raise Invalid(f"must hold at most {MOST_USES} uses", field="detectors")
        if len(set(each)) < len(each):
            raise Invalid("holds a use twice", field="detectors")
        phases = len(parts[name].junctions[0].groups)
        for number, use in enumerate(each):
            if not 1 <= use.phase <= phases:
                raise Invalid(
                    f"the signal has phases 1 to {phases}", field=f"detectors.{number}.phase"
                )
    places = store.make_places(uow.connection, network_id, sorted(uses))
    for where in sorted(places.values()):
        store.lock_place(uow.connection, where)
    store.set_detectors(uow.connection, {places[name]: each for name, each in uses.items()})
    detail: dict[str, JsonValue] = {"signals": len(uses), "uses": sum(map(len, uses.values()))}
    if len(uses) == 1:
        detail["signal"] = next(iter(uses))
    record(uow, actor, "signals.detectors_set", "signal_network", str(network_id), detail)
