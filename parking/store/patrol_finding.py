"""Finding what calls for somebody on the street, and ending what stands no more: set-wise."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, TextClause, text

from city.identifiers import FacilityId
from parking.rules.device_health import DEFAULT
from parking.rules.patrol import (
    BLOCKED_FOR,
    ESCAPE_FOR,
    SETTLED_AFTER,
    ZOMBIE_AFTER,
    TaskKind,
)
from parking.rules.stays import ATTACH_GRACE

LOOKED_BACK: Final = timedelta(hours=2)
"""Stays that began so long ago are looked at although they are over: what was done between two
runs counts as well."""
REPORT_FOR: Final = timedelta(days=7)


def _found(kind: TaskKind, source: str) -> TextClause:
    """Write what stands and is no task yet: an occasion is new where the last one had ended.

    `source` gives subject, district, facility_id, bay_id, session_id, arose_at, amount_minor,
    currency, what.
    """
    return text(
        "insert into parking.patrol_task (id, kind, subject, district, facility_id, bay_id,"  # noqa: S608 - of constants
        " session_id, arose_at, found_at, amount_minor, currency, what)"
        f" select gen_random_uuid(), '{kind.value}', n.subject, n.district, n.facility_id,"
        " n.bay_id, n.session_id, n.arose_at, :now, n.amount_minor, n.currency, n.what"
        f" from ({source}) n where n.arose_at <= :now and not exists ("
        f"  select 1 from parking.patrol_task t where t.kind = '{kind.value}'"
        "   and t.subject = n.subject and (t.ended_at is null or t.ended_at >= n.arose_at))"
        " on conflict do nothing"
    )


_OF_STAY: Final = (
    "s.id as subject, s.district, s.facility_id, s.bay_id, s.id as session_id,"
    " cast(null as bigint) as amount_minor, cast(null as text) as currency, '' as what"
)
_COUNTS: Final = "s.bay_id is not null and s.part_of is null and s.set_aside is null"
"""Stays from gate to gate stand in no bay; what is part of another one is looked after there."""
# A stay that a person or a driver began has its vehicle from the beginning; what a camera names
# within the first minute is nobody's task.
_NAMELESS: Final = (
    f"{_COUNTS} and s.started_by is null and s.opened_evidence not like 'attendant:%'"
    " and (s.attached_at is null or s.attached_at >= s.opened_at + cast(:settled as interval))"
    " and (s.closed_at is null or s.closed_at >= s.opened_at + cast(:settled as interval))"
)

_BREACHES: Final = (
    "select s.id as subject, s.district, s.facility_id, s.bay_id, s.id as session_id,"
    " cast(null as bigint) as amount_minor, cast(null as text) as currency, r.what,"
    " greatest(r.since_at, s.opened_at + cast(:settled as interval)) as arose_at"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(session_id uuid, since_at timestamptz,"
    "  what text)"
    " join parking.parking_session s on s.id = r.session_id and s.state = 'open'"
)

FIND: Final[Mapping[TaskKind, TextClause]] = {
    TaskKind.PLATE: _found(
        TaskKind.PLATE,
        f"select {_OF_STAY}, s.opened_at + cast(:settled as interval) as arose_at"  # noqa: S608 - of constants
        " from parking.facility f cross join lateral (select * from parking.parking_session"
        "  where facility_id = f.id and opened_at > :since offset 0) s"
        f" where f.kind <> 'garage' and {_NAMELESS}"
        f" union select {_OF_STAY}, s.opened_at + cast(:settled as interval) as arose_at"
        " from parking.parking_session s join parking.facility f on f.id = s.facility_id"
        f" where s.state = 'open' and s.vehicle_id is null and f.kind <> 'garage' and {_NAMELESS}",
    ),
    TaskKind.UNPAID: _found(
        TaskKind.UNPAID,
        f"select {_OF_STAY}, s.paid_until_at as arose_at from parking.parking_session s"  # noqa: S608 - of constants
        f" where s.state = 'open' and s.paid_until_at < :now and {_COUNTS}",
    ),
    TaskKind.OVERSTAY: _found(
        TaskKind.OVERSTAY,
        f"select {_OF_STAY}, s.planned_until_at as arose_at from parking.parking_session s"  # noqa: S608 - of constants
        f" where s.state = 'open' and s.planned_until_at < :now and {_COUNTS}",
    ),
    TaskKind.ZOMBIE: _found(
        TaskKind.ZOMBIE,
        f"select {_OF_STAY}, s.opened_at + cast(:zombie as interval) as arose_at"  # noqa: S608 - of constants
        " from parking.parking_session s where s.state = 'open'"
        f" and s.opened_at < :now - cast(:zombie as interval) and {_COUNTS}",
    ),
    TaskKind.ESCAPE: _found(
        TaskKind.ESCAPE,
        "select r.bill_id as subject, s.district, s.facility_id, s.bay_id, s.id as session_id,"
        " r.amount_minor, r.currency, '' as what, r.issued_at as arose_at"
        " from jsonb_to_recordset(cast(:rows as jsonb)) as r(bill_id uuid, session_id uuid,"
        "  issued_at timestamptz, amount_minor bigint, currency text)"
        " join parking.parking_session s on s.id = r.session_id where s.bay_id is not null",
    ),
    TaskKind.ARREARS: _found(
        TaskKind.ARREARS,
        "select s.id as subject, s.district, s.facility_id, s.bay_id, s.id as session_id,"
        " r.amount_minor, r.currency, '' as what, s.attached_at as arose_at"
        " from jsonb_to_recordset(cast(:rows as jsonb)) as r(session_id uuid,"
        "  amount_minor bigint, currency text)"
        " join parking.parking_session s on s.id = r.session_id and s.state = 'open'"
        " where s.bay_id is not null and s.attached_at is not null",
    ),
    **{kind: _found(kind, _BREACHES) for kind in (TaskKind.SIGNED, TaskKind.FORBIDDEN)},
    TaskKind.SENSOR: _found(
        TaskKind.SENSOR,
        "select d.id as subject, b.district, b.facility_id, b.id as bay_id,"
        " cast(null as uuid) as session_id, cast(null as bigint) as amount_minor,"
        " cast(null as text) as currency,"
        " case when cardinality(d.faults) > 0 then 'fault' else 'silent' end as what,"
        " case when cardinality(d.faults) > 0 then d.health_at"
        "  else coalesce(d.last_seen_at, d.registered_at) + cast(:silence as interval) end"
        "  as arose_at"
        " from parking.device d join parking.placement p on p.device_id = d.id"
        "  and p.until_at is null and p.role = 'primary'"
        " join parking.bay b on b.id = p.bay_id and b.retired_at is null"
        " where d.retired_at is null and (cardinality(d.faults) > 0"
        "  or coalesce(d.last_seen_at, d.registered_at) < :now - cast(:silence as interval))",
    ),
}

_REPORTED: Final = (
    "select r.id as subject, b.district, b.facility_id, b.id as bay_id,"
    " cast(null as uuid) as session_id, cast(null as bigint) as amount_minor,"
    " cast(null as text) as currency, r.what, r.at as arose_at"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, bay_id uuid, at timestamptz,"
    "  what text) join parking.bay b on b.id = r.bay_id"
)
FIND_REPORTED: Final[Mapping[TaskKind, TextClause]] = {
    TaskKind.SENSOR: _found(TaskKind.SENSOR, f"{_REPORTED} where r.what <> 'bay-blocked'"),
    TaskKind.BLOCKED: _found(TaskKind.BLOCKED, f"{_REPORTED} where r.what = 'bay-blocked'"),
}


def _ended(kinds: Sequence[TaskKind], ends: str, source: str, where: str = "true") -> TextClause:
    """End what stands no more; `ends` gives at, by and how, `source` what they follow from."""
    named = ", ".join(f"'{each.value}'" for each in kinds)
    return text(
        "update parking.patrol_task t set ended_at = greatest(t.arose_at, e.at),"  # noqa: S608 - of constants
        " ended_by = case when e.how = 'done' then e.by end, ending = e.how"
        f" from (select x.id, {ends} from parking.patrol_task x {source}"
        f"  where x.kind in ({named}) and x.ended_at is null and {where}) e"
        " where t.id = e.id and e.how is not null"
    )


# Who last said something of a stay that ended it, set it aside or joined it to another one.
_SAID: Final = (
    " left join lateral (select e.written_by, e.recorded_at from parking.stay_evidence e"
    "  where e.session_id = s.id and e.kind in ('set-aside', 'joined', 'ended', 'split')"
    "  and e.source = 'attendant' order by e.recorded_at desc limit 1) w on true"
)
END: Final[Sequence[TextClause]] = (
    # A stay that was taken back never was: nobody could have come in time.
    text(
        "delete from parking.patrol_task t where t.ended_at is null and t.session_id is not null"
        " and not exists (select 1 from parking.parking_session s where s.id = t.session_id)"
    ),
    _ended(
        [TaskKind.PLATE],
        "case when s.attached_at is not null then s.attached_at"
        " when s.set_aside is not null or s.part_of is not null then coalesce(w.recorded_at, :now)"
        " else s.closed_at end as at,"
        " case when s.attached_at is not null then s.attached_by else w.written_by end as by,"
        " case when s.attached_at is not null or s.set_aside is not null or s.part_of is not null"
        "  then 'done' when s.state = 'unattributed'"
        "  or s.closed_at < :now - cast(:grace as interval) then 'left' end as how",
        f"join parking.parking_session s on s.id = x.session_id {_SAID}",
    ),
    _ended(
        [
            TaskKind.UNPAID,
            TaskKind.OVERSTAY,
            TaskKind.SIGNED,
            TaskKind.FORBIDDEN,
            TaskKind.ZOMBIE,
            TaskKind.ARREARS,
        ],
        "coalesce(w.recorded_at, s.closed_at, :now) as at, w.written_by as by,"
        " case when w.written_by is not null then 'done' when s.state <> 'open' then 'left'"
        "  when x.kind = 'unpaid' and s.paid_until_at >= :now then 'by-itself'"
        "  when x.kind = 'overstay' and s.planned_until_at >= :now then 'by-itself' end as how",
        f"join parking.parking_session s on s.id = x.session_id {_SAID}",
    ),
    _ended(
        [TaskKind.ESCAPE],
        "x.arose_at + cast(:escape as interval) as at, null as by, 'left' as how",
        "",
        "x.arose_at < :now - cast(:escape as interval)",
    ),
    _ended(
        [TaskKind.SENSOR],
        ":now as at, null as by, 'by-itself' as how",
        "join parking.device d on d.id = x.subject",
        "(d.retired_at is not null or (cardinality(d.faults) = 0 and"
        " d.last_seen_at >= :now - cast(:silence as interval)))",
    ),
    _ended(
        [TaskKind.SENSOR],
        "x.arose_at + cast(:report as interval) as at, null as by, 'left' as how",
        "",
        "x.what not in ('fault', 'silent') and x.arose_at < :now - cast(:report as interval)",
    ),
    _ended(
        [TaskKind.BLOCKED],
        "coalesce(s.opened_at, x.arose_at + cast(:blocked as interval)) as at, null as by,"
        " case when s.opened_at is not null then 'by-itself'"
        "  when x.arose_at < :now - cast(:blocked as interval) then 'left' end as how",
        "left join lateral (select p.opened_at from parking.parking_session p"
        " where p.bay_id = x.bay_id and p.opened_at > x.arose_at"
        " order by p.opened_at limit 1) s on true",
    ),
)
END_PAID: Final = text(
    "update parking.patrol_task t set ended_at = greatest(t.arose_at, r.at),"
    " ended_by = r.by, ending = case when r.by is null then 'by-itself' else 'done' end"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, at timestamptz, by text)"
    " where t.id = r.id and t.ended_at is null"
)


# The sign says nothing any more, and the car may stand there.
END_PERMITTED: Final = text(
    "update parking.patrol_task t set ended_at = greatest(t.arose_at, :now), ending = 'by-itself'"
    " where t.ended_at is null and t.kind in ('signed', 'forbidden')"
    " and t.facility_id = any(cast(:facilities as uuid[])) and not exists ("
    "  select 1 from jsonb_to_recordset(cast(:rows as jsonb)) as r(kind text, session_id uuid)"
    "  where r.kind = t.kind and r.session_id = t.subject)"
    " and exists (select 1 from parking.parking_session s"
    "  where s.id = t.session_id and s.state = 'open')"
)


def _times(now: datetime) -> dict[str, Any]:
    return {
        "now": now,
        "since": now - LOOKED_BACK,
        "settled": SETTLED_AFTER,
        "zombie": ZOMBIE_AFTER,
        "grace": ATTACH_GRACE,
        "escape": ESCAPE_FOR,
        "blocked": BLOCKED_FOR,
        "report": REPORT_FOR,
        "silence": DEFAULT.silent_after,
    }


def _run(connection: Connection, statement: TextClause, now: datetime, **more: Any) -> int:
    known = {**_times(now), **more}
    named = statement.compile().params
    return connection.execute(statement, {name: known[name] for name in named}).rowcount


def find_of_places(connection: Connection, now: datetime) -> int:
    """Write what follows from stays and devices: five statements; give how many were new."""
    kinds = (
        TaskKind.PLATE,
        TaskKind.UNPAID,
        TaskKind.OVERSTAY,
        TaskKind.ZOMBIE,
        TaskKind.SENSOR,
    )
    return sum(_run(connection, FIND[kind], now) for kind in kinds)


def find_told(
    connection: Connection, kind: TaskKind, rows: Sequence[Mapping[str, Any]], now: datetime
) -> int:
    """Write escapes or arrears, as whoever keeps the money tells them; give how many were new."""
    return _run(connection, FIND[kind], now, rows=_json(rows)) if rows else 0


def find_reported(connection: Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> int:
    """Write what people reported of bays; give how many were new."""
    if not rows:
        return 0
    return sum(_run(connection, each, now, rows=_json(rows)) for each in FIND_REPORTED.values())


def end_permitted(
    connection: Connection,
    facility_ids: Sequence[FacilityId],
    rows: Sequence[Mapping[str, Any]],
    now: datetime,
) -> None:
    """End what signs of some facilities said against stays, but for those that they still do."""
    values = {"facilities": list(facility_ids), "rows": _json(rows), "now": now}
    connection.execute(END_PERMITTED, values)


def end_of_places(connection: Connection, now: datetime) -> int:
    """End what stands no more, by stays, devices and age; give how many."""
    return sum(_run(connection, each, now) for each in END)


def end_paid(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """End what was paid: by whom where a person took the money, by itself else."""
    if rows:
        connection.execute(END_PAID, {"rows": _json(rows)})


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps([dict(each) for each in rows], default=str)
