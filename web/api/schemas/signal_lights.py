"""What a junction shows now."""

from __future__ import annotations

from typing import Literal

from web.api.schemas.base import Instant, Outgoing


class SignalGroupNowOut(Outgoing):
    """One signal group's lamp, and the seconds until it changes, counted from `now`."""

    group: str
    kind: str
    aspect: str | None
    least_s: int | None
    most_s: int | None
    likely_s: int | None


class SignalStageOut(Outgoing):
    """Groups that are green together."""

    stage: int
    groups: list[str]


class SignalLightsOut(Outgoing):
    """What a controller says of itself; null is not known.

    `asked`: its controller is being asked, look again in a second. `least_s` is before which a lamp
    does not change, `most_s` by when it has for sure, `likely_s` when by the plan.
    """

    state: Literal["known", "asked", "silent", "no_cabinet"]
    now: Instant
    at: Instant | None = None
    problem: str | None = None
    control: str | None = None
    plan: int | None = None
    stage: int | None = None
    changing: bool | None = None
    elapsed_s: int | None = None
    remaining_s: int | None = None
    faults: list[str]
    groups: list[SignalGroupNowOut]
    stages: list[SignalStageOut]
    chain: list[int]
