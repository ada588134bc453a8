"""Devices with where they lie and what is wrong with them, page by page."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
)

from city.errors import Invalid, NotFound
from city.identifiers import BayId
from parking.rules.device_health import DEFAULT, Health, HealthPolicy, problems
from parking.store import tables
from parking.store.devices import Device, device_of
from parking.store.pages import DEFAULT_PAGE, Page, checked_limit, paged


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device, the bay where it lies, and what is wrong with it."""

    device: Device
    bay_id: BayId | None
    bay_label: str | None
    health: Health
    problems: tuple[Health, ...]
    """Everything that is wrong, the most urgent first."""


def _verdict(now: datetime, policy: HealthPolicy) -> ColumnElement[str]:
    """Say in SQL what `problems` says first; a test holds the two together."""
    device = tables.device.c
    silent = [
        and_(device.model == model, device.last_seen_at < now - limit)
        for model, limit in policy.silent_after_by_model.items()
    ]
    others = and_(
        device.model.not_in(list(policy.silent_after_by_model)),
        device.last_seen_at < now - policy.silent_after,
    )
    return case(
        (device.last_seen_at.is_(None), literal(Health.NEVER.value)),
        (or_(others, *silent), literal(Health.SILENT.value)),
        (func.cardinality(device.faults) > 0, literal(Health.FAULT.value)),
        (
            or_(
                device.battery_low.is_(True),
                and_(device.battery_low.is_(None), device.battery_percent < policy.battery_percent),
            ),
            literal(Health.BATTERY.value),
        ),
        (
            or_(device.rssi < policy.rssi_dbm, device.snr < policy.snr_db),
            literal(Health.SIGNAL.value),
        ),
        else_=literal(Health.OK.value),
    )


def _query() -> Select[Any]:
    present = and_(
        tables.placement.c.device_id == tables.device.c.id, tables.placement.c.until_at.is_(None)
    )
    return select(
        tables.device, tables.placement.c.bay_id, tables.bay.c.label.label("bay_label")
    ).select_from(
        tables.device.outerjoin(tables.placement, present).outerjoin(
            tables.bay, tables.bay.c.id == tables.placement.c.bay_id
        )
    )


def _row(row: Row[Any], now: datetime, policy: HealthPolicy) -> DeviceRow:
    device = device_of(row)
    wrong = problems(
        model=device.model,
        now=now,
        last_seen_at=device.last_seen_at,
        battery_low=device.battery_low,
        battery_percent=device.battery_percent,
        faults=device.faults,
        rssi=device.rssi,
        snr=device.snr,
        policy=policy,
    )
    return DeviceRow(
        device,
        None if row.bay_id is None else BayId(row.bay_id),
        row.bay_label,
        wrong[0] if wrong else Health.OK,
        wrong,
    )


def device_row(
    connection: Connection, device_id: UUID, *, now: datetime, policy: HealthPolicy = DEFAULT
) -> DeviceRow:
    """Give one device; NotFound where there is none."""
    found = connection.execute(_query().where(tables.device.c.id == device_id)).one_or_none()
    if found is None:
        raise NotFound("there is no such device", field="device_id")
    return _row(found, now, policy)


def device_rows(
    connection: Connection,
    *,
    now: datetime,
    district: str | None = None,
    districts: Collection[str] | None = None,
    health: str | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
    policy: HealthPolicy = DEFAULT,
) -> Page[DeviceRow]:
    """Give a page of devices in service, in the order of their ids.

    Parameters
    ----------
    connection
        Any.
    now
        Business time, for silence.
    district, health
        Only these; health is one of `Health`.
    districts
        Those that the reader may see; None for all.
    after, limit
        The page.
    policy
        What counts as wrong.

    Raises
    ------
    Invalid
        On a limit or a health that does not exist.
    """
    query = (
        _query()
        .where(tables.device.c.retired_at.is_(None))
        .order_by(tables.device.c.id)
        .limit(checked_limit(limit) + 1)
    )
    if district is not None:
        query = query.where(tables.device.c.district == district)
    if districts is not None:
        query = query.where(tables.device.c.district.in_(sorted(districts)))
    if health is not None:
        if health not in set(Health):
            raise Invalid(f"must be one of {', '.join(Health)}", field="health")
        query = query.where(_verdict(now, policy) == health)
    if after is not None:
        query = query.where(tables.device.c.id > after)
    found = [_row(row, now, policy) for row in connection.execute(query)]
    return paged(found, [each.device.id for each in found], limit)


def count_by_health(
    connection: Connection, *, now: datetime, policy: HealthPolicy = DEFAULT
) -> dict[Health, int]:
    """Count devices in service by verdict; those that do not occur count 0."""
    verdict = _verdict(now, policy).label("verdict")
    found = connection.execute(
        select(verdict, func.count()).where(tables.device.c.retired_at.is_(None)).group_by(verdict)
    )
    counts = dict.fromkeys(Health, 0)
    counts.update({Health(name): count for name, count in found})
    return counts
