"""``controller``: a simulated street controller with its own conflict monitor."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from typing import Final, Protocol

from pydantic import JsonValue

from city.command_line import CommandLine
from city.errors import Invalid
from city.works.settings import settings
from signals.adapters.cabinet_host import GRAMMAR, CabinetHost, parse_mischief
from signals.adapters.gat1049 import simulated as gat1049
from signals.adapters.gat1049.users import read_users as read_gat_users
from signals.adapters.gbt20999 import simulated as gbt20999
from signals.rules.controllers import demonstration
from signals.rules.controllers.cabinet import Cabinet
from signals.rules.controllers.layout import layout_of, plan_of
from signals.rules.controllers.ntcip import demonstration as rings
from signals.rules.model.files import read_network
from signals.rules.safety.case import prepare
from signals.rules.safety.profiles import PROFILES, profile_named

SUMMARY: Final = "simulate a street controller, with a conflict monitor of its own"

PROTOCOLS: Final = ("gbt20999", "gat1049", "ntcip")
_EXAMPLE: Final = (
    "python -m signals controller --protocol gbt20999 --port 20999 --speed 10 \\\n"
    "    --faults lose=0.1,corrupt=0.1,seed=7\n"
    "Without --network it runs a crossroads of its own, plans 1 and 2.\n"
    "gat1049: a signal system with one junction, TCP alone; who may log in is in GAT1049_SYSTEMS,\n"
    "or told in the line that it prints.\n"
    "ntcip: eight phases in two rings of its own; SNMPv3 users are those of SNMP_USERS.\n"
    f"FAULTS: {GRAMMAR}"
)
_TRANSPORTS: Final = {"gbt20999": ["udp", "tcp"], "gat1049": ["tcp"], "ntcip": ["udp"]}
_LAST_PORT: Final = 65_535
_MOST_BYTES: Final = 512 * 1024 * 1024


_System = tuple[gat1049.Journal, tuple[str, int] | None]
"""What a signal system's cabinet tells its seconds, and whom it dials."""


class _Serving(Protocol):
    def close(self) -> None: ...


class _Both:
    """What listens and what dials."""

    def __init__(self, *parts: _Serving) -> None:
        self._parts = parts

    def close(self) -> None:
        for each in self._parts:
            each.close()


def run(arguments: Sequence[str]) -> int:
    """Answer until interrupted; print one line with the address when ready."""
    line = CommandLine("signals", "controller", SUMMARY, _EXAMPLE)
    line.add_argument("--protocol", required=True, choices=PROTOCOLS, help="what it speaks")
    line.add_argument("--port", required=True, metavar="N", help="loopback port; 0: a free one")
    line.add_argument("--speed", default="1", metavar="X", help="its seconds in one of ours (1)")
    line.add_argument("--faults", default="", metavar="FAULTS", help="what goes wrong on purpose")
    line.add_argument("--dial", metavar="HOST:PORT", help="gat1049: dial a platform as well")
    line.add_argument("--network", metavar="NET", help="take a junction and its plans from there")
    line.add_argument("--signal", metavar="NAME", help="which junction of the network (the first)")
    line.add_argument(
        "--profile", metavar="NAME", default="gb", help=f"one of {', '.join(PROFILES)} (gb)"
    )
    given = line.parse_args(arguments)
    port = _port(given.port)
    if given.protocol == "ntcip":
        if given.network is not None:
            line.error("--network: a junction's stages are no rings; ntcip runs its own")
        cabinet = rings.cabinet()
    elif given.network is None:
        cabinet = demonstration.cabinet()
    else:
        cabinet = _cabinet_of(line, given.network, given.signal, given.profile)
    dialled = _dialled(line, given.dial, given.protocol)
    journal = gat1049.Journal()
    host = CabinetHost(
        cabinet,
        speed=_speed(given.speed),
        mischief=parse_mischief(given.faults),
        told=journal.told,
    )
    try:
        asyncio.run(_serve(line, host, (journal, dialled), given.protocol, port))
    except OSError as error:
        raise Invalid(f"{port} cannot be used ({error.strerror})", field="--port") from None
    sys.stderr.write("python -m signals controller: stopped\n")
    return 0


async def _serve(
    line: CommandLine, host: CabinetHost, system: _System, protocol: str, port: int
) -> None:
    done = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, done.set)
    more: dict[str, JsonValue] = {}
    if protocol == "gat1049":
        bound, serving, more = _system(host, *system, port)
    else:
        bound, serving = await _listening(host, protocol, port)
    layout = host.cabinet.layout
    line.answer(
        {
            "protocol": protocol,
            "address": f"127.0.0.1:{bound}",
            "transports": _TRANSPORTS[protocol],
            "phases": len(layout.phases),
            "stages": len(layout.stages),
            "plans": sorted(host.cabinet.plans),
            **more,
        }
    )
    sys.stdout.flush()
    await done.wait()
    serving.close()


def _system(
    host: CabinetHost, journal: gat1049.Journal, dialled: tuple[str, int] | None, port: int
) -> tuple[int, _Serving, dict[str, JsonValue]]:
    kept = settings().gat1049_systems
    known = read_gat_users(None if kept is None else kept.get_secret_value())
    more: dict[str, JsonValue] = {"cross": gat1049.CROSS}
    if not known:
        # Of this run alone, like the log-ins of the demo city.
        own = gat1049.user_of_its_own()
        known = {own.name: own}
        more |= {"user": own.name, "password": own.password}
    system = gat1049.SimulatedGat1049(host, journal)
    reception = gat1049.serve(system, known, port)
    if dialled is None:
        return reception.port, reception, more
    dialling = gat1049.Dialling(system, next(iter(known.values())), *dialled)
    return (
        reception.port,
        _Both(reception, dialling),
        more | {"dials": f"{dialled[0]}:{dialled[1]}"},
    )


def _dialled(line: CommandLine, text: str | None, protocol: str) -> tuple[str, int] | None:
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if protocol != "gat1049" or not host:
        line.error("--dial: HOST:PORT of a platform, with --protocol gat1049")
    return host, _port(port)


async def _listening(host: CabinetHost, protocol: str, port: int) -> tuple[int, _Serving]:
    if protocol == "gbt20999":
        return await gbt20999.serve(gbt20999.SimulatedGbt20999(host), port)
    # SNMP is a second to import, and only this protocol needs it.
    from signals.adapters.ntcip import simulated, users  # noqa: PLC0415 - as above

    kept = settings().snmp_users
    known = users.read_users(None if kept is None else kept.get_secret_value())
    if not known:
        raise Invalid("names no user with keys: see docs/controllers.md", field="SNMP_USERS")
    controller = simulated.SimulatedNtcip(host, rings.rings(), rings.patterns())
    return await simulated.serve(controller, list(known.values()), port)


def _cabinet_of(line: CommandLine, network: str, wanted: str | None, profile: str) -> Cabinet:
    """Give the cabinet of a network's junction with the plans that the network brings."""
    rules = profile_named(profile)
    try:
        junctions, plans = read_network(line.read_bytes(network, _MOST_BYTES))
    except Invalid as error:
        line.error(f"{network}: {error}")
    name = wanted or junctions.junctions[0].name
    junction = junctions.junction_of.get(name)
    own = [plan for plan in plans if plan.junction == name]
    if junction is None or not own:
        line.error(f"{network}: has no signal {name} with a plan")
    layout = layout_of(prepare(junction, junctions, rules, own), own)
    kept = {number: plan_of(layout, plan, number) for number, plan in enumerate(own, 1)}
    return Cabinet(layout, kept, 1)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= _LAST_PORT):
        raise Invalid(f"must be 0 to {_LAST_PORT}", field="--port")
    return int(text)


def _speed(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Invalid("must be a number", field="--speed") from None
