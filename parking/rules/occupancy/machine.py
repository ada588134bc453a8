"""One bay's state machine: what one more observation, in order, makes of what was known.

`step` is the whole of it. It is given observations in the order of `Observation`'s fields and
never looks at a clock; what silence makes of a bay by now is `memory.shown`'s.
"""

from typing import Final, NamedTuple, TypeAlias

from parking.rules.occupancy.history import (
    FREE,
    NEVER,
    OCCUPIED,
    STALE_KEY,
    SURE_MAX,
    UNKNOWN,
    Change,
    make_change,
    maker,
)
from parking.rules.occupancy.observations import CANNOT_TELL, Observation, observation_key
from parking.rules.occupancy.policy import FoldingPolicy

OTHER_DEVICES: Final = 3
"""Devices beside the last one that spoke whose words are kept; a bay has one, rarely two."""
INFERRED_MARK: Final = "~"
"""Ends the key of a change whose instant a device inferred."""


class Said(NamedTuple):
    """A device's last word."""

    device: str
    at_ms: int
    state: int
    strength: int


class Candidate(NamedTuple):
    """A word against the state that waits for a second one."""

    state: int
    at_ms: int
    strength: int
    key: str
    device: str


Former: TypeAlias = tuple[Change, int]
"""The change before the present one, and `before_ms` as it was then."""


class Core(NamedTuple):
    """What is known of a bay after some observation."""

    change: Change
    """That began the present state."""
    sure: int
    """Now, per mille."""
    heard_ms: int
    """Last word about occupancy; 0 for never."""
    fresh_until_ms: int
    """Silence until here makes the bay unknown."""
    settle_ms: int
    """A contrary word from before here withdraws the present state as a flicker."""
    before_ms: int
    """Nothing inferred may move the present state's beginning to before here."""
    former: Former | None
    """What a withdrawal goes back to; None once the state has settled."""
    candidate: Candidate | None
    said: Said | None
    others: tuple[Said, ...]
    """Last words of the bay's other devices, oldest first."""


make_core = maker(Core)
make_said = maker(Said)

BLANK: Final = Core(NEVER, 0, 0, 0, 0, 0, None, None, None, ())
History: TypeAlias = list[Change]


def tail(core: Core) -> History:
    """Give the end of the history that later steps may still alter: at most two changes."""
    change, former = core.change, core.former
    if former is not None and former[0].at_ms > 0:
        return [former[0], change]
    return [change] if change.at_ms > 0 else []


def step(core: Core, seen: Observation, policy: FoldingPolicy, history: History) -> Core:
    """Fold one observation.

    Parameters
    ----------
    core
        After all observations that sort before it.
    seen
        The observation.
    policy
        Every threshold.
    history
        The changes so far, at least `tail(core)`; altered in place, at its end only.

    Returns
    -------
    Core
        After it. Constant time.
    """
    change, sure, heard, fresh, settle, before, former, candidate, said, others = core
    at, _session, _counter, _message, device, _part, word, strength, claim, _, _, stale_after = seen
    if former is not None and at >= settle and (candidate is None or candidate.at_ms >= settle):
        settle, former = 0, None
    if change.state != UNKNOWN and at > fresh:
        # Silence made the bay unknown before this; whether anybody looked then makes no difference.
        change = Change(UNKNOWN, fresh, 0, STALE_KEY, "")
        history.append(change)
        sure, settle, before, former, candidate = 0, 0, fresh, None, None
    if word == CANNOT_TELL:
        sure = sure * (SURE_MAX - policy.doubt) // SURE_MAX
        return Core(change, sure, heard, fresh, settle, before, former, candidate, said, others)

    state = OCCUPIED if word else FREE
    if said is not None and said.device != device:
        others = (*(o for o in others if o.device != device), said)[-OTHER_DEVICES:]
    said = make_said((device, at, state, strength))
    fresh = max(fresh, at + stale_after)
    # What nine of ten observations are comes first: one device, sure of itself, inferring nothing.
    if not claim and not others:
        if state == change.state:
            if at >= settle:
                settle, former = 0, None
            return make_core(
                (change, strength, at, fresh, settle, before, former, None, said, others)
            )
        if former is None and candidate is None and strength >= policy.strong_from:
            former = (change, before)
            before = max(heard, change.at_ms)
            change = make_change((state, at, strength, observation_key(seen), device))
            history.append(change)
            settle = at + _dwell(state, policy)
            return make_core(
                (change, strength, at, fresh, settle, before, former, None, said, others)
            )
    known = Core(change, sure, at, fresh, settle, before, former, candidate, said, others)
    if state == change.state:
        return _agree(known, seen, heard, policy, history)
    return _oppose(known, seen, heard, policy, history)


def _agree(
    core: Core, seen: Observation, heard_ms: int, policy: FoldingPolicy, history: History
) -> Core:
    if seen.claim and seen.claim != core.change.state:
        lost = _lost_spell(core, seen, heard_ms, policy, history)
        if lost is not None:
            return _begin(
                lost,
                seen.at_ms,
                policy,
                history,
                strength=seen.strength,
                key=observation_key(seen),
                heard_ms=heard_ms,
            )
    sure = seen.strength if not core.others else _combined(core, seen.strength)
    settled = seen.at_ms >= core.settle_ms
    return core._replace(
        sure=sure,
        candidate=None,
        former=None if settled else core.former,
        settle_ms=0 if settled else core.settle_ms,
    )


def _oppose(
    core: Core, seen: Observation, heard_ms: int, policy: FoldingPolicy, history: History
) -> Core:
    state, candidate = core.said.state if core.said else UNKNOWN, core.candidate
    begin_ms, strength = seen.at_ms, seen.strength
    if (
        candidate is not None
        and candidate.state == state
        and begin_ms - candidate.at_ms <= policy.confirm_ms
    ):
        # Two agree: the state began where the first one spoke. What the second one infers of an
        # earlier time gives way to the first one's real word.
        strength = _either(candidate.strength, strength, policy)
        return _begin(
            core,
            candidate.at_ms,
            policy,
            history,
            strength=strength,
            key=candidate.key,
            heard_ms=heard_ms,
        )
    if strength < policy.strong_from or (core.others and _contested(core, seen, policy)):
        return core._replace(
            sure=core.sure * (SURE_MAX - strength) // SURE_MAX,
            candidate=Candidate(state, begin_ms, strength, observation_key(seen), seen.device),
        )
    key = observation_key(seen)
    if seen.claim:
        if seen.claim == state:
            if max(heard_ms + policy.close_ms, core.change.at_ms) < seen.claim_ms < begin_ms:
                begin_ms, key = seen.claim_ms, key + INFERRED_MARK
        elif core.change.state == UNKNOWN:
            core = _lost_spell(core, seen, heard_ms, policy, history) or core
        else:
            core = _earlier(core, seen, policy, history)
    return _begin(core, begin_ms, policy, history, strength=strength, key=key, heard_ms=heard_ms)


def _begin(
    core: Core,
    at_ms: int,
    policy: FoldingPolicy,
    history: History,
    *,
    strength: int,
    key: str,
    heard_ms: int,
) -> Core:
    """Begin the state that the last word says; within the dwell, withdraw the one before it."""
    said = core.said
    assert said is not None  # noqa: S101 - a word was heard: that is why we are here
    former, before = core.former, core.before_ms
    if former is not None and at_ms < core.settle_ms:
        history.pop()
        if former[0].state == said.state:
            return core._replace(
                change=former[0],
                sure=strength,
                settle_ms=0,
                before_ms=former[1],
                former=None,
                candidate=None,
            )
    else:
        former = (core.change, before)
        before = max(heard_ms, core.change.at_ms)
    change = Change(said.state, at_ms, strength, key, said.device)
    history.append(change)
    return core._replace(
        change=change,
        sure=strength,
        settle_ms=at_ms + _dwell(said.state, policy),
        before_ms=before,
        former=former,
        candidate=None,
    )


def _lost_spell(
    core: Core, seen: Observation, heard_ms: int, policy: FoldingPolicy, history: History
) -> Core | None:
    """Fill in the contrary spell that the device says came before its word, and that was lost.

    Only into silence: no real word may have been heard from `close_ms` before its beginning on.
    """
    earliest_ms = max(heard_ms + policy.close_ms, core.change.at_ms, core.settle_ms)
    if (
        seen.claim_ms <= earliest_ms
        or seen.at_ms - seen.claim_ms < _dwell(seen.claim, policy)
        or (core.said is not None and seen.claim == core.said.state)
    ):
        return None
    spell = Change(
        seen.claim,
        seen.claim_ms,
        seen.claim_strength,
        observation_key(seen) + INFERRED_MARK * 2,
        seen.device,
    )
    history.append(spell)
    return core._replace(
        change=spell, settle_ms=0, before_ms=max(heard_ms, core.change.at_ms), former=None
    )


def _earlier(core: Core, seen: Observation, policy: FoldingPolicy, history: History) -> Core:
    """Move the present state's beginning back to where the device says that it began.

    That is where its own frame was lost and a later one, a heartbeat, told us. Only on a sharp
    claim, and never across a real word.
    """
    if (
        seen.claim_strength < policy.strong_from
        or seen.claim_ms >= core.change.at_ms - policy.close_ms
        or seen.claim_ms <= core.before_ms + policy.close_ms
    ):
        return core
    moved = core.change._replace(at_ms=seen.claim_ms, key=core.change.key + INFERRED_MARK)
    history[-1] = moved
    settle_ms = seen.claim_ms + _dwell(moved.state, policy) if core.settle_ms else 0
    return core._replace(change=moved, settle_ms=settle_ms)


def _dwell(state: int, policy: FoldingPolicy) -> int:
    return policy.minimum_stay_ms if state == OCCUPIED else policy.minimum_gap_ms


def _either(one: int, other: int, policy: FoldingPolicy) -> int:
    """Give how sure two agreeing words make us, as if they erred independently."""
    both = SURE_MAX - (SURE_MAX - one) * (SURE_MAX - other) // SURE_MAX
    return min(both, policy.strength_max)


def _contested(core: Core, seen: Observation, policy: FoldingPolicy) -> bool:
    """Tell whether another device said the contrary as strongly, and only just."""
    return any(
        other.state == core.change.state
        and other.strength >= seen.strength
        and other.at_ms >= core.change.at_ms
        and seen.at_ms - other.at_ms <= policy.contest_ms
        for other in core.others
    )


def _combined(core: Core, strength: int) -> int:
    """Give how sure the bay's devices make us together of the present state.

    Each counts by its last word, if it spoke since the state began: agreeing ones as if they
    erred independently, contrary ones by what their strength leaves.
    """
    wrong, left = SURE_MAX - strength, SURE_MAX
    for other in core.others:
        if other.at_ms >= core.change.at_ms:
            if other.state == core.change.state:
                wrong = wrong * (SURE_MAX - other.strength) // SURE_MAX
            else:
                left = left * (SURE_MAX - other.strength) // SURE_MAX
    return (SURE_MAX - max(wrong, 1)) * left // SURE_MAX
