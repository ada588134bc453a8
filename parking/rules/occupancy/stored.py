"""A bay's live entry: what everybody reads first, then the folding memory, as one JSON array.

```
[state, since_ms, sure, heard_ms, provisional, device, facility, longitude, latitude,
 settle_ms, fresh_until_ms, silent, floor_ms, base, log]
```

Integers and text only beside the position. `base` is a `Core` and `log` a list of `Observation`s,
field by field; where their text would be `device`, they hold 0, which is what it is in nearly
every place. What follows from `base` and `log` is not stored but stepped through again on reading:
a few observations, and no second truth.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

from parking.rules.occupancy.history import STATES, UNKNOWN, BayState, Change
from parking.rules.occupancy.machine import BLANK, Candidate, Core, Said, tail
from parking.rules.occupancy.memory import Memory, Shown, run
from parking.rules.occupancy.observations import Observation
from parking.rules.occupancy.policy import FoldingPolicy

Packed: TypeAlias = Sequence[Any]
"""JSON values; their meaning follows from their place, as said above."""

STATE_CODES: Final = {state.value: code for code, state in enumerate(STATES)}
STATE_NAMES: Final = tuple(state.value for state in STATES)


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


def pack(memory: Memory, seen: Shown, place: Place) -> bytes:
    """Give the live entry of a bay. Cost grows with the log alone."""
    base, log, core, floor_ms, silent = memory
    state, since_ms, sure, heard_ms, provisional = seen
    device = core.said.device if core.said else ""
    settle_ms = core.settle_ms if core.former else 0
    packed = orjson.dumps(
        (
            STATE_NAMES[state],
            since_ms,
            sure,
            heard_ms,
            provisional,
            device,
            *place,
            settle_ms,
            core.fresh_until_ms,
            silent,
            floor_ms,
            None if base is BLANK else base,
            log,
        ),
        default=tuple,
    )
    named = b'"%b"' % device.encode()
    front, _, rest = packed.partition(named)
    return b"".join((front, named, rest.replace(named, b"0")))


def unpack(packed: Packed, policy: FoldingPolicy) -> tuple[Memory, Shown, Place]:
    """Read what `pack` gave, parsed.

    Raises
    ------
    ValueError, IndexError, TypeError, KeyError
        On anything else.
    """
    state, since, sure, heard, provisional, device, *place = packed[:9]
    silent, floor_ms, packed_base, packed_log = packed[11:]
    base = _core(packed_base, device) if packed_base else BLANK
    log = tuple(
        Observation._make(
            (
                at,
                device if session == 0 else session,
                counter,
                device if message == 0 else message,
                device if who == 0 else who,
                *rest,
            )
        )
        for at, session, counter, message, who, *rest in packed_log
    )
    return (
        Memory(base, log, run(base, log, policy, tail(base)), floor_ms, silent),
        Shown(STATE_CODES[state], since, sure, heard, provisional),
        Place(*place),
    )


def read_front(packed: Packed, now_ms: int) -> LiveBay:
    """Read a live entry, parsed, as it stands at `now_ms`, without its memory.

    Silence that nobody has swept up yet already counts, so that a stopped worker never leaves a
    bay 'free'.
    """
    state, since, sure, heard, provisional, device, *place, settle, fresh_until = packed[:11]
    if STATE_CODES[state] != UNKNOWN and now_ms >= fresh_until:
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


def _core(packed: Packed, device: str) -> Core:
    change, *numbers, former, candidate, said, others = packed
    return Core._make(
        (
            Change._make(_keyed(change, device)),
            *numbers,
            former and (Change._make(_keyed(former[0], device)), former[1]),
            candidate and Candidate._make(_keyed(candidate, device)),
            said and _said(said, device),
            tuple(_said(other, device) for other in others),
        )
    )


def _keyed(packed: Packed, device: str) -> Packed:
    """Put the device back into a change or a candidate: both end with a key and a device."""
    *numbers, key, who = packed
    return (*numbers, device if key == 0 else key, device if who == 0 else who)


def _said(packed: Packed, device: str) -> Said:
    who, *rest = packed
    return Said._make((device if who == 0 else who, *rest))
