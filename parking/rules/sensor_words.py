"""What a revision of a bay's stays says about each of them, as evidence to be kept.

The bay's history is rewritten as late frames come in; the evidence of a stay is not. So each
revision is kept as what the sensor said then: an arrival, a departure, and their withdrawal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import JsonValue

from parking.rules.evidence import EvidenceKind
from parking.rules.occupancy.history import SURE_MAX, StateChange
from parking.rules.occupancy.machine import INFERRED_MARK
from parking.rules.stays import BayStay, ClosingReason

UNHEARD: Final = "unheard"
"""Stands for the observation where silence spoke."""


@dataclass(frozen=True, slots=True)
class SensorWord:
    """One thing that a bay's sensor said of one stay."""

    kind: EvidenceKind
    at: datetime
    by: str
    """The observation."""
    certainty: int
    detail: Mapping[str, JsonValue]


def words(
    before: BayStay | None, after: BayStay | None, seen: Mapping[str, StateChange]
) -> tuple[SensorWord, ...]:
    """Say what changed of a stay.

    Parameters
    ----------
    before, after : BayStay or None
        The stay before and after a revision; None where it was not, or is no more.
    seen : Mapping of str to StateChange
        The changes of the bay's history behind the revision, by their observations.
    """
    if after is None:
        if before is None:
            return ()
        return (_word(EvidenceKind.BAY_WITHDRAWN, before.opened_at, before.opened_evidence, seen),)
    said: list[SensorWord] = []
    if before is None or before.opened_at != after.opened_at:
        said.append(_word(EvidenceKind.BAY_ARRIVAL, after.opened_at, after.opened_evidence, seen))
    doubtful_at = after.uncertain_from_at
    if doubtful_at is not None and (before is None or before.uncertain_from_at != doubtful_at):
        certain = after.certain_until_at
        detail = {} if certain is None else {"certain_until": certain.isoformat()}
        said.append(_word(EvidenceKind.BAY_SILENCE, doubtful_at, UNHEARD, seen, detail))
    was_closed_at = None if before is None else before.closed_at
    if after.closed_at is not None and after.closed_at != was_closed_at:
        # By a person's word it ends with evidence of that person's own.
        if after.closed_at != after.ended_at:
            reason = after.closing_reason or ClosingReason.DEPARTURE
            said.append(
                _word(
                    EvidenceKind.BAY_DEPARTURE,
                    after.closed_at,
                    after.closed_evidence or UNHEARD,
                    seen,
                    {"reason": reason.value},
                )
            )
    elif after.closed_at is None and was_closed_at is not None:
        said.append(_word(EvidenceKind.BAY_STILL_TAKEN, was_closed_at, after.opened_evidence, seen))
    return tuple(said)


def _word(
    kind: EvidenceKind,
    at: datetime,
    by: str,
    seen: Mapping[str, StateChange],
    detail: Mapping[str, JsonValue] | None = None,
) -> SensorWord:
    found = seen.get(by) or seen.get(by.rstrip(INFERRED_MARK))
    facts: dict[str, JsonValue] = dict(detail or {})
    if found is not None and found.device_id is not None:
        facts["device_id"] = str(found.device_id)
    # Taken back or silent: nothing vouches for it, so that nothing is sure.
    certainty = 0 if found is None else min(found.sure, SURE_MAX)
    return SensorWord(kind, at, by, certainty, facts)
