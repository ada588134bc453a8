"""Versions of what is agreed: each holds until a later one of the same kind begins."""

from collections.abc import Hashable, Sequence
from datetime import datetime
from enum import StrEnum


class Standing(StrEnum):
    """How a version stands at an instant."""

    PAST = "past"
    """A later one has begun."""
    IN_FORCE = "in-force"
    TO_COME = "to-come"


def standings(begins: Sequence[tuple[Hashable, datetime]], at: datetime) -> list[Standing]:
    """Say how versions stand at an instant, in their order.

    Parameters
    ----------
    begins : sequence of (key, instant)
        Whose version it is, and when it begins; no two of one key begin at once.
    at : datetime
    """
    latest: dict[Hashable, datetime] = {}
    for key, from_at in begins:
        if from_at <= at:
            latest[key] = max(from_at, latest.get(key, from_at))
    return [
        Standing.TO_COME
        if from_at > at
        else Standing.IN_FORCE
        if latest[key] == from_at
        else Standing.PAST
        for key, from_at in begins
    ]
