"""Lines to cabinets, by what their binding says."""

from city.errors import Invalid
from city.works.settings import settings
from signals.adapters.gbt20999.line import Gbt20999Line
from signals.adapters.gbt20999.link import Patience, TcpLink, UdpLink
from signals.rules.controllers.address import CabinetAddress, dialect_of, snmp_user_of
from signals.rules.controllers.line import ControllerLine, NoAnswer


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
