"""Contracts about who shares commercial fees, by operator and facility."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Column, Connection, RowMapping, Table, Uuid, insert, or_, select, text
from sqlalchemy import Text as Words
from sqlalchemy.dialects.postgresql import JSONB

from city.identifiers import FacilityId, OperatorId
from payments.rules.bills import Bill
from payments.rules.contracts import Contract, Share
from payments.store import tables

contract = Table(
    "contract",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("operator_id", Uuid, nullable=False),
    Column("facility_id", Uuid),
    Column("from_at", tables.INSTANT, nullable=False),
    Column("shares", JSONB, nullable=False),
    Column("agreed_at", tables.INSTANT, nullable=False),
    Column("agreed_by", Words, nullable=False),
    Column("approved_by", Words),
)


_FOLLOW: Final = text("select pg_advisory_xact_lock_shared(hashtextextended('payments.terms', 0))")
_CHANGE: Final = text("select pg_advisory_xact_lock(hashtextextended('payments.terms', 0))")


def follow_terms(connection: Connection) -> None:
    """Keep contracts and policies as they are until this transaction ends.

    Who issues a bill reads the clock after this: all that began by then is there to be read.
    """
    connection.execute(_FOLLOW)


def change_terms(connection: Connection) -> None:
    """Let nobody issue a bill until this transaction ends; those that do now end first.

    Who approves terms reads the clock after this: no bill of a later instant follows others.
    """
    connection.execute(_CHANGE)


def add(connection: Connection, agreed: Contract) -> None:
    """Keep a contract; another that begins at the same instant breaks a constraint."""
    connection.execute(
        insert(contract).values(
            id=agreed.id,
            operator_id=agreed.operator_id,
            facility_id=agreed.facility_id,
            from_at=agreed.from_at,
            shares=[share.as_json() for share in agreed.shares],
            agreed_at=agreed.agreed_at,
            agreed_by=agreed.agreed_by,
            approved_by=agreed.approved_by,
        )
    )


def in_force(
    connection: Connection, operator_id: OperatorId, facility_id: FacilityId, at: datetime
) -> Contract | None:
    """Give the contract that a facility's bills follow: its own, else its operator's."""
    query = (
        select(contract)
        .where(
            contract.c.operator_id == operator_id,
            or_(contract.c.facility_id == facility_id, contract.c.facility_id.is_(None)),
            contract.c.from_at <= at,
        )
        .order_by(contract.c.facility_id.is_(None), contract.c.from_at.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _contract(row)


def of_bill(connection: Connection, bill: Bill) -> Contract | None:
    """Give the contract that a bill follows: the one in force when it was issued."""
    charge = bill.charge
    return in_force(connection, charge.operator_id, charge.facility_id, bill.issued_at)


def standing(
    connection: Connection,
    operator_id: OperatorId,
    facility_id: FacilityId | None,
    at: datetime,
) -> Contract | None:
    """Give the contract of an operator, or of one facility alone, that is in force then."""
    query = (
        select(contract)
        .where(
            contract.c.operator_id == operator_id,
            contract.c.facility_id.is_not_distinct_from(facility_id),
            contract.c.from_at <= at,
        )
        .order_by(contract.c.from_at.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _contract(row)


def page(connection: Connection, after: UUID | None, limit: int) -> list[Contract]:
    """Give some contracts, the first proposed first."""
    query = select(contract).order_by(contract.c.id).limit(limit)
    if after is not None:
        query = query.where(contract.c.id > after)
    return [_contract(row) for row in connection.execute(query).mappings()]


def _contract(row: RowMapping) -> Contract:
    return Contract(
        id=row["id"],
        operator_id=OperatorId(row["operator_id"]),
        facility_id=None if row["facility_id"] is None else FacilityId(row["facility_id"]),
        from_at=row["from_at"],
        shares=tuple(Share.from_json(each) for each in row["shares"]),
        agreed_at=row["agreed_at"],
        agreed_by=row["agreed_by"],
        approved_by=row["approved_by"],
    )
