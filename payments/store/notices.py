"""What drivers were told of unpaid bills, by which medium, and its proof."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import (
    Column,
    Connection,
    RowMapping,
    SmallInteger,
    Table,
    Text,
    Uuid,
    select,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from city.identifiers import BillId, VehicleId
from payments.rules.arrears import (
    Medium,
    StepKind,
)
from payments.rules.notices import Notice, NoticeState, Receipt
from payments.store import tables
from payments.store.bills import LARGEST_PAGE

NOTICE: Final = Table(
    "arrears_notice",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("bill_id", Uuid, nullable=False),
    Column("vehicle_id", Uuid, nullable=False),
    Column("place", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("medium", Text, nullable=False),
    Column("accounts", ARRAY(Text), nullable=False),
    Column("text", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("made_at", tables.INSTANT, nullable=False),
    Column("sent_at", tables.INSTANT),
    Column("delivered_at", tables.INSTANT),
    Column("provider", Text, nullable=False, server_default=""),
    Column("provider_no", Text, nullable=False, server_default=""),
    Column("proof", JSONB),
)


def add_notices(connection: Connection, notices: Sequence[Notice]) -> None:
    """Keep notices that are to go out; one of a bill, step and medium that is kept stays."""
    if notices:
        connection.execute(
            postgresql.insert(NOTICE).on_conflict_do_nothing(
                index_elements=[NOTICE.c.bill_id, NOTICE.c.place, NOTICE.c.medium]
            ),
            [
                {
                    "id": each.id,
                    "bill_id": each.bill_id,
                    "vehicle_id": each.vehicle_id,
                    "place": each.place,
                    "kind": each.kind.value,
                    "medium": each.medium.value,
                    "accounts": list(each.accounts),
                    "text": each.text,
                    "state": each.state.value,
                    "made_at": each.made_at,
                }
                for each in notices
            ],
        )


def notices_to_send(connection: Connection, limit: int) -> list[Notice]:
    """Give messages and letters that wait for a sender, the oldest first."""
    query = (
        select(NOTICE)
        .where(NOTICE.c.state == NoticeState.WAITING.value, NOTICE.c.medium != Medium.SLIP.value)
        .order_by(NOTICE.c.made_at)
        .limit(limit)
    )
    return [_notice(row) for row in connection.execute(query).mappings()]


def slips_of(connection: Connection, vehicle_id: VehicleId) -> list[Notice]:
    """Give slips that wait for an attendant to meet a vehicle."""
    query = (
        select(NOTICE)
        .where(
            NOTICE.c.vehicle_id == vehicle_id,
            NOTICE.c.state == NoticeState.WAITING.value,
            NOTICE.c.medium == Medium.SLIP.value,
        )
        .order_by(NOTICE.c.made_at)
        .limit(LARGEST_PAGE)
    )
    return [_notice(row) for row in connection.execute(query).mappings()]


def find_notice(connection: Connection, notice_id: UUID, *, lock: bool = False) -> Notice | None:
    """Give a notice."""
    query = select(NOTICE).where(NOTICE.c.id == notice_id)
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else _notice(row)


def notices_of(connection: Connection, bill_id: BillId) -> list[Notice]:
    """Give all that was told about a bill, the first one first."""
    query = select(NOTICE).where(NOTICE.c.bill_id == bill_id)
    query = query.order_by(NOTICE.c.made_at, NOTICE.c.place, NOTICE.c.medium)
    return [_notice(row) for row in connection.execute(query).mappings()]


def keep_receipt(connection: Connection, notice_id: UUID, receipt: Receipt, provider: str) -> bool:
    """Keep what a sender said of a notice; False where it was kept before."""
    done = connection.execute(
        update(NOTICE)
        .where(NOTICE.c.id == notice_id, NOTICE.c.state == NoticeState.WAITING.value)
        .values(
            state=receipt.state.value,
            sent_at=receipt.at,
            delivered_at=receipt.at if receipt.state is NoticeState.DELIVERED else None,
            provider=provider,
            provider_no=receipt.number,
            proof=dict(receipt.proof),
        )
        .returning(NOTICE.c.id)
    )
    return done.one_or_none() is not None


def _notice(row: RowMapping) -> Notice:
    return Notice(
        id=row["id"],
        bill_id=BillId(row["bill_id"]),
        vehicle_id=VehicleId(row["vehicle_id"]),
        place=row["place"],
        kind=StepKind(row["kind"]),
        medium=Medium(row["medium"]),
        accounts=tuple(row["accounts"]),
        text=row["text"],
        state=NoticeState(row["state"]),
        made_at=row["made_at"],
        sent_at=row["sent_at"],
        delivered_at=row["delivered_at"],
        provider=row["provider"],
        provider_no=row["provider_no"],
        proof=row["proof"],
    )
