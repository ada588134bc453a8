"""Folding with a memory: in any order of arrival within the window, the same result.

A bay's memory is what was known at the near edge of the lateness window (`base`), the
observations since then in their order (`log`), and what follows from both (`current`). An
observation that arrives in order costs one step. One that arrives late is put in its place and
the log is stepped through again; the difference to what had been published becomes the edit.
"""

from collections.abc import Sequence
from typing import NamedTuple

from parking.rules.occupancy.history import STALE_KEY, UNKNOWN, Change, Edit, make_edit, maker
from parking.rules.occupancy.machine import BLANK, Core, History, make_core, step, tail
from parking.rules.occupancy.observations import Observation, identity
from parking.rules.occupancy.policy import FoldingPolicy


class Memory(NamedTuple):
    """Everything that folding needs to know of one bay."""

    base: Core
    """After every observation older than the log."""
    log: tuple[Observation, ...]
    """In order; the last one is the newest ever folded."""
    current: Core
    """`base` stepped through `log`."""
    floor_ms: int
    """Nothing from here or earlier can be folded: the log was full. 0 for never."""
    silent: bool
    """Whether the published history ends with `unknown` at `current.fresh_until_ms`."""


EMPTY = Memory(BLANK, (), BLANK, 0, silent=False)


class Shown(NamedTuple):
    """A bay's state at an instant, as everybody may see it."""

    state: int
    since_ms: int
    sure: int
    heard_ms: int
    provisional: bool


class Folded(NamedTuple):
    """What folding some observations gave."""

    memory: Memory
    edit: Edit | None
    """None where the history stays as it was."""
    late: int
    """Observations that came after the window and were not folded."""
    twice: int
    """Observations that were known already."""


_make_memory = maker(Memory)
_make_folded = maker(Folded)
_make_shown = maker(Shown)


def shown(memory: Memory, now_ms: int) -> Shown:
    """Give the bay's state at `now_ms`, from what was heard until then.

    Silence counts by itself: nobody has to have noticed it.
    """
    return judged(memory, now_ms)[0]


def due_ms(memory: Memory, now_ms: int) -> int | None:
    """Give when, after `now_ms`, the bay's state changes if nothing more is heard.

    None where it then never does.
    """
    return judged(memory, now_ms)[1]


def judged(memory: Memory, now_ms: int) -> tuple[Shown, int | None]:
    """Give `shown` and `due_ms` together."""
    change, sure, heard_ms, fresh_until_ms, settle_ms, _, former, _, _, _ = memory.current
    state, since_ms, _, _, _ = change
    if state == UNKNOWN:
        return _make_shown((state, since_ms, sure, heard_ms, False)), None
    if now_ms >= fresh_until_ms:
        return _make_shown((UNKNOWN, fresh_until_ms, 0, heard_ms, False)), None
    if former is not None and now_ms < settle_ms:
        seen = _make_shown((state, since_ms, sure, heard_ms, True))
        return seen, min(settle_ms, fresh_until_ms)
    return _make_shown((state, since_ms, sure, heard_ms, False)), fresh_until_ms


def fold(
    memory: Memory,
    observations: Sequence[Observation],
    policy: FoldingPolicy,
    now_ms: int,
) -> Folded:
    """Fold observations of one bay into its memory.

    Parameters
    ----------
    memory
        `EMPTY` for a bay of which nothing was heard.
    observations
        Sorted. None at all is allowed: then only silence is taken account of.
    policy
        Every threshold.
    now_ms
        Instant up to which silence counts.

    Returns
    -------
    Folded
        For any arrival order, grouping and repetition of the same observations in which none
        arrives more than `policy.lateness_ms` behind the newest one before it, the same memory
        in the end, and edits that add up to the same history.

    Notes
    -----
    In order: constant time per observation. Late ones: once through the log for all of them.
    """
    base, log, core, floor_ms, silent = memory
    history = tail(core)
    before = (*history, _silence(core)) if silent else tuple(history)
    late = twice = 0
    for seen in observations:
        at_ms = seen.at_ms
        if at_ms <= floor_ms:
            late += 1
            continue
        if not log:
            log = (seen,)
        else:
            last = log[-1]
            if at_ms < last.at_ms - policy.lateness_ms:
                late += 1
                continue
            twin = _twin(log, seen)
            if twin is not None and twin <= seen:
                twice += 1
                continue
            if twin is not None or seen < last:
                return _refold(memory, observations, policy, now_ms)
            if last.at_ms < at_ms - policy.lateness_ms:
                # All of the log leaves the window at once: what is known now is its sum.
                base, log = _settled(core, at_ms - policy.lateness_ms), (seen,)
            else:
                log = (*log, seen)
        core = step(core, seen, policy, history)
    if len(log) > 1:
        base, log, floor_ms = _absorb(base, log, floor_ms, policy)
    silent = now_ms >= core.fresh_until_ms and core.change.state != UNKNOWN
    if silent:
        history.append(_silence(core))
    after = _make_memory((base, log, core, floor_ms, silent))
    return _make_folded((after, difference(before, history), late, twice))


def _refold(
    memory: Memory, observations: Sequence[Observation], policy: FoldingPolicy, now_ms: int
) -> Folded:
    """Fold observations of which some belong before others that were folded already."""
    edge_ms = max(memory.log[-1].at_ms - policy.lateness_ms, memory.floor_ms + 1)
    timely = [seen for seen in observations if seen.at_ms >= edge_ms]
    merged: dict[tuple[str | int, ...], Observation] = {}
    for seen in sorted([*memory.log, *timely]):
        # Which of two twins arrived first must not matter: the one that sorts first stands.
        merged.setdefault(identity(seen), seen)
    log = tuple(merged.values())
    history = tail(memory.base)
    published = list(history)
    run(memory.base, memory.log, policy, published)
    if memory.silent:
        published.append(_silence(memory.current))
    core = run(memory.base, log, policy, history)
    silent = now_ms >= core.fresh_until_ms and core.change.state != UNKNOWN
    if silent:
        history.append(_silence(core))
    late = len(observations) - len(timely)
    twice = len(memory.log) + len(timely) - len(log)
    base, log, floor_ms = _absorb(memory.base, log, memory.floor_ms, policy)
    after = Memory(base, log, core, floor_ms, silent)
    return Folded(after, difference(published, history), late, twice)


def run(
    core: Core, observations: Sequence[Observation], policy: FoldingPolicy, history: History
) -> Core:
    """Step through observations in order."""
    for seen in observations:
        core = step(core, seen, policy, history)
    return core


def difference(before: Sequence[Change], after: Sequence[Change]) -> Edit | None:
    """Give the edit that makes one history of another, both sorted by instant."""
    same_for = len(before)
    if not before or len(after) < same_for or after[same_for - 1] is not before[-1]:
        # Not simply gone on: look for where they part.
        same_for = 0
        for one, other in zip(before, after, strict=False):
            if one != other:
                break
            same_for += 1
    if same_for == len(before):
        if same_for == len(after):
            return None
        from_ms = after[same_for].at_ms
    elif same_for == len(after):
        from_ms = before[same_for].at_ms
    else:
        from_ms = min(before[same_for].at_ms, after[same_for].at_ms)
    return make_edit((from_ms, tuple(after[same_for:])))


def _silence(core: Core) -> Change:
    return Change(UNKNOWN, core.fresh_until_ms, 0, STALE_KEY, "")


def _absorb(
    base: Core, log: tuple[Observation, ...], floor_ms: int, policy: FoldingPolicy
) -> tuple[Core, tuple[Observation, ...], int]:
    """Move into the base what has left the window, or has no room in the log."""
    edge_ms = log[-1].at_ms - policy.lateness_ms
    crowd = len(log) - policy.log_limit
    gone = 0
    while gone < len(log) and (log[gone].at_ms < edge_ms or gone < crowd):
        base = step(base, log[gone], policy, tail(base))
        if gone < crowd and log[gone].at_ms >= edge_ms:
            floor_ms = log[gone].at_ms
        gone += 1
    return _settled(base, edge_ms), log[gone:] if gone else log, floor_ms


def _settled(core: Core, edge_ms: int) -> Core:
    """Forget what was before the state, where nothing can come any more that would withdraw it."""
    change, sure, heard, fresh, settle, before, former, candidate, said, others = core
    if former is None or settle > edge_ms or candidate is not None:
        return core
    return make_core((change, sure, heard, fresh, 0, before, None, None, said, others))


def _twin(log: Sequence[Observation], seen: Observation) -> Observation | None:
    counter, device = seen[2], seen[4]
    for known in log:
        if known[2] == counter and known[4] == device and identity(known) == identity(seen):
            return known
    return None
