"""Users of SNMPv3 with their keys, as the setting `SNMP_USERS` gives them; never logged."""

import json
from dataclasses import dataclass, field
from typing import Final

from pysnmp.entity import config

from city.errors import Invalid

_AUTHENTICATIONS: Final = {
    "sha1": config.USM_AUTH_HMAC96_SHA,
    "sha256": config.USM_AUTH_HMAC192_SHA256,
    "sha512": config.USM_AUTH_HMAC384_SHA512,
}
_LEAST_KEY: Final = 8
"""Characters of a passphrase (RFC 3414, 11.2)."""


@dataclass(frozen=True, slots=True)
class SnmpUser:
    """Who asks, always authenticated and encrypted (AES-128)."""

    name: str
    authentication: str = field(repr=False)
    privacy: str = field(repr=False)
    method: str = "sha256"

    def __post_init__(self) -> None:
        # What is wrong is said without the keys.
        if not 1 <= len(self.name) <= 32:  # noqa: PLR2004 - RFC 3414
            raise Invalid("a user's name must have 1 to 32 characters", field="SNMP_USERS")
        if min(len(self.authentication), len(self.privacy)) < _LEAST_KEY:
            raise Invalid("keys must have 8 characters at least", field="SNMP_USERS")
        if self.method not in _AUTHENTICATIONS:
            raise Invalid(
                f"method must be one of {', '.join(_AUTHENTICATIONS)}", field="SNMP_USERS"
            )

    @property
    def authentication_protocol(self) -> tuple[int, ...]:
        """Its number in SNMP."""
        return tuple(_AUTHENTICATIONS[self.method])


def read_users(text: str | None) -> dict[str, SnmpUser]:
    """Read users by their names from JSON: ``{"NAME": {"authentication", "privacy", "method"}}``.

    Raises
    ------
    Invalid
        Naming no key.
    """
    if text is None:
        return {}
    try:
        given = json.loads(text)
        return {name: SnmpUser(name, **keys) for name, keys in given.items()}
    except (ValueError, TypeError, AttributeError):
        raise Invalid("is no JSON of users with their keys", field="SNMP_USERS") from None
