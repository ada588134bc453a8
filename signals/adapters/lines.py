"""Lines to cabinets, by what their binding says."""

from signals.adapters.gbt20999.line import Gbt20999Line
from signals.adapters.gbt20999.link import Patience, TcpLink, UdpLink
from signals.rules.controllers.address import CabinetAddress, dialect_of
from signals.rules.controllers.line import ControllerLine, NoAnswer


def dial(address: CabinetAddress, patience: Patience | None = None) -> ControllerLine:
    """Open the line to a cabinet. Raises NoAnswer where nobody takes a connection."""
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
