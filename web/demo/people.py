"""Who works in the demo town: a log-in for each role, and the attendants who walk by themselves."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from city.people.roles import Role
from web.demo.town import NORTH, SOUTH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from city.identifiers import DistrictCode

LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""None that look alike on a terminal."""
GROUPS: Final = 4
GROUP_LENGTH: Final = 4
INTEGRATION: Final = "demo-network-server"
WALKERS_A_DISTRICT: Final = 3


@dataclass(frozen=True, slots=True)
class Post:
    """A log-in that is shown to whoever starts the demo."""

    login: str
    name: str
    role: Role
    page: str
    """Where the role's work is."""


POSTS: Final = (
    Post("attendant", "收费员 Attendant", Role.ATTENDANT, "/attendant"),
    Post("inspector", "稽查员 Inspector", Role.INSPECTOR, "/inspector"),
    Post("operator", "运营员 Operator", Role.OPERATOR, "/operations"),
    Post("finance", "财务 Finance", Role.FINANCE, "/finance"),
    Post("engineer", "信号工程师 Engineer", Role.ENGINEER, "/signals"),
    Post("maintainer", "信号维护 Maintainer", Role.MAINTAINER, "/signals/maintenance"),
    Post("auditor", "审计员 Auditor", Role.AUDITOR, "/audit"),
    Post("escort", "勤务指挥 Escort desk", Role.ESCORT, "/signals/escorts"),
    Post("approver", "勤务审批 Escort approval", Role.ESCORT, "/signals/escorts"),
    Post("administrator", "管理员 Administrator", Role.ADMINISTRATOR, "/operations"),
)
"""Every role but the driver, who logs in by telephone."""


@dataclass(frozen=True, slots=True)
class Walker:
    """A virtual attendant, who acts through the API alone."""

    login: str
    name: str
    district: DistrictCode


WALKERS: Final = tuple(
    Walker(
        f"walker-{district.code}-{number}", f"巡街员 Walker {district.code}-{number}", district.code
    )
    for district in (SOUTH, NORTH)
    for number in range(1, WALKERS_A_DISTRICT + 1)
)


def new_password() -> str:
    """Return a password that can be typed from a terminal, with 79 random bits."""
    return "-".join(
        "".join(secrets.choice(LETTERS) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS)
    )


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as columns, each as wide as its widest cell."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def greeting(origin: str, codes: Path, passwords: Mapping[str, str], integration_token: str) -> str:
    """Return what the terminal shows: who can log in, how a driver does, how to send an uplink.

    Parameters
    ----------
    origin
        Of the pages.
    codes
        Where a driver's code can be read.
    passwords
        By log-in.
    integration_token
        Of the webhook to try.
    """
    table = aligned(
        [
            ("  role", "log-in", "password", "page"),
            *(
                (f"  {post.role}", post.login, passwords[post.login], f"{origin}{post.page}")
                for post in POSTS
            ),
        ]
    )
    return f"""
A simulated town lives here. Log in at {origin}/log-in:

{table}

  A driver logs in at {origin}/log-in/driver with any mainland mobile number, such as
  13800138000; nothing is sent, the code is in {codes}.
  13800138001 to 13800138080 are regulars: once an attendant has met their car it is theirs,
  and its bills are taken by agreement.

Uplinks of network servers (TTN, ChirpStack, CTWing) are taken with this token:

  curl -H 'Authorization: Bearer {integration_token}' -H 'Content-Type: application/json' \\
    --data @uplink.json {origin}/api/v1/uplinks/ttn
"""
