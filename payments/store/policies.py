"""What each region rules about unpaid bills, from when."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    RowMapping,
    Table,
    Text,
    Uuid,
    insert,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from city.identifiers import BillId, DistrictCode
from city.works.rows import as_rows
from payments.rules.arrears import DEFAULT_POLICY, ArrearsPolicy, Privilege, Step
from payments.rules.bills import Bill
from payments.rules.terms import RegionPolicy
from payments.store import tables

arrears_policy = Table(
    "arrears_policy",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("district", Text),
    Column("from_at", tables.INSTANT, nullable=False),
    Column("days_to_pay", Integer, nullable=False),
    Column("steps", JSONB, nullable=False),
    Column("privileges", ARRAY(Text), nullable=False),
    Column("source", Text, nullable=False),
    Column("cash_step_minor", Integer, nullable=False, server_default="1"),
    Column("agreed_at", tables.INSTANT, nullable=False),
    Column("agreed_by", Text, nullable=False),
    Column("approved_by", Text),
)


def add(connection: Connection, region: RegionPolicy) -> None:
    """Keep a policy; another that begins at the same instant breaks a constraint."""
    rules = region.policy
    connection.execute(
        insert(arrears_policy).values(
            id=region.id,
            district=region.district,
            from_at=region.from_at,
            days_to_pay=rules.days_to_pay,
            steps=[step.as_json() for step in rules.steps],
            privileges=sorted(each.value for each in rules.privileges),
            source=rules.source,
            cash_step_minor=rules.cash_step_minor,
            agreed_at=region.agreed_at,
            agreed_by=region.agreed_by,
            approved_by=region.approved_by,
        )
    )


def in_force(connection: Connection, district: DistrictCode, at: datetime) -> ArrearsPolicy:
    """Give the policy that a district's bills of an instant follow; one statement."""
    found = connection.execute(_FOLLOWED, {"rows": as_rows([_asked(district, at, 0)])}).mappings()
    return next((_policy(row) for row in found), DEFAULT_POLICY)


def of_bills(connection: Connection, bills: Collection[Bill]) -> dict[BillId, ArrearsPolicy]:
    """Give the policy that each of some bills was issued under; one statement.

    A district's own comes before the city's, of each the latest that had begun: found by the
    database for each bill, so that it is the same however many policies there were.
    """
    ordered = list(bills)
    rows = [
        _asked(each.charge.district, each.issued_at, place) for place, each in enumerate(ordered)
    ]
    found = {each.id: DEFAULT_POLICY for each in ordered}
    if rows:
        for row in connection.execute(_FOLLOWED, {"rows": as_rows(rows)}).mappings():
            found[ordered[row["place"]].id] = _policy(row)
    return found


def _asked(district: DistrictCode, at: datetime, place: int) -> dict[str, object]:
    return {"place": place, "district": district, "at": at}


_FOLLOWED: Final = text(
    "select asked.place, p.* from jsonb_to_recordset(cast(:rows as jsonb))"
    "  as asked(place integer, district text, at timestamptz)"
    " cross join lateral (select * from payments.arrears_policy p"
    "  where (p.district = asked.district or p.district is null) and p.from_at <= asked.at"
    "  order by p.district is null, p.from_at desc limit 1) p"
)


def page(connection: Connection, after: UUID | None, limit: int) -> list[RegionPolicy]:
    """Give some policies, the first proposed first."""
    query = select(arrears_policy).order_by(arrears_policy.c.id).limit(limit)
    if after is not None:
        query = query.where(arrears_policy.c.id > after)
    return [_region(row) for row in connection.execute(query).mappings()]


def standing(
    connection: Connection, district: DistrictCode | None, at: datetime
) -> RegionPolicy | None:
    """Give a district's own policy that is in force then; of None: that of every other."""
    query = (
        select(arrears_policy)
        .where(
            arrears_policy.c.district.is_not_distinct_from(district),
            arrears_policy.c.from_at <= at,
        )
        .order_by(arrears_policy.c.from_at.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _region(row)


def _region(row: RowMapping) -> RegionPolicy:
    return RegionPolicy(
        row["id"],
        None if row["district"] is None else DistrictCode(row["district"]),
        row["from_at"],
        _policy(row),
        row["agreed_at"],
        row["agreed_by"],
        row["approved_by"],
    )


def _policy(row: RowMapping) -> ArrearsPolicy:
    return ArrearsPolicy(
        days_to_pay=row["days_to_pay"],
        steps=tuple(Step.from_json(each) for each in row["steps"]),
        privileges=frozenset(Privilege(each) for each in row["privileges"]),
        source=row["source"],
        cash_step_minor=row["cash_step_minor"],
    )
