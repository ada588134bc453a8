"""Kept events, counts and plate passes: written set-wise, read by place and time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from signals.rules.detections.entries import Batch, Kind

MOST_EVENTS: Final = 2_000_000
"""That are read at once: a busy junction's week."""

MOST_PASSES: Final = 1_000_000
"""That are read at once: a town's day."""

_AT: Final = "timestamptz 'epoch' + at_us * interval '1 microsecond'"
_KEEP: Final = {
    Kind.EVENTS: (
        "insert into signals.controller_event (place, at, code, parameter)"  # noqa: S608 - our own words
        f" select place, {_AT}, code, parameter"
        " from unnest(cast(:c0 as int[]), cast(:c1 as bigint[]), cast(:c2 as smallint[]),"
        " cast(:c3 as smallint[])) as r(place, at_us, code, parameter)"
        " on conflict do nothing"
    ),
    # A table told again counts as it was told last; twice in one batch, the first of its rows.
    Kind.COUNTS: (
        "insert into signals.detector_count as kept (place, from_at, length_s, channel, vehicles,"  # noqa: S608 - our own words
        " occupancy, speed_kph, received_at)"
        " select distinct on (place, channel, at_us, length_s)"
        f" place, {_AT}, length_s, channel, vehicles, occupancy, speed_kph, received_at"
        " from unnest(cast(:c0 as int[]), cast(:c1 as bigint[]), cast(:c2 as int[]),"
        " cast(:c3 as int[]), cast(:c4 as int[]), cast(:c5 as real[]), cast(:c6 as real[]),"
        " cast(:received as timestamptz[])) as r(place, at_us, length_s, channel, vehicles,"
        " occupancy, speed_kph, received_at)"
        " order by place, channel, at_us, length_s, received_at desc"
        " on conflict (place, channel, from_at, length_s) do update set"
        " vehicles = excluded.vehicles, occupancy = excluded.occupancy,"
        " speed_kph = excluded.speed_kph, received_at = excluded.received_at"
        " where excluded.received_at > kept.received_at"
    ),
    Kind.PASSES: (
        "insert into signals.plate_pass (place, at, lane, mark)"  # noqa: S608 - our own words
        f" select place, {_AT}, lane, decode(mark, 'hex')"
        " from unnest(cast(:c0 as int[]), cast(:c1 as bigint[]), cast(:c2 as smallint[]),"
        " cast(:c3 as text[])) as r(place, at_us, lane, mark)"
        " on conflict do nothing"
    ),
}


@dataclass(frozen=True, slots=True)
class KeptEvents:
    """Events of some places, by columns, in the order of place and time."""

    place: list[int]
    at_us: list[int]
    code: list[int]
    parameter: list[int]


def keep(connection: Connection, kind: Kind, batches: Sequence[Batch]) -> int:
    """Keep batches of one kind in one statement; give how many rows are new or changed.

    What is there already stays, so that a batch may come any number of times.
    """
    columns: list[list[Any]] = [[]]
    received: list[datetime] = []
    for batch in batches:
        columns[0] += [batch.place] * batch.rows
        received += [batch.received_at] * batch.rows
        for number, column in enumerate(batch.columns, 1):
            if number == len(columns):
                columns.append([])
            columns[number] += column
    if not columns[0]:
        return 0
    values: dict[str, Any] = {f"c{number}": column for number, column in enumerate(columns)}
    if kind is Kind.COUNTS:
        values["received"] = received
    return connection.execute(text(_KEEP[kind]), values).rowcount


def events(
    connection: Connection,
    places: Sequence[int],
    from_at: datetime,
    until_at: datetime,
    *,
    most: int = MOST_EVENTS,
) -> KeptEvents | None:
    """Give the events of some places in a span; None where there are more than ``most``.

    Cost grows with the events: some 1.5 microseconds each, as columns and not as rows.
    """
    row = connection.execute(
        text(
            "select array_agg(place), array_agg(at_us), array_agg(code), array_agg(parameter)"
            " from (select place,"
            " (extract(epoch from at) * 1000000)::bigint as at_us, code, parameter"
            " from signals.controller_event where place = any(:places)"
            " and at >= :from_at and at < :until_at order by place, at limit :most) as e"
        ),
        {"places": list(places), "from_at": from_at, "until_at": until_at, "most": most + 1},
    ).one()
    columns = [each or [] for each in row]
    return None if len(columns[0]) > most else KeptEvents(*columns)


def counts(
    connection: Connection, places: Sequence[int], from_at: datetime, until_at: datetime
) -> list[dict[str, Any]]:
    """Give what was counted in bins that begin in a span."""
    rows = connection.execute(
        text(
            "select place, channel, from_at, length_s, vehicles, occupancy, speed_kph"
            " from signals.detector_count where place = any(:places)"
            " and from_at >= :from_at and from_at < :until_at"
            " order by place, channel, from_at"
        ),
        {"places": list(places), "from_at": from_at, "until_at": until_at},
    )
    return [dict(row) for row in rows.mappings()]


def passes(
    connection: Connection, places: Sequence[int], from_at: datetime, until_at: datetime
) -> tuple[list[int], list[int], list[int]] | None:
    """Give the plate passes of some places in a span; None where there are too many.

    Returns
    -------
    tuple of lists
        Vehicles as numbers (half of their marks of the day: two of a million meet once in 10^7
        days), places, instants in microseconds.
    """
    row = connection.execute(
        text(
            "select array_agg(vehicle), array_agg(place), array_agg(at_us)"
            " from (select ('x' || encode(substring(mark from 1 for 8), 'hex'))::bit(64)::bigint"
            " as vehicle, place, (extract(epoch from at) * 1000000)::bigint as at_us"
            " from signals.plate_pass where place = any(:places)"
            " and at >= :from_at and at < :until_at limit :most) as p"
        ),
        {"places": list(places), "from_at": from_at, "until_at": until_at, "most": MOST_PASSES + 1},
    ).one()
    vehicles, where, at_us = (each or [] for each in row)
    return None if len(at_us) > MOST_PASSES else (vehicles, where, at_us)
