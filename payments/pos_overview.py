"""POS terminals as whoever looks after them sees them: no keys, but batches and what differs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from payments.rules.pos.batches import BatchDifference
from payments.rules.pos.requests import Totals
from payments.rules.pos.terminals import Batch, Concern, Terminal, concerns
from payments.store import pos_acts as act_store
from payments.store import pos_batches as batch_store
from payments.store import pos_terminals as terminal_store

MOST_DIFFERENCES: Final = 20
"""Of each terminal, the latest; all of them are the finance desk's."""


@dataclass(frozen=True, slots=True)
class SeenTerminal:
    """One terminal with its batches.

    Parameters
    ----------
    terminal : Terminal
    open_batch : Batch or None
        The one that it is in, also where that is settled since.
    totals : Totals
        What stands in it, by our acts.
    settled : Batch or None
        The one that it settled last.
    differences : tuple of int and BatchDifference
        The latest, each with its batch's number.
    concerns : tuple of Concern
    """

    terminal: Terminal
    open_batch: Batch | None
    totals: Totals
    settled: Batch | None
    differences: tuple[tuple[int, BatchDifference], ...]
    concerns: tuple[Concern, ...]


def seen(
    connection: Connection,
    now: datetime,
    districts: Collection[str] | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> tuple[list[SeenTerminal], UUID | None]:
    """Give terminals, the newest first, and the last one's id where more follow: five statements.

    Parameters
    ----------
    connection : Connection
    now : datetime
        Wall time.
    districts : collection of str or None
        None: all.
    after : UUID or None
    limit : int
    """
    page, following = terminal_store.terminals(connection, districts, after, limit)
    return of(connection, now, page), following


def of(connection: Connection, now: datetime, held: Collection[Terminal]) -> list[SeenTerminal]:
    """Give some terminals with their batches: four statements, however many they are."""
    ids = [each.id for each in held]
    current = batch_store.current_batches(connection, held)
    totals = act_store.totals_of_batches(connection, held)
    settled = batch_store.last_settled(connection, ids)
    differing = batch_store.differences_of(connection, ids, MOST_DIFFERENCES)
    return [
        SeenTerminal(
            each,
            current.get(each.id),
            totals.get(each.id, Totals()),
            settled.get(each.id),
            tuple(differing.get(each.id, ())),
            concerns(each, settled.get(each.id), current.get(each.id), now),
        )
        for each in held
    ]
