"""Roles: what a person's work is. ``docs/security.md`` has the table of who may do what."""

from collections.abc import Iterable
from enum import StrEnum

from city.errors import Invalid


class Role(StrEnum):
    """A person's work, from which what they may do follows."""

    DRIVER = "driver"
    ATTENDANT = "attendant"
    INSPECTOR = "inspector"
    OPERATOR = "operator"
    FINANCE = "finance"
    ENGINEER = "engineer"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    ESCORT = "escort"
    """Cleared for escort routes, which nobody else sees."""
    MAINTAINER = "maintainer"
    """Keeps signals alive, at their cabinets."""


STAFF_ROLES = frozenset(Role) - {Role.DRIVER}


def parse_roles(names: Iterable[str], field: str = "roles") -> frozenset[Role]:
    """Read roles by their names.

    Raises
    ------
    Invalid
        On a name that is no role; the message lists those that are.
    """
    try:
        return frozenset(Role(name) for name in names)
    except ValueError:
        raise Invalid(f"is not among {', '.join(Role)}", field=field) from None
