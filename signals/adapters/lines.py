"""Lines to cabinets, by what their binding says."""

from typing import Final

from city.errors import Invalid
from city.works.settings import settings
from signals.adapters.gat1049.line import Gat1049Line
from signals.adapters.gat1049.systems import Systems
from signals.adapters.gat1049.users import read_users as read_gat_users
from signals.adapters.gbt20999.line import Gbt20999Line
from signals.adapters.gbt20999.link import Patience, TcpLink, UdpLink
from signals.rules.controllers.address import (
    CabinetAddress,
    dialect_of,
    snmp_user_of,
    system_of,
)
from signals.rules.controllers.line import ControllerLine, NoAnswer

SYSTEMS: Final = Systems()
"""Of this process: the lines to a system's junctions share one session."""


def dial(address: CabinetAddress, patience: Patience | None = None) -> ControllerLine:
    """Open the line to a cabinet.

    Raises
    ------
    NoAnswer
        Where nobody takes a connection.
    Invalid
        Where the settings have no keys for its user.
    """
    if address.protocol == "ntcip":
        return _over_snmp(address, patience)
    if address.protocol == "gat1049":
        return _of_system(address, patience or Patience())
    dialect = dialect_of(address.dialect)
    connect = TcpLink.dial if address.transport == "tcp" else UdpLink
    try:
        link = connect(address.host, address.port, patience, lenient=dialect.lenient)
    except OSError as error:
        raise NoAnswer(f"the line to the controller is down ({error})") from None
    return Gbt20999Line(
        link,
        controller=address.controller,
        junction=address.junction,
        dialect=dialect,
    )


def _of_system(address: CabinetAddress, patience: Patience) -> ControllerLine:
    name, cross = system_of(address.dialect)
    kept = settings().gat1049_systems
    users = read_gat_users(None if kept is None else kept.get_secret_value())
    if name not in users:
        raise Invalid(f"has no password of {name}", field="GAT1049_SYSTEMS")
    session = SYSTEMS.borrow(address.host, address.port, users[name], patience)
    return Gat1049Line(session, cross, patience=patience, closed=lambda: SYSTEMS.give_back(session))


def _over_snmp(address: CabinetAddress, patience: Patience | None) -> ControllerLine:
    # SNMP is a second to import, and few cities have such controllers.
    from signals.adapters.ntcip.line import NtcipLine  # noqa: PLC0415 - as above
    from signals.adapters.ntcip.session import SnmpSession  # noqa: PLC0415 - as above
    from signals.adapters.ntcip.users import read_users  # noqa: PLC0415 - as above

    kept = settings().snmp_users
    users = read_users(None if kept is None else kept.get_secret_value())
    name = snmp_user_of(address.dialect)
    if name not in users:
        raise Invalid(f"has no keys of {name}", field="SNMP_USERS")
    return NtcipLine(SnmpSession(address.host, address.port, users[name], patience))
