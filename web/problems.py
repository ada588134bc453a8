"""Errors as problem documents (RFC 9457): the error tree mapped to HTTP in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import redis
import structlog
from flask import Response, request
from werkzeug.exceptions import HTTPException

from city.errors import (
    CityError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from web import refusals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask import Flask

CONTENT_TYPE = "application/problem+json"
STORE_RETRY_AFTER_S = 2
ERRORS_FROM = 400
INTERNAL = 500

log = structlog.get_logger(__name__)

# The most specific class first: the first that fits is taken.
STATUSES: tuple[tuple[type[CityError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (Invalid, 422),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (TooMany, 429),
    (Unavailable, 503),
)


class Unreadable(Exception):
    """A request that is not of the form that its operation states.

    Parameters
    ----------
    status
        400 for what cannot be read at all, 415 for another content type, 422 for the rest.
    code
        Kebab-case name of the kind of error.
    detail
        One sentence for a person.
    faults
        Field and what is wrong with it, one pair a fault; never the value that was sent.
    """

    def __init__(
        self, status: int, code: str, detail: str, faults: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.faults = tuple(faults)


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[Mapping[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Response:
    """Return one problem document.

    Parameters
    ----------
    status
        HTTP status code.
    code
        Kebab-case name of the kind of error; becomes ``type``.
    detail
        One sentence for a person, in English; told in Chinese to who asks for it.
    errors
        ``{"field", "detail"}`` for each part of the input that is at fault.
    headers
        Extra response headers, such as ``Retry-After``.
    **members
        Further members of the document.
    """
    body: dict[str, Any] = {
        "type": f"urn:greenbay:problem:{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "instance": request.path,
    }
    if errors:
        body["errors"] = list(errors)
    body.update({name: value for name, value in members.items() if name not in body})
    chinese = refusals.in_chinese()
    if chinese:
        body = refusals.in_words(body)
    response = Response(orjson.dumps(body), status, content_type=CONTENT_TYPE)
    response.headers["Content-Language"] = "zh-CN" if chinese else "en"
    response.headers.update(headers or {})
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def from_city_error(error: CityError) -> Response:
    """Return the problem document of one of our own errors."""
    status = next((code for kind, code in STATUSES if isinstance(error, kind)), 500)
    headers: dict[str, str] = {}
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    errors = [{"field": error.field, "detail": str(error)}] if error.field else None
    return problem(
        status, error.code, str(error), errors=errors, headers=headers, **dict(error.details)
    )


def from_unreadable(error: Unreadable) -> Response:
    """Return the problem document of an input that does not have the stated form."""
    faults = [{"field": field, "detail": text} for field, text in error.faults]
    return problem(error.status, error.code, error.detail, errors=faults)


def from_http_error(error: HTTPException) -> Response:
    """Return the problem document of an error of HTTP itself, with the headers it calls for."""
    response = problem(
        error.code or INTERNAL,
        error.name.lower().replace(" ", "-"),
        error.description or error.name,
    )
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after", "www-authenticate"}:
            response.headers[name] = value
    return response


def register(app: Flask) -> None:
    """Make every error of an application a problem document."""

    @app.errorhandler(CityError)
    def _city_error(error: CityError) -> Response:
        return from_city_error(error)

    @app.errorhandler(Unreadable)
    def _unreadable(error: Unreadable) -> Response:
        return from_unreadable(error)

    @app.errorhandler(redis.RedisError)
    def _store_error(error: redis.RedisError) -> Response:
        log.warning("live store out of reach", error=str(error))
        return from_city_error(
            Unavailable("the live store cannot be reached", retry_after_s=STORE_RETRY_AFTER_S)
        )

    @app.errorhandler(HTTPException)
    def _werkzeug_error(error: HTTPException) -> Response:
        if error.code is not None and error.code < ERRORS_FROM:
            return error.get_response()  # type: ignore[return-value]  # sansio base of the same class
        return from_http_error(error)

    @app.errorhandler(Exception)
    def _bug(error: Exception) -> Response:
        # A bearer link in the address is a credential: no log has it.
        bears = request.url_rule is not None and "link" in (request.view_args or {})
        path = str(request.url_rule) if bears else request.path
        log.error("request failed", path=path, exc_info=error)
        return problem(INTERNAL, "internal-error", "Something went wrong here; it has been logged.")
