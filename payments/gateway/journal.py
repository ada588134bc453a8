"""What the gateway keeps across its own death: every order, and what it still owes to merchants.

SQLite of the standard library rather than a log of our own: an order and the notification that its
payment owes are written in one transaction, what a `kill -9` tore is undone by the library at the
next opening, and the file stays as large as what it holds instead of as long as its history. Writes
go to the operating system before anybody is answered, which a killed process cannot take back; a
power cut may cost the last of them (`synchronous=normal`), and no real money is here.
"""

import contextlib
import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from city.errors import Invalid
from city.time import Clock
from payments.gateway.orders import Order, Refund, RefundState, State, Terms
from payments.gateway.signatures import Car, Signature, SignatureState
from payments.rules.channels import Channel
from payments.rules.deductions import PlateColour

_FIELD: Final = "--journal"
_VERSION: Final = 1
_TABLES: Final = """
create table if not exists orders (
    place integer primary key,
    channel text not null,
    key text not null,
    content text not null,
    unique (channel, key)
);
create table if not exists owed (
    channel text not null,
    key text not null,
    refund_no text not null,
    attempt integer not null,
    due_at real not null,
    primary key (channel, key, refund_no)
) without rowid;
"""
# Came later: a journal from before has none of it.
_SIGNATURES: Final = """
create table if not exists signature (
    channel text not null,
    plate text not null,
    colour text not null,
    holder text not null,
    state text not null,
    solvent integer not null,
    at text not null,
    primary key (channel, plate, colour)
) without rowid;
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """Names what a merchant is to be told: of an order's payment, or of one of its refunds."""

    channel: Channel
    key: str
    refund_no: str = ""
    """Empty: of the payment."""


@dataclass(frozen=True, slots=True)
class Owed:
    """A notification that no merchant has taken yet.

    Parameters
    ----------
    mark : Mark
        What it is about.
    attempt : int
        How many attempts were made.
    due_at : float
        When the next one is due, in seconds of Unix time.
    """

    mark: Mark
    attempt: int
    due_at: float


class Journal:
    """The file; safe to use from any thread of one process, and by one process at a time.

    Parameters
    ----------
    path : Path
        Made where there is none, readable by its owner alone: tokens in it let anybody pay.
    clock : Clock
        Wall time.

    Raises
    ------
    Invalid
        Where it cannot be had, is no such file, or another gateway has it.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._file = sqlite3.connect(
                path, timeout=1.0, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            raise Invalid(f"{path}: cannot be opened: {error}", field=_FIELD) from None
        try:
            known = self._begin()
        except sqlite3.Error as error:
            self._file.close()
            raise Invalid(f"{path}: {error}", field=_FIELD) from None
        if known != _VERSION:
            self._file.close()
            raise Invalid(f"{path}: is of another version", field=_FIELD)

    def _begin(self) -> int:
        """Take the file for this process alone, fill a new one; give its version."""
        # Held for as long as the process lives: two gateways over one book would each forget
        # what the other took.
        self._file.execute("pragma locking_mode = exclusive")
        self._file.execute("pragma journal_mode = wal")
        self._file.execute("pragma synchronous = normal")
        known = int(self._file.execute("pragma user_version").fetchone()[0])
        if known == 0:
            self._file.executescript(f"{_TABLES} pragma user_version = {_VERSION};")
            known = _VERSION
        self._file.executescript(_SIGNATURES)
        return known

    def orders(self) -> list[Order]:
        """Give every order, in the order in which they were opened."""
        with self._lock:
            found = self._file.execute("select content from orders order by place").fetchall()
        return [_order(json.loads(content)) for (content,) in found]

    def owed(self) -> list[Owed]:
        """Give what no merchant has taken yet, the earliest due first."""
        with self._lock:
            found = self._file.execute("select * from owed order by due_at").fetchall()
        return [
            Owed(Mark(Channel(channel), key, refund_no), attempt, due_at)
            for channel, key, refund_no, attempt, due_at in found
        ]

    def signatures(self) -> list[Signature]:
        """Give what payers signed for."""
        with self._lock:
            found = self._file.execute("select * from signature").fetchall()
        return [
            Signature(
                Channel(channel),
                Car(plate, PlateColour(colour)),
                holder,
                SignatureState(state),
                bool(solvent),
                datetime.fromisoformat(at),
            )
            for channel, plate, colour, holder, state, solvent, at in found
        ]

    def keep_signature(self, signature: Signature) -> None:
        """Keep a payer's word instead of the one before on the same car."""
        car = signature.car
        with self._lock, self._whole():
            self._file.execute(
                "insert or replace into signature values (?, ?, ?, ?, ?, ?, ?)",
                (
                    signature.channel.value,
                    car.plate,
                    car.colour.value,
                    signature.holder,
                    signature.state.value,
                    int(signature.solvent),
                    signature.at.isoformat(),
                ),
            )

    def keep(self, order: Order, owes: Mark | None = None) -> None:
        """Keep an order as it stands, together with what its merchant is to be told at once."""
        content = json.dumps(_document(order), ensure_ascii=False, separators=(",", ":"))
        with self._lock, self._whole():
            self._file.execute(
                "insert into orders (channel, key, content) values (?, ?, ?)"
                " on conflict (channel, key) do update set content = excluded.content",
                (order.channel.value, order.key, content),
            )
            if owes is not None:
                self._owe(owes, 0, 0.0)

    def again(self, mark: Mark, attempt: int, after_s: float) -> None:
        """Keep how many attempts were made, and that the next is due after so many seconds."""
        due_at = self._clock.now().timestamp() + after_s
        with self._lock, self._whole():
            self._owe(mark, attempt, due_at)

    def told(self, mark: Mark) -> None:
        """Owe it no longer: it was taken, given up, or is nothing that this channel tells."""
        with self._lock, self._whole():
            self._file.execute(
                "delete from owed where channel = ? and key = ? and refund_no = ?",
                (mark.channel.value, mark.key, mark.refund_no),
            )

    def close(self) -> None:
        """Let another process have it."""
        with self._lock:
            self._file.close()

    def _owe(self, mark: Mark, attempt: int, due_at: float) -> None:
        self._file.execute(
            "insert or replace into owed values (?, ?, ?, ?, ?)",
            (mark.channel.value, mark.key, mark.refund_no, attempt, due_at),
        )

    @contextlib.contextmanager
    def _whole(self) -> Iterator[None]:
        self._file.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._file.execute("rollback")
            raise
        self._file.execute("commit")


def _document(order: Order) -> dict[str, Any]:
    return {
        "channel": order.channel.value,
        "key": order.key,
        "order_no": order.order_no,
        "terms": [
            order.terms.amount_minor,
            order.terms.subject,
            order.terms.product,
            order.terms.payer,
        ],
        "token": order.token,
        "channel_no": order.channel_no,
        "notify_url": order.notify_url,
        "merchant": order.merchant,
        "extra": [list(pair) for pair in order.extra],
        "opened_at": order.opened_at.isoformat(),
        "expires_at": _written(order.expires_at),
        "state": order.state.value,
        "paid_at": _written(order.paid_at),
        "payer": order.payer,
        "refunds": [
            {
                "refund_no": each.refund_no,
                "channel_refund_no": each.channel_refund_no,
                "amount_minor": each.amount_minor,
                "fee_minor": each.fee_minor,
                "state": each.state.value,
                "asked_at": each.asked_at.isoformat(),
                "done_at": _written(each.done_at),
                "notify_url": each.notify_url,
                "void": each.void,
            }
            for each in order.refunds
        ],
    }


def _order(kept: dict[str, Any]) -> Order:
    # Who alone may pay came later: a journal from before has none.
    amount_minor, subject, product, *payer = kept["terms"]
    return Order(
        channel=Channel(kept["channel"]),
        key=kept["key"],
        order_no=kept["order_no"],
        terms=Terms(amount_minor, subject, product, *payer),
        token=kept["token"],
        channel_no=kept["channel_no"],
        notify_url=kept["notify_url"],
        merchant=kept["merchant"],
        extra=tuple((name, value) for name, value in kept["extra"]),
        opened_at=datetime.fromisoformat(kept["opened_at"]),
        expires_at=_read(kept["expires_at"]),
        state=State(kept["state"]),
        paid_at=_read(kept["paid_at"]),
        payer=kept["payer"],
        refunds=tuple(
            Refund(
                refund_no=each["refund_no"],
                channel_refund_no=each["channel_refund_no"],
                amount_minor=each["amount_minor"],
                fee_minor=each["fee_minor"],
                state=RefundState(each["state"]),
                asked_at=datetime.fromisoformat(each["asked_at"]),
                done_at=_read(each["done_at"]),
                notify_url=each["notify_url"],
                void=each["void"],
            )
            for each in kept["refunds"]
        ),
    )


def _written(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _read(kept: str | None) -> datetime | None:
    return None if kept is None else datetime.fromisoformat(kept)
