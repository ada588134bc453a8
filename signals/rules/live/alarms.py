"""Alarms of signals: what is wrong, raised and cleared with hysteresis, said in plain words.

A sign is what one look says of one thing: bad, good, or neither. Bad raises, good clears, and what
lies between, or is not known, leaves things as they are: an alarm that comes and goes is read by
nobody, and one that is cleared because nothing is known any more is a lie.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from signals.rules.controllers.inspection import Inspection
from signals.rules.live.detectors import BIN, DetectorBin, State

SILENT_AFTER: Final = timedelta(minutes=3)
HEARD_WITHIN: Final = timedelta(minutes=1)
REFUSED_WITHIN: Final = timedelta(minutes=10)
LEAST_CYCLES: Final = 4
FAILING: Final = 0.5
"""Share of cycles whose green was too short, over a quarter of an hour."""
RECOVERED: Final = 0.25
BLOCKED: Final = 0.5
"""Share of a bin that the detector upstream is held, moving vehicles being counted."""
FLOWING: Final = 0.3
NOT_FLASHING: Final = 2
"""NTCIP 1202's unitFlashStatus, which event 173 carries."""


class Code(StrEnum):
    """What is wrong."""

    SPLIT_FAILURES = "split_failures"
    SPILL_BACK = "spill_back"
    FLASHING = "flashing"
    CONTROLLER_SILENT = "controller_silent"
    CLOCK_AHEAD = "clock_ahead"
    DETECTOR_STUCK = "detector_stuck"
    DETECTOR_CHATTERING = "detector_chattering"
    DETECTOR_SILENT = "detector_silent"
    PLAN_NOT_TAKEN = "plan_not_taken"
    LAMP_FAULT = "lamp_fault"
    DOOR_OPEN = "door_open"
    CLOCK_OFF = "clock_off"
    CABINET_FAULT = "cabinet_fault"


SEVERE: Final = frozenset(
    {
        Code.SPLIT_FAILURES,
        Code.SPILL_BACK,
        Code.FLASHING,
        Code.CONTROLLER_SILENT,
        Code.LAMP_FAULT,
    }
)
_DETECTOR: Final = {
    State.STUCK: Code.DETECTOR_STUCK,
    State.CHATTERING: Code.DETECTOR_CHATTERING,
    State.SILENT: Code.DETECTOR_SILENT,
}


CLOCK_OFF_S: Final = 10.0
CLOCK_RIGHT_S: Final = 5.0


class Level(StrEnum):
    """What a look says."""

    BAD = "bad"
    BETWEEN = "between"
    GOOD = "good"


Key = tuple[str, Code, str]
"""Signal, code, subject."""


@dataclass(frozen=True, slots=True)
class Sign:
    """What one look says of one thing."""

    signal: str
    code: Code
    subject: str
    """Phase, channel or device; empty for the junction as a whole."""
    level: Level
    value: float
    limit: float
    since_at: datetime
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """What an alarm is told apart by."""
        return self.signal, self.code, self.subject


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of alarms."""

    raised: tuple[Sign, ...]
    seen: tuple[tuple[UUID, Sign], ...]
    """Open ones that were looked at: their value now."""
    cleared: tuple[UUID, ...]


def decide(open_: Mapping[Key, UUID], signs: Iterable[Sign]) -> Decision:
    """Say which alarms to raise and which to clear."""
    raised: dict[Key, Sign] = {}
    seen, cleared = [], []
    for sign in signs:
        known = open_.get(sign.key)
        if known is None:
            if sign.level is Level.BAD:
                raised[sign.key] = sign
        elif sign.level is Level.GOOD:
            cleared.append(known)
        else:
            seen.append((known, sign))
    return Decision(tuple(raised.values()), tuple(seen), tuple(cleared))


@dataclass(frozen=True, slots=True)
class Heard:
    """How a signal's reporter does."""

    signal: str
    subject: str
    added_at: datetime
    heard_at: datetime | None
    refused_at: datetime | None
    refused_reason: str | None


def of_reporters(heard: Iterable[Heard], now: datetime) -> list[Sign]:
    """Look at controllers that say nothing, or whose clock is ahead."""
    found = []
    for each in heard:
        since_at = each.heard_at or each.added_at
        quiet = now - since_at
        level = Level.BETWEEN
        if quiet >= SILENT_AFTER:
            level = Level.BAD
        elif each.heard_at is not None and quiet <= HEARD_WITHIN:
            level = Level.GOOD
        facts = {"device": each.subject}
        minutes, limit = quiet.total_seconds() / 60, SILENT_AFTER.total_seconds() / 60
        found.append(
            Sign(
                each.signal,
                Code.CONTROLLER_SILENT,
                each.subject,
                level,
                minutes,
                limit,
                since_at,
                facts,
            )
        )
        refused_at = each.refused_at
        ahead = each.refused_reason == "future" and refused_at is not None
        recent = refused_at is not None and now - refused_at <= REFUSED_WITHIN
        found.append(
            Sign(
                each.signal,
                Code.CLOCK_AHEAD,
                each.subject,
                Level.BAD if ahead and recent else Level.GOOD,
                0.0,
                2.0,
                refused_at or now,
                facts,
            )
        )
    return found


def of_detectors(
    bins: Mapping[tuple[str, int], Sequence[DetectorBin]], phases: Mapping[tuple[str, int], str]
) -> list[Sign]:
    """Look at detectors by their last bins, each in order of time.

    Parameters
    ----------
    bins : Mapping
        By signal and channel.
    phases : Mapping
        What the detector serves, in words, by signal and channel.
    """
    found = []
    for (signal, channel), rows in bins.items():
        last = rows[-1]
        before = rows[-2] if len(rows) > 1 else None
        for state, code in _DETECTOR.items():
            level = Level.BETWEEN
            if last.state is state:
                level = Level.BAD
            elif (
                last.state is not State.UNKNOWN
                and before is not None
                and before.state
                not in {
                    state,
                    State.UNKNOWN,
                }
            ):
                level = Level.GOOD
            since_at = {
                State.STUCK: last.held_since,
                State.SILENT: last.idle_since,
            }.get(state) or last.from_at
            end_at = last.from_at + BIN
            facts = {"serves": phases.get((signal, channel), "")}
            if last.imputed is not None and last.source is not None:
                facts |= {"imputed": f"{last.imputed:.0f}", "source": last.source.value}
            value = (end_at - since_at).total_seconds() / 60
            if state is State.CHATTERING:
                value = float(last.vehicles or 0)
            found.append(Sign(signal, code, str(channel), level, value, 0.0, since_at, facts))
    return found


@dataclass(frozen=True, slots=True)
class PhaseQuarter:
    """A phase over the last quarter of an hour."""

    signal: str
    phase: int
    from_at: datetime
    cycles: int
    failures: int
    evidence: Level
    """Of its detectors at the stop line: good where they can be believed, bad where one is known to
    be broken, between where it is not known, or held so long that it may be stuck."""
    name: str = ""


def evidence(rows: Iterable[Sequence[DetectorBin]], from_at: datetime) -> Level:
    """Say what a phase's detectors at the stop line are worth over a span that began then."""
    level = Level.GOOD
    for bins in rows:
        last = bins[-1] if bins else None
        if last is None or last.state is State.UNKNOWN:
            level = Level.BETWEEN
        elif last.state is not State.OK:
            return Level.BAD
        elif last.held_since is not None and last.held_since <= from_at:
            level = Level.BETWEEN
    return level


def of_phases(quarters: Iterable[PhaseQuarter]) -> list[Sign]:
    """Look at greens that were too short."""
    found = []
    for each in quarters:
        share = each.failures / each.cycles if each.cycles else 0.0
        level = Level.BETWEEN
        if each.evidence is Level.BAD:
            # What was said by a detector that turned out to be broken is taken back.
            level = Level.GOOD
        elif each.evidence is Level.GOOD and each.cycles >= LEAST_CYCLES and share >= FAILING:
            level = Level.BAD
        elif each.evidence is Level.GOOD and share < RECOVERED:
            level = Level.GOOD
        facts = {
            "cycles": str(each.cycles),
            "failures": str(each.failures),
            "phase_name": each.name,
        }
        found.append(
            Sign(
                each.signal,
                Code.SPLIT_FAILURES,
                str(each.phase),
                level,
                share,
                FAILING,
                each.from_at,
                facts,
            )
        )
    return found


def of_queues(
    bins: Mapping[tuple[str, int], Sequence[DetectorBin]],
    upstream: Collection[tuple[str, int]],
    phases: Mapping[tuple[str, int], str],
) -> list[Sign]:
    """Look at detectors upstream that vehicles stand on: the queue has reached them."""
    found = []
    for key in upstream:
        rows = bins.get(key, ())
        if len(rows) < 2:  # noqa: PLR2004 - one bin is a moment
            continue
        two = rows[-2:]
        length_s = BIN.total_seconds()
        shares = [(each.occupied_s or 0.0) / length_s for each in two]
        moving = sum(each.vehicles or 0 for each in two) > 0
        level = Level.BETWEEN
        if all(each.state is State.OK for each in two):
            if min(shares) >= BLOCKED and moving:
                level = Level.BAD
            elif max(shares) <= FLOWING:
                level = Level.GOOD
        found.append(
            Sign(
                key[0],
                Code.SPILL_BACK,
                str(key[1]),
                level,
                min(shares),
                BLOCKED,
                two[0].from_at,
                {"serves": phases.get(key, "")},
            )
        )
    return found


def of_flashing(last: Mapping[str, tuple[datetime, int]]) -> list[Sign]:
    """Look at what signals said last of flashing: when, and the status."""
    return [
        Sign(
            signal,
            Code.FLASHING,
            "",
            Level.GOOD if status == NOT_FLASHING else Level.BAD,
            float(status),
            float(NOT_FLASHING),
            at,
        )
        for signal, (at, status) in last.items()
    ]


FAILED_ACTS: Final = frozenset(
    {"not_sent", "refused", "unconfirmed", "reverted", "flashing", "unknown"}
)


@dataclass(frozen=True, slots=True)
class SentPlan:
    """What became of the last plan sent to a signal's cabinet."""

    signal: str
    status: str
    at: datetime
    last_step: str


def of_plans(sent: Iterable[SentPlan]) -> list[Sign]:
    """Look at plans that cabinets did not take."""
    found = []
    for each in sent:
        level = Level.BETWEEN
        if each.status in FAILED_ACTS:
            level = Level.BAD
        elif each.status == "active":
            level = Level.GOOD
        facts = {"status": each.status, "step": each.last_step}
        found.append(Sign(each.signal, Code.PLAN_NOT_TAKEN, "", level, 0.0, 0.0, each.at, facts))
    return found


def of_cabinets(looks: Iterable[tuple[str, datetime, Inspection]]) -> list[Sign]:
    """Look at what cabinets said of themselves: signal, when, and what.

    What a cabinet does not tell is no sign at all.
    """
    found = []
    for signal, at, told in looks:
        for code, wrong in (
            (Code.LAMP_FAULT, told.lamps),
            (Code.DOOR_OPEN, told.doors),
            (Code.CABINET_FAULT, told.others),
        ):
            if wrong is not None:
                level = Level.BAD if wrong else Level.GOOD
                facts = {"told": " ".join(wrong)}
                found.append(Sign(signal, code, "", level, float(len(wrong)), 0.0, at, facts))
        if told.clock_ahead_s is not None:
            off_s = abs(told.clock_ahead_s)
            level = Level.BAD if off_s >= CLOCK_OFF_S else Level.BETWEEN
            if off_s <= CLOCK_RIGHT_S:
                level = Level.GOOD
            found.append(
                Sign(signal, Code.CLOCK_OFF, "", level, told.clock_ahead_s, CLOCK_OFF_S, at)
            )
    return found
