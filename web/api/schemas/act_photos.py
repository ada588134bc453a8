"""Pictures that attendants take, over HTTP."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Base64Bytes, Field

from web.api.schemas.base import Incoming, Instant, Outgoing


class PhotoPartIn(Incoming):
    """A part of a picture that an act names."""

    MOST_BYTES: ClassVar[int] = 400_000

    photo_id: UUID
    act_id: UUID
    bytes: Annotated[int, Field(ge=1, le=1_048_576, description="Of the whole picture")]
    from_byte: Annotated[int, Field(ge=0, le=1_048_576)]
    part: Annotated[Base64Bytes, Field(description="At most 256 KiB")]


class PhotoReceivedOut(Outgoing):
    """How much of a picture came; 0 where it was not what the act named: it comes again."""

    received: int
    whole: bool


class StayPhotoOut(Outgoing):
    """A picture of a stay."""

    id: UUID
    act_id: UUID | None
    sha256: str
    taken_at: Instant | None
    state: Annotated[
        Literal["awaited", "raw", "hidden", "failed", "gone"],
        Field(description="awaited: still on its terminal; raw: others in it are being hidden"),
    ]
    moment: Annotated[
        Literal["entering", "parked", "leaving"] | None,
        Field(description="what a camera at the kerb saw; null for people's photos"),
    ] = None


class StayPhotosOut(Outgoing):
    """The pictures of a stay."""

    items: list[StayPhotoOut]


class GivenUpIn(Incoming):
    """Why nobody has to look for a picture any more."""

    reason: Annotated[str, Field(min_length=3, max_length=500)]


class GivenUpOut(Outgoing):
    """A picture that is awaited no more."""

    photo_id: UUID


class PlatePhotoIn(Incoming):
    """A picture to read plates in; it is not kept."""

    MOST_BYTES: ClassVar[int] = 1_500_000

    photo: Annotated[Base64Bytes, Field(description="A JPEG, at most 1 MiB")]


class PlateCandidateOut(Outgoing):
    """A plate as it was read, for a person to confirm."""

    text: str
    kind: str
    confidence: Annotated[float, Field(ge=0, le=1, description="Of its least sure character")]
    band: Literal["accept", "review"]


class PlateCandidatesOut(Outgoing):
    """What was read, the surest first."""

    items: list[PlateCandidateOut]
