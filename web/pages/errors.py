"""Errors as pages for people, where the API answers problem documents to programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, current_app, g, redirect, request, url_for

from city.people.roles import Role
from web import access
from web.pages import context, texts
from web.pages.render import page

if TYPE_CHECKING:
    from flask import Flask

PROBLEM = "application/problem+json"
UNAUTHENTICATED = 401
NOT_FOUND = 404
SERVER_ERROR = 500
_PAY_LINKS = {"pages.pay", "pages.pay_together", "pages.pay_invoice"}
_FOR_PROGRAMS = ("/api/", "/live/", "/static/", "/metrics", "/healthz", "/readyz")


def _wants_page() -> bool:
    if request.path.startswith(_FOR_PROGRAMS):
        return False
    accepted = request.accept_mimetypes
    return accepted["text/html"] > accepted["application/json"]


def _log_in() -> str:
    """Name the log-in of those whom the page is for."""
    rule = access.rule_of(current_app.view_functions.get(request.endpoint or ""))
    drivers = rule is not None and rule.roles == {Role.DRIVER}
    return "pages.driver_log_in" if drivers else "pages.log_in"


def _as_page(response: Response) -> Response:
    """Turn a problem document into a page where a person asked; 401 leads to the log-in."""
    if response.mimetype != PROBLEM or not _wants_page():
        return response
    if response.status_code == UNAUTHENTICATED and request.method == "GET":
        here = request.full_path.rstrip("?")
        return redirect(url_for(_log_in(), next=here), 303)  # type: ignore[return-value]  # Flask's class
    status = response.status_code
    if status >= SERVER_ERROR:
        # What failed may be what the shell would ask: show it as to nobody in particular.
        g.setdefault("actor", None)
        g.setdefault("session_csrf", None)
        g.without_city = True
    known = texts.catalogue(context.language())
    heading = known.get(f"error.{status}") or known["error.page"]
    advice = known.get(f"error.advice.{status}", "")
    if status == NOT_FOUND and request.endpoint in _PAY_LINKS:
        heading, advice = known["pay.no_link"], known["pay.no_link_note"]
    if (response.get_json(silent=True) or {}).get("reason") == "csrf":
        heading, advice = known["login.out_of_date"], ""
    shown = page("error.html", status, status=status, heading=heading, advice=advice)
    for name in ("Retry-After", "Allow"):
        if name in response.headers:
            shown.headers[name] = response.headers[name]
    return shown


def register(app: Flask) -> None:
    """Show errors as pages to people."""
    app.after_request(_as_page)
