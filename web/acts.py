"""One act over HTTP is one transaction, answered once for each ``Idempotency-Key``."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import Response, make_response, request

from city import vault
from city.works import idempotency
from web import access

if TYPE_CHECKING:
    from collections.abc import Callable

    from city.works.database import UnitOfWork

IDEMPOTENCY_HEADER = "Idempotency-Key"
TIME_HEADER = "City-Time"
"""When an act was done by the city's clock: a page whose own lags catches up with what it did."""
_PURPOSE = "idempotency"

View = TypeVar("View", bound="Callable[..., object]")


def check_key() -> None:
    """Refuse a key that cannot be one, also where nothing is kept under it.

    Raises
    ------
    Invalid
        Where the header is there and not 1 to 200 printable ASCII characters.
    """
    key = request.headers.get(IDEMPOTENCY_HEADER)
    if key is not None and request.method not in access.SAFE_METHODS:
        idempotency.check_key(key)


def act(view: View) -> View:
    """Run a view inside one unit of work, which it gets as its first argument.

    With an ``Idempotency-Key`` a repeated request gets the first one's answer and does nothing.
    A request that ends in an error changes nothing and keeps nothing, so it may be repeated.

    Stands above ``input`` and ``output``, so that the kept answer is the one that was sent. The
    kept answer is in the clear: a view whose request names a plate answers with a masked one.
    """
    return _act(view, sealed=False)


def act_on_plate(view: View) -> View:
    """As `act`, for requests that name a plate.

    What is kept to know the request again is hashed under the vault's key: against a plain hash
    all plates can be tried in an afternoon.
    """
    return _act(view, sealed=True)


def look(view: View) -> View:
    """Run a view that reads inside a unit of work: because its look itself is put on record."""

    @wraps(view)
    def run(*args: Any, **kwargs: Any) -> Response:
        with access.wiring().database.unit_of_work() as uow:
            return make_response(view(uow, *args, **kwargs))

    return cast("View", run)


def _act(view: View, *, sealed: bool) -> View:
    @wraps(view)
    def run(*args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(IDEMPOTENCY_HEADER)
        caller = access.known_actor()
        owner = f"{caller.kind}:{caller.subject}"
        with access.wiring().database.unit_of_work() as uow:
            if key is None:
                return _timed(make_response(view(uow, *args, **kwargs)))
            hashes = _hashes(uow, sealed=sealed)
            kept = idempotency.begin(uow, owner, key, request.endpoint or "", *hashes)
            if kept is not None:
                return Response(kept.body, kept.status, content_type=kept.content_type)
            response = make_response(view(uow, *args, **kwargs))
            answer = idempotency.Answer(
                response.status_code,
                response.content_type or "application/json",
                response.get_data(),
            )
            idempotency.finish(uow, owner, key, answer)
            return _timed(response)

    return cast("View", run)


def _timed(response: Response) -> Response:
    response.headers[TIME_HEADER] = access.wiring().clock.now().isoformat()
    return response


def _hashes(uow: UnitOfWork, *, sealed: bool) -> tuple[bytes, ...]:
    """Give what makes this request the same as another; the first one is kept."""
    plain = idempotency.request_hash(request.method, request.path, request.get_data())
    return vault.keyed_digests(uow, _PURPOSE, plain.hex()) if sealed else (plain,)
