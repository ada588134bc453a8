"""Which reasons free a stay of its fee where, and what was said of stays that were freed."""

from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, or_, select

from city.identifiers import DistrictCode, ParkingSessionId
from parking.rules.evidence import EvidenceKind
from parking.rules.exemptions import (
    DEFAULT_POLICY,
    Exemption,
    ExemptionPolicy,
    ExemptReason,
    RegionExemptions,
)
from parking.store.tables import exemption_policy, parking_session, stay_evidence


def add(connection: Connection, region: RegionExemptions) -> None:
    """Keep a policy; another that begins at the same instant breaks a constraint."""
    connection.execute(
        insert(exemption_policy).values(
            id=region.id,
            district=region.district,
            from_at=region.from_at,
            reasons=[each.as_json() for each in region.policy.reasons],
            source=region.policy.source,
            stated_at=region.stated_at,
            stated_by=region.stated_by,
        )
    )


def in_force(connection: Connection, district: DistrictCode, at: datetime) -> ExemptionPolicy:
    """Give the policy of a district then: its own before the city's, of each the latest."""
    columns = exemption_policy.c
    query = (
        select(exemption_policy)
        .where(or_(columns.district == district, columns.district.is_(None)), columns.from_at <= at)
        .order_by(columns.district.is_(None), columns.from_at.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return DEFAULT_POLICY if row is None else _policy(row)


def all_of(connection: Connection, limit: int = 500) -> list[RegionExemptions]:
    """Give policies by district, the latest first."""
    columns = exemption_policy.c
    query = select(exemption_policy).order_by(columns.district, columns.from_at.desc()).limit(limit)
    return [
        RegionExemptions(
            row["id"],
            None if row["district"] is None else DistrictCode(row["district"]),
            row["from_at"],
            _policy(row),
            row["stated_at"],
            row["stated_by"],
        )
        for row in connection.execute(query).mappings()
    ]


def mark(connection: Connection, session_id: ParkingSessionId, code: str | None) -> None:
    """Write for which reason a stay is free; None where that was withdrawn."""
    connection.execute(
        parking_session.update().where(parking_session.c.id == session_id).values(exempt=code)
    )


def latest(connection: Connection, session_id: ParkingSessionId) -> Exemption | None:
    """Give what was said last when a stay was freed of its fee."""
    columns = stay_evidence.c
    query = (
        select(columns.detail, columns.written_by, columns.recorded_at)
        .where(columns.session_id == session_id, columns.kind == EvidenceKind.EXEMPTED.value)
        .order_by(columns.recorded_at.desc(), columns.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Exemption.from_detail(*row)


def _policy(row: RowMapping) -> ExemptionPolicy:
    reasons = tuple(ExemptReason.from_json(each) for each in row["reasons"])
    return ExemptionPolicy(reasons, row["source"])
