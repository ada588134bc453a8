"""POS terminals: registered, given keys, locked and retired by supervisors; they sign in alone.

No key is kept. Each is derived from the vault's key ring, by the version that was current when the
terminal was registered or given its key anew: a master key that is typed into the terminal, and for
each session a working key that proves what it says. Before that version of the vault's keys
retires, the terminal needs a new master key; what page and `docs/pos.md` say.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from city.audit import record
from city.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from city.identifiers import DistrictCode, uuid7
from city.people.actors import Actor, system_actor
from city.people.roles import Role
from city.vault.keys import KeyRing, KeySource, key_source
from city.vault.opening import open_for_writing
from city.works.database import UnitOfWork
from payments.rules.arrears import reason_given
from payments.rules.pos.batches import LAST_BATCH, following
from payments.rules.pos.mac import KEY_BYTES, Mac, with_parity, wrapped
from payments.rules.pos.requests import MERCHANT_FORM, TERMINAL_FORM
from payments.rules.pos.terminals import (
    KEY_STANDS_FOR,
    BatchState,
    Terminal,
    TerminalState,
)
from payments.store import pos_batches as batch_store
from payments.store import pos_terminals as terminal_store

KEEPERS: Final = (Role.OPERATOR, Role.ADMINISTRATOR)
LONGEST_NAME: Final = 120
_SETTLED: Final = frozenset({BatchState.BALANCED, BatchState.DIFFERS})


@dataclass(frozen=True, slots=True)
class KeyGiven:
    """A terminal and its master key, to be typed into it: shown once."""

    terminal: Terminal
    master: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A terminal that signed in, and the working key as it is told."""

    terminal: Terminal
    wrapped_key: bytes = field(repr=False)


def register(  # noqa: PLR0917 - a terminal's numbers, its name and place, and how it proves itself
    uow: UnitOfWork,
    actor: Actor,
    terminal_no: str,
    merchant_no: str,
    name: str,
    district: DistrictCode,
    mac: Mac = Mac.UNIONPAY,
) -> KeyGiven:
    """Register a terminal and give its master key.

    Raises
    ------
    Forbidden
        Where the actor's role or district does not allow it.
    Conflict
        Where the number is taken.
    Invalid
        On a number or name that cannot be one.
    """
    _may(actor, district)
    check_numbers(terminal_no, merchant_no, name)
    if terminal_store.hold_terminal(uow.connection, terminal_no) is not None:
        raise Conflict("is another terminal's number", field="terminal_no")
    terminal = Terminal(
        id=uuid7(),
        terminal_no=terminal_no,
        merchant_no=merchant_no,
        name=name,
        district=district,
        state=TerminalState.ACTIVE,
        state_reason="",
        mac=mac,
        registered_at=uow.wall.now(),
        registered_by=actor.subject,
        key_version=open_for_writing(uow).current,
    )
    terminal_store.add_terminal(uow.connection, terminal)
    _record(uow, actor, terminal, "payments.pos_registered", {"name": name, "district": district})
    return KeyGiven(terminal, master_key(terminal))


def give_key(uow: UnitOfWork, actor: Actor, terminal_id: UUID) -> KeyGiven:
    """Give a terminal another master key: the one before proves nothing any more.

    Raises
    ------
    NotFound, Forbidden
        As `register`; where there is no such terminal.
    Conflict
        Where it is retired.
    """
    terminal = _held(uow, actor, terminal_id)
    after = replace(
        terminal,
        key_version=open_for_writing(uow).current,
        key_generation=terminal.key_generation + 1,
        session=0,
        signed_in_at=None,
    )
    terminal_store.write_terminal(uow.connection, after)
    _record(uow, actor, after, "payments.pos_key_given", {})
    return KeyGiven(after, master_key(after))


def turn(
    uow: UnitOfWork, actor: Actor, terminal_id: UUID, state: TerminalState, reason: str
) -> Terminal:
    """Lock a terminal, let it work again, or retire it for good.

    Raises
    ------
    NotFound, Forbidden, Conflict
        As `give_key`.
    Invalid
        Without a reason.
    """
    said = reason_given(reason)
    after = replace(_held(uow, actor, terminal_id), state=state, state_reason=said)
    terminal_store.write_terminal(uow.connection, after)
    _record(uow, actor, after, f"payments.pos_{state.value}", {"reason": said})
    return after


def sign_in(uow: UnitOfWork, terminal: Terminal) -> SignedIn:
    """Begin a session of a held terminal: a working key, and a batch where none is open.

    Again within a minute it is the same session: the answer was lost, or somebody on the line
    repeats it, who cannot read the key.
    """
    now = uow.wall.now()
    same = terminal.signed_in_at is not None and now - terminal.signed_in_at < KEY_STANDS_FOR
    after = terminal
    if not same:
        after = replace(after, session=after.session + 1, signed_in_at=now)
    batch = (
        batch_store.find_batch(uow.connection, after.id, after.batch_no) if after.batch_no else None
    )
    if batch is None or batch.state in _SETTLED:
        after = replace(after, batch_no=following(after.batch_no, LAST_BATCH))
        batch_store.add_batch(uow.connection, after.id, after.batch_no, uow.clock.now())
    if after != terminal:
        terminal_store.write_terminal(uow.connection, after)
    return SignedIn(after, wrapped(master_key(after), working_key(after, after.session)))


def master_key(terminal: Terminal, keys: KeySource | None = None) -> bytes:
    """Derive a terminal's master key; Unavailable where the ring lacks its version."""
    return _derived(terminal, f"master/{terminal.key_generation}", keys)


def working_key(terminal: Terminal, session: int, keys: KeySource | None = None) -> bytes:
    """Derive the key of one session of a terminal."""
    return _derived(terminal, f"working/{terminal.key_generation}/{session}", keys)


def sessions(terminal: Terminal) -> Iterator[int]:
    """Give the sessions whose keys are believed: the last one and the one before.

    A sign-in carries no proof. Somebody else's in a terminal's name does not silence the terminal.
    """
    yield from range(terminal.session, max(0, terminal.session - 2), -1)


def digest(terminal: Terminal, told: bytes, keys: KeySource | None = None) -> bytes:
    """Hash what was told under a key of the terminal: a plate in it cannot be tried out."""
    return hmac.digest(_derived(terminal, "digest", keys), told, "sha256")


def _derived(terminal: Terminal, purpose: str, keys: KeySource | None) -> bytes:
    source = keys or key_source()
    ring: KeyRing | None = source.ring()
    if ring is None or terminal.key_version not in ring.keys:
        ring = source.reload()
    if ring is None or terminal.key_version not in ring.keys:
        raise Unavailable("the terminal's keys have retired: give it a new one", retry_after_s=60)
    key = ring.derive(terminal.key_version, f"pos/{terminal.id}/{purpose}")
    return with_parity(key[:KEY_BYTES])


def check_numbers(terminal_no: str, merchant_no: str, name: str) -> None:
    """Refuse numbers and names that no terminal can have; Invalid."""
    if not TERMINAL_FORM.fullmatch(terminal_no):
        raise Invalid("has eight digits or capital letters", field="terminal_no")
    if not MERCHANT_FORM.fullmatch(merchant_no):
        raise Invalid("has fifteen digits or capital letters", field="merchant_no")
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise Invalid(f"has 1 to {LONGEST_NAME} characters", field="name")


def _held(uow: UnitOfWork, actor: Actor, terminal_id: UUID) -> Terminal:
    terminal = terminal_store.hold_terminal_by_id(uow.connection, terminal_id)
    if terminal is None:
        raise NotFound("there is no such terminal", field="terminal_id")
    _may(actor, terminal.district)
    if terminal.state is TerminalState.RETIRED:
        raise Conflict("the terminal is retired", field="terminal_id", reason="retired")
    return terminal


def _may(actor: Actor, district: DistrictCode) -> None:
    if actor.kind != "system":
        actor.require(*KEEPERS)
    if not actor.in_district(district):
        raise Forbidden("the terminal is of another district than yours")


def _record(
    uow: UnitOfWork, actor: Actor, terminal: Terminal, act: str, detail: dict[str, str]
) -> None:
    said = {"terminal_no": terminal.terminal_no, **detail}
    record(uow, actor, act, "pos_terminal", str(terminal.id), {**said})


def actor_of(terminal: Terminal) -> Actor:
    """Give the terminal as who acts."""
    return system_actor(terminal.subject)
