"""Whether what the running system holds is what was sent, no more and no less."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import orjson
from sqlalchemy import text

from city.time import WallClock, from_ms, to_ms
from parking.adapters.live_keys import district_keys
from parking.adapters.live_store import LiveStore, whole
from parking.rules.occupancy.history import BayChange, BayState, Change, StateChange
from parking.rules.occupancy.stored import STATE_NAMES
from parking.rules.stays import revise
from tests.faults.reference import POLICY, BayTruth, folded
from tests.faults.town import DISTRICTS
from tests.faults.traffic import content_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    import redis
    from sqlalchemy import Connection

    from city.identifiers import BayId
    from tests.faults.installation import Installation
    from tests.faults.networks import Ledger
    from tests.faults.town import Town
    from tests.faults.traffic import Frame, Key

SHOWN: Final = 5
"""Differences that are told of each kind."""


@dataclass(slots=True)
class Findings:
    """What was wrong, by kind of promise; empty lists are promises kept."""

    lost: list[str] = field(default_factory=list)
    """Answered, and not in the archive as often as it was answered."""
    invented: list[str] = field(default_factory=list)
    """In the archive, and never sent, or more often than that."""
    states: list[str] = field(default_factory=list)
    histories: list[str] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)
    counts: list[str] = field(default_factory=list)
    positions: list[str] = field(default_factory=list)
    archived: int = 0
    changes: int = 0
    kept_stays: int = 0

    def problems(self) -> dict[str, list[str]]:
        """Give the kinds that are not empty, with their first differences."""
        kinds = ("lost", "invented", "states", "histories", "stays", "counts", "positions")
        return {
            kind: [f"{len(found)} in all", *found[:SHOWN]]
            for kind in kinds
            if (found := getattr(self, kind))
        }


def truth_of(frames: Mapping[int, Frame], ledger: Ledger) -> dict[BayId, BayTruth]:
    """Fold what was answered, as it stands now."""
    answered = [frame for number, frame in frames.items() if ledger.answered[number]]
    return folded(answered, to_ms(WallClock().now()))


def check(
    installation: Installation, town: Town, frames: Mapping[int, Frame], ledger: Ledger
) -> Findings:
    """Compare everything that the system holds with what was sent and answered."""
    found = Findings()
    live, database = installation.live(), installation.database()
    truth = truth_of(frames, ledger)
    try:
        with database.read() as connection:
            _check_archive(found, connection, live, frames, ledger)
            histories = _histories(connection)
            _check_histories(found, town, histories, truth)
            _check_stays(found, connection, town, truth)
    finally:
        live.connection_pool.disconnect()
        database.close()
    check_live(found, installation, town, truth)
    _check_api(found, installation, town, truth)
    return found


def _check_archive(
    found: Findings,
    connection: Connection,
    live: redis.Redis,
    frames: Mapping[int, Frame],
    ledger: Ledger,
) -> None:
    """Hold the archive against the ledger, frame by frame, and against the streams, in number."""
    rows = connection.execute(
        text(
            "select coalesce(device.network_key, uplink.network_key) as network_key, stream,"
            " entry_id, uplink.session, uplink.counter, message_id, device_at, port, frame"
            " from parking.uplink left join parking.device on device.id = uplink.device_id"
        )
    ).all()
    found.archived = len(rows)
    archived: Counter[Key] = Counter(
        (
            row.network_key,
            row.session,
            row.counter,
            row.message_id,
            to_ms(row.device_at),
            row.port,
            bytes(row.frame),
        )
        for row in rows
    )
    sent = {content_key(frame): frame for frame in frames.values()}
    for key, frame in sent.items():
        often = ledger.answered[frame.number]
        if archived[key] < often:
            found.lost.append(f"{frame.sensor.way} {key}: {archived[key]} of {often}")
        if frame.sensor.way != "mqtt" and archived[key] > ledger.tried[frame.number]:
            found.invented.append(
                f"{key}: kept {archived[key]} times, sent {ledger.tried[frame.number]}"
            )
    found.invented += [str(key) for key in archived if key not in sent]
    names = [(row.stream, row.entry_id) for row in rows]
    if len(set(names)) != len(names):
        found.invented.append("entries that were archived twice")
    for stream, kept in Counter(stream for stream, _ in names).items():
        information: Any = live.xinfo_stream(stream)
        if information["entries-added"] != kept:
            found.lost.append(f"{stream} took {information['entries-added']}, archived {kept}")


def _histories(connection: Connection) -> dict[BayId, list[tuple[int, str, int, str, str]]]:
    histories: dict[BayId, list[tuple[int, str, int, str, str]]] = {}
    for row in connection.execute(
        text(
            "select bay_id, changed_at, state, sure, observation_key, device_id"
            " from parking.bay_change order by bay_id, changed_at, state <> 'unknown'"
        )
    ):
        histories.setdefault(row.bay_id, []).append(
            (
                to_ms(row.changed_at),
                row.state,
                row.sure,
                row.observation_key,
                "" if row.device_id is None else row.device_id.hex,
            )
        )
    return histories


def _row(change: Change) -> tuple[int, str, int, str, str]:
    return (change.at_ms, STATE_NAMES[change.state], change.sure, change.key, change.device)


def _check_histories(
    found: Findings,
    town: Town,
    histories: Mapping[BayId, list[tuple[int, str, int, str, str]]],
    truth: Mapping[BayId, BayTruth],
) -> None:
    found.changes = sum(len(rows) for rows in histories.values())
    for bay in town.bays:
        wanted = [_row(change) for change in truth[bay.id].history] if bay.id in truth else []
        rows = histories.get(bay.id, [])
        if sorted(rows) != sorted(wanted):
            extra = [row for row in rows if row not in wanted]
            missing = [row for row in wanted if row not in rows]
            found.histories.append(f"{bay.label}: extra {extra[:3]}, missing {missing[:3]}")


def _check_stays(
    found: Findings, connection: Connection, town: Town, truth: Mapping[BayId, BayTruth]
) -> None:
    """Hold the stays against one revision by the whole history, and against themselves."""
    kept: dict[BayId, list[tuple[int, int | None, str]]] = {}
    for row in connection.execute(
        text(
            "select bay_id, opened_at, closed_at, state from parking.parking_session"
            " order by bay_id, opened_at, closed_at"
        )
    ):
        closed_ms = None if row.closed_at is None else to_ms(row.closed_at)
        kept.setdefault(row.bay_id, []).append((to_ms(row.opened_at), closed_ms, row.state))
    found.kept_stays = sum(len(stays) for stays in kept.values())
    for bay in town.bays:
        stays = kept.get(bay.id, [])
        wanted = _stays_of(town, bay.id, truth.get(bay.id))
        if sorted(stays, key=str) != sorted(wanted, key=str):
            found.stays.append(f"{bay.label}: {stays[-3:]}, not {wanted[-3:]}")
        for earlier, later in pairwise(stays):
            if earlier[1] is None or earlier[1] > later[0]:
                found.stays.append(f"{bay.label}: {earlier} and {later} share time")


def _stays_of(town: Town, bay_id: BayId, bay: BayTruth | None) -> list[tuple[int, int | None, str]]:
    if bay is None or not bay.history:
        return []
    home = next(each for each in town.bays if each.id == bay_id)
    change = BayChange(
        bay_id=bay_id,
        facility_id=home.facility_id,
        district=home.district,
        from_at=from_ms(bay.history[0].at_ms),
        changes=tuple(
            StateChange(
                BayState(STATE_NAMES[each.state]), from_ms(each.at_ms), each.sure, each.key, None
            )
            for each in bay.history
        ),
        state=BayState(bay.state),
        since_at=from_ms(bay.since_ms),
        sure=bay.sure,
        heard_at=from_ms(bay.heard_ms),
        provisional=bay.provisional,
    )
    return [
        (
            to_ms(stay.opened_at),
            None if stay.closed_at is None else to_ms(stay.closed_at),
            stay.state.value,
        )
        for stay in revise((), change, timedelta(milliseconds=POLICY.stale_after_ms))
    ]


def check_live(
    found: Findings,
    installation: Installation,
    town: Town,
    truth: Mapping[BayId, BayTruth],
    *,
    rebuilt: bool = False,
) -> None:
    """Compare the live state alone.

    Parameters
    ----------
    rebuilt
        Its entries were made anew: how sure the second device of a bay once made us is not
        recorded, so that it is not compared.
    """
    live = installation.live()
    try:
        _check_states(found, LiveStore(live, WallClock()), town, truth, rebuilt=rebuilt)
        _check_sets(found, live, town, truth)
    finally:
        live.connection_pool.disconnect()


def _check_states(
    found: Findings,
    store: LiveStore,
    town: Town,
    truth: Mapping[BayId, BayTruth],
    *,
    rebuilt: bool,
) -> None:
    by_facility: dict[Any, Counter[str]] = {}
    heard: dict[Any, int] = {}
    for district in DISTRICTS:
        bays = [bay for bay in town.bays if bay.district == district]
        states = store.bay_states(district, [bay.id for bay in bays])
        for bay in bays:
            now, wanted = states[bay.id], truth.get(bay.id)
            shown = (
                now.state.value,
                0 if now.since_at is None else to_ms(now.since_at),
                0 if rebuilt else now.sure,
                0 if now.heard_at is None else to_ms(now.heard_at),
                now.provisional,
            )
            right: tuple[Any, ...] = ("unknown", 0, 0, 0, False)
            if wanted is not None:
                right = (
                    wanted.state,
                    wanted.since_ms,
                    0 if rebuilt else wanted.sure,
                    wanted.heard_ms,
                    wanted.provisional,
                )
                heard[bay.facility_id] = max(heard.get(bay.facility_id, 0), wanted.heard_ms)
            if shown != right:
                found.states.append(f"{bay.label}: {shown}, not {right}")
            by_facility.setdefault(bay.facility_id, Counter())[right[0]] += 1
    counted = store.counts([(each.district, each.id) for each in town.facilities])
    for home in town.facilities:
        now_there = counted[home.id]
        states_there = by_facility[home.id]
        complete = whole(now_there, states_there.total())
        if Counter(
            {"free": complete.free, "occupied": complete.occupied, "unknown": complete.unknown}
        ) != Counter({name: states_there[name] for name in ("free", "occupied", "unknown")}):
            found.counts.append(f"{home.code}: {complete}, not {states_there}")
        if now_there.heard_at != from_ms(heard[home.id]):
            found.counts.append(f"{home.code}: heard {now_there.heard_at}")


def _check_sets(
    found: Findings, live: redis.Redis, town: Town, truth: Mapping[BayId, BayTruth]
) -> None:
    """Hold the set of free bays with their places, and the deadlines, against the states."""
    for district in DISTRICTS:
        keys = district_keys(district)
        bays = {bay.id.hex: bay for bay in town.bays if bay.district == district}
        free = {
            bay.id.hex for bay in bays.values() if bay.id in truth and truth[bay.id].state == "free"
        }
        members: Any = live.zrange(keys.free, 0, -1)
        kept = {member.decode() for member in members}
        if kept != free:
            found.positions.append(f"{district}: {len(kept ^ free)} bays wrong among the free")
        if not kept:
            continue
        places: Any = live.geopos(keys.free, *sorted(kept))
        for name, place in zip(sorted(kept), places, strict=True):
            at = bays[name].position
            # Between two questions a bay can be taken: what stays wrong is found again.
            if place is None:
                found.positions.append(f"{name} lost its place among the free")
            elif abs(place[0] - at.longitude) > 1e-4 or abs(place[1] - at.latitude) > 1e-4:
                found.positions.append(f"{bays[name].label}: {place}, not {at}")


def _check_api(
    found: Findings, installation: Installation, town: Town, truth: Mapping[BayId, BayTruth]
) -> None:
    """Ask for what everybody sees: free bays by facility."""
    wanted: Counter[str] = Counter(
        str(bay.facility_id)
        for bay in town.bays
        if bay.id in truth and truth[bay.id].state == "free"
    )
    seen: dict[str, int] = {}
    after = ""
    while True:
        status, body = installation.get(f"/api/v1/facilities?limit=100{after}")
        if status != 200:
            found.counts.append(f"GET facilities: {status} {body[:200]!r}")
            return
        page = orjson.loads(body)
        seen |= {each["id"]: each["counts"]["free"] for each in page["items"]}
        if page["next"] is None:
            break
        after = f"&cursor={page['next']}"
    found.counts += [
        f"GET facilities: {home.code} has {seen.get(str(home.id))} free, not {wanted[str(home.id)]}"
        for home in town.facilities
        if seen.get(str(home.id)) != wanted[str(home.id)]
    ]
