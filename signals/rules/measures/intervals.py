"""The timeline: what lasted from when to when, and whether its duration can be trusted."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from signals.rules.measures.events import (
    DETECTOR_OFF,
    DETECTOR_ON,
    SECOND_US,
    Bools,
    Events,
    Ints,
    Table,
    coded,
    milliseconds,
    names,
    stamps,
)
from signals.rules.measures.interval_kinds import (
    ALARM_BITS,
    FAULT_ENDED,
    FAULTS,
    FLASH,
    FLASHES,
    INSTANTS,
    OVERLAPS,
    PAIRS,
    TOGGLES,
    TRANSITION,
    TRANSITIONS,
    UNIT_ALARM,
    WITHOUT_VALUE,
    Pair,
)
from signals.rules.measures.settings import Settings
from signals.rules.measures.trust import in_doubt, over_gaps

INSTANT_CODES = tuple(INSTANTS.values())
WAIT = "Phase Wait"
PED_DELAY = "Ped Delay"
CALL, CALL_DROPPED, GREEN_BEGIN, GREEN_END = 43, 44, 1, 7
PRESS, WALK, CLEARANCE = 90, 21, 22


@dataclass(frozen=True)
class Intervals:
    """Intervals: columns of one length, sorted by device, start and kind.

    ``value`` is a phase, overlap, detector or setting, -1 where the kind has none; ``kind`` a
    position in ``kinds``.
    """

    device: Ints
    start_us: Ints
    end_us: Ints
    value: Ints
    kind: Ints
    sure: Bools
    kinds: tuple[str, ...]

    def of(self, kind: str, *, sure: bool = True) -> "Intervals":
        """Give those of a kind; by default those that can be trusted."""
        number = self.kinds.index(kind) if kind in self.kinds else -1
        return self.where((self.kind == number) & (self.sure | (not sure)))

    def where(self, chosen: Bools | Ints) -> "Intervals":
        """Give some, in their order."""
        return Intervals(
            self.device[chosen],
            self.start_us[chosen],
            self.end_us[chosen],
            self.value[chosen],
            self.kind[chosen],
            self.sure[chosen],
            self.kinds,
        )

    @property
    def seconds(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """How long each lasted, in seconds to the millisecond."""
        return milliseconds(self.start_us, self.end_us) / 1000


Piece = tuple[str, Ints, Ints, Ints, Ints, Bools]
"""Kind, device, value, start, end (-1: none), whether sure."""


def following(events: Events, same: Bools) -> tuple[Ints, Ints]:
    """Give the instant and code of the next event, -1 where ``same`` says it is another's."""
    at_us = np.append(np.where(same, events.at_us[1:], -1), [-1])[: len(events)]
    code = np.append(np.where(same, events.code[1:], -1), [-1])[: len(events)]
    return at_us, code


def intervals(events: Events, settings: Settings) -> Intervals:
    """Pair events to intervals; those without an end and the shortest are left out.

    Cost grows as sorting the events does.
    """
    # Detectors' events are most of a file, and no interval is made of them.
    sorted_events = events.where(~coded(events.code, (DETECTOR_OFF, DETECTOR_ON))).by_channel()
    pieces: list[Piece] = []
    for kind, pair in PAIRS.items():
        pieces += paired(sorted_events, kind, pair)
    pieces += _toggles(events)
    pieces += _instants(events, settings)
    pieces += _transitions(events)
    pieces += _adjustments(sorted_events)
    pieces += _faults(sorted_events)
    pieces += _walks_waited_for(sorted_events)
    pieces += _overlaps(sorted_events)
    pieces += _alarms(events, settings)
    pieces += _waits(sorted_events)
    found = _joined(pieces)
    found = found.where(found.end_us >= 0)
    instants = [number for number, kind in enumerate(found.kinds) if kind in INSTANTS]
    exempt = np.isin(found.kind, instants)
    doubt = in_doubt(events, settings, found.device, found.start_us, found.end_us)
    sure = found.sure & ~(doubt & ~exempt)
    sure &= ~over_gaps(events, settings, found.device, found.start_us, found.end_us)
    found = Intervals(
        found.device, found.start_us, found.end_us, found.value, found.kind, sure, found.kinds
    )
    # As the peer's: a duration is a 32-bit number, held against a decimal one.
    return found.where(found.seconds >= settings.min_duration_s)


def _joined(pieces: list[Piece]) -> Intervals:
    kinds = tuple(sorted({piece[0] for piece in pieces}))
    numbers = [np.full(len(piece[1]), kinds.index(piece[0]), dtype=np.int64) for piece in pieces]
    kind = np.concatenate(numbers)
    device, value, start, end = (
        np.concatenate([piece[column] for piece in pieces]) for column in (1, 2, 3, 4)
    )
    sure = np.concatenate([piece[5] for piece in pieces])
    order = np.lexsort((value, kind, start, device))
    return Intervals(
        device[order], start[order], end[order], value[order], kind[order], sure[order], kinds
    )


def paired(sorted_events: Events, kind: str, pair: Pair) -> Iterator[Piece]:
    """Give the intervals of a kind, from events sorted by channel."""
    some = sorted_events.of(pair.start, pair.end)
    end_us, after = following(some, np.diff(some.channel) == 0)
    start = some.code == pair.start
    sure = start & (after == pair.end)
    if pair.most_s is not None:
        sure &= milliseconds(some.at_us, end_us) <= 1000 * pair.most_s
    kept = start | (after == pair.end) if pair.keeps_ends else start
    yield (
        kind,
        some.device[kept],
        some.parameter[kept],
        some.at_us[kept],
        end_us[kept],
        sure[kept],
    )


def broken(sorted_events: Events, pair: Pair) -> tuple[Ints, Ints, Ints]:
    """Give (device, start, end) of what a pair leaves unsure: repeated or too long."""
    some = sorted_events.of(pair.start, pair.end)
    end_us, after = following(some, np.diff(some.channel) == 0)
    start = some.code == pair.start
    sure = start & (after == pair.end)
    if pair.most_s is not None:
        sure &= milliseconds(some.at_us, end_us) <= 1000 * pair.most_s
    kept = (start | (after == pair.end)) & ~sure & (end_us >= 0)
    return some.device[kept], some.at_us[kept], end_us[kept]


def _toggles(events: Events) -> Iterator[Piece]:
    for kind, code in TOGGLES.items():
        some = events.of(code)
        same = np.diff(some.device) == 0
        end_us, _ = following(some, same)
        then = np.append(np.where(same, some.parameter[1:], -1), [-1])[: len(some)]
        on = some.parameter == 1
        kept = on | (some.parameter == 0) & (then == 0)
        yield (
            kind,
            some.device[kept],
            some.parameter[kept],
            some.at_us[kept],
            end_us[kept],
            (on & (then == 0))[kept],
        )


def _instants(events: Events, settings: Settings) -> Iterator[Piece]:
    for kind, code in INSTANTS.items():
        some = events.of(code)
        value = np.full(len(some), -1, dtype=np.int64) if kind in WITHOUT_VALUE else some.parameter
        end_us = some.at_us + round(settings.cushion_s * SECOND_US)
        yield kind, some.device, value, some.at_us, end_us, np.ones(len(some), dtype=np.bool_)


def _transitions(events: Events) -> Iterator[Piece]:
    some = events.of(TRANSITION)
    some = some.where(some.parameter <= max(TRANSITIONS))
    some = some.where(np.lexsort((-some.parameter, some.at_us, some.device)))
    end_us, _ = following(some, np.diff(some.device) == 0)
    for value, kind in TRANSITIONS.items():
        kept = some.parameter == value
        none = np.full(int(kept.sum()), -1, dtype=np.int64)
        yield kind, some.device[kept], none, some.at_us[kept], end_us[kept], none < 0


def _adjustments(sorted_events: Events) -> Iterator[Piece]:
    some = sorted_events.of(113, 114, 115)
    end_us, _ = following(some, np.diff(some.channel) == 0)
    kept = some.code != 115  # noqa: PLR2004 - check-out
    sure = np.ones(int(kept.sum()), dtype=np.bool_)
    yield (
        "TSP Adjustment",
        some.device[kept],
        some.parameter[kept],
        some.at_us[kept],
        end_us[kept],
        sure,
    )


def _faults(sorted_events: Events) -> Iterator[Piece]:
    some = sorted_events.of(FAULT_ENDED, *FAULTS)
    end_us, after = following(some, np.diff(some.channel) == 0)
    for code, kind in FAULTS.items():
        kept = some.code == code
        value = some.parameter[kept]
        if kind in WITHOUT_VALUE:
            value = np.full(len(value), -1, dtype=np.int64)
        sure = after[kept] == FAULT_ENDED
        yield kind, some.device[kept], value, some.at_us[kept], end_us[kept], sure


def _walks_waited_for(sorted_events: Events) -> Iterator[Piece]:
    some = sorted_events.of(WALK, CLEARANCE, PRESS)
    place = np.arange(len(some))
    walk = some.code != PRESS
    # The next walk or clearance: the first such place after each.
    places = place[walk]
    after = np.searchsorted(places, place, "right")
    walk_at = np.full(len(some), -1, dtype=np.int64)
    inside = after < len(places)
    following_place = places[after[inside]]
    same = some.channel[following_place] == some.channel[inside]
    walk_at[inside] = np.where(same, some.at_us[following_place], -1)
    before = np.concatenate(([-1], np.where(np.diff(some.channel) == 0, some.code[:-1], -1)))
    before = before[: len(some)]
    kept = (some.code == PRESS) & ((before == CLEARANCE) | (before == -1))
    sure = np.ones(int(kept.sum()), dtype=np.bool_)
    yield (
        PED_DELAY,
        some.device[kept],
        some.parameter[kept],
        some.at_us[kept],
        walk_at[kept],
        sure,
    )


def _overlaps(sorted_events: Events) -> Iterator[Piece]:
    some = sorted_events.of(61, 62, 63, 64, 65, 66)
    end_us, after = following(some, np.diff(some.channel) == 0)
    says_off = np.isin(some.channel, np.unique(some.channel[some.code == 65]))  # noqa: PLR2004 - a code by its number
    sure_by_code = {
        61: (after != 61) & (after >= 0),  # noqa: PLR2004 - green after green
        62: (after != 62) & (after >= 0),  # noqa: PLR2004 - trailing green after itself
        63: np.ones(len(some), dtype=np.bool_),
        64: (after == 65) | (after == 61) & ~says_off,  # noqa: PLR2004 - dark, or green
    }
    for code, kind in OVERLAPS.items():
        kept = some.code == code
        sure = sure_by_code[code][kept]
        yield (kind, some.device[kept], some.parameter[kept], some.at_us[kept], end_us[kept], sure)


def _alarms(events: Events, settings: Settings) -> Iterator[Piece]:
    for code in (FLASH, UNIT_ALARM):
        some = events.of(code)
        some = some.where(np.lexsort((-some.parameter, some.at_us, some.device)))
        end_us, _ = following(some, np.diff(some.device) == 0)
        end_us = np.where(end_us < 0, some.at_us + round(settings.cushion_s * SECOND_US), end_us)
        for value, kind in (FLASHES if code == FLASH else ALARM_BITS).items():
            kept = some.parameter == value if code == FLASH else (some.parameter & value) > 0
            none = np.full(int(kept.sum()), -1, dtype=np.int64)
            yield kind, some.device[kept], none, some.at_us[kept], end_us[kept], none < 0


def _waits(sorted_events: Events) -> Iterator[Piece]:
    """Give how long a called phase waited for green.

    From a call to the green that follows, or from a green's end to the next where the call stayed.
    """
    some = sorted_events.of(CALL, CALL_DROPPED, GREEN_BEGIN, GREEN_END)
    end_us, after = following(some, np.diff(some.channel) == 0)
    index = np.arange(len(some))
    said = (some.code == CALL) | (some.code == CALL_DROPPED)
    last = np.maximum.accumulate(np.where(said, index, -1)) if len(some) else index
    own = (last >= 0) & (some.channel[np.maximum(last, 0)] == some.channel)
    active = own & (some.code[np.maximum(last, 0)] == CALL)
    kept = (after == GREEN_BEGIN) & ((some.code == CALL) | (some.code == GREEN_END) & active)
    device, value = some.device[kept], some.parameter[kept]
    start, end = some.at_us[kept], end_us[kept]
    calls = next(paired(sorted_events, WAIT, Pair(CALL, CALL_DROPPED, keeps_ends=True)))
    sure = _under_sure_calls(device, value, start, calls)
    for kind in ("Green", "Yellow", "Red"):
        sure &= ~_overlapping(device, start, end, broken(sorted_events, PAIRS[kind]))
    yield WAIT, device, value, start, end, sure


def _under_sure_calls(device: Ints, value: Ints, start: Ints, calls: Piece) -> Bools:
    """Say which waits began while no unsure call stood."""
    _, call_device, call_value, call_start, call_end, call_sure = calls
    key, call_key = device * (1 << 15) + value, call_device * (1 << 15) + call_value
    # Calls are sorted by channel and time, and follow each other: the last one before counts.
    place = _last_at_or_before(call_key, call_start, key, start)
    found = place >= 0
    within = found & (start < call_end[place]) if len(call_key) else found
    return ~within | call_sure[place] if len(call_key) else np.ones(len(start), dtype=np.bool_)


def _last_at_or_before(keys: Ints, at: Ints, wanted: Ints, when: Ints) -> Ints:
    """Give the last place with a key at or before an instant, among places sorted by both."""
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    origin = min(int(at.min()), int(when.min())) if len(when) else int(at.min())
    highest = max(int(at.max()), int(when.max())) if len(when) else int(at.max())
    known, rank = np.unique(np.concatenate((keys, wanted)), return_inverse=True)
    del known
    span = highest - origin + 1
    packed = rank[: len(keys)] * span + (at - origin)
    sought = rank[len(keys) :] * span + (when - origin)
    place = np.searchsorted(packed, sought, "right") - 1
    result: Ints = np.where(
        (place >= 0) & (rank[np.maximum(place, 0)] == rank[len(keys) :]), place, -1
    )
    return result


def _overlapping(device: Ints, start: Ints, end: Ints, others: tuple[Ints, Ints, Ints]) -> Bools:
    """Say which intervals overlap any of the others of their device."""
    other_device, other_start, other_end = others
    order = np.lexsort((other_start, other_device))
    other_device, other_start, other_end = (
        column[order] for column in (other_device, other_start, other_end)
    )
    result = np.zeros(len(start), dtype=np.bool_)
    for each in np.unique(other_device).tolist():
        theirs = other_device == each
        latest = np.maximum.accumulate(other_end[theirs])
        mine = np.flatnonzero(device == each)
        place = np.searchsorted(other_start[theirs], end[mine], "left") - 1
        result[mine] = (place >= 0) & (latest[np.maximum(place, 0)] > start[mine])
    return result


def timeline(events: Events, found: Intervals) -> Table:
    """Give the intervals as a table."""
    kinds = found.kinds
    return {
        "DeviceId": names(events, found.device),
        "StartTime": stamps(found.start_us),
        "EndTime": stamps(found.end_us),
        "Duration": found.seconds,
        "IsValid": found.sure,
        "EventClass": [kinds[each] for each in found.kind.tolist()],
        "EventValue": [None if each < 0 else int(each) for each in found.value.tolist()],
    }
