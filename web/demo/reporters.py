"""What the demo town's controllers report: lamps and detectors over the API, as real ones would.

Some report every event; the rest are older ones, which count. Each has a credential of its own,
issued anew with each life of the town and kept nowhere.
"""

from __future__ import annotations

import threading
from collections import deque
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4
from zlib import crc32
from zoneinfo import ZoneInfo

import structlog

from city.errors import CityError
from city.people import services as people
from city.people.actors import system_actor
from signals.rules.controllers.reporting import events_between
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import GREENS
from signals.services import networks
from signals.services import reporters as service
from signals.store import networks as network_store
from signals.store import reporters as store
from signals.store.reporters import DetectorUse
from web.demo.api_client import ApiClient, ApiError
from web.demo.loops import ON, PRESENCE_FROM, Approach, Fault, Street
from web.demo.passers import Passers
from web.demo.signal_network import CODE
from web.demo.town import SEED, build_town

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from city.time import Clock
    from city.works.database import Database, UnitOfWork
    from city.works.settings import Settings
    from signals.rules.controllers.cabinet import Cabinet
    from signals.rules.model.junction import SignalNetwork

BUILDER: Final = system_actor("demo")
ZONE: Final = ZoneInfo("Asia/Shanghai")
FULL: Final = 12
"""Junctions that report every event: a day of one is some hundred thousand rows."""
EVERY_S: Final = 10.0
COUNTS_S: Final = 60
BEFORE: Final = timedelta(hours=2)
"""Since when cameras have read: a page that asks for whole hours has one."""
MOST_WAITING: Final = 20_000
"""Rows of one controller while the API is away; past it the oldest are lost."""
CALM: Final = 0.75
"""Of the demand that the plans were made for."""
CROWDED: Final = "J09"
CROWD: Final = 1.7
"""How much more than its share comes to the busiest approach of the crowded junction."""
FAULTS: Final[Mapping[tuple[str, int], Fault]] = {
    ("J03", 1): Fault.CHATTERS,
    ("J05", PRESENCE_FROM + 1): Fault.STUCK,
    ("J17", 1): Fault.SILENT,
}

log = structlog.get_logger("demo")


class Reporter:
    """One junction's controller, and the traffic before it.

    Parameters
    ----------
    street : Street
    wall : Clock
    full : bool
        Whether it reports every event; else it counts.
    """

    def __init__(self, street: Street, wall: Clock, *, full: bool) -> None:
        self._street = street
        self._wall = wall
        self.full = full
        self._before: Cabinet | None = None
        self._rows: deque[list[Any]] = deque(maxlen=MOST_WAITING)
        self._counts: dict[int, int] = {}
        self._counted_s = 0

    def hear(self, cabinet: Cabinet, late_s: int) -> None:
        """Take a second of the cabinet's life."""
        at = self._wall.now() - timedelta(seconds=late_s)
        changes = events_between(self._before, cabinet)
        self._before = cabinet
        local = at.astimezone(ZONE)
        green = frozenset(phase for phase, shown in cabinet.lamps.items() if shown in GREENS)
        pulses = self._street.step(green, local.hour + local.minute / 60)
        if self.full:
            stamp = _stamp(at)
            self._rows.extend([stamp, code, parameter] for code, parameter in changes)
            self._rows.extend(
                [_stamp(at + timedelta(seconds=after_s)), code, channel]
                for after_s, code, channel in pulses
            )
        else:
            self._count(at, [channel for _, code, channel in pulses if code == ON])

    def take(self) -> list[list[Any]]:
        """Take what waits to be sent."""
        rows = []
        while self._rows:
            rows.append(self._rows.popleft())
        return rows

    def put_back(self, rows: Sequence[list[Any]]) -> None:
        """Keep what could not be sent."""
        self._rows.extendleft(reversed(rows))

    def _count(self, at: datetime, channels: Sequence[int]) -> None:
        for channel in channels:
            if channel < PRESENCE_FROM:
                self._counts[channel] = self._counts.get(channel, 0) + 1
        self._counted_s += 1
        second = int(at.timestamp())
        if second % COUNTS_S == 0:
            # A full minute is told; the first one after a start is not whole.
            if self._counted_s >= COUNTS_S:
                from_at = _stamp(at - timedelta(seconds=COUNTS_S, microseconds=at.microsecond))
                self._rows.extend(
                    [from_at, COUNTS_S, channel, self._counts.get(channel, 0)]
                    for channel in self._street.channels
                )
            self._counts.clear()
            self._counted_s = 0


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


class Reporters(threading.Thread):
    """All controllers' lines to the API, in a thread of their own.

    Parameters
    ----------
    reporters : Mapping
        By signal, each with the client that has its credential.
    stopped : Event
    passers : Passers
        Who drives past the cameras at their stop lines.
    wall : Clock
    """

    def __init__(
        self,
        reporters: Mapping[str, tuple[Reporter, ApiClient]],
        stopped: threading.Event,
        passers: Passers,
        wall: Clock,
    ) -> None:
        super().__init__(name="reporters", daemon=True)
        self._reporters = reporters
        self._stopped = stopped
        self._passers = passers
        self._wall = wall
        self._read: dict[str, deque[list[Any]]] = {
            name: deque(maxlen=MOST_WAITING) for name in reporters
        }
        self.sent = 0

    def of(self, name: str) -> Callable[[Cabinet, int], None] | None:
        """Give what a signal's cabinet tells its seconds to."""
        found = self._reporters.get(name)
        return None if found is None else found[0].hear

    def run(self) -> None:
        """Send until told to stop."""
        pause_s = EVERY_S / max(len(self._reporters), 1)
        while not self._stopped.is_set() and self._reporters:
            for at, name, lane, plate in self._passers.until(self._wall.now()):
                self._read[name].append([_stamp(at), lane, plate])
            for name, (reporter, api) in self._reporters.items():
                # One after the other, so that they do not all come at once.
                if self._stopped.wait(pause_s):
                    return
                path = "/api/v1/signal-events" if reporter.full else "/api/v1/signal-counts"
                reporter.put_back(self._send(api, path, reporter.take()))
                read = self._read[name]
                rows = [read.popleft() for _ in range(len(read))]
                read.extendleft(reversed(self._send(api, "/api/v1/signal-passes", rows)))

    def _send(self, api: ApiClient, path: str, rows: list[list[Any]]) -> list[list[Any]]:
        """Send rows; give those that are to be sent again."""
        if not rows:
            return []
        try:
            for start in range(0, len(rows), 5_000):
                api.post(path, {"rows": rows[start : start + 5_000]}, uuid4().hex)
                self.sent += len(rows[start : start + 5_000])
        except ApiError as error:
            log.info("a controller's line is down", reason=str(error)[:200])
            if error.status is None or error.status >= 429:  # noqa: PLR2004 - later, it says
                return rows
        return []


def open_reporters(
    settings: Settings, database: Database, wall: Clock, stopped: threading.Event
) -> Reporters | None:
    """Register the town's controllers as reporters and open their lines; None where it has none."""
    try:
        with database.unit_of_work() as uow:
            found = network_store.of_origin(uow.connection, CODE, "demo")
            if found is None:
                return None
            tokens = _registered(uow, found.id)
            demand = networks.demand(uow.connection, found.id)
            parts = networks.parts(uow.connection, found.id)
            flows = {} if demand is None else dict(demand[1].flow_vph)
    except CityError as error:
        log.warning("the controllers do not report", reason=str(error))
        return None
    origin = f"http://{settings.own_host}:{settings.port}"
    made = {}
    told = reporting_fully(parts)
    for name in sorted(parts):
        faults = {channel: fault for (home, channel), fault in FAULTS.items() if home == name}
        approaches = approaches_of(parts[name], flows, name)
        random = Random(crc32(name.encode()))  # noqa: S311 - a town, not a secret
        street = Street(approaches, random, faults)
        reporter = Reporter(street, wall, full=name in told)
        made[name] = (reporter, ApiClient(origin, tokens[name], lambda: None))
    passers = Passers(
        build_town(SEED),
        Random(SEED),  # noqa: S311 - a town, not a secret
        ZONE,
        wall.now() - BEFORE,
    )
    reporters = Reporters(made, stopped, passers, wall)
    reporters.start()
    return reporters


_TOLD: Final = frozenset({home for home, _ in FAULTS} | {CROWDED})


def _registered(uow: UnitOfWork, network_id: UUID) -> dict[str, str]:
    """Make sure that every controller may report; give its token, issued anew."""
    parts = networks.parts(uow.connection, network_id)
    subjects = {name: f"{CODE}-{name.lower()}" for name in sorted(parts)}
    service.register_simulated(uow, BUILDER, network_id, subjects)
    known = store.detectors(uow.connection, network_id)
    told = reporting_fully(parts)
    fresh = {name: uses_of(parts[name], full=name in told) for name in parts if name not in known}
    if fresh:
        service.set_detectors(uow, BUILDER, network_id, fresh)
    for subject in subjects.values():
        people.revoke_subject(uow, "device", subject, by=BUILDER)
    tokens = people.issue_tokens(uow, "device", list(subjects.values()), by=BUILDER)
    return {name: tokens[subject] for name, subject in subjects.items()}


def reporting_fully(names: Iterable[str]) -> frozenset[str]:
    """Choose the junctions that report every event."""
    return frozenset(sorted(names)[:FULL]) | _TOLD


def uses_of(part: SignalNetwork, *, full: bool) -> list[DetectorUse]:
    """Give a junction's detectors of each group driven: upstream and, fully, at the stop line."""
    groups = part.junctions[0].groups
    phases = [n for n, each in enumerate(groups, 1) if each.kind is GroupKind.VEHICLE]
    if not full:
        return [DetectorUse(n, n, "count") for n in phases]
    upstream = [DetectorUse(n, n, "advance") for n in phases]
    return [*upstream, *(DetectorUse(PRESENCE_FROM + n, n, "presence") for n in phases)]


def approaches_of(
    part: SignalNetwork, flows: Mapping[tuple[str, str], float], name: str
) -> list[Approach]:
    """Give the traffic of each driven group of a junction."""
    junction = part.junctions[0]
    made = []
    for number, group in enumerate(junction.groups, 1):
        if group.kind is not GroupKind.VEHICLE:
            continue
        ways = [each for each in junction.movements if each.group == group.name]
        pairs = {
            (part.road_of[each.from_lane].name, part.road_of[each.to_lane].name) for each in ways
        }
        lanes = len({each.from_lane for each in ways})
        vph = CALM * sum(flows.get(pair, 0.0) for pair in pairs)
        made.append(Approach(number, vph, lanes))
    if name == CROWDED and made:
        worst = max(made, key=lambda each: each.vph / each.lanes)
        place = made.index(worst)
        made[place] = Approach(worst.phase, worst.vph * CROWD, worst.lanes)
    return made
