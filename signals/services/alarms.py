"""The watcher: looks at every network each minute, raises and clears alarms; people acknowledge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import Connection

from city.audit import record
from city.errors import Conflict, NotFound
from city.people.actors import Actor
from city.works import metrics
from city.works.database import Database, UnitOfWork
from signals.rules.live import alarms as rules
from signals.rules.live.alarms import Code, Heard, PhaseQuarter, SentPlan, Sign
from signals.rules.live.detectors import BIN, DetectorBin, State
from signals.services import networks
from signals.store import alarms as store
from signals.store import bins, cabinet_looks, cabinets, reporters, running_plans
from signals.store import networks as network_store
from signals.store.reporters import DetectorUse

QUARTER: Final = 3 * BIN
LOOK_COUNTS: Final = timedelta(minutes=30)
"""What a cabinet said of itself longer ago says nothing of now."""
FLASH_WITHIN: Final = timedelta(days=2)
"""A flashing status is looked for so far back: one that lasts longer keeps its alarm open."""

log = structlog.get_logger("alarms")


def watch_all(database: Database) -> tuple[int, int]:
    """Look at every network that anybody reports of, or that has cabinets.

    Give how many alarms were raised, and how many cleared.
    """
    with database.read() as connection:
        found = sorted({*reporters.networks(connection), *cabinets.networks(connection)})
    raised = cleared = 0
    for network_id in found:
        with database.unit_of_work() as uow:
            more, less = _watch(uow, network_id)
        raised, cleared = raised + more, cleared + less
    with database.read() as connection:
        counts = store.open_counts(connection)
    for code in Code:
        metrics.SIGNAL_ALARMS.labels(code.value).set(counts.get(code.value, 0))
    return raised, cleared


def _watch(uow: UnitOfWork, network_id: UUID) -> tuple[int, int]:
    connection, now = uow.connection, uow.wall.now()
    store.lock(connection, network_id)
    signs = _signs(connection, network_id, now)
    made = rules.decide(store.open_keys(connection, network_id), signs)
    store.raise_(connection, network_id, made.raised, now)
    store.see(connection, made.seen, now)
    store.clear(connection, made.cleared, now)
    store.forget(connection, now - store.KEPT)
    if made.raised or made.cleared:
        log.info(
            "alarms",
            raised=[f"{each.signal} {each.code.value}" for each in made.raised][:20],
            cleared=len(made.cleared),
        )
    return len(made.raised), len(made.cleared)


def _signs(connection: Connection, network_id: UUID, now: datetime) -> list[Sign]:
    known = reporters.of_network(connection, network_id)
    places = reporters.places_of(connection, network_id)
    signals = {where: name for name, where in places.items()}
    uses = reporters.detectors(connection, network_id)
    phases = group_names(connection, network_id, list(uses))
    serves = {
        (name, use.channel): phases.get((name, use.phase), "")
        for name, each in uses.items()
        for use in each
    }
    detectors = _detectors(connection, signals, now)
    upstream = [
        (name, use.channel) for name, each in uses.items() for use in each
        if use.function == "advance"
    ]  # fmt: skip
    flashing = store.last_flashing(connection, list(signals), now - FLASH_WITHIN)
    sent = [
        SentPlan(name, act.status, act.ended_at or act.asked_at, act.steps[-1] if act.steps else "")
        for name, act in cabinets.latest_acts(connection, network_id).items()
    ]
    heard = [
        Heard(
            each.signal,
            each.subject,
            each.added_at,
            each.heard_at,
            each.refused_at,
            each.refused_reason,
        )
        for each in known
    ]
    quarters = _quarters(connection, signals, detectors, uses, phases)
    return [
        *rules.of_reporters(heard, now),
        *rules.of_detectors(detectors, serves),
        *rules.of_phases(quarters),
        *rules.of_queues(detectors, upstream, serves),
        *rules.of_flashing({signals[where]: row for where, row in flashing.items()}),
        *rules.of_plans(sent),
        *rules.of_cabinets(
            (each.signal, each.looked_at, each.told)
            for each in cabinet_looks.looks(connection, network_id)
            if now - each.looked_at <= LOOK_COUNTS
        ),
    ]


def _detectors(
    connection: Connection, signals: Mapping[int, str], now: datetime
) -> dict[tuple[str, int], list[DetectorBin]]:
    """Give each detector's last two bins, in order; those that are long over say nothing."""
    last_at = bins.last_bin(connection, list(signals), now - 2 * QUARTER)
    if last_at is None:
        return {}
    found: dict[tuple[str, int], list[DetectorBin]] = {}
    for at in (last_at - BIN, last_at):
        for (where, channel), row in bins.detector_bins(connection, list(signals), at).items():
            found.setdefault((signals[where], channel), []).append(row)
    return found


def _quarters(
    connection: Connection,
    signals: Mapping[int, str],
    detectors: Mapping[tuple[str, int], Sequence[DetectorBin]],
    uses: Mapping[str, Sequence[DetectorUse]],
    phases: Mapping[tuple[str, int], str],
) -> list[PhaseQuarter]:
    if not detectors:
        return []
    last_at = max(rows[-1].from_at for rows in detectors.values())
    from_at = last_at + BIN - QUARTER
    rows = bins.phase_bins(connection, list(signals), from_at, last_at + BIN)
    cycles: dict[tuple[str, int], list[int]] = {
        (name, use.phase): [0, 0]
        for name, each in uses.items()
        for use in each
        if use.function == "presence"
    }
    for row in rows:
        pair = cycles.get((signals[row.place], row.phase))
        if pair is not None:
            pair[0] += row.cycles or 0
            pair[1] += row.split_failures or 0
    found = []
    for (name, phase), (total, failed) in cycles.items():
        mine = [
            detectors.get((name, use.channel), ())
            for use in uses[name]
            if use.phase == phase and use.function == "presence"
        ]
        worth = rules.evidence(mine, from_at)
        said = phases.get((name, phase), "")
        found.append(PhaseQuarter(name, phase, from_at, total, failed, worth, said))
    return found


def group_names(
    connection: Connection, network_id: UUID, names: Sequence[str]
) -> dict[tuple[str, int], str]:
    """Give the signal groups' names by signal and phase: phase n is the n-th group."""
    found = {}
    for name, part in networks.parts(connection, network_id, list(names)).items():
        for number, group in enumerate(part.junctions[0].groups, 1):
            found[name, number] = group.name
    return found


def acknowledge(
    uow: UnitOfWork, actor: Actor, network_id: UUID, alarm_id: UUID, note: str | None
) -> store.Alarm:
    """Note that a person has seen an alarm, and what they say to it.

    Raises
    ------
    NotFound
        Where the network has no such alarm.
    Conflict
        Where somebody has acknowledged it already.
    """
    found = store.alarm_of(uow.connection, alarm_id)
    if found is None or found.network_id != network_id:
        raise NotFound("no such alarm", field="alarm_id")
    at = uow.wall.now()
    if not store.acknowledge(uow.connection, alarm_id, at=at, by=actor.subject, note=note):
        raise Conflict("the alarm is acknowledged already", field="alarm_id")
    record(
        uow,
        actor,
        "signals.alarm_acknowledged",
        "signal_network",
        str(network_id),
        {"signal": found.signal, "alarm": str(alarm_id), "code": found.code, "note": note},
    )
    done = store.alarm_of(uow.connection, alarm_id)
    return found if done is None else done


@dataclass(frozen=True, slots=True)
class SignalNow:
    """A signal at a glance."""

    signal: str
    title_zh: str
    title_en: str
    plan: str | None
    plan_since: datetime | None
    last_act: cabinets.CabinetAct | None
    heard_at: datetime | None
    reporters: int
    detectors: int
    believed: int
    cycles: int
    split_failures: int
    arrivals: int
    on_green: float | None
    alarms: int
    severe: int


def overview(connection: Connection, network_id: UUID, now: datetime) -> list[SignalNow]:
    """Give all signals of a network at a glance, in a fixed number of queries."""
    rows = network_store.titles(connection, network_id)
    places = reporters.places_of(connection, network_id)
    signals = {where: name for name, where in places.items()}
    acts = cabinets.latest_acts(connection, network_id)
    plans = _plans(connection, network_id)
    told: dict[str, list[datetime | None]] = {}
    for each in reporters.of_network(connection, network_id):
        told.setdefault(each.signal, []).append(each.heard_at)
    found = _detectors(connection, signals, now)
    last_at = max((each[-1].from_at for each in found.values()), default=now)
    believed: dict[str, list[bool]] = {}
    for (signal, _), rows_ in found.items():
        believed.setdefault(signal, []).append(rows_[-1].state is State.OK)
    phases: dict[str, list[bins.KeptPhaseBin]] = {}
    for row in bins.phase_bins(connection, list(signals), last_at + BIN - QUARTER, last_at + BIN):
        phases.setdefault(signals[row.place], []).append(row)
    open_: dict[str, list[Code]] = {}
    for signal, code, _ in store.open_keys(connection, network_id):
        open_.setdefault(signal, []).append(code)
    result = []
    for name, title_zh, title_en in rows:
        greens = phases.get(name, ())
        met = sum(each.arrivals or 0 for each in greens)
        heard = [at for at in told.get(name, ()) if at is not None]
        plan = plans.get(name)
        result.append(
            SignalNow(
                name,
                title_zh,
                title_en,
                None if plan is None else plan[0],
                None if plan is None else plan[1],
                acts.get(name),
                max(heard, default=None),
                len(told.get(name, ())),
                len(believed.get(name, ())),
                sum(believed.get(name, ())),
                sum(each.cycles or 0 for each in greens),
                sum(each.split_failures or 0 for each in greens),
                met,
                sum((each.on_green or 0) * (each.arrivals or 0) for each in greens) / met
                if met
                else None,
                len(open_.get(name, ())),
                sum(code in rules.SEVERE for code in open_.get(name, ())),
            )
        )
    return result


def _plans(connection: Connection, network_id: UUID) -> dict[str, tuple[str, datetime]]:
    found = {}
    for name, row in running_plans.in_force(connection, network_id).items():
        programme = row.programme
        said = programme.get("name") if isinstance(programme, dict) else None
        found[name] = (str(said or ""), row.from_at)
    return found
