"""A bay's memory from its recorded history and the frames that were archived since.

Refolding the frames of the look-back from the last change before it gives the memory as it was:
late frames then find their place as ever. Where the record holds changes that these frames do not
explain (a device that lay there earlier, frames archived later than their changes were recorded),
the record is believed as it stands and only what came after it is folded.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from parking.rules.occupancy.history import NEVER, UNKNOWN, Change, Edit
from parking.rules.occupancy.machine import BLANK, Core, Said
from parking.rules.occupancy.memory import Folded, Memory, fold
from parking.rules.occupancy.observations import CANNOT_TELL, Observation, identity
from parking.rules.occupancy.policy import FoldingPolicy

LOST_KEY: Final = "lost"
"""Stands for the observation behind a change to `unknown` where evidence may have been lost."""


def recover(
    first: Change,
    newer: Sequence[Change],
    seen: Iterable[Observation],
    policy: FoldingPolicy,
    *,
    stale_after_ms: int,
    now_ms: int,
) -> Folded:
    """Give a bay's memory, and the edit by which its recorded history falls short of it.

    Parameters
    ----------
    first
        Its last recorded change before the look-back; `NEVER` for none.
    newer
        Its recorded changes since, oldest first.
    seen
        Archived observations of its devices, in any order, repeats allowed: those of the
        look-back, and the last ones before.
    stale_after_ms
        Silence that its devices may keep.
    now_ms
        Instant up to which silence counts.
    """
    recorded = [change for change in (first, *newer) if change.at_ms]
    once: dict[tuple[str | int, ...], Observation] = {}
    for one in sorted(seen):
        once.setdefault(identity(one), one)
    for start in (first, recorded[-1] if recorded else NEVER):
        base = _core(start, stale_after_ms)
        if start.state == UNKNOWN:
            base = base._replace(heard_ms=last_word_ms((), _until(once.values(), start.at_ms)))
        after = [one for one in once.values() if one.at_ms > start.at_ms]
        memory = Memory(base, (), base, start.at_ms, silent=False)
        folded = fold(memory, after, policy, now_ms)
        history = [] if start is NEVER or start.at_ms == 0 else [start]
        if folded.edit is not None:
            history = [each for each in history if each.at_ms < folded.edit.from_ms]
            history += folded.edit.changes
        if start is first:
            explained = [each[:2] for each in history[: len(recorded)]]
            if explained == [each[:2] for each in recorded]:
                added = tuple(history[len(recorded) :])
                edit = Edit(added[0].at_ms, added) if added else None
                return folded._replace(edit=edit)
    return folded


def lost(first: Change, newer: Sequence[Change], from_ms: int) -> Folded:
    """Give the memory of a bay of which nothing can be believed any more.

    Parameters
    ----------
    first, newer
        As for `recover`.
    from_ms
        Instant from which it is unknown; frames of later event time are folded as ever, so that
        it has to lie a lateness window back.
    """
    last = newer[-1] if newer else first
    if last.state == UNKNOWN:
        change, edit = last, None
    else:
        change = Change(UNKNOWN, max(from_ms, last.at_ms + 1), 0, LOST_KEY, "")
        edit = Edit(change.at_ms, (change,))
    core = BLANK._replace(
        change=change, heard_ms=0 if last.state == UNKNOWN else last.at_ms, before_ms=change.at_ms
    )
    return Folded(Memory(core, (), core, change.at_ms, silent=False), edit, late=0, twice=0)


def last_word_ms(newer: Sequence[Change], seen: Iterable[Observation]) -> int:
    """Give when a bay's devices were last known to speak of it; 0 for never."""
    told = [one.at_ms for one in seen if one.said != CANNOT_TELL]
    recorded = [change.at_ms for change in newer if change.state != UNKNOWN]
    return max([0, *told, *recorded])


def _until(seen: Iterable[Observation], at_ms: int) -> Iterable[Observation]:
    return (one for one in seen if one.at_ms <= at_ms)


def _core(change: Change, stale_after_ms: int) -> Core:
    """Give what is known of a bay from its recorded change alone."""
    state, at_ms, sure, _, device = change
    if state == UNKNOWN:
        return BLANK if at_ms == 0 else BLANK._replace(change=change, before_ms=at_ms)
    return BLANK._replace(
        change=change,
        sure=sure,
        heard_ms=at_ms,
        fresh_until_ms=at_ms + stale_after_ms,
        before_ms=at_ms,
        said=Said(device, at_ms, state, sure) if device else None,
    )
