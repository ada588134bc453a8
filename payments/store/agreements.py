"""Agreements, and what was deducted by them: the table and every query on it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Column, Connection, Table, Text, Uuid, func, select, update
from sqlalchemy.dialects import postgresql

from city.identifiers import AccountId, BillId, VehicleId
from city.money import Money
from payments.channel_orders import CHANNEL_ORDER, order_of
from payments.rules.agreements import Agreement, AgreementState
from payments.rules.channel_orders import ChannelOrder, OrderState
from payments.rules.channels import Channel
from payments.store import tables

MOST_OF_A_DRIVER: Final = 200

AGREEMENT: Final = Table(
    "agreement",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("vehicle_id", Uuid, nullable=False),
    Column("channel", Text, nullable=False),
    Column("merchant", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("single_minor", BigInteger, nullable=False),
    Column("daily_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("consented_at", tables.INSTANT, nullable=False),
    Column("signed_at", tables.INSTANT),
    Column("ended_at", tables.INSTANT),
    Column("reason", Text, nullable=False, server_default=""),
)


def add(connection: Connection, agreement: Agreement) -> bool:
    """Keep a new agreement; False where the driver has one for that car and channel."""
    added = (
        postgresql.insert(AGREEMENT)
        .values(
            id=agreement.id,
            account_id=agreement.account_id,
            vehicle_id=agreement.vehicle_id,
            channel=agreement.channel.value,
            merchant=agreement.merchant,
            state=agreement.state.value,
            single_minor=agreement.single.minor,
            daily_minor=agreement.daily.minor,
            currency=agreement.single.currency,
            consented_at=agreement.consented_at,
        )
        .on_conflict_do_nothing(
            index_elements=["account_id", "vehicle_id", "channel"],
            index_where=AGREEMENT.c.state != AgreementState.ENDED.value,
        )
        .returning(AGREEMENT.c.id)
    )
    return connection.execute(added).scalar_one_or_none() is not None


def find(connection: Connection, agreement_id: UUID, *, lock: bool = False) -> Agreement | None:
    """Give an agreement; held until the transaction ends where `lock` says so."""
    query = select(AGREEMENT).where(AGREEMENT.c.id == agreement_id)
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else _agreement(row)


def of_account(connection: Connection, account_id: AccountId) -> list[Agreement]:
    """Give a driver's agreements, also those that have ended, the newest first."""
    query = (
        select(AGREEMENT)
        .where(AGREEMENT.c.account_id == account_id)
        .order_by(AGREEMENT.c.id.desc())
        .limit(MOST_OF_A_DRIVER)
    )
    return [_agreement(row) for row in connection.execute(query).mappings()]


def standing_of(
    connection: Connection, account_id: AccountId, vehicle_id: VehicleId
) -> list[Agreement]:
    """Give a driver's agreements over a car that have not ended, held, by their ids."""
    query = (
        select(AGREEMENT)
        .where(
            AGREEMENT.c.account_id == account_id,
            AGREEMENT.c.vehicle_id == vehicle_id,
            AGREEMENT.c.state != AgreementState.ENDED.value,
        )
        .order_by(AGREEMENT.c.id)
        .with_for_update()
    )
    return [_agreement(row) for row in connection.execute(query).mappings()]


def signed_of(connection: Connection, vehicle_id: VehicleId) -> list[Agreement]:
    """Give the agreements over a car that are signed, held, those signed first before others."""
    query = (
        select(AGREEMENT)
        .where(
            AGREEMENT.c.vehicle_id == vehicle_id,
            AGREEMENT.c.state == AgreementState.SIGNED.value,
        )
        .order_by(AGREEMENT.c.signed_at, AGREEMENT.c.id)
        .with_for_update()
    )
    return [_agreement(row) for row in connection.execute(query).mappings()]


def any_signed(connection: Connection, vehicle_id: VehicleId) -> bool:
    """Say whether anybody has signed for a car; holds nothing."""
    query = select(AGREEMENT.c.id).where(
        AGREEMENT.c.vehicle_id == vehicle_id, AGREEMENT.c.state == AgreementState.SIGNED.value
    )
    return connection.execute(query.limit(1)).first() is not None


def write(connection: Connection, agreement: Agreement) -> None:
    """Keep an agreement as it stands; the database refuses what may not change."""
    connection.execute(
        update(AGREEMENT)
        .where(AGREEMENT.c.id == agreement.id)
        .values(
            state=agreement.state.value,
            signed_at=agreement.signed_at,
            ended_at=agreement.ended_at,
            reason=agreement.reason,
        )
    )


def taken_since(connection: Connection, agreement: Agreement, since_at: datetime) -> Money:
    """Add up what was, or may yet be, deducted by an agreement since an instant of wall time."""
    order = CHANNEL_ORDER.c
    minor = connection.scalar(
        select(func.coalesce(func.sum(order.amount_minor), 0)).where(
            order.agreement_id == agreement.id,
            order.opened_at >= since_at,
            order.state != OrderState.CLOSED.value,
        )
    )
    return Money(int(minor or 0), agreement.single.currency)


def deductions_of(connection: Connection, bill_id: BillId) -> list[ChannelOrder]:
    """Give the orders by which a bill was, or was to be, deducted, the oldest first."""
    order = CHANNEL_ORDER.c
    query = (
        select(CHANNEL_ORDER)
        .where(order.bill_id == bill_id, order.agreement_id.is_not(None))
        .order_by(order.opened_at, order.id)
    )
    return [order_of(row) for row in connection.execute(query).mappings()]


def last_deductions(
    connection: Connection, agreements: Collection[Agreement]
) -> dict[UUID, ChannelOrder]:
    """Give the latest deduction of each of some agreements: one statement."""
    order = CHANNEL_ORDER.c
    query = (
        select(CHANNEL_ORDER)
        .ext(postgresql.distinct_on(order.agreement_id))
        .where(order.agreement_id.in_([each.id for each in agreements]))
        .order_by(order.agreement_id, order.opened_at.desc(), order.id.desc())
    )
    found = (order_of(row) for row in connection.execute(query).mappings())
    return {each.agreement_id: each for each in found if each.agreement_id is not None}


def _agreement(row: Mapping[Any, Any]) -> Agreement:
    currency = row["currency"]
    return Agreement(
        id=row["id"],
        account_id=AccountId(row["account_id"]),
        vehicle_id=VehicleId(row["vehicle_id"]),
        channel=Channel(row["channel"]),
        merchant=row["merchant"],
        state=AgreementState(row["state"]),
        single=Money(row["single_minor"], currency),
        daily=Money(row["daily_minor"], currency),
        consented_at=row["consented_at"],
        signed_at=row["signed_at"],
        ended_at=row["ended_at"],
        reason=row["reason"],
    )
