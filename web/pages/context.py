"""What every page knows: its language, its theme, who reads it, what time it is in the city."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlencode

from flask import g, request, url_for

from city.people.roles import Role
from city.time import rfc3339
from city.works.shared_setting import DEMO_CLOCK, clock_setting, read_setting
from web import access
from web.api.roles import BACK_OFFICE
from web.pages import assets, texts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Flask, Response

    from city.time import ClockSetting
    from web.pages.texts import Language

Theme = Literal["auto", "light", "dark"]

LANGUAGE_COOKIE: Final = "greenbay_language"
THEME_COOKIE: Final = "greenbay_theme"
YEAR_S: Final = 31_536_000
CITY_ZONE: Final = "Asia/Shanghai"
SPEEDS: Final = (1, 5, 20, 60)
"""Speeds of the demo's clock that the header offers; the API takes others as well."""

STREETS: Final = "map/streets.geojson"
FIND: Final = "find"
"""View of the public page that finds a bay."""

CLOCK_ROLES: Final = frozenset({Role.OPERATOR, Role.ADMINISTRATOR})
POST_ROLES: Final = (Role.ATTENDANT, Role.OPERATOR)
INSPECTION_ROLES: Final = (Role.INSPECTOR, Role.OPERATOR)
OPERATIONS_ROLES: Final = (Role.OPERATOR, Role.ENGINEER, Role.ADMINISTRATOR)
PLACE_ROLES: Final = (Role.OPERATOR, Role.ENGINEER, Role.AUDITOR, Role.ADMINISTRATOR)
TERMINAL_ROLES: Final = (Role.OPERATOR, Role.ENGINEER, Role.AUDITOR, Role.ADMINISTRATOR)
GATE_ROLES: Final = (
    Role.ATTENDANT,
    Role.OPERATOR,
    Role.ENGINEER,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
)
SHIFT_ROLES: Final = (Role.OPERATOR, Role.FINANCE, Role.AUDITOR)
SUPERVISION_ROLES: Final = (Role.OPERATOR, Role.AUDITOR)
TARIFF_ROLES: Final = (Role.OPERATOR, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)
PERMIT_ROLES: Final = (Role.OPERATOR, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)
COMPENSATION_ROLES: Final = (Role.OPERATOR, Role.AUDITOR, Role.ADMINISTRATOR)
BLACKLIST_ROLES: Final = (Role.OPERATOR, Role.AUDITOR, Role.ADMINISTRATOR)
ABUSE_ROLES: Final = (Role.OPERATOR, Role.AUDITOR)
STAY_ROLES: Final = BACK_OFFICE
DISPUTE_ROLES: Final = (Role.OPERATOR, Role.FINANCE, Role.AUDITOR)
DRIVER_ROLES: Final = (Role.DRIVER,)
AUDIT_ROLES: Final = (Role.AUDITOR, Role.ADMINISTRATOR)
SIGNAL_ROLES: Final = (Role.ENGINEER, Role.OPERATOR, Role.AUDITOR, Role.ADMINISTRATOR)
ESCORT_ROLES: Final = (Role.ESCORT,)
MAINTENANCE_ROLES: Final = (*SIGNAL_ROLES, Role.MAINTAINER)
CARD_DESK_ROLES: Final = (Role.ATTENDANT, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)
FINANCE_ROLES: Final = (Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)
LEDGER_ROLES: Final = (Role.FINANCE, Role.AUDITOR)
FIGURE_ROLES: Final = (Role.OPERATOR, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)


def language() -> Language:
    """Return the page's language: asked for, else kept in a cookie, else the browser's."""
    for wanted in (request.args.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        for known in texts.LANGUAGES:
            if wanted == known:
                return known
    best = request.accept_languages.best_match(["zh", "zh-CN", "zh-Hans", "en"], default="zh")
    return "en" if best == "en" else "zh"


def theme() -> Theme:
    """Return the theme kept in a cookie; as the device has it where there is none."""
    kept = request.cookies.get(THEME_COOKIE)
    return "light" if kept == "light" else "dark" if kept == "dark" else "auto"


def safe_next(address: str | None) -> str:
    """Return where to go after logging in: only ever a path of our own."""
    if not address or not address.startswith("/") or address.startswith(("//", "/\\")):
        return "/"
    return "/" if any(ord(character) < 32 for character in address) else address  # noqa: PLR2004 - control characters


def _t(key: str, **values: object) -> str:
    return texts.text(language(), key, **values)


def _other_language_address() -> str:
    arguments = {name: value for name, value in request.args.items() if name != "lang"}
    arguments["lang"] = "en" if language() == "zh" else "zh"
    # A form's answer has no address of its own to come back to.
    path = request.path if request.method == "GET" else url_for("pages.map_page")
    return f"{path}?{urlencode(arguments)}"


def _destinations(roles: frozenset[Role]) -> list[tuple[str, str, bool]]:
    """Return the pages that a reader may open: name, address, whether it is this one."""
    finding = request.endpoint == "pages.map_page" and request.args.get("view") == FIND
    pages: list[tuple[str, str, frozenset[Role]]] = [
        ("mine", "pages.mine", frozenset(DRIVER_ROLES)),
        ("my_cards", "pages.my_cards", frozenset(DRIVER_ROLES)),
        ("attendant", "pages.attendant", frozenset(POST_ROLES)),
        # Operators find it from their operations, as other pages of the street.
        ("inspector", "pages.inspector", frozenset({Role.INSPECTOR})),
        # Finance has it among its own pages: a menu of all that auditors read would not fit.
        ("cards", "pages.cards", frozenset({Role.ATTENDANT})),
        # Others find them beside their operations.
        ("gates", "pages.gate_desk", frozenset({Role.ATTENDANT})),
        ("operations", "pages.operations", frozenset(OPERATIONS_ROLES)),
        ("places", "pages.places", frozenset(PLACE_ROLES)),
        ("tariffs", "pages.tariffs", frozenset(TARIFF_ROLES)),
        ("figures", "pages.figures", frozenset(FIGURE_ROLES)),
        ("signals", "pages.signals", frozenset(SIGNAL_ROLES)),
        ("escorts", "pages.signal_escorts", frozenset(ESCORT_ROLES)),
        # Others find it beside their duty desk.
        ("maintenance", "pages.signal_maintenance", frozenset({Role.MAINTAINER})),
        ("permits", "pages.permits", frozenset(PERMIT_ROLES)),
        ("finance", "pages.finance", frozenset(FINANCE_ROLES)),
        ("stays", "pages.stays", frozenset(STAY_ROLES)),
        ("disputes", "pages.disputes", frozenset(DISPUTE_ROLES)),
        # Others find them beside their operations: the menu has room for so many words.
        ("terminals", "pages.terminals", frozenset({Role.AUDITOR})),
        ("audit", "pages.audit", frozenset(AUDIT_ROLES)),
    ]
    return [
        ("map", url_for("pages.map_page"), request.endpoint == "pages.map_page" and not finding),
        ("find", url_for("pages.map_page", view=FIND), finding),
    ] + [
        (name, url_for(endpoint), request.endpoint == endpoint or _within(name))
        for name, endpoint, wanted in pages
        if wanted & roles
    ]


RIGHTS_PAGES: Final = (
    ("permits", "pages.permits", PERMIT_ROLES),
    ("reservations", "pages.reservations", PERMIT_ROLES),
    ("benefits", "pages.benefits", PERMIT_ROLES),
    ("blacklist", "pages.blacklist", BLACKLIST_ROLES),
    ("compensation", "pages.compensation", COMPENSATION_ROLES),
    ("abuse", "pages.abuse", ABUSE_ROLES),
)
FINANCE_PAGES: Final = (
    ("takings", "pages.finance", FINANCE_ROLES),
    ("reconciliation", "pages.finance_reconciliation", FINANCE_ROLES),
    ("refunds", "pages.finance_refunds", FINANCE_ROLES),
    ("invoices", "pages.finance_invoices", FINANCE_ROLES),
    ("arrears", "pages.finance_arrears", FINANCE_ROLES),
    ("ledger", "pages.finance_ledger", LEDGER_ROLES),
    ("terms", "pages.finance_terms", FINANCE_ROLES),
    ("cards", "pages.cards", FINANCE_ROLES),
    ("shifts", "pages.shifts", LEDGER_ROLES),
)
OPERATIONS_PAGES: Final = (
    ("operations", "pages.operations", OPERATIONS_ROLES),
    ("gates", "pages.gate_desk", GATE_ROLES),
    ("reads", "pages.reads", GATE_ROLES),
    ("supervision", "pages.supervision", SUPERVISION_ROLES),
    ("terminals", "pages.terminals", TERMINAL_ROLES),
    ("shifts", "pages.shifts", SHIFT_ROLES),
)
"""The pages that the menu knows as one: name, endpoint, whose."""


def _within(name: str) -> bool:
    """Say whether this page stands in the menu under another one's name."""
    if name == "signals":
        return request.endpoint in {
            "pages.signal_plan",
            "pages.signal_schedules",
            "pages.signal_lanes",
            "pages.signal_study",
            "pages.signal_duty",
            "pages.signal_maintenance",
            "pages.junction_file",
            "pages.signal_travel",
            "pages.signal_junction",
        }
    known = {"permits": RIGHTS_PAGES, "finance": FINANCE_PAGES, "operations": OPERATIONS_PAGES}
    siblings = known.get(name, ())
    return any(request.endpoint == each[1] for each in siblings)


def _siblings(
    pages: Iterable[tuple[str, str, tuple[Role, ...]]], roles: frozenset[Role]
) -> list[tuple[str, str, bool]]:
    """Return those of some pages that a reader may open: name, address, whether it is this one."""
    return [
        (name, url_for(endpoint), request.endpoint == endpoint)
        for name, endpoint, wanted in pages
        if roles.intersection(wanted)
    ]


def _clock() -> ClockSetting | None:
    """Return the demo clock's setting; None outside the demo."""
    if g.get("without_city") or not access.wiring().settings.demo_enabled:
        return None
    if "demo_clock" not in g:
        wiring = access.wiring()
        with wiring.database.read() as connection:
            g.demo_clock = clock_setting(read_setting(connection, DEMO_CLOCK), wiring.wall)
    found: ClockSetting = g.demo_clock
    return found


def page_data(subject: str | None = None) -> dict[str, Any]:
    """Return what the page's script starts from; it stands in the page as data, not as code."""
    caller = access.actor()
    wall_at = access.wiring().wall.now()
    setting = _clock()
    return {
        "language": language(),
        "roles": sorted(caller.roles) if caller else [],
        "account": str(caller.account_id) if caller and caller.account_id else None,
        "now": rfc3339(setting.instant(wall_at) if setting else wall_at),
        "wall": rfc3339(wall_at),
        "speed": _plain(setting.speed) if setting else 1,
        "simulated": setting is not None,
        "timezone": CITY_ZONE,
        "streets": url_for("pages.static_file", name=STREETS),
        "subject": subject,
    }


def _plain(speed: float) -> float | int:
    return int(speed) if speed == int(speed) else speed


def shell() -> dict[str, Any]:
    """Return what the base template uses, on error pages as well."""
    caller = access.actor()
    roles = caller.roles if caller else frozenset[Role]()
    setting = _clock()
    speed = _plain(setting.speed) if setting else 1
    here = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return {
        "t": _t,
        "language": language(),
        "theme": theme(),
        "actor": caller,
        "page_data": page_data,
        "assets": lambda entry: assets.tags(entry, language()),
        "simulated": setting is not None,
        "speed": speed,
        "speeds": sorted({*SPEEDS, speed} - {0}),
        "may_set_clock": bool(roles & CLOCK_ROLES),
        "destinations": _destinations(roles),
        "rights_pages": _siblings(RIGHTS_PAGES, roles),
        "finance_pages": _siblings(FINANCE_PAGES, roles),
        "operations_pages": _siblings(OPERATIONS_PAGES, roles),
        "other_language_address": _other_language_address(),
        "log_in_next": None if request.path.startswith("/log-") or here == "/" else here,
    }


def _remember_language(response: Response) -> Response:
    if response.mimetype != "text/html":
        return response  # first: it is asked of every answer of the API as well
    asked = request.args.get("lang")
    # A service worker that fetches a page to keep it is nobody who chose a language.
    chosen = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    if asked in texts.LANGUAGES and chosen:
        response.set_cookie(
            LANGUAGE_COOKIE,
            asked,
            max_age=YEAR_S,
            samesite="Lax",
            httponly=True,
            secure=access.wiring().settings.secure_cookies,
        )
    return response


def register(app: Flask) -> None:
    """Give every template the shell, and keep the language that a page was asked for in."""
    app.context_processor(shell)
    app.after_request(_remember_language)
