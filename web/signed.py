"""A request as a terminal signed it, read from what came over HTTP."""

from __future__ import annotations

from typing import Final

from flask import request

from city.terminals.rules.signing import HEADERS, SignedRequest, read_signed

MOST_BYTES: Final = 1_048_576
"""Largest body that is looked at: a batch of some thousand acts."""


def read() -> SignedRequest:
    """Read the present request's signature, over the bytes that came.

    Raises
    ------
    Unauthenticated
        Where it carries none of our form.
    RequestEntityTooLarge
        Past `MOST_BYTES`, before anything is read.
    """
    request.max_content_length = MOST_BYTES
    target = (request.method, request.path, request.query_string.decode("ascii", "replace"))
    headers = {name: request.headers.get(name, "") for name in HEADERS}
    return read_signed(target, request.get_data(), headers)
