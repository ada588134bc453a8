"""The terminals tables and the queries on them."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Select,
    Table,
    Text,
    Uuid,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from city.identifiers import DistrictCode
from city.money import Money
from city.terminals.rules.signing import PublicKey, unpacked
from city.terminals.rules.terminals import Health, Terminal, TerminalState

METADATA = MetaData(schema="terminals")
_INSTANT = DateTime(timezone=True)
MOST_A_PAGE: Final = 500

TERMINAL = Table(
    "terminal",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("name", Text),
    Column("district", Text),
    Column("state", Text),
    Column("state_reason", Text),
    Column("registered_at", _INSTANT),
    Column("registered_by", Text),
    Column("enrolled_at", _INSTANT),
    Column("public_key", LargeBinary),
    Column("code_digest", LargeBinary),
    Column("code_expires_at", _INSTANT),
    Column("last_sequence", BigInteger),
    Column("missed_requests", BigInteger),
    Column("heard_at", _INSTANT),
    Column("app_version", Text),
    Column("offline_cash_minor", BigInteger),
    Column("offline_cash_currency", Text),
)
HEALTH = Table(
    "health",
    METADATA,
    Column("terminal_id", Uuid, primary_key=True),
    Column("at", _INSTANT),
    Column("battery_percent", Integer),
    Column("charging", Boolean),
    Column("network", Text),
    Column("longitude", Float),
    Column("latitude", Float),
    Column("accuracy_m", Float),
    Column("app_version", Text),
    Column("tariffs_version", Text),
    Column("acts_waiting", Integer),
    Column("oldest_waiting_at", _INSTANT),
    Column("clock_behind_ms", BigInteger),
)
_HEALTH_PREFIX: Final = "health_"


def add(connection: Connection, new: Terminal, digest: bytes, *, by: str) -> None:
    """Write a terminal that waits for its code to be used; a constraint refuses a taken name."""
    connection.execute(
        insert(TERMINAL).values(
            id=new.id,
            name=new.name,
            district=new.district,
            state=new.state.value,
            state_reason="",
            registered_at=new.registered_at,
            registered_by=by,
            code_digest=digest,
            code_expires_at=new.code_expires_at,
            last_sequence=0,
            missed_requests=0,
            offline_cash_minor=new.offline_cash.minor,
            offline_cash_currency=new.offline_cash.currency,
        )
    )


def find(connection: Connection, terminal_id: UUID, *, lock: bool = False) -> Terminal | None:
    """Give a terminal; with `lock` nobody else changes it before the transaction ends."""
    query = _terminals().where(TERMINAL.c.id == terminal_id)
    row = connection.execute(query.with_for_update(of=TERMINAL) if lock else query).one_or_none()
    return None if row is None else _terminal(row)


def by_code(connection: Connection, digest: bytes, at: datetime) -> Terminal | None:
    """Give the terminal that a code is for while it holds, locked."""
    query = (
        _terminals()
        .where(TERMINAL.c.code_digest == digest, TERMINAL.c.code_expires_at > at)
        .with_for_update(of=TERMINAL)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _terminal(row)


def by_key(connection: Connection, key: PublicKey) -> Terminal | None:
    """Give the terminal that has a key."""
    row = connection.execute(_terminals().where(TERMINAL.c.public_key == key.packed)).one_or_none()
    return None if row is None else _terminal(row)


def by_name(connection: Connection, name: str) -> Terminal | None:
    """Give the terminal that has a name and is not revoked."""
    query = _terminals().where(
        TERMINAL.c.name == name, TERMINAL.c.state != TerminalState.REVOKED.value
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _terminal(row)


def give_code(connection: Connection, terminal_id: UUID, digest: bytes, until: datetime) -> None:
    """Keep a new code; the one before it is void."""
    connection.execute(
        update(TERMINAL)
        .where(TERMINAL.c.id == terminal_id)
        .values(code_digest=digest, code_expires_at=until)
    )


def enrol(  # noqa: PLR0917 - the columns that it writes, in their order
    connection: Connection,
    terminal_id: UUID,
    key: PublicKey,
    sequence: int,
    app_version: str,
    at: datetime,
) -> None:
    """Bind a key to a terminal; its code is used up."""
    connection.execute(
        update(TERMINAL)
        .where(TERMINAL.c.id == terminal_id)
        .values(
            state=TerminalState.ACTIVE.value,
            state_reason="",
            enrolled_at=at,
            heard_at=at,
            public_key=key.packed,
            code_digest=None,
            code_expires_at=None,
            last_sequence=sequence,
            app_version=app_version,
        )
    )


def hear(connection: Connection, terminal: Terminal, sequence: int, at: datetime) -> bool:
    """Take a request's running number.

    False where it is none after the last one (of two that come at once with one number, one
    passes), or where the terminal's state or key is no longer what it was read as.
    """
    done = connection.execute(
        update(TERMINAL)
        .where(
            TERMINAL.c.id == terminal.id,
            TERMINAL.c.last_sequence < sequence,
            TERMINAL.c.state == terminal.state.value,
            TERMINAL.c.public_key == (terminal.key.packed if terminal.key else None),
        )
        .values(
            last_sequence=sequence,
            # The value before: PostgreSQL reads the old row on the right.
            missed_requests=TERMINAL.c.missed_requests + sequence - TERMINAL.c.last_sequence - 1,
            heard_at=at,
        )
    )
    return done.rowcount == 1


def set_state(connection: Connection, terminal_id: UUID, state: TerminalState, reason: str) -> None:
    """Lock, unlock or revoke; a revoked one's key and code are gone."""
    values: dict[str, Any] = {"state": state.value, "state_reason": reason}
    if state is TerminalState.REVOKED:
        values |= {"code_digest": None, "code_expires_at": None}
    connection.execute(update(TERMINAL).where(TERMINAL.c.id == terminal_id).values(**values))


def set_offline_cash(connection: Connection, terminal_id: UUID, most: Money) -> None:
    """Set how much cash a terminal may hold that we do not know of."""
    connection.execute(
        update(TERMINAL)
        .where(TERMINAL.c.id == terminal_id)
        .values(offline_cash_minor=most.minor, offline_cash_currency=most.currency)
    )


def keep_health(connection: Connection, terminal_id: UUID, health: Health) -> None:
    """Keep how a terminal does now, in place of how it did."""
    values = {name: getattr(health, name) for name in Health.__dataclass_fields__}
    kept = upsert(HEALTH).values(terminal_id=terminal_id, **values)
    connection.execute(
        kept.on_conflict_do_update(index_elements=[HEALTH.c.terminal_id], set_=values)
    )
    connection.execute(
        update(TERMINAL).where(TERMINAL.c.id == terminal_id).values(app_version=health.app_version)
    )


def page(
    connection: Connection,
    *,
    districts: frozenset[str] | None,
    after: UUID | None,
    limit: int,
) -> list[Terminal]:
    """Give at most `limit` terminals, the newest first."""
    query = _terminals().order_by(TERMINAL.c.id.desc()).limit(limit)
    if districts is not None:
        query = query.where(TERMINAL.c.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(TERMINAL.c.id < after)
    return [_terminal(row) for row in connection.execute(query)]


def _terminals() -> Select[Any]:
    told = [
        column.label(f"{_HEALTH_PREFIX}{column.name}")
        for column in HEALTH.c
        if column.name != "terminal_id"
    ]
    return select(TERMINAL, *told).select_from(
        TERMINAL.outerjoin(HEALTH, HEALTH.c.terminal_id == TERMINAL.c.id)
    )


def _terminal(row: Row[Any]) -> Terminal:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's documented way to a row's names
    health = None
    if row.health_at is not None:
        health = Health(
            **{name: values[f"{_HEALTH_PREFIX}{name}"] for name in Health.__dataclass_fields__}
        )
    return Terminal(
        id=row.id,
        name=row.name,
        district=DistrictCode(row.district),
        state=TerminalState(row.state),
        registered_at=row.registered_at,
        enrolled_at=row.enrolled_at,
        key=None if row.public_key is None else unpacked(bytes(row.public_key)),
        code_expires_at=row.code_expires_at,
        last_sequence=row.last_sequence,
        missed_requests=row.missed_requests,
        heard_at=row.heard_at,
        app_version=row.app_version,
        state_reason=row.state_reason,
        offline_cash=Money(row.offline_cash_minor, row.offline_cash_currency),
        health=health,
    )
