"""Names and passwords of GA/T 1049 peers, as a setting gives them; never logged."""

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from city.errors import Invalid
from signals.rules.controllers.gat1049.desk import Admit

_LEAST_PASSWORD: Final = 8
_MOST_WORD: Final = 64


@dataclass(frozen=True, slots=True)
class GatUser:
    """Who logs in."""

    name: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        # What is wrong is said without the password.
        if not 1 <= len(self.name) <= _MOST_WORD:
            raise Invalid("a user's name must have 1 to 64 characters", field="GAT1049_SYSTEMS")
        if not _LEAST_PASSWORD <= len(self.password) <= _MOST_WORD:
            raise Invalid("passwords must have 8 to 64 characters", field="GAT1049_SYSTEMS")


def read_users(text: str | None) -> dict[str, GatUser]:
    """Read users by their names from JSON: ``{"NAME": {"password": "…"}}``.

    Raises
    ------
    Invalid
        Naming no password.
    """
    if text is None:
        return {}
    try:
        given = json.loads(text)
        return {name: GatUser(name, **keys) for name, keys in given.items()}
    except (ValueError, TypeError, AttributeError):
        raise Invalid("is no JSON of users with their passwords", field="GAT1049_SYSTEMS") from None


def admitting(users: Mapping[str, GatUser]) -> Admit:
    """Give who lets these users in, each time with a token of its own."""

    def admit(name: str, password: str) -> str | None:
        known = users.get(name)
        # As long for an unknown name as for a wrong password.
        right = hmac.compare_digest(
            (known.password if known else secrets.token_hex()).encode(), password.encode()
        )
        return secrets.token_hex(16) if known is not None and right else None

    return admit
