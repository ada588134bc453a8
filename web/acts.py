"""One act over HTTP is one transaction, answered once for each ``Idempotency-Key``."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from flask import Response, make_response, request

from city.works import idempotency
from web import access

if TYPE_CHECKING:
    from collections.abc import Callable

IDEMPOTENCY_HEADER = "Idempotency-Key"


def act(view: Callable[..., Any]) -> Callable[..., Response]:
    """Run a view inside one unit of work, which it gets as its first argument.

    With an ``Idempotency-Key`` a repeated request gets the first one's answer and does nothing.
    A request that ends in an error changes nothing and keeps nothing, so it may be repeated.

    Stands above ``input`` and ``output``, so that the kept answer is the one that was sent.
    """

    @wraps(view)
    def run(*args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(IDEMPOTENCY_HEADER)
        caller = access.known_actor()
        owner = f"{caller.kind}:{caller.subject}"
        with access.wiring().database.unit_of_work() as uow:
            if key is None:
                return make_response(view(uow, *args, **kwargs))
            hashed = idempotency.request_hash(request.method, request.path, request.get_data())
            kept = idempotency.begin(uow, owner, key, request.endpoint or "", hashed)
            if kept is not None:
                return Response(kept.body, kept.status, content_type=kept.content_type)
            response = make_response(view(uow, *args, **kwargs))
            answer = idempotency.Answer(
                response.status_code,
                response.content_type or "application/json",
                response.get_data(),
            )
            idempotency.finish(uow, owner, key, answer)
            return response

    return run
