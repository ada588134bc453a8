"""Settle a terminal's day: what it told, held against the payments that its acts became."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from city.errors import NotFound
from city.identifiers import AccountId, PaymentId
from city.money import Money
from city.people.actors import Actor
from city.people.roles import Role
from city.terminals import act_store
from city.terminals import store as terminals
from city.terminals.act_store import KindCount
from city.terminals.rules.acts import Act, missing_before
from payments.rules.days import begin_of
from payments.store import takings

READERS: Final = (
    Role.OPERATOR,
    Role.FINANCE,
    Role.ENGINEER,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
)
_AT_ONCE: Final = 500
MOST_SHOWN: Final = 100
"""Acts that differ, of one day; all are counted."""


@dataclass(frozen=True, slots=True)
class Differing:
    """Cash that a terminal told of and that is not the payment of its number."""

    act: Act
    told: Money | None
    paid: Money | None


@dataclass(slots=True)
class TerminalDay:
    """What became of a day's acts of one terminal.

    Attributes
    ----------
    missing : int
        Numbers before the terminal's last one that never came, of all its time: what is in them
        nobody knows, nor of which day it is.
    cash : dict
        By who took it, in the currency's minor units: the payments, not what the acts say.
    bills : int
        How many were paid.
    differing : list of Differing
        At most `MOST_SHOWN`.
    differences : int
        How many there are.
    """

    terminal_id: UUID
    day: date
    counts: list[KindCount]
    missing: int
    cash: dict[tuple[AccountId, str], int] = field(default_factory=dict)
    bills: int = 0
    differing: list[Differing] = field(default_factory=list)
    differences: int = 0


def settle_terminal(
    connection: Connection, actor: Actor, terminal_id: UUID, day: date
) -> TerminalDay:
    """Hold a terminal's day against the payments; two statements for each 500 payments.

    Parameters
    ----------
    connection : Connection
    actor : Actor
    terminal_id : UUID
    day : date
        In China, by when acts were done: one that came late belongs to the day it was done.

    Raises
    ------
    Forbidden
        Without the role.
    NotFound
        Where there is no such terminal in the actor's districts.
    """
    actor.require(*READERS)
    terminal = terminals.find(connection, terminal_id)
    if terminal is None or not actor.in_district(terminal.district):
        raise NotFound("there is no such terminal", field="terminal_id")
    begin, end = begin_of(day), begin_of(day + timedelta(days=1))
    come = act_store.counts(connection, [terminal_id]).get(terminal_id, act_store.ActCount())
    settled = TerminalDay(
        terminal_id,
        day,
        act_store.counts_between(connection, terminal_id, begin, end),
        missing_before(come.last_sequence, come.received),
    )
    after: Act | None = None
    while acts := act_store.cash_between(
        connection, terminal_id, begin, end, after=after, limit=_AT_ONCE
    ):
        for found in _held_together(connection, acts, settled):
            settled.differences += 1
            if len(settled.differing) < MOST_SHOWN:
                settled.differing.append(found)
        after = acts[-1]
    return settled


def _held_together(
    connection: Connection, acts: Sequence[Act], settled: TerminalDay
) -> Iterator[Differing]:
    """Add payments up, and give the acts that are not theirs."""
    # An act's own id is its payment's number.
    paid = takings.payments_by_id(connection, [PaymentId(act.id) for act in acts])
    for act in acts:
        payment = paid.get(PaymentId(act.id))
        told = _told(act)
        if payment is not None:
            settled.bills += 1
            key = (act.account_id, payment.amount.currency)
            settled.cash[key] = settled.cash.get(key, 0) + payment.amount.minor
        if payment is None or payment.amount != told or payment.taken_by != str(act.account_id):
            yield Differing(act, told, None if payment is None else payment.amount)


def _told(act: Act) -> Money | None:
    amount = (act.effect or {}).get("amount")
    return Money.from_json(amount) if isinstance(amount, dict) else None
