"""Answers that anybody may see and keep for a moment, told apart by an ETag.

A driver's page asks every few seconds; where nothing has changed it gets 304 and no body.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import orjson
from flask import Response, request

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_AGE_S: Final = 2
"""A cache between us and many drivers may answer for so long; states are older than that anyway."""
JSON: Final = "application/json"
CACHE_CONTROL: Final = f"public, max-age={MAX_AGE_S}"
NOT_MODIFIED: Final = 304
DIGEST_BYTES: Final = 12


def answer(value: Mapping[str, Any], alike: Any = None) -> Response:
    """Answer with a value as JSON, or with 304 where the caller has it already.

    Parameters
    ----------
    value
        What the operation's schema says; written as it is.
    alike
        What two answers must share to be the same; the value itself unless given. Without
        figures that only grow with the clock a page's copy stays good while nothing happens.
    """
    body = orjson.dumps(value, option=orjson.OPT_UTC_Z)
    told_apart = body if alike is None else orjson.dumps(alike, option=orjson.OPT_UTC_Z)
    name = hashlib.blake2b(told_apart, digest_size=DIGEST_BYTES).hexdigest()
    # Weak: what it leaves out may differ.
    tag = f'"{name}"' if alike is None else f'W/"{name}"'
    headers = {"ETag": tag, "Cache-Control": CACHE_CONTROL}
    wanted = request.headers.get("If-None-Match")
    if wanted is not None and (name in wanted or wanted.strip() == "*"):
        return Response(status=NOT_MODIFIED, headers=headers)
    return Response(body, headers=headers, content_type=JSON)
