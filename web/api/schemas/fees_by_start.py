"""What stays come to by beginning and end, over HTTP."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from web.api.schemas.base import Instant, Outgoing


class PieceOut(Outgoing):
    """Fees of stays that begin between two seconds, both included, after `base_at`."""

    from_s: int
    to_s: int
    steps: Annotated[
        list[tuple[int, int, int]],
        Field(
            description="1 or 0: whether it moves with the beginning; from which second on, after "
            "the beginning or after `base_at`; minor units from then on. In order"
        ),
    ]


class KindFeesOut(Outgoing):
    """What stays of some kinds of plates come to."""

    kinds: list[str]
    alone: Annotated[
        bool, Field(description="whether they come to the same whatever other stays a car had")
    ]
    pieces: list[PieceOut]


class FeesByStartOut(Outgoing):
    """Tables of fees for stays that begin around now; of kinds left out nothing can be said."""

    base_at: Instant
    until_s: Annotated[int, Field(description="last leaving that they hold for, after `base_at`")]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    fees: list[KindFeesOut]
