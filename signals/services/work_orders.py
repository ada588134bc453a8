"""Work orders: raised from an alarm, by hand or by a rule; taken, done, looked over by another."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import Connection

from city import vault
from city.audit import record
from city.errors import Conflict, Invalid, NotFound
from city.identifiers import AccountId, parse_id, uuid7
from city.people import store as people_store
from city.people.actors import Actor, system_actor
from city.people.roles import Role
from city.works import metrics
from city.works.database import Database, UnitOfWork
from signals.rules.live.alarm_words import words
from signals.rules.live.alarms import Code
from signals.rules.maintenance.orders import (
    ACTIVE,
    MOST_PHOTOS,
    Act,
    Person,
    Progress,
    State,
    after,
)
from signals.rules.maintenance.policy import (
    BY_CODE,
    STANDARD,
    Kind,
    Limits,
    Policy,
    Priority,
    policy_from_json,
    policy_json,
)
from signals.rules.maintenance.uploads import format_of
from signals.services import networks
from signals.store import alarms as alarm_store
from signals.store import networks as network_store
from signals.store import work_orders as store
from signals.store.work_orders import SetPolicy, WorkEntry, WorkOrder

WATCHER: Final = system_actor("signals.work")
RAISERS: Final = (Role.MAINTAINER, Role.ENGINEER, Role.OPERATOR, Role.ADMINISTRATOR)
WORKERS: Final = (Role.MAINTAINER, Role.ENGINEER)
PLANNERS: Final = (Role.ENGINEER, Role.ADMINISTRATOR)
MAY: Final[Mapping[Act, tuple[Role, ...]]] = {
    Act.TAKE: WORKERS,
    Act.ASSIGN: PLANNERS,
    Act.HAND_BACK: WORKERS,
    Act.NOTE: RAISERS,
    Act.DONE: WORKERS,
    Act.CHECK: (*WORKERS, Role.ADMINISTRATOR),
    Act.GIVE_BACK: (*WORKERS, Role.ADMINISTRATOR),
    Act.WITHDRAW: PLANNERS,
}
AT_ONCE: Final = 200
"""Orders that one look raises: the next minute goes on."""

log = structlog.get_logger("work")


# --- policy --------------------------------------------------------------------------------------


def policy(connection: Connection) -> Policy:
    """Give the policy in force."""
    found = store.policy(connection)
    return STANDARD if found is None else policy_from_json(found.document)


def set_policy(uow: UnitOfWork, actor: Actor, made: Policy, reason: str, *, number: int) -> None:
    """Set limits and rules from now on; orders that stand keep theirs.

    Raises
    ------
    Conflict
        Where somebody else has set them since version `number`, which is 0 for the first.
    """
    actor.require(*PLANNERS)
    before = store.policy(uow.connection)
    known = 0 if before is None else before.number
    if known != number:
        raise Conflict("somebody else has set the policy meanwhile", field="number")
    document = policy_json(made)
    kept = SetPolicy(known + 1, document, uow.wall.now(), actor.subject, actor.name, reason.strip())
    store.set_policy(uow.connection, kept)
    detail: dict[str, Any] = {"number": kept.number, "reason": kept.reason} | document
    record(uow, actor, "signals.work_policy_set", "signal_work_policy", str(kept.number), detail)


# --- raising -------------------------------------------------------------------------------------


def raise_by_hand(
    uow: UnitOfWork,
    actor: Actor,
    network_id: UUID,
    signal: str,
    *,
    kind: Kind,
    priority: Priority,
    what: str,
) -> WorkOrder:
    """Raise an order in a person's own words.

    Raises
    ------
    NotFound
        Where there is no such network or signal.
    """
    actor.require(*RAISERS)
    network = networks.network(uow.connection, network_id)
    if not network_store.known_signals(uow.connection, network_id, [signal]):
        raise NotFound("no such signal", field="signal")
    limits = policy(uow.connection).limits[priority]
    made = WorkOrder(
        uuid7(),
        network.code,
        network_id,
        signal,
        kind.value,
        priority.value,
        what.strip(),
        what.strip(),
        "hand",
        *(None,) * 3,
        Person(actor.subject, actor.name),
        Progress(State.OPEN, uow.wall.now(), limits),
    )
    store.add(uow.connection, made)
    _note(uow, actor, made, "raised")
    return made


def raise_of_alarm(uow: UnitOfWork, actor: Actor, alarm_id: UUID) -> WorkOrder:
    """Raise the order that an alarm asks for; where its fault has one, give that.

    Raises
    ------
    NotFound
        Where there is no such alarm.
    Conflict
        Where it is over.
    """
    actor.require(*RAISERS)
    found = alarm_store.alarm_of(uow.connection, alarm_id)
    if found is None:
        raise NotFound("no such alarm", field="alarm_id")
    if found.cleared_at is not None:
        raise Conflict("the alarm is over", field="alarm_id")
    network = networks.network(uow.connection, found.network_id)
    kind, priority = BY_CODE[Code(found.code)]
    asked = Asked("alarm", kind, priority, policy(uow.connection).limits[priority])
    made = _of_alarm(uow, actor, network.code, found, asked)
    if made is not None:
        return made
    standing = store.of_fault(uow.connection, network.code, found.signal, found.code, found.subject)
    if standing is None:
        raise Conflict("its order was ended a moment ago: try again", field="alarm_id")
    return standing


@dataclass(frozen=True, slots=True)
class Asked:
    """What work an alarm asks for, and by whose word."""

    origin: store.Origin
    kind: Kind
    priority: Priority
    limits: Limits


def _of_alarm(
    uow: UnitOfWork, actor: Actor, network_code: str, found: alarm_store.Alarm, asked: Asked
) -> WorkOrder | None:
    zh, en = words(Code(found.code), found.subject, found.value, found.facts)
    made = WorkOrder(
        uuid7(),
        network_code,
        found.network_id,
        found.signal,
        asked.kind.value,
        asked.priority.value,
        zh.what,
        en.what,
        asked.origin,
        found.id,
        found.code,
        found.subject,
        Person(actor.subject, actor.name),
        Progress(State.OPEN, uow.wall.now(), asked.limits),
    )
    if not store.add(uow.connection, made):
        return None
    _note(uow, actor, made, "raised")
    return made


def raise_lasting(database: Database) -> int:
    """Raise orders for alarms that are open for too long; give how many."""
    with database.unit_of_work() as uow:
        rules, now = policy(uow.connection), uow.wall.now()
        before_at = {code.value: now - each.after for code, each in rules.lasting.items()}
        found = store.without_order(uow.connection, before_at, limit=AT_ONCE)
        raised = 0
        for code, each in found:
            rule = rules.lasting[Code(each.code)]
            limits = rules.limits[rule.priority]
            asked = Asked("rule", rule.kind, rule.priority, limits)
            made = _of_alarm(uow, WATCHER, code, each, asked)
            raised += made is not None
        counts = store.counts(uow.connection, now)
    for state, count in counts.items():
        metrics.SIGNAL_WORK.labels(state).set(count)
    if raised:
        log.info("work", raised=raised)
    return raised


# --- on its way ----------------------------------------------------------------------------------


def order(connection: Connection, order_id: UUID, *, lock: bool = False) -> WorkOrder:
    """Give an order; NotFound where there is none."""
    found = store.order_of(connection, order_id, lock=lock)
    if found is None:
        raise NotFound("no such work order", field="order_id")
    return found


def act(
    uow: UnitOfWork,
    actor: Actor,
    order_id: UUID,
    deed: Act,
    *,
    said: str | None = None,
    assignee: str | None = None,
) -> WorkOrder:
    """Do something to an order, on its history and on record.

    Parameters
    ----------
    uow, actor, order_id
    deed : Act
    said : str or None
        The reason, or what was done.
    assignee : str or None
        Of the account that it is assigned to.

    Raises
    ------
    NotFound
        Where there is no such order.
    Forbidden, Conflict, Invalid
        As `signals.rules.maintenance.orders.after`, and without the role.
    """
    actor.require(*MAY[deed])
    found = order(uow.connection, order_id, lock=True)
    other = None if assignee is None else _worker(uow.connection, assignee)
    who, at = Person(actor.subject, actor.name), uow.wall.now()
    progress = after(found.progress, who, deed, at, said, other)
    store.keep(uow.connection, order_id, progress)
    _note(uow, actor, found, deed.value, said, None if other is None else other.name)
    return order(uow.connection, order_id)


def workers(connection: Connection) -> list[Person]:
    """Give those whom an order can be assigned to."""
    return [
        Person(str(each.account_id), each.name)
        for each in people_store.accounts(connection)
        if each.disabled_at is None and not each.roles.isdisjoint(WORKERS)
    ]


def _worker(connection: Connection, subject: str) -> Person:
    account_id = AccountId(parse_id(subject, "assignee"))
    found = people_store.account_by_id(connection, account_id)
    if found is None or found[0].disabled_at is not None or not found[0].actor().has_any(*WORKERS):
        raise Invalid("is nobody who does such work", field="assignee")
    return Person(subject, found[0].name)


# --- photos --------------------------------------------------------------------------------------


def add_photo(
    uow: UnitOfWork, actor: Actor, order_id: UUID, content: bytes, said: str | None
) -> WorkEntry:
    """Keep a photo of an order, sealed; sent again, it is the same one.

    Raises
    ------
    NotFound
        Where there is no such order.
    Conflict
        Where the order is over, or has photos enough.
    Invalid
        Where it is no whole picture, or too large.
    """
    actor.require(*RAISERS)
    found = order(uow.connection, order_id, lock=True)
    sha256 = hashlib.sha256(content).hexdigest()
    before = store.photo(uow.connection, order_id, sha256)
    if before is not None:
        return before
    if found.progress.state not in ACTIVE:
        raise Conflict(f"the order is {found.progress.state}", field="order_id")
    kind = format_of(content, photo=True, field="photo")
    if store.photo_count(uow.connection, order_id) >= MOST_PHOTOS:
        raise Conflict(f"the order has {MOST_PHOTOS} photos", field="order_id")
    made = replace(
        _entry(uow, actor, order_id, "photo", said),
        picture_id=vault.keep_picture(uow, content),
        format=kind.value,
        sha256=sha256,
    )
    store.add_entry(uow.connection, order_id, made)
    detail: dict[str, Any] = {"number": made.number, "sha256": sha256}
    record(uow, actor, "signals.work_photo_kept", "signal_work_order", str(order_id), detail)
    return made


def view_photo(
    uow: UnitOfWork, actor: Actor, order_id: UUID, sha256: str
) -> tuple[WorkEntry, bytes]:
    """Show a photo; the look is on record.

    Raises
    ------
    NotFound
        Where the order has no such photo.
    """
    found = store.photo(uow.connection, order_id, sha256)
    if found is None or found.picture_id is None:
        raise NotFound("the order has no such photo", field="sha256")
    content = vault.open_picture(uow, found.picture_id)
    detail: dict[str, Any] = {"number": found.number, "sha256": sha256}
    record(uow, actor, "signals.work_photo_seen", "signal_work_order", str(order_id), detail)
    return found, content


def _entry(  # noqa: PLR0917 - who did what to which, in the order of the sentence
    uow: UnitOfWork,
    actor: Actor,
    order_id: UUID,
    what: str,
    said: str | None,
    other_name: str | None = None,
) -> WorkEntry:
    number = store.next_number(uow.connection, order_id)
    told = (said or "").strip() or None
    return WorkEntry(number, uow.wall.now(), actor.subject, actor.name, what, told, other_name)


def _note(  # noqa: PLR0917 - who did what to which, in the order of the sentence
    uow: UnitOfWork,
    actor: Actor,
    found: WorkOrder,
    what: str,
    said: str | None = None,
    other_name: str | None = None,
) -> None:
    made = _entry(uow, actor, found.id, what, said, other_name)
    store.add_entry(uow.connection, found.id, made)
    detail: dict[str, Any] = {
        "network": found.network_code,
        "signal": found.signal,
        "kind": found.kind,
        "priority": found.priority,
        "act": what,
        "words": made.words,
    }
    record(uow, actor, f"signals.work_{what}", "signal_work_order", str(found.id), detail)
