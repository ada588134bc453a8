"""Siting checks: what was surveyed around bays, and what the rules say."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Incoming, Latitude, Longitude, Outgoing

FeatureName = Literal[
    "junction",
    "pedestrian_crossing",
    "hydrant",
    "fire_station_gate",
    "bus_stop",
    "emergency_gate",
    "fuel_station",
    "level_crossing",
    "blind_track",
    "vehicle_entrance",
    "manhole",
]
Verdict = Literal["passed", "violated", "unknown"]


class SurveyedIn(Incoming):
    """Something that bays must keep away from."""

    feature: FeatureName
    points: Annotated[
        list[tuple[Longitude, Latitude]],
        Field(
            min_length=1,
            max_length=200,
            description="one, or those of a line; of an outline the last is the first",
        ),
    ]
    name: Annotated[str, Field(max_length=80)] = ""


class SitingCheckIn(Incoming):
    """What was found on the street around a facility."""

    features: Annotated[tuple[SurveyedIn, ...], Field(max_length=300)] = ()
    complete: Annotated[
        tuple[FeatureName, ...],
        Field(max_length=11, description="looked for everywhere: none found is none there"),
    ] = ()
    pavement_width_m: Annotated[
        float | None, Field(gt=0, le=100, description="kerb to building line, of bays on pavements")
    ] = None
    cursor: Annotated[str | None, Field(max_length=200)] = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class SitingFindingOut(Outgoing):
    """What one rule says of one bay."""

    rule: str
    verdict: Verdict
    basis: Annotated[
        Literal["law", "standard", "default"], Field(description="how binding its source is")
    ]
    source: str
    needed_m: float
    found_m: Annotated[float | None, Field(description="null where it is not known")]
    short_m: float
    about: Annotated[str, Field(description="name of the feature that is too near")]


class SitedBayOut(Outgoing):
    """A bay, its worst verdict, and what each rule says of it."""

    bay_id: UUID
    bay_label: str
    verdict: Verdict
    findings: list[SitingFindingOut]


class SitingCheckOut(Outgoing):
    """A page of a facility's bays in use."""

    items: list[SitedBayOut]
    next: str | None
