"""From a bay's new memory to what the live store writes and everybody is told."""

from typing import Final

import orjson

from parking.adapters.fold_link import LiveWrite
from parking.rules.occupancy.history import FREE
from parking.rules.occupancy.memory import Folded, Memory, Shown, judged
from parking.rules.occupancy.stored import STATE_NAMES, Place, pack

SURE_STEP: Final = 100
"""Per mille by which `sure` has to move to be told as a change by itself."""


class KnownBay:
    """What the folding process remembers of a bay; the live store holds the same.

    Parameters
    ----------
    memory
        Of folding.
    visible
        The state as the live store shows it; None where it does not know the bay.
    place
        Where the live store has it; None likewise.
    """

    __slots__ = ("memory", "place", "shown")

    def __init__(self, memory: Memory, visible: Shown | None, place: Place | None) -> None:
        self.memory = memory
        self.shown = visible
        self.place = place


def publish(
    bay: str,
    known: KnownBay,
    place: Place,
    folded: Folded,
    *,
    now_ms: int,
    write: LiveWrite,
    tell: bool = True,
) -> None:
    """Remember a bay's new memory, and add what it changes to the write.

    Parameters
    ----------
    bay
        Identifier in hexadecimal.
    known
        What was known; afterwards what is.
    place
        Where the bay lies now.
    folded
        Its memory now, and what became of its history.
    now_ms
        Instant that the state is shown for.
    write
        Takes what changes.
    tell
        Whether a change of what is shown is news; an edit of the history always is.
    """
    memory, edit = folded.memory, folded.edit
    visible, due = judged(memory, now_ms)
    before, lay = known.shown, known.place
    known.memory, known.shown, known.place = memory, visible, place
    write.bays += (bay, pack(memory, visible, place))
    state, since_ms, sure, heard_ms, provisional = visible
    facility = place.facility
    if write.heard.get(facility, 0) < heard_ms:
        write.heard[facility] = heard_ms
    if due is not None:
        write.due += (due, bay)
    if before is None or lay is None:
        write.count(facility, state, 1)
        if state == FREE:
            write.freed += (place.longitude, place.latitude, bay)
    elif before.state != state or lay != place:
        write.count(lay.facility, before.state, -1)
        write.count(facility, state, 1)
        if state == FREE:
            write.freed += (place.longitude, place.latitude, bay)
        elif before.state == FREE:
            write.taken.append(bay)
        if due is None:
            write.settled.append(bay)
    if edit is None and (
        not tell
        or (
            before is not None
            and before.state == state
            and before.since_ms == since_ms
            and before.provisional == provisional
            and abs(before.sure - sure) < SURE_STEP
        )
    ):
        return
    from_ms, changes = edit or (None, ())
    write.changes.append(
        orjson.dumps(
            (
                bay,
                *place,
                from_ms,
                [(STATE_NAMES[each[0]], *each[1:4], each[4] or None) for each in changes],
                (STATE_NAMES[state], since_ms, sure, heard_ms, provisional),
            )
        )
    )
