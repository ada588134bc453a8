"""Networks of signals: imported whole, kept junction by junction, read and judged by junction."""

import re
import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from city.audit import record
from city.errors import Conflict, Invalid, NotFound
from city.people.actors import Actor
from city.works.database import UnitOfWork
from signals.rules.life.outlook import Demand
from signals.rules.life.parts import middle_of, part_of, plan_json
from signals.rules.model.document_writing import document_of
from signals.rules.model.documents import network_from_json, plans_from_json
from signals.rules.model.files import read_network
from signals.rules.model.junction import Road, SignalledJunction, SignalNetwork
from signals.rules.model.plans import Programme
from signals.rules.model.sumo_export import network_file
from signals.rules.model.sumo_net import read_sumo
from signals.rules.plans.routes import read_journeys, turning_flows
from signals.rules.safety.case import Case, prepare
from signals.rules.safety.profiles import Profile, profile_named
from signals.store import networks as store
from signals.store import running_plans

if TYPE_CHECKING:
    from pydantic import JsonValue

MOST_SIGNALS: Final = 2_000
MOST_FLOWS: Final = 50_000
MOST_FLOW_VPH: Final = 20_000.0
_KEPT: Final = 4_000
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)

Value = TypeVar("Value")
Names = tuple[str, str]
"""Chinese, English."""


class _Kept:
    """What was made ready of rows that never change; the least lately used goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> object | None:
        """Give what is kept under a key."""
        with self._lock:
            found = self._values.get(key)
            if found is not None:
                self._values.move_to_end(key)
            return found

    def put(self, key: Hashable, value: object) -> None:
        """Keep something."""
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._most:
                self._values.popitem(last=False)


_PARTS: Final = _Kept(_KEPT)
_CASES: Final = _Kept(_KEPT)


def import_network(
    uow: UnitOfWork, actor: Actor, code: str, names: Names, content: bytes
) -> store.NetworkRecord:
    """Read a file, SUMO's or our own, and keep its signals with the plans that it carries.

    Raises
    ------
    Invalid
        Where it cannot be read; the message names the element or member.
    """
    try:
        network, own = read_network(content)
    except Invalid as error:
        field = "content" if error.field is None else f"content.{error.field}"
        raise Invalid(error.message, field=field) from None
    return record_network(uow, actor, code, names, network, own)


def record_network(  # noqa: PLR0917 - who keeps which network with which plans
    uow: UnitOfWork,
    actor: Actor,
    code: str,
    names: Names,
    network: SignalNetwork,
    own: Sequence[Programme],
    *,
    titles: Mapping[str, Names] | None = None,
    origin: store.Origin = "import",
) -> store.NetworkRecord:
    """Keep a network as its code's next revision; its first plan of each signal runs there.

    Raises
    ------
    Invalid
        On a code that is none, or more signals than one network may have.
    """
    if _CODE.fullmatch(code) is None:
        raise Invalid("is not a code: lower-case letters, digits, - and _", field="code")
    if len(network.junctions) > MOST_SIGNALS:
        raise Invalid(f"has more than {MOST_SIGNALS} signals", field="content")
    at = uow.clock.now()
    made = store.add_network(
        uow.connection, code=code, names=names, origin=origin, at=at, by=actor.subject
    )
    known = titles or {}
    rows = []
    for junction in network.junctions:
        x_m, y_m = middle_of(junction)
        title = known.get(junction.name, ("", ""))
        model = document_of(part_of(network, junction), ())
        rows.append(store.SignalRecord(made.id, junction.name, *title, x_m, y_m, model))
    store.add_signals(uow.connection, rows)
    first: dict[str, Programme] = {}
    for plan in own:
        first.setdefault(plan.junction, plan)
    if first:
        running_plans.switch(
            uow.connection,
            made.id,
            [running_plans.NewRun(name, "found", plan_json(plan)) for name, plan in first.items()],
            at=at,
            by=actor.subject,
        )
    detail: dict[str, JsonValue] = {
        "code": code,
        "revision": made.revision,
        "signals": len(rows),
        "plans": len(first),
    }
    record(uow, actor, "signals.network_imported", "signal_network", str(made.id), detail)
    return made


def record_demand(
    uow: UnitOfWork,
    actor: Actor,
    network_id: UUID,
    *,
    name: str,
    source: str,
    flows: Sequence[tuple[str, str, float]],
    hours: float = 1.0,
) -> store.DemandRecord:
    """Keep who drives where: from now on it is what plans are foretold and made for.

    Raises
    ------
    Invalid
        On no flow or too many, a negative or absurd one, a pair given twice, or a road that no
        signal of the network has.
    """
    home = network(uow.connection, network_id)
    if not flows:
        raise Invalid("must hold a flow at least", field="flows")
    if len(flows) > MOST_FLOWS:
        raise Invalid(f"must hold at most {MOST_FLOWS} flows", field="flows")
    roads = {road.name for part in parts(uow.connection, home.id).values() for road in part.roads}
    seen: set[tuple[str, str]] = set()
    for number, (start, end, flow_vph) in enumerate(flows):
        for side, road in (("from_road", start), ("to_road", end)):
            if road not in roads:
                raise Invalid(f"no signal has a road {road}", field=f"flows.{number}.{side}")
        # Written so that NaN fails too.
        if not 0 <= flow_vph <= MOST_FLOW_VPH:
            raise Invalid(f"must lie from 0 to {MOST_FLOW_VPH:.0f}", field=f"flows.{number}.vph")
        if (start, end) in seen:
            raise Invalid("is given twice", field=f"flows.{number}")
        seen.add((start, end))
    made = store.add_demand(
        uow.connection,
        home.id,
        name=name,
        source=source,
        hours=hours,
        flows=flows,
        at=uow.clock.now(),
        by=actor.subject,
    )
    detail: dict[str, JsonValue] = {"name": name, "source": source, "flows": len(flows)}
    record(uow, actor, "signals.demand_recorded", "signal_demand", str(made), detail)
    found = store.demand_of(uow.connection, made)
    if found is None:
        raise NotFound("no such demand", field="id")
    return found


def record_junction_flows(
    uow: UnitOfWork,
    actor: Actor,
    network_id: UUID,
    signal: str,
    *,
    based_on: UUID | None,
    name: str,
    source: str,
    flows: Sequence[tuple[str, str, float]],
) -> store.DemandRecord:
    """Keep other flows of one junction: a new demand, the flows elsewhere as they were.

    Raises
    ------
    Conflict
        Where another demand than `based_on` was recorded last.
    Invalid
        On a pair of roads that is no turn of the junction, or as for ``record_demand``.
    """
    part = parts(uow.connection, network_id, [signal])[signal]
    known = store.latest_demand(uow.connection, network_id)
    if (None if known is None else known.id) != based_on:
        raise Conflict("another demand was recorded meanwhile: look again", field="based_on")
    turns = {
        (part.road_of[each.from_lane].name, part.road_of[each.to_lane].name)
        for each in part.junctions[0].movements
        if each.from_lane in part.road_of and each.to_lane in part.road_of
    }
    for number, (start, end, _) in enumerate(flows):
        if (start, end) not in turns:
            raise Invalid("is no turn of this junction", field=f"flows.{number}")
    given = {(start, end) for start, end, _ in flows}
    elsewhere = [
        (str(start), str(end), float(vph))
        for start, end, vph in ([] if known is None else known.flows)
        if (start, end) not in given
    ]
    return record_demand(
        uow,
        actor,
        network_id,
        name=name,
        source=source,
        flows=[*elsewhere, *flows],
        hours=1.0 if known is None else known.hours,
    )


def flows_of_routes(
    network_content: bytes, routes: bytes, begin_s: float | None, end_s: float | None
) -> tuple[list[tuple[str, str, float]], float]:
    """Give the turning flows of a SUMO routes file over its network, and for how many hours.

    Raises
    ------
    Invalid
        Where either cannot be read, naming `content` or `routes`.
    """
    try:
        roads = read_sumo(network_content)
    except Invalid as error:
        raise Invalid(error.message, field="content") from None
    try:
        flows = turning_flows(roads, read_journeys(routes), begin_s, end_s)
    except Invalid as error:
        raise Invalid(error.message, field="routes") from None
    hours = max((flows.end_s - flows.begin_s) / 3_600, 1e-3)
    return [(a, b, vph) for (a, b), vph in flows.flow_vph.items()], hours


def at_signals(
    connection: Connection, network_id: UUID, flows: Sequence[tuple[str, str, float]]
) -> list[tuple[str, str, float]]:
    """Give the flows between roads that some signal of a network releases."""
    pairs = {
        (part.road_of[each.from_lane].name, part.road_of[each.to_lane].name)
        for part in parts(connection, network_id).values()
        for each in part.junctions[0].movements
        if each.from_lane in part.road_of and each.to_lane in part.road_of
    }
    return [each for each in flows if each[:2] in pairs]


def network(connection: Connection, network_id: UUID) -> store.NetworkRecord:
    """Give a network; NotFound where there is none."""
    found = store.network_of(connection, network_id)
    if found is None:
        raise NotFound("no such network", field="network_id")
    return found


def parts(
    connection: Connection, network_id: UUID, names: Sequence[str] | None = None
) -> dict[str, SignalNetwork]:
    """Give the junctions of a network, each with the roads at it; names that are not there fail.

    Raises
    ------
    NotFound
        Naming the signal that the network lacks.
    """
    wanted = store.signal_names(connection, network_id) if names is None else list(names)
    found: dict[str, SignalNetwork] = {}
    missing = []
    for name in wanted:
        kept = _PARTS.get((network_id, name))
        if isinstance(kept, SignalNetwork):
            found[name] = kept
        else:
            missing.append(name)
    if missing:
        for row in store.signals_of(connection, network_id, missing):
            found[row.name] = network_from_json(row.model)
            _PARTS.put((network_id, row.name), found[row.name])
    for name in wanted:
        if name not in found:
            raise NotFound(f"the network has no signal {name}", field="signals")
    return {name: found[name] for name in wanted}


def cases(
    connection: Connection, network_id: UUID, names: Sequence[str], profile: Profile
) -> dict[str, Case]:
    """Give junctions made ready to be judged under a profile."""
    found: dict[str, Case] = {}
    missing = []
    for name in names:
        kept = _CASES.get((network_id, name, profile.name))
        if isinstance(kept, Case):
            found[name] = kept
        else:
            missing.append(name)
    if missing:
        own = running_plans.found(connection, network_id, missing)
        for name, part in parts(connection, network_id, missing).items():
            plans = plans_from_json({"plans": [own[name]]}, part) if name in own else ()
            found[name] = prepare(part.junctions[0], part, profile, plans)
            _CASES.put((network_id, name, profile.name), found[name])
    return found


def running(
    connection: Connection,
    network_id: UUID,
    names: Sequence[str] | None = None,
    *,
    lock: bool = False,
) -> dict[str, tuple[running_plans.RunningPlan, Programme]]:
    """Give what controllers run now, by signal; those without a plan are left out."""
    rows = running_plans.in_force(connection, network_id, names, lock=lock)
    known = parts(connection, network_id, list(rows))
    return {
        name: (row, plans_from_json({"plans": [row.programme]}, known[name])[0])
        for name, row in rows.items()
    }


def demand(connection: Connection, network_id: UUID) -> tuple[store.DemandRecord, Demand] | None:
    """Give what is driven in a network, as it was recorded last; None where nobody told."""
    found = store.latest_demand(connection, network_id)
    return None if found is None else (found, as_demand(found))


def as_demand(found: store.DemandRecord) -> Demand:
    """Give a recorded demand as the model takes it."""
    return Demand(found.hours, {(str(a), str(b)): float(vph) for a, b, vph in found.flows})


def whole(connection: Connection, network_id: UUID) -> SignalNetwork:
    """Give a network whole again, out of its parts."""
    roads: dict[str, Road] = {}
    junctions: list[SignalledJunction] = []
    for part in parts(connection, network_id).values():
        roads.update({road.name: road for road in part.roads})
        junctions.extend(part.junctions)
    return SignalNetwork(tuple(roads.values()), tuple(junctions))


def as_sumo(connection: Connection, network_id: UUID) -> str:
    """Give a network as SUMO's XML."""
    return network_file(whole(connection, network_id))


def profile(name: str) -> Profile:
    """Give a profile by its name; Invalid names those that there are."""
    return profile_named(name)
