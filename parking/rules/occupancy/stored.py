"""A bay's live entry: what everybody reads first, then the folding memory, as one JSON array.

```
[state, since_ms, sure, heard_ms, provisional, device, facility, longitude, latitude,
 settle_ms, fresh_until_ms, silent, floor_ms, devices, sources, base, log]
```

Integers and text only beside the position. The rest refers to devices by index: 0 is `device`,
from 1 on `devices`; `sources` is `[device, session, stale_after_ms]`. What follows from `base` and
`log` is not stored but stepped through again on reading: a few observations, and no second truth.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from parking.rules.occupancy.history import STATES, UNKNOWN, BayState, Change
from parking.rules.occupancy.machine import BLANK, Candidate, Core, Said, tail
from parking.rules.occupancy.memory import Memory, Shown, run
from parking.rules.occupancy.observations import NO_COUNTER, Observation
from parking.rules.occupancy.policy import FoldingPolicy

Packed: TypeAlias = list[Any]
"""JSON values; their meaning follows from their place, as said above."""

STATE_CODES: Final = {state.value: code for code, state in enumerate(STATES)}
_NOBODY: Final = -1


class Place(NamedTuple):
    """Where a bay lies, as far as the live store says it."""

    facility: str
    """Identifier in hexadecimal."""
    longitude: float
    latitude: float


class LiveBay(NamedTuple):
    """A live entry's front part, read without its memory."""

    state: BayState
    since_ms: int
    sure: int
    heard_ms: int
    provisional: bool
    device: str
    """Hexadecimal; empty where none ever spoke."""
    place: Place


def pack(memory: Memory, seen: Shown, place: Place) -> Packed:
    """Give the live entry of a bay. Cost grows with the log alone."""
    core = memory.current
    speaker = core.said.device if core.said else ""
    devices: dict[str, int] = {"": _NOBODY}
    if speaker:
        devices[speaker] = 0
    sources: dict[tuple[str, str, int], int] = {}
    log = []
    for at, session, counter, message, device, part, said, strength, *claim, stale in memory.log:
        source = sources.setdefault((device, session, stale), len(sources))
        name = message or None if counter == NO_COUNTER else counter
        entry = [source, at, name, said, strength]
        if part or claim[0]:
            entry += (part, *claim)
        log.append(entry)
    base = 0 if memory.base is BLANK else _pack_core(memory.base, devices)
    packed_sources = [
        (_index(device, devices), session, stale) for device, session, stale in sources
    ]
    return [
        STATES[seen.state].value,
        seen.since_ms,
        seen.sure,
        seen.heard_ms,
        seen.provisional,
        speaker,
        *place,
        core.settle_ms if core.former else 0,
        core.fresh_until_ms,
        int(memory.silent),
        memory.floor_ms,
        list(devices)[2 if speaker else 1 :],
        packed_sources,
        base,
        log,
    ]


def unpack(packed: Sequence[Any], policy: FoldingPolicy) -> tuple[Memory, Shown, Place]:
    """Read what `pack` gave.

    Raises
    ------
    ValueError, IndexError, TypeError, KeyError
        On anything else.
    """
    state, since, sure, heard, provisional, speaker, *place = packed[:9]
    silent, floor_ms, devices, packed_sources, packed_base, packed_log = packed[11:]
    # The empty one is last, so that index -1 reads as nobody.
    devices = [speaker, *devices, ""] if speaker else [*devices, ""]
    sources = [(devices[device], session, stale) for device, session, stale in packed_sources]
    log = []
    for source, at, name, said, strength, *more in packed_log:
        device, session, stale = sources[source]
        part, *claim = more or (0, UNKNOWN, 0, 0)
        counter, message = (name, "") if isinstance(name, int) else (NO_COUNTER, name or "")
        fields: Packed = [at, session, counter, message, device, part, said, strength]
        log.append(Observation._make([*fields, *claim, stale]))
    base = _unpack_core(packed_base, devices) if packed_base else BLANK
    current = run(base, log, policy, tail(base))
    return (
        Memory(base, tuple(log), current, floor_ms, bool(silent)),
        Shown(STATE_CODES[state], since, sure, heard, provisional),
        Place(*place),
    )


def read_front(packed: Sequence[Any], now_ms: int) -> LiveBay:
    """Read a live entry as it stands at `now_ms`, without its memory.

    Silence that nobody has swept up yet already counts, so that a stopped worker never leaves a
    bay 'free'.
    """
    state, since, sure, heard, provisional, device, *place, settle, fresh_until = packed[:11]
    if state != BayState.UNKNOWN and now_ms >= fresh_until:
        state, since, sure, provisional = BayState.UNKNOWN, fresh_until, 0, False
    return LiveBay(
        BayState(state),
        since,
        sure,
        heard,
        bool(provisional and now_ms < settle),
        device,
        Place(*place),
    )


def _index(device: str, devices: dict[str, int]) -> int:
    return devices.setdefault(device, len(devices) - 1)


def _pack_change(change: Change, devices: dict[str, int]) -> Packed:
    return [*change[:4], _index(change.device, devices)]


def _pack_core(core: Core, devices: dict[str, int]) -> Packed:
    former = core.former
    return [
        _pack_change(core.change, devices),
        core.sure,
        core.heard_ms,
        core.fresh_until_ms,
        core.settle_ms,
        core.before_ms,
        [_pack_change(former[0], devices), former[1]] if former else 0,
        [*core.candidate[:4], _index(core.candidate.device, devices)] if core.candidate else 0,
        *(
            [_index(said.device, devices), *said[1:]]
            for said in ((core.said, *core.others) if core.said else ())
        ),
    ]


def _unpack_core(packed: Packed, devices: Sequence[str]) -> Core:
    change, sure, heard, fresh, settle, before, former, candidate, *packed_words = packed
    words = tuple(Said(devices[who], *what) for who, *what in packed_words)
    return Core(
        _unpack_change(change, devices),
        sure,
        heard,
        fresh,
        settle,
        before,
        (_unpack_change(former[0], devices), former[1]) if former else None,
        Candidate._make((*candidate[:4], devices[candidate[4]])) if candidate else None,
        words[0] if words else None,
        words[1:],
    )


def _unpack_change(packed: Packed, devices: Sequence[str]) -> Change:
    return Change._make((*packed[:4], devices[packed[4]]))
