"""SPaT and MAP of SAE J2735."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from web.api.schemas.base import Incoming, Outgoing

Reference = Annotated[int, Field(ge=0, le=65_535, strict=True)]


class SignalIntersectionIn(Incoming):
    """What a junction is called by radio, and where its middle is (WGS-84)."""

    region: Reference
    id: Reference
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]


class SignalIntersectionOut(Outgoing):
    """What a junction is called by radio."""

    region: int
    id: int
    longitude: float
    latitude: float


class SignalRadioRemovalOut(Outgoing):
    """A reference that was taken away."""

    signal: str


class SignalRadioQuery(Incoming):
    """As JSON with the bytes in hexadecimal, or the bytes alone."""

    form: Literal["json", "uper"] = "json"


class SignalRadioOut(Outgoing):
    """A message: its members, and its MessageFrame in UPER as hexadecimal."""

    message: dict[str, Any]
    uper: str
    size_bytes: int
