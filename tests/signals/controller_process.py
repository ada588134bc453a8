"""A simulated controller as a real process."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from signals.adapters.gat1049.line import Gat1049Line
from signals.adapters.gat1049.systems import Systems
from signals.adapters.gat1049.users import GatUser
from signals.adapters.gbt20999.line import Gbt20999Line
from signals.adapters.gbt20999.link import Patience, TcpLink, UdpLink
from signals.rules.controllers.line import ControllerLine


@contextmanager
def controller(*arguments: str, protocol: str = "gbt20999") -> Iterator[dict[str, object]]:
    """Start one, give its ready line, end it."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "signals", "controller"),
            *("--protocol", protocol, "--port", "0", *arguments),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        try:
            assert process.wait(30) == 0
        finally:
            process.stdout.close()


def port_of(ready: dict[str, object]) -> int:
    return int(str(ready["address"]).rpartition(":")[2])


def line_to(ready: dict[str, object], patience: Patience, transport: str = "udp") -> ControllerLine:
    """Give a line to one of GB/T 20999 or GA/T 1049, as its ready line says."""
    port = port_of(ready)
    if ready["protocol"] == "gbt20999":
        dial = TcpLink.dial if transport == "tcp" else UdpLink
        return Gbt20999Line(dial("127.0.0.1", port, patience))
    systems = Systems()
    user = GatUser(str(ready["user"]), str(ready["password"]))
    session = systems.borrow("127.0.0.1", port, user, patience)
    return Gat1049Line(
        session,
        str(ready["cross"]),
        patience=patience,
        closed=lambda: systems.give_back(session),
    )
