"""Where online channels tell us; their signature is their credential."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, request

from city.errors import NotFound
from journeys.hear_notices import take_notice
from payments.adapters.forms import LARGEST_NOTICE_BYTES
from payments.rules.channels import Channel
from web import access

blueprint = APIBlueprint(
    "channel_notices", __name__, url_prefix="/api/v1/channel-notices", tag="Payments"
)


@blueprint.post("/<channel>")
@access.public
@blueprint.doc(
    summary="A channel's notification, in the channel's own format",
    description=(
        "Believed by its signature over the raw body alone, compared with the order, counted once "
        "by channel and event; answered in the channel's own words once it is durable, and settled "
        "right after. What is not believed changes nothing, is kept with its reason, and is "
        "answered so that it comes again."
    ),
    responses={200: "Taken", 204: "Taken"},
)
def take(channel: str) -> Response:
    """Take a notification."""
    wiring = access.wiring()
    known = next((each for each in wiring.channels if each.value == channel), None)
    if known is None:
        raise NotFound("There is no such channel here.")
    status, content_type, body = take_notice(
        wiring.notices,
        wiring.channels,
        Channel(known),
        dict(request.headers),
        _told(),
    )
    return Response(body, status, content_type=content_type)


def _told() -> bytes:
    """Read a notification, and of one that is longer than any only so much as shows that.

    Its adapter refuses it then as it does others, with a reason that is on record.
    """
    request.max_content_length = max(request.content_length or 0, LARGEST_NOTICE_BYTES + 2)
    told = b""
    while len(told) <= LARGEST_NOTICE_BYTES:
        piece = request.stream.read(LARGEST_NOTICE_BYTES + 1 - len(told))
        if not piece:
            break
        told += piece
    return told
