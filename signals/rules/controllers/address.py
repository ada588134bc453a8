"""Where a cabinet is reached, and how it speaks: pure, checked when it is made."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from pydantic import JsonValue

from city.errors import Invalid
from signals.rules.controllers.gbt20999.objects import Dialect

PROTOCOLS: Final = ("gbt20999", "gat1049", "ntcip")
TRANSPORTS: Final = ("udp", "tcp")
_MOST_PORT: Final = 65_535
_MOST_CONTROLLER: Final = 2**32 - 1
_MOST_JUNCTION: Final = 255
_MOST_USER: Final = 32
"""Characters of a user's name in SNMPv3 (RFC 3414)."""

_MOST_SYSTEM_USER: Final = 64
_CROSS: Final = re.compile(r"[0-9]{1,20}")
"""Sources disagree on its length."""


@dataclass(frozen=True, slots=True)
class CabinetAddress:
    """One controller's junction at the other end of a line.

    Raises
    ------
    Invalid
        Naming the member. The host is a number: a name could lead elsewhere tomorrow, and its
        look-up may take longer than a controller.
    """

    host: str
    port: int
    controller: int = 1
    junction: int = 1
    protocol: str = "gbt20999"
    transport: str = "udp"
    dialect: Mapping[str, JsonValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            ipaddress.IPv4Address(self.host)
        except ValueError:
            raise Invalid("must be an IPv4 address", field="host") from None
        for name, least, most in (
            ("port", 1, _MOST_PORT),
            ("controller", 0, _MOST_CONTROLLER),
            ("junction", 0, _MOST_JUNCTION),
        ):
            if not least <= getattr(self, name) <= most:
                raise Invalid(f"must be {least} to {most}", field=name)
        if self.protocol not in PROTOCOLS:
            raise Invalid(f"must be one of {', '.join(PROTOCOLS)}", field="protocol")
        if self.transport not in TRANSPORTS:
            raise Invalid(f"must be one of {', '.join(TRANSPORTS)}", field="transport")
        if self.protocol == "ntcip":
            if self.transport != "udp":
                raise Invalid("must be udp: NTCIP runs over SNMP", field="transport")
            snmp_user_of(self.dialect)
        elif self.protocol == "gat1049":
            if self.transport != "tcp":
                raise Invalid("must be tcp: GA/T 1049 runs over TCP", field="transport")
            system_of(self.dialect)
        else:
            dialect_of(self.dialect)


def snmp_user_of(given: Mapping[str, JsonValue]) -> str:
    """Give who asks over SNMP, whose keys are in the settings; Invalid where nobody is named."""
    user = given.get("user")
    if len(given) != 1 or not isinstance(user, str) or not 1 <= len(user) <= _MOST_USER:
        raise Invalid("must name the SNMPv3 user, and nothing else", field="dialect")
    return user


def system_of(given: Mapping[str, JsonValue]) -> tuple[str, str]:
    """Give who logs in to a signal system, whose password is in the settings, and the junction.

    Raises
    ------
    Invalid
        Where either is missing, or something else is said.
    """
    user, cross = given.get("user"), given.get("cross")
    if len(given) != 2 or not isinstance(user, str) or not 1 <= len(user) <= _MOST_SYSTEM_USER:  # noqa: PLR2004 - user and cross
        raise Invalid(
            "must name the system's user and the cross, and nothing else", field="dialect"
        )
    if not isinstance(cross, str) or _CROSS.fullmatch(cross) is None:
        raise Invalid("must be the junction's number, digits alone", field="dialect.cross")
    return user, cross


def dialect_of(given: Mapping[str, JsonValue]) -> Dialect:
    """Give a dialect of GB/T 20999 from its members; Invalid names one that is none."""
    kinds = {each.name: type(each.default) for each in fields(Dialect)}
    for name, value in given.items():
        # True is an int to isinstance, and no version.
        if name not in kinds or type(value) is not kinds[name]:
            raise Invalid("is not known, or of another kind", field=f"dialect.{name}")
    values: dict[str, Any] = dict(given)
    return Dialect(**values)
