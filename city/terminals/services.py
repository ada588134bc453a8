"""Enrolling terminals, admitting what they sign, locking and revoking them."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import Connection, exc

from city.audit import record
from city.errors import Conflict, Forbidden, Invalid, NotFound
from city.identifiers import parse_district_code, parse_id, uuid7
from city.money import Money
from city.people.accounts import clean_name
from city.people.actors import Actor
from city.terminals import store
from city.terminals.rules import terminals as rules
from city.terminals.rules.signing import PublicKey, SignedRequest, not_signed
from city.terminals.rules.terminals import Health, Terminal, TerminalState
from city.works.database import Database, UnitOfWork

if TYPE_CHECKING:
    from pydantic import JsonValue

LONGEST_REASON: Final = 200


@dataclass(frozen=True, slots=True)
class CodeGiven:
    """A terminal with its code, which is shown once and kept nowhere."""

    terminal: Terminal
    code: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A request of a terminal that may be acted upon."""

    terminal: Terminal
    actor: Actor


def register(uow: UnitOfWork, actor: Actor, name: str, district: str) -> CodeGiven:
    """Register a terminal and give the code with which it enrols.

    Raises
    ------
    Forbidden
        In another district than the actor's.
    Invalid
        On a name or a district that is none.
    Conflict
        Where a terminal that is not revoked has the name.
    """
    if not actor.in_district(district):
        raise Forbidden("the district is not one of yours")
    code, at = rules.new_code(), uow.wall.now()
    new = Terminal(
        id=uuid7(),
        name=clean_name(name, "name"),
        district=parse_district_code(district, "district"),
        state=TerminalState.AWAITED,
        registered_at=at,
        code_expires_at=at + rules.CODE_LASTS,
    )
    try:
        with uow.connection.begin_nested():
            store.add(uow.connection, new, rules.code_digest(code), by=actor.subject)
    except exc.IntegrityError as error:
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""
        if constraint != "terminal_name":
            raise
        raise Conflict("a terminal has this name", field="name") from error
    detail: dict[str, JsonValue] = {"name": new.name, "district": new.district}
    record(uow, actor, "terminals.registered", "terminal", str(new.id), detail)
    return CodeGiven(new, code)


def give_code(uow: UnitOfWork, actor: Actor, terminal_id: UUID) -> CodeGiven:
    """Give a terminal a new code: its key holds until the code is used, the code before is void.

    Raises
    ------
    NotFound
        Where the actor has no such terminal.
    Conflict
        Where it is revoked.
    """
    found = _known(uow, actor, terminal_id)
    found.check_revocable()
    code, until = rules.new_code(), uow.wall.now() + rules.CODE_LASTS
    store.give_code(uow.connection, terminal_id, rules.code_digest(code), until)
    record(uow, actor, "terminals.code_given", "terminal", str(terminal_id), {})
    return CodeGiven(replace(found, code_expires_at=until), code)


def enrol(
    uow: UnitOfWork, code: str, key: PublicKey, signed: SignedRequest, app_version: str
) -> Terminal:
    """Bind a device's key to the terminal that a code is for.

    Parameters
    ----------
    uow : UnitOfWork
    code : str
        As it was typed.
    key : PublicKey
        Made on the device, which never shows the other half. The one that a terminal in service
        has already enrols again without a word: the first answer was lost.
    signed : SignedRequest
        The request itself, signed by that key: who enrols has it.
    app_version : str

    Raises
    ------
    Unauthenticated
        Where the key did not sign, or its clock is far off.
    Invalid
        Where the code is none.
    NotFound
        Where it was used, replaced or has ended: whichever, the answer is the same.
    Conflict
        Where the terminal is locked or another one has the key.
    """
    signed.check(key)
    if signed.key_name != key.thumbprint:
        raise not_signed()
    at = uow.wall.now()
    signed.check_clock(at)
    found = store.by_code(uow.connection, rules.code_digest(code), at)
    if found is None:
        same = store.by_key(uow.connection, key)
        if same is not None and same.state is TerminalState.ACTIVE:
            # It was enrolled and the answer was lost on the way: its key is its proof.
            same.check_sequence(signed.sequence)
            if store.hear(uow.connection, same, signed.sequence, at):
                return same
        raise NotFound("there is no such code, or it has ended or was used", field="code")
    if found.state is TerminalState.LOCKED:
        raise Conflict("is locked: unlock it first", field="code", reason="locked")
    try:
        with uow.connection.begin_nested():
            store.enrol(uow.connection, found.id, key, signed.sequence, app_version, at)
    except exc.IntegrityError as error:
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""
        if constraint != "terminal_key":
            raise
        raise Conflict("a terminal has this key", field="public_key") from error
    actor = actor_of(found)
    detail: dict[str, JsonValue] = {"key": key.thumbprint, "again": found.key is not None}
    record(uow, actor, "terminals.enrolled", "terminal", str(found.id), detail)
    return store.find(uow.connection, found.id) or found


def admit(database: Database, signed: SignedRequest, *, locked_too: bool = False) -> Heard:
    """Let a signed request in: its key, its clock, its terminal's state and its running number.

    The number is taken in a transaction of its own, whatever becomes of the act: nobody can try
    the same request again. Two look-ups by the primary key and one commit.

    Raises
    ------
    Unauthenticated
        Where no terminal signed it, or its clock is far off.
    Forbidden
        Where the terminal is locked or revoked.
    Conflict
        Where the number came before.
    """
    try:
        terminal_id = parse_id(signed.key_name, "keyid")
    except Invalid:
        raise not_signed() from None
    with database.read() as connection:
        found = store.find(connection, terminal_id)
    if found is None or found.key is None:
        raise not_signed()
    signed.check(found.key)
    found.may_act(locked_too=locked_too)
    now = database.wall.now()
    signed.check_clock(now)
    found.check_sequence(signed.sequence)
    with database.unit_of_work() as uow:
        if not store.hear(uow.connection, found, signed.sequence, now):
            # Meanwhile another request was faster, or a supervisor: say what stands now.
            present = store.find(uow.connection, terminal_id) or found
            present.may_act(locked_too=locked_too)
            present.check_sequence(signed.sequence)
            raise not_signed()
    return Heard(found, actor_of(found))


def actor_of(terminal: Terminal) -> Actor:
    """Name a terminal as who acts: a device, in its district."""
    return Actor(
        "device",
        f"terminal:{terminal.id}",
        None,
        frozenset(),
        terminal.name,
        frozenset({terminal.district}),
    )


def note_health(uow: UnitOfWork, terminal: Terminal, health: Health) -> Terminal:
    """Keep how a terminal does, its place coarsely; give it as it stands now."""
    kept = replace(
        health, longitude=rules.coarse(health.longitude), latitude=rules.coarse(health.latitude)
    )
    store.keep_health(uow.connection, terminal.id, kept)
    return store.find(uow.connection, terminal.id) or terminal


def lock(uow: UnitOfWork, actor: Actor, terminal_id: UUID, reason: str) -> Terminal:
    """Lock a terminal from afar; what waits on it stays there.

    Raises
    ------
    NotFound, Conflict, Invalid
        No such terminal of the actor's; not active; no reason.
    """
    found = _known(uow, actor, terminal_id)
    found.check_lock()
    return _turn(uow, actor, found, TerminalState.LOCKED, "terminals.locked", reason)


def unlock(uow: UnitOfWork, actor: Actor, terminal_id: UUID, reason: str) -> Terminal:
    """Unlock a terminal; Conflict where it is not locked, else as `lock`."""
    found = _known(uow, actor, terminal_id)
    found.check_unlock()
    return _turn(uow, actor, found, TerminalState.ACTIVE, "terminals.unlocked", reason)


def revoke(uow: UnitOfWork, actor: Actor, terminal_id: UUID, reason: str) -> Terminal:
    """Take a terminal out of service for good; Conflict where it is already, else as `lock`."""
    found = _known(uow, actor, terminal_id)
    found.check_revocable()
    return _turn(uow, actor, found, TerminalState.REVOKED, "terminals.revoked", reason)


def set_offline_cash(uow: UnitOfWork, actor: Actor, terminal_id: UUID, most: Money) -> Terminal:
    """Set how much cash a terminal may take without a line before we know of any of it.

    Raises
    ------
    NotFound, Conflict, Invalid
        No such terminal of the actor's; revoked; less than nothing.
    """
    found = _known(uow, actor, terminal_id)
    found.check_revocable()
    if most.minor < 0:
        raise Invalid("must not be negative", field="offline_cash")
    store.set_offline_cash(uow.connection, found.id, most)
    detail: dict[str, JsonValue] = {
        "before": found.offline_cash.as_json(),
        "after": most.as_json(),
    }
    record(uow, actor, "terminals.offline_cash_set", "terminal", str(found.id), detail)
    return store.find(uow.connection, found.id) or found


def page(
    connection: Connection,
    *,
    districts: frozenset[str] | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> tuple[list[Terminal], UUID | None]:
    """Give terminals, the newest first, and after which the next page goes on.

    Raises
    ------
    Invalid
        On a limit outside 1 to 500.
    """
    if not 1 <= limit <= store.MOST_A_PAGE:
        raise Invalid(f"must be 1 to {store.MOST_A_PAGE}", field="limit")
    found = store.page(connection, districts=districts, after=after, limit=limit + 1)
    more = len(found) > limit
    return found[:limit], found[limit - 1].id if more else None


def _turn(  # noqa: PLR0917 - who does what to which, in the order of the sentence
    uow: UnitOfWork,
    actor: Actor,
    found: Terminal,
    state: TerminalState,
    action: str,
    reason: str,
) -> Terminal:
    said = " ".join(reason.split())
    if not 1 <= len(said) <= LONGEST_REASON:
        raise Invalid(f"must be 1 to {LONGEST_REASON} characters", field="reason")
    store.set_state(uow.connection, found.id, state, said)
    record(uow, actor, action, "terminal", str(found.id), {"reason": said})
    return store.find(uow.connection, found.id) or found


def _known(uow: UnitOfWork, actor: Actor, terminal_id: UUID) -> Terminal:
    found = store.find(uow.connection, terminal_id, lock=True)
    if found is None or not actor.in_district(found.district):
        raise NotFound("there is no such terminal", field="terminal_id")
    return found
