"""Free bays around a place, and places by their names."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from web.api.schemas.base import (
    Incoming,
    Instant,
    InstantIn,
    Latitude,
    Longitude,
    MoneyOut,
    Names,
    Outgoing,
)
from web.api.schemas.places import BayOut, LimitsOut


class NearestQuery(Incoming):
    """Where and when a free bay is wanted, and for what."""

    longitude: Longitude
    latitude: Latitude
    radius_m: Annotated[int, Field(ge=10, le=5_000)] = 500
    limit: Annotated[int, Field(ge=1, le=50)] = 10
    vehicle: Literal["small", "large", "motorcycle"] = "small"
    energy: Annotated[
        Literal["new"] | None, Field(description="A new-energy car may use charging bays")
    ] = None
    arrive_at: Annotated[
        InstantIn | None, Field(description="Absent: as soon as the drive takes, else now")
    ] = None
    leave_at: Annotated[
        InstantIn | None, Field(description="Absent: only the price of an hour is told")
    ] = None
    from_longitude: Longitude | None = None
    from_latitude: Latitude | None = None
    only: Annotated[
        Literal["charging", "disabled"] | None,
        Field(description="Such bays alone; those for disabled drivers need a right to them"),
    ] = None
    height_m: Annotated[
        float | None,
        Field(gt=0, le=10, description="Of the vehicle; an unstated limit is taken to let it in"),
    ] = None
    walk_at_most_m: Annotated[int | None, Field(ge=10, le=5_000)] = None
    price_at_most_minor: Annotated[
        int | None,
        Field(
            ge=0,
            le=10**9,
            description="Of the stay, else of the first hour, in the tariff's currency; what has"
            " no known price is left out",
        ),
    ] = None
    per_facility: Annotated[
        int | None, Field(ge=1, le=50, description="Most bays of one facility")
    ] = None


class NavigationOut(Outgoing):
    """Links that drive there in the driver's own map app, in that app's coordinates."""

    amap: str
    baidu: str
    apple: str
    google: str


class RestrictionOut(Outgoing):
    """What a stay here has to keep to, as far as it is stated."""

    limits: LimitsOut
    max_stay_min: Annotated[int | None, Field(description="By the rule in force on arrival")]
    ends_at: Annotated[
        Instant | None,
        Field(
            description="From when the bay may not be used, within the stay, or within 24 h of the"
            " arrival without `leave_at`"
        ),
    ]
    why: Literal["closes", "rule", "works"] | None
    reason: Annotated[str, Field(description="The rule's own words")]


class ChanceJudged(Outgoing):
    """How chances told before in this bay's district came true, on days not learnt from."""

    rows: Annotated[int, Field(ge=1, description="Chances that were judged")]
    brier: Annotated[float, Field(description="Mean squared error: 0 is perfect")]
    brier_base: Annotated[float, Field(description="Of always telling the mean")]


class NearBay(Outgoing):
    """A free bay near the destination."""

    bay: BayOut
    facility: Names
    facility_code: str
    facility_kind: str
    restrictions: RestrictionOut
    distance_m: Annotated[int, Field(description="Straight line to the destination")]
    walk_m: int
    walk_s: Annotated[int, Field(description="At 1.2 m/s")]
    drive_s: Annotated[int | None, Field(description="Null without `from_…`")]
    retrieval_s: Annotated[int, Field(description="Wait for a mechanical garage")]
    door_to_door_s: Annotated[int, Field(description="Drive, retrieval and walk: what ranks")]
    basis: Annotated[
        Literal["streets", "straight line"],
        Field(description="Whether drive and walk are along known streets, or estimated"),
    ]
    arrive_at: Instant
    chance_free: Annotated[
        float | None,
        Field(
            ge=0,
            le=1,
            description="That the bay is free on arrival; null: too little is known of its group",
        ),
    ]
    chance_judged: Annotated[
        ChanceJudged | None, Field(description="Null: not judged yet, or no chance is told")
    ]
    price_total: Annotated[
        MoneyOut | None,
        Field(description="Of the stay; null without `leave_at` or a published tariff"),
    ]
    price_per_hour: Annotated[
        MoneyOut | None, Field(description="The first hour; null: no published tariff")
    ]
    data_age_s: Annotated[int | None, Field(ge=0, description="Since the bay was last heard of")]
    navigation: NavigationOut


class NearestOut(Outgoing):
    """Free bays, the quickest from door to door first."""

    items: list[NearBay]


class NamedQuery(Incoming):
    """A place, as somebody begins to name it."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    limit: Annotated[int, Field(ge=1, le=20)] = 8


class NamedPlaceOut(Outgoing):
    """A facility, street or junction and where it is."""

    id: str
    kind: Literal["facility", "street", "junction"]
    name: Names
    position: Annotated[list[float], Field(min_length=2, max_length=2)]


class NamedPlacesOut(Outgoing):
    """Places of a name, the best match first."""

    items: list[NamedPlaceOut]
