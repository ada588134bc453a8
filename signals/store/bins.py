"""Bins of detectors and phases, findings of days, and every query on them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from signals.rules.live.detectors import BIN, DetectorBin, Source, State
from signals.store.tables import detector_bin, finding, fold_mark, phase_bin, place


@dataclass(frozen=True, slots=True)
class KeptPhaseBin:
    """One phase in one bin, as it is kept."""

    place: int
    phase: int
    from_at: datetime
    cycles: int | None
    split_failures: int | None
    arrivals: int | None
    on_green: float | None
    released: int | None = None
    """Vehicles whose wait for green ended in the bin; who met green waited 0 s."""
    waited_s: float | None = None
    """All of these together."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What the watchdog said of a signal's day."""

    signal: str
    day: date
    code: str
    subject: str
    severity: str
    value: float
    limit_value: float
    zh: str
    en: str


def mark(connection: Connection, network_id: UUID) -> datetime | None:
    """Give up to when a network is folded, its fold being this transaction's alone."""
    name = f"signals.fold {network_id}"
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))
    query = select(fold_mark.c.until_at).where(fold_mark.c.network_id == network_id)
    return connection.execute(query).scalar_one_or_none()


def move_mark(connection: Connection, network_id: UUID, until_at: datetime) -> None:
    """Note up to when a network is folded."""
    statement = upsert(fold_mark).values(network_id=network_id, until_at=until_at)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["network_id"], set_={"until_at": until_at})
    )


def detector_bins(
    connection: Connection, places: Sequence[int], from_at: datetime
) -> dict[tuple[int, int], DetectorBin]:
    """Give the bins of some places that begin at an instant, by place and channel."""
    query = select(detector_bin).where(
        detector_bin.c.from_at == from_at, detector_bin.c.place.in_(list(places))
    )
    rows = [_detector_bin(dict(row)) for row in connection.execute(query).mappings()]
    return {(each.place, each.channel): each for each in rows}


def last_bin(connection: Connection, places: Sequence[int], since_at: datetime) -> datetime | None:
    """Give the beginning of the last bin of some places; None where none began since then."""
    query = select(func.max(detector_bin.c.from_at)).where(
        detector_bin.c.from_at >= since_at, detector_bin.c.place.in_(list(places))
    )
    found: datetime | None = connection.execute(query).scalar_one()
    return found


def past_counts(
    connection: Connection, places: Sequence[int], instants: Sequence[datetime]
) -> dict[tuple[int, int], list[float]]:
    """Give what was counted and could be believed in the bins of some instants."""
    if not instants:
        return {}
    query = select(detector_bin.c.place, detector_bin.c.channel, detector_bin.c.vehicles).where(
        detector_bin.c.from_at.in_(list(instants)),
        detector_bin.c.place.in_(list(places)),
        detector_bin.c.state == State.OK.value,
    )
    found: dict[tuple[int, int], list[float]] = {}
    for row in connection.execute(query):
        found.setdefault((row.place, row.channel), []).append(float(row.vehicles))
    return found


def keep_detector_bins(connection: Connection, rows: Sequence[DetectorBin]) -> None:
    """Keep bins, in the place of those that were there."""
    _keep(connection, detector_bin, [_row(each) for each in rows])


def keep_phase_bins(connection: Connection, rows: Sequence[KeptPhaseBin]) -> None:
    """Keep bins, in the place of those that were there."""
    _keep(connection, phase_bin, [asdict(each) for each in rows])


def phase_bins(
    connection: Connection, places: Sequence[int], from_at: datetime, until_at: datetime
) -> list[KeptPhaseBin]:
    """Give the phases' bins of some places that begin in a span, in order."""
    query = (
        select(phase_bin)
        .where(
            phase_bin.c.place.in_(list(places)),
            phase_bin.c.from_at >= from_at,
            phase_bin.c.from_at < until_at,
        )
        .order_by(phase_bin.c.place, phase_bin.c.phase, phase_bin.c.from_at)
    )
    return [KeptPhaseBin(**row) for row in connection.execute(query).mappings()]


def hours(
    connection: Connection, where: int, days: Sequence[tuple[datetime, datetime]]
) -> list[dict[str, Any]]:
    """Give a signal's detectors by hour of day over some days: counted, and in its place.

    An hour counts of a day only where every bin of it is known, counted or imputed.
    """
    rows = connection.execute(
        text(
            "select channel, hour, count(*) as days, avg(total)::float8 as vehicles,"
            " coalesce(stddev_samp(total), 0)::float8 as spread,"
            " (sum(imputed_bins)::float8 / sum(bins)) as imputed_share"
            " from (select b.channel, d.n,"
            "   floor(extract(epoch from b.from_at - d.from_at) / 3600)::int as hour,"
            "   sum(case when b.state = 'ok' then b.vehicles else b.imputed end) as total,"
            "   count(*) as bins, count(b.imputed) as imputed_bins,"
            "   count(case when b.state = 'ok' then b.vehicles else b.imputed end) as known"
            "  from unnest(cast(:starts as timestamptz[]), cast(:ends as timestamptz[]))"
            "    with ordinality as d(from_at, until_at, n)"
            "  join signals.detector_bin b on b.place = :place"
            "    and b.from_at >= d.from_at and b.from_at < d.until_at"
            "  group by 1, 2, 3) as h"
            " where known = 12 group by channel, hour order by channel, hour"
        ),
        {
            "place": where,
            "starts": [start for start, _ in days],
            "ends": [end for _, end in days],
        },
    )
    return [dict(row) for row in rows.mappings()]


def health(
    connection: Connection, places: Collection[int], since_at: datetime
) -> list[DetectorBin]:
    """Give each detector's last bin since an instant."""
    rows = connection.execute(
        text(
            "select distinct on (place, channel) * from signals.detector_bin"
            " where place = any(:places) and from_at >= :since"
            " order by place, channel, from_at desc"
        ),
        {"places": list(places), "since": since_at},
    )
    return [_detector_bin(dict(row)) for row in rows.mappings()]


def keep_findings(
    connection: Connection,
    day: date,
    found: Mapping[int, Sequence[Mapping[str, Any]]],
    at: datetime,
) -> None:
    """Keep a day's findings of some places, in the place of what was found before."""
    connection.execute(
        delete(finding).where(finding.c.day == day, finding.c.place.in_(list(found)))
    )
    rows = [
        {
            "place": where,
            "day": day,
            "code": each["code"],
            "subject": each["subject"],
            "severity": each["severity"],
            "value": each["value"],
            "limit_value": each["limit"],
            "zh": each["zh"],
            "en": each["en"],
            "found_at": at,
        }
        for where, those in found.items()
        for each in those
        if each["day"] == day.isoformat()
    ]
    if rows:
        connection.execute(upsert(finding).values(rows).on_conflict_do_nothing())


def findings(
    connection: Connection, network_id: UUID, since: date, signal: str | None = None
) -> list[Finding]:
    """Give what was found in a network since a day: the latest day first, the gravest first."""
    query = (
        select(place.c.signal, *(each for each in finding.c if each.name not in _INNER))
        .join(place, place.c.place == finding.c.place)
        .where(place.c.network_id == network_id, finding.c.day >= since)
        .order_by(finding.c.day.desc(), finding.c.severity, place.c.signal, finding.c.code)
        .limit(MOST_FINDINGS)
    )
    if signal is not None:
        query = query.where(place.c.signal == signal)
    return [Finding(**row) for row in connection.execute(query).mappings()]


MOST_FINDINGS = 500
_INNER = frozenset({"place", "found_at"})


def _keep(connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    instants = {row["from_at"] for row in rows}
    places = {row["place"] for row in rows}
    connection.execute(
        delete(table).where(table.c.from_at.in_(instants), table.c.place.in_(places))
    )
    connection.execute(insert(table), list(rows))


def _row(each: DetectorBin) -> dict[str, Any]:
    values = asdict(each)
    values["state"] = each.state.value
    values["source"] = None if each.source is None else each.source.value
    return values


def _detector_bin(row: Mapping[str, Any]) -> DetectorBin:
    values = dict(row)
    values["state"] = State(values["state"])
    values["source"] = None if values["source"] is None else Source(values["source"])
    return DetectorBin(**values)


def bin_start(at: datetime) -> datetime:
    """Give the beginning of the bin that an instant lies in."""
    return at - timedelta(seconds=at.timestamp() % BIN.total_seconds())
