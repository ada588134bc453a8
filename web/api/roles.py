"""Groups of roles that many routes share."""

from __future__ import annotations

from typing import Final

from city.people import Role

BACK_OFFICE: Final = (
    Role.ATTENDANT,
    Role.INSPECTOR,
    Role.OPERATOR,
    Role.FINANCE,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
)
"""Who reads what concerns stays, bills and rights."""
REGISTRY: Final = (Role.OPERATOR, Role.ENGINEER, Role.AUDITOR, Role.ADMINISTRATOR)
"""Who reads what is registered: devices and places."""
KEEPERS: Final = (Role.OPERATOR, Role.ADMINISTRATOR)
"""Who changes what is registered, and rights."""
