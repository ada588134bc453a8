"""Who may do what over HTTP: a rule on every view, and no view without one.

A caller is a person with a session (cookie), or a device, integration or script with a token
(``Authorization: Bearer``), or a terminal that signs each request. A view states its rule with
`public`, `allow`, `credential` or `terminal`; one that states none answers 403 to everybody, and
a test walks all routes to find it.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from flask import current_app, g, request

from city.errors import Forbidden, Unauthenticated
from city.people.roles import Role
from city.terminals.services import admit
from web import signed
from web.bearers import Bearers

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response

    from city.people.actors import Actor
    from city.terminals.rules.terminals import Terminal
    from journeys.wiring import Wiring

View = TypeVar("View", bound="Callable[..., object]")
CredentialKind = Literal["integration", "device"]

SESSION_COOKIE = "greenbay_session"
FORM_COOKIE = "greenbay_form"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may call a view: everybody, some roles, or the bearer of a kind of credential."""

    everybody: bool = False
    roles: frozenset[Role] = frozenset()
    credentials: frozenset[CredentialKind] = frozenset()
    terminals: bool = False
    """Terminals, by their signature."""
    locked_too: bool = False


def _state(rule: Rule) -> Callable[[View], View]:
    def mark(view: View) -> View:
        # Kept on the function itself: decorators that use functools.wraps carry it outwards.
        view.__dict__["access_rule"] = rule
        return view

    return mark


def public(view: View) -> View:
    """State that everybody may call a view."""
    return _state(Rule(everybody=True))(view)


def allow(*roles: Role) -> Callable[[View], View]:
    """State the roles that may call a view.

    Raises
    ------
    ValueError
        Without a role: say `public` where everybody is meant.
    """
    if not roles:
        raise ValueError("allow() needs a role")
    return _state(Rule(roles=frozenset(roles)))


def signed_in(view: View) -> View:
    """State that every person with an account may call a view."""
    return _state(Rule(roles=frozenset(Role)))(view)


def credential(*kinds: CredentialKind) -> Callable[[View], View]:
    """State that only the bearer of a credential of one of these kinds may call a view.

    Raises
    ------
    ValueError
        Without a kind.
    """
    if not kinds:
        raise ValueError("credential() needs a kind")
    return _state(Rule(credentials=frozenset(kinds)))


def terminal(*, locked_too: bool = False) -> Callable[[View], View]:
    """State that only a terminal may call a view, with a signed request (`web.signed`).

    Parameters
    ----------
    locked_too : bool
        Whether one that is locked from afar may: to say how it does, and nothing else.
    """
    return _state(Rule(terminals=True, locked_too=locked_too))


def known_terminal() -> Terminal:
    """Return the terminal that calls a view of `terminal`."""
    found: Terminal = g.terminal
    return found


def rule_of(view: object) -> Rule | None:
    """Return the rule that a view states, if any."""
    rule = getattr(view, "access_rule", None)
    return rule if isinstance(rule, Rule) else None


def wiring() -> Wiring:
    """Return what the application was built from."""
    return wiring_of(current_app)


def wiring_of(app: Flask) -> Wiring:
    """Return what an application was built from, outside a request."""
    built: Wiring = app.extensions["greenbay"]
    return built


def actor() -> Actor | None:
    """Return who calls, or None for somebody unknown. One query a request, none without a proof."""
    if "actor" not in g:
        g.actor, g.session_csrf = _recognise()
    found: Actor | None = g.actor
    return found


def known_actor() -> Actor:
    """Return who calls.

    Raises
    ------
    Unauthenticated
        When nobody is logged in.
    """
    found = actor()
    if found is None:
        raise Unauthenticated("Log in first, or send a bearer token.")
    return found


def require_district(code: str) -> None:
    """Pass where the caller may act in a district.

    Raises
    ------
    Forbidden
        Where the caller's districts do not include it.
    """
    if not known_actor().in_district(code):
        raise Forbidden("This lies outside your districts.")


def _recognise() -> tuple[Actor | None, str | None]:
    bearer = _bearer_token()
    if bearer is not None:
        bearers: Bearers = current_app.extensions["bearers"]
        found = bearers.actor(bearer)
        if found is None:
            # Asked again, by an error page say, the answer is nobody.
            g.actor, g.session_csrf = None, None
            raise Unauthenticated("The token is unknown, revoked or expired.")
        return found, None
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie:
        from city.people import services  # noqa: PLC0415 - argon2 is loaded only for sessions

        with wiring().database.read() as connection:
            session = services.read_session(connection, cookie, wiring().wall)
        if session is not None:
            if session.refresh_due:  # at most once a minute: its idle time begins anew
                with wiring().database.unit_of_work() as uow:
                    services.refresh_session(uow, cookie)
            return session.actor, session.csrf
    return None, None


def _bearer_token() -> str | None:
    header = request.authorization
    if header is None:
        return None
    if header.type == "bearer":
        return header.token
    if header.type == "basic":
        # Some network servers send only user and password: the token is the password.
        return header.password
    return None


def session_csrf() -> str | None:
    """Return the token that acts of this session carry; None where the caller has no session."""
    actor()
    found: str | None = g.session_csrf
    return found


def csrf_token() -> str:
    """Return the token that a form or script of this page must send back."""
    actor()
    if g.get("session_csrf"):
        token: str = g.session_csrf
        return token
    if "form_token" not in g:
        g.form_token = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(32)
        g.set_form_cookie = True
    fresh: str = g.form_token
    return fresh


def _check_origin_of_act() -> None:
    """Refuse an act that a page of another site made this browser send.

    Tokens in a header cannot be sent by another site, so only cookies need it.
    """
    if request.method in SAFE_METHODS or _bearer_token() is not None:
        return
    has_session = actor() is not None
    if not has_session and request.path.startswith("/api/"):
        return
    expected = g.session_csrf if has_session else request.cookies.get(FORM_COOKIE)
    sent = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD) or ""
    if not expected or not hmac.compare_digest(expected.encode(), sent.encode()):
        raise Forbidden("This form is out of date: load the page again.", reason="csrf")


def enforce() -> None:
    """Check the rule of the view about to be called.

    Raises
    ------
    Forbidden, Unauthenticated
        When the rule does not allow it, or when the view has none.
    """
    endpoint = request.endpoint
    if endpoint is None:
        return  # no such path: the router answers
    rule = rule_of(current_app.view_functions.get(endpoint))
    if rule is None:
        raise Forbidden("Nobody may call this.")
    if rule.everybody:
        _check_origin_of_act()
        return
    if rule.terminals:
        # No cookie and no token: nothing that another site could make a browser send.
        g.actor, g.session_csrf = None, None
        heard = admit(wiring().database, signed.read(), locked_too=rule.locked_too)
        g.actor, g.terminal = heard.actor, heard.terminal
        return
    caller = known_actor()
    if rule.credentials:
        if caller.kind not in rule.credentials:
            raise Forbidden(
                f"This takes the credential of a {' or '.join(sorted(rule.credentials))}."
            )
        return
    if not rule.roles & caller.roles:
        raise Forbidden("Your role may not do this.")
    _check_origin_of_act()


def _finish(response: Response) -> Response:
    if g.get("set_form_cookie"):
        response.set_cookie(
            FORM_COOKIE,
            g.form_token,
            httponly=True,
            samesite="Strict",
            secure=wiring().settings.secure_cookies,
        )
    return response


def register(app: Flask) -> None:
    """Put the rules in front of every view of the application."""
    app.extensions["bearers"] = Bearers(wiring_of(app).database)
    app.before_request(enforce)
    app.after_request(_finish)
    app.jinja_env.globals["csrf_token"] = csrf_token
    app.jinja_env.globals["current_actor"] = actor
