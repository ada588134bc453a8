"""POS terminals: the table and every query on it."""

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, Connection, Integer, Table, Text, Uuid, insert, select, update

from city.identifiers import DistrictCode
from payments.rules.pos.mac import Mac
from payments.rules.pos.terminals import Terminal, TerminalState
from payments.store import tables

TERMINAL: Final = Table(
    "pos_terminal",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("terminal_no", Text, nullable=False),
    Column("merchant_no", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("district", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_reason", Text, nullable=False, server_default=""),
    Column("mac", Text, nullable=False),
    Column("registered_at", tables.INSTANT, nullable=False),
    Column("registered_by", Text, nullable=False),
    Column("key_version", Integer, nullable=False),
    Column("key_generation", Integer, nullable=False),
    Column("session", Integer, nullable=False, server_default="0"),
    Column("signed_in_at", tables.INSTANT),
    Column("batch_no", Integer, nullable=False, server_default="0"),
    Column("last_trace", Integer, nullable=False, server_default="0"),
    Column("heard_at", tables.INSTANT),
)


def add_terminal(connection: Connection, terminal: Terminal) -> None:
    """Keep a new terminal."""
    connection.execute(insert(TERMINAL).values(**_terminal_row(terminal)))


def write_terminal(connection: Connection, terminal: Terminal) -> None:
    """Keep a terminal as it stands."""
    connection.execute(
        update(TERMINAL).where(TERMINAL.c.id == terminal.id).values(**_terminal_row(terminal))
    )


def hold_terminal(connection: Connection, terminal_no: str) -> Terminal | None:
    """Give the terminal of a number, held: what it says is done one after the other."""
    query = select(TERMINAL).where(TERMINAL.c.terminal_no == terminal_no).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else terminal_of(row)


def hold_terminal_by_id(connection: Connection, terminal_id: UUID) -> Terminal | None:
    """Give a terminal by its id, held."""
    query = select(TERMINAL).where(TERMINAL.c.id == terminal_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else terminal_of(row)


def terminals(
    connection: Connection, districts: Collection[str] | None, after: UUID | None, limit: int
) -> tuple[list[Terminal], UUID | None]:
    """Give terminals, the newest first, and the last one's id where more follow."""
    query = select(TERMINAL).order_by(TERMINAL.c.id.desc()).limit(limit + 1)
    if districts is not None:
        query = query.where(TERMINAL.c.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(TERMINAL.c.id < after)
    found = [terminal_of(row) for row in connection.execute(query).mappings()]
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def merchants(connection: Connection) -> frozenset[str]:
    """Give the merchants that we sell for at terminals, retired ones counted in."""
    return frozenset(connection.scalars(select(TERMINAL.c.merchant_no).distinct()))


def _terminal_row(terminal: Terminal) -> dict[str, object]:
    row = {name: getattr(terminal, name) for name in TERMINAL.c.keys()}  # noqa: SIM118 - columns
    return {**row, "state": terminal.state.value, "mac": terminal.mac.value}


def terminal_of(row: Any) -> Terminal:
    """Read a terminal."""
    found = dict(row)
    return Terminal(
        **{
            **found,
            "state": TerminalState(found["state"]),
            "mac": Mac(found["mac"]),
            "district": DistrictCode(found["district"]),
        }
    )
