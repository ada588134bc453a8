"""Rules about paying before leaving: the table and every query on it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Column,
    Connection,
    RowMapping,
    Table,
    Text,
    Uuid,
    insert,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import distinct_on

from city.identifiers import DistrictCode, FacilityId, ParkingSessionId
from payments.rules.exits import ExitMode, ExitRule
from payments.store import tables

exit_rule = Table(
    "exit_rule",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("facility_id", Uuid),
    Column("district", Text),
    Column("mode", Text, nullable=False),
    Column("from_at", tables.INSTANT, nullable=False),
    Column("source", Text, nullable=False),
    Column("agreed_at", tables.INSTANT, nullable=False),
    Column("agreed_by", Text, nullable=False),
    Column("approved_by", Text),
)
_PAYING = text(
    "select exists (select from payments.channel_order o join payments.bill b on b.id = o.bill_id"
    " where b.session_id = :session and o.state = 'unknown')"
)


def add(connection: Connection, rule: ExitRule) -> None:
    """Keep a rule; another of the same place that begins then breaks a constraint."""
    connection.execute(
        insert(exit_rule).values(
            id=rule.id,
            facility_id=rule.facility_id,
            district=rule.district,
            mode=rule.mode.value,
            from_at=rule.from_at,
            source=rule.source.strip(),
            agreed_at=rule.agreed_at,
            agreed_by=rule.agreed_by,
            approved_by=rule.approved_by,
        )
    )


def begun_about(
    connection: Connection, facility_id: FacilityId, district: DistrictCode, at: datetime
) -> list[ExitRule]:
    """Give the rules that a facility may follow at an instant: three at most.

    The latest that had begun of its own, of its district's and of the city's, however many there
    were before.
    """
    rule = exit_rule.c
    own = or_(rule.facility_id == facility_id, rule.facility_id.is_(None))
    of_region = or_(rule.district == district, rule.district.is_(None))
    query = (
        select(exit_rule)
        .ext(distinct_on(rule.facility_id, rule.district))
        .where(own, of_region, rule.from_at <= at)
        .order_by(rule.facility_id, rule.district, rule.from_at.desc(), rule.id.desc())
    )
    return [_rule(row) for row in connection.execute(query).mappings()]


def page(connection: Connection, after: UUID | None, limit: int) -> list[ExitRule]:
    """Give some rules, the first proposed first."""
    query = select(exit_rule).order_by(exit_rule.c.id).limit(limit)
    if after is not None:
        query = query.where(exit_rule.c.id > after)
    return [_rule(row) for row in connection.execute(query).mappings()]


def standing(
    connection: Connection,
    facility_id: FacilityId | None,
    district: DistrictCode | None,
    at: datetime,
) -> ExitRule | None:
    """Give the rule of just this facility, district or city that holds at an instant."""
    rule = exit_rule.c
    query = (
        select(exit_rule)
        .where(
            rule.facility_id.is_not_distinct_from(facility_id),
            rule.district.is_not_distinct_from(district),
            rule.from_at <= at,
        )
        .order_by(rule.from_at.desc(), rule.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _rule(row)


def paying(connection: Connection, session_id: ParkingSessionId) -> bool:
    """Tell whether a channel does not say yet if an order over a stay was paid."""
    return bool(connection.execute(_PAYING, {"session": session_id}).scalar_one())


def _rule(row: RowMapping) -> ExitRule:
    return ExitRule(
        row["id"],
        None if row["facility_id"] is None else FacilityId(row["facility_id"]),
        None if row["district"] is None else DistrictCode(row["district"]),
        ExitMode(row["mode"]),
        row["from_at"],
        row["source"],
        row["agreed_at"],
        row["agreed_by"],
        row["approved_by"],
    )
