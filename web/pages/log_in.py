"""Logging in and out: staff by password, drivers by a code sent to their phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, redirect, request, url_for

from city.errors import Invalid, TooMany, Unauthenticated, Unavailable
from city.people import services
from web import access
from web.pages import texts
from web.pages.blueprint import blueprint
from web.pages.context import language, safe_next
from web.pages.render import page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

    from city.people.services import SessionGrant

WRONG = 401
TOO_MANY = 429


def _text(key: str, **values: object) -> str:
    return texts.text(language(), key, **values)


def _next() -> str:
    return safe_next(request.values.get("next"))


def _remote() -> str:
    return request.remote_addr or "unknown"


def _enter(grant: SessionGrant) -> BaseResponse:
    """Give the browser its session and lead it to where it was going."""
    wiring = access.wiring()
    response = redirect(_next(), 303)
    response.set_cookie(
        access.SESSION_COOKIE,
        grant.token,
        max_age=max(0, round((grant.expires_at - wiring.wall.now()).total_seconds())),
        httponly=True,
        samesite="Lax",
        secure=wiring.settings.secure_cookies,
    )
    # The token of forms filled before anybody had logged in ends with them.
    response.delete_cookie(access.FORM_COOKIE)
    return response


@blueprint.get("/log-in")
@access.public
def log_in() -> Response | BaseResponse:
    """Show the log-in of staff."""
    notice = ""
    if request.args.get("out"):
        notice = _text("login.logged_out")
    elif request.args.get("next"):
        notice = _text("login.needed")
    return page("log_in.html", next=_next(), login="", problem="", notice=notice)


def _given(name: str, most: int) -> str:
    """Read what was filled in; empty where it holds a NUL, which nothing that we keep does."""
    written = request.form.get(name, "")[:most]
    return "" if "\x00" in written else written


@blueprint.post("/log-in")
@access.public
def log_in_staff() -> Response | BaseResponse:
    """Log a person of staff in."""
    login = _given("login", 64).strip()
    password = _given("password", 1024)
    problem, status = _text("login.wrong"), WRONG
    try:
        with access.wiring().database.unit_of_work() as uow:
            grant = services.log_in(
                uow,
                login,
                password,
                _remote(),
                previous=request.cookies.get(access.SESSION_COOKIE),
            )
    except TooMany as error:
        problem, status = _text("login.too_many", seconds=error.retry_after_s), TOO_MANY
    except (Unauthenticated, Invalid):
        pass  # which of the two was wrong is not told
    else:
        return _enter(grant)
    return page("log_in.html", status, next=_next(), login=login, problem=problem, notice="")


@blueprint.post("/log-out")
@access.signed_in
def log_out() -> BaseResponse:
    """End the session."""
    token = request.cookies.get(access.SESSION_COOKIE)
    if token:
        with access.wiring().database.unit_of_work() as uow:
            services.log_out(uow, token)
    response = redirect(url_for("pages.log_in", out=1), 303)
    response.delete_cookie(access.SESSION_COOKIE)
    return response


def _driver_page(step: str, *, status: int = 200, phone: str = "", problem: str = "") -> Response:
    return page(
        "log_in_driver.html",
        status,
        step=step,
        phone=phone,
        shown_phone=f"{phone[:3]}****{phone[-4:]}" if step == "code" else "",
        next=_next(),
        problem=problem,
    )


@blueprint.get("/log-in/driver")
@access.public
def driver_log_in() -> Response:
    """Ask a driver for the phone number."""
    return _driver_page("phone")


@blueprint.post("/log-in/driver/code")
@access.public
def send_driver_code() -> Response:
    """Send a code to a driver's phone and ask for it."""
    phone = _given("phone", 32).strip()
    try:
        number = services.parse_phone(phone)
        _identity().send_code(number, remote=_remote())
    except Invalid:
        return _driver_page("phone", status=422, phone=phone, problem=_text("driver.bad_phone"))
    except TooMany as error:
        problem = _text("login.too_many", seconds=error.retry_after_s)
        return _driver_page("phone", status=TOO_MANY, phone=phone, problem=problem)
    except Unavailable:
        problem = _text("driver.unavailable")
        return _driver_page("phone", status=503, phone=phone, problem=problem)
    return _driver_page("code", phone=phone)


@blueprint.post("/log-in/driver/verify")
@access.public
def verify_driver_code() -> Response | BaseResponse:
    """Log a driver in by the code."""
    phone = _given("phone", 32).strip()
    code = "".join(_given("code", 32).split())[:8]
    identity = _identity()
    try:
        subject = identity.verify(phone, code)
        with access.wiring().database.unit_of_work() as uow:
            grant = services.log_in_driver(
                uow,
                identity.provider,
                subject,
                _remote(),
                previous=request.cookies.get(access.SESSION_COOKIE),
            )
    except Invalid:
        return _driver_page("phone", status=422, phone=phone, problem=_text("driver.bad_phone"))
    except TooMany as error:
        problem = _text("login.too_many", seconds=error.retry_after_s)
        return _driver_page("code", status=TOO_MANY, phone=phone, problem=problem)
    except Unauthenticated:
        problem = _text("driver.wrong_code")
        return _driver_page("code", status=WRONG, phone=phone, problem=problem)
    return _enter(grant)


def _identity() -> services.DriverIdentity:
    """Return who vouches for drivers: in the demo our own codes, elsewhere nobody yet.

    Raises
    ------
    Unavailable
        Where no provider is set up.
    """
    wiring = access.wiring()
    if not wiring.settings.demo_enabled:
        raise Unavailable("No provider of driver log-in is set up.", retry_after_s=600)
    return services.LocalPhoneCodes(wiring.database, wiring.settings)
