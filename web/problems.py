"""Errors as problem documents (RFC 9457): the error tree mapped to HTTP in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from flask import Response, json, request
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

if TYPE_CHECKING:
    from apiflask import APIFlask
    from apiflask.exceptions import HTTPError

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


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
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
        One sentence for a person.
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
        body["errors"] = errors
    body.update({name: value for name, value in members.items() if name not in body})
    response = Response(json.dumps(body), status, content_type="application/problem+json")
    response.headers.update(headers or {})
    return response


def from_city_error(error: CityError) -> Response:
    """Return the problem document of one of our own errors."""
    status = next((code for kind, code in STATUSES if isinstance(error, kind)), 500)
    headers: dict[str, str] = {}
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    errors = [{"field": error.field, "detail": str(error)}] if error.field else None
    return problem(
        status, error.code, str(error), errors=errors, headers=headers, **dict(error.details)
    )


def _from_validation(error: HTTPError) -> Response:
    """Return the problem document of an input that does not fit its schema."""
    faults = [
        {"field": field, "detail": text}
        for location, fields in (error.detail or {}).items()
        for field, texts in (
            fields.items() if isinstance(fields, dict) else {location: fields}.items()
        )
        for text in ([texts] if isinstance(texts, str) else texts)
    ]
    named = ", ".join(sorted({fault["field"] for fault in faults})) or "input"
    return problem(
        error.status_code, "invalid", f"The request does not fit: {named}.", errors=faults
    )


def register(app: APIFlask) -> None:
    """Make every error of the application a problem document."""

    @app.error_processor
    def _http_error(error: HTTPError) -> Response:
        if error.status_code == 422 and error.detail:  # noqa: PLR2004 - HTTP's own number
            return _from_validation(error)
        return problem(
            error.status_code,
            (error.message or "error").lower().replace(" ", "-"),
            error.message or "",
            headers=dict(error.headers or {}),
        )

    @app.errorhandler(CityError)
    def _city_error(error: CityError) -> Response:
        return from_city_error(error)

    @app.errorhandler(HTTPException)
    def _werkzeug_error(error: HTTPException) -> Response:
        if error.code is not None and error.code < 400:  # noqa: PLR2004 - a redirect is no error
            return error.get_response()  # type: ignore[return-value]  # sansio base of the same class
        response = problem(
            error.code or 500,
            error.name.lower().replace(" ", "-"),
            error.description or error.name,
        )
        for name, value in error.get_headers():
            if name.lower() in {"allow", "retry-after", "www-authenticate"}:
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def _bug(error: Exception) -> Response:
        log.error("request failed", path=request.path, exc_info=error)
        return problem(500, "internal-error", "Something went wrong here; it has been logged.")
