"""The elements of SUMO files that signals are made of, read from XML and checked one by one.

Only what is needed is kept. Entities and document types are refused, so that a file cannot grow in
memory; a file may be as long as it likes, since elements are handled as they come.

Source: SUMO's network format (sumo.dlr.de, "SUMO Road Networks" and "Traffic Lights").
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn
from xml.parsers import expat

from city.errors import Invalid
from signals.rules.model.geometry import Point

_ROOTS: Final = {"net", "additional", "add", "tlLogics", "tlLogic", "routes"}


@dataclass(frozen=True, slots=True)
class SumoLane:
    """A lane of an edge."""

    name: str
    index: int
    speed_mps: float
    length_m: float
    shape: tuple[Point, ...]
    width_m: float | None
    allow: tuple[str, ...]
    disallow: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SumoEdge:
    """An edge with its lanes, lane 0 at the kerb."""

    name: str
    start: str
    end: str
    function: str
    lanes: tuple[SumoLane, ...]


@dataclass(frozen=True, slots=True)
class SumoRequest:
    """A row of a node's right-of-way matrix; the strings as SUMO writes them."""

    response: str
    foes: str
    cont: bool


@dataclass(frozen=True, slots=True)
class SumoNode:
    """A junction element."""

    name: str
    type: str
    position: Point
    incoming: tuple[str, ...]
    internal: tuple[str, ...]
    shape: tuple[Point, ...]
    requests: Mapping[int, SumoRequest]


@dataclass(frozen=True, slots=True)
class SumoConnection:
    """A connection element; ``index`` and ``signal`` are None where no signal controls it."""

    start: str
    end: str
    start_lane: int
    end_lane: int
    via: str | None
    signal: str | None
    index: int | None
    direction: str


@dataclass(frozen=True, slots=True)
class SumoPhase:
    """A phase of a programme; times in seconds."""

    duration_s: float
    state: str
    name: str
    least_s: float | None
    most_s: float | None
    extra: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SumoLogic:
    """A tlLogic element."""

    name: str
    control: str
    programme: str
    offset_s: float
    phases: tuple[SumoPhase, ...]
    params: tuple[tuple[str, str], ...]
    extra: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class SumoFile:
    """What was found in a file."""

    root: str = ""
    edges: dict[str, SumoEdge] = field(default_factory=dict)
    nodes: dict[str, SumoNode] = field(default_factory=dict)
    connections: list[SumoConnection] = field(default_factory=list)
    logics: list[SumoLogic] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    """Elements that are being read."""

    edge: dict[str, str] | None = None
    lanes: list[SumoLane] = field(default_factory=list)
    node: dict[str, str] | None = None
    requests: dict[int, SumoRequest] = field(default_factory=dict)
    logic: dict[str, str] | None = None
    phases: list[SumoPhase] = field(default_factory=list)
    params: list[tuple[str, str]] = field(default_factory=list)


def read_sumo(content: bytes) -> SumoFile:
    """Read a SUMO network or additional file.

    Parameters
    ----------
    content : bytes
        XML in an encoding that it declares.

    Returns
    -------
    SumoFile
        Cost grows with the file.

    Raises
    ------
    Invalid
        Where it is not such XML, or an element lacks an attribute or has an absurd one; the
        message names the element and the line.
    """
    found, now = SumoFile(), _Open()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.EntityDeclHandler = _refuse_doctype

    def started(tag: str, attributes: dict[str, str]) -> None:
        if not found.root:
            found.root = tag
            if tag not in _ROOTS:
                raise Invalid(f"is no SUMO file: its root is <{tag[:40]}>")
        opened = _OPENED.get(tag)
        if opened is None:
            return
        try:
            opened(found, now, attributes)
        except KeyError as error:
            _at(parser, tag, attributes, f"lacks {error.args[0]}")
        except (ValueError, Invalid) as error:
            _at(parser, tag, attributes, str(error))

    def ended(tag: str) -> None:
        closed = _CLOSED.get(tag)
        if closed is not None:
            closed(found, now)

    parser.StartElementHandler = started
    parser.EndElementHandler = ended
    _parse(parser, content)
    return found


def _parse(parser: expat.XMLParserType, content: bytes) -> None:
    try:
        parser.Parse(content, True)  # noqa: FBT003 - expat's "this is all"
    except expat.ExpatError as error:
        raise Invalid(f"is no XML: {error}") from None
    except (ValueError, LookupError) as error:
        raise Invalid(f"cannot be read: {error}") from None


def _refuse_doctype(*_: object) -> NoReturn:
    raise Invalid("has a document type, which SUMO files have not")


def _at(parser: expat.XMLParserType, tag: str, attributes: Mapping[str, str], why: str) -> NoReturn:
    name = attributes.get("id", "")
    where = f"<{tag}{f' id={name!r}' if name else ''}> in line {parser.CurrentLineNumber}"
    raise Invalid(f"{where}: {why}") from None


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no number")
    return value


def _optional(attributes: Mapping[str, str], name: str) -> float | None:
    return _number(attributes[name]) if name in attributes else None


def _shape(text: str) -> tuple[Point, ...]:
    points = []
    for pair in text.split():
        numbers = pair.split(",")
        if len(numbers) not in {2, 3}:
            raise ValueError(f"{pair[:40]} is no point")
        points.append((_number(numbers[0]), _number(numbers[1])))
    return tuple(points)


def _edge(_: SumoFile, now: _Open, attributes: dict[str, str]) -> None:
    attributes["id"]
    now.edge, now.lanes = attributes, []


def _lane(_: SumoFile, now: _Open, attributes: dict[str, str]) -> None:
    if now.edge is None:
        return
    now.lanes.append(
        SumoLane(
            attributes["id"],
            int(attributes["index"]),
            _number(attributes["speed"]),
            _number(attributes["length"]),
            _shape(attributes["shape"]),
            _optional(attributes, "width"),
            tuple(attributes.get("allow", "").split()),
            tuple(attributes.get("disallow", "").split()),
        )
    )


def _edge_end(found: SumoFile, now: _Open) -> None:
    if now.edge is None:
        return
    edge = now.edge
    name = edge["id"]
    found.edges[name] = SumoEdge(
        name,
        edge.get("from", ""),
        edge.get("to", ""),
        edge.get("function", ""),
        tuple(sorted(now.lanes, key=lambda lane: lane.index)),
    )
    now.edge = None


def _node(_: SumoFile, now: _Open, attributes: dict[str, str]) -> None:
    for name in ("id", "x", "y"):
        attributes[name]
    now.node, now.requests = attributes, {}


def _request(_: SumoFile, now: _Open, attributes: dict[str, str]) -> None:
    if now.node is None:
        return
    for name in ("response", "foes"):
        if set(attributes[name]) - {"0", "1"}:
            raise ValueError(f"{name} holds more than 0 and 1")
    now.requests[int(attributes["index"])] = SumoRequest(
        attributes["response"], attributes["foes"], attributes.get("cont", "0") == "1"
    )


def _node_end(found: SumoFile, now: _Open) -> None:
    if now.node is None:
        return
    node = now.node
    found.nodes[node["id"]] = SumoNode(
        node["id"],
        node.get("type", ""),
        (_number(node["x"]), _number(node["y"])),
        tuple(node.get("incLanes", "").split()),
        tuple(node.get("intLanes", "").split()),
        _shape(node.get("shape", "")),
        now.requests,
    )
    now.node = None


def _connection(found: SumoFile, _: _Open, attributes: dict[str, str]) -> None:
    signal = attributes.get("tl")
    found.connections.append(
        SumoConnection(
            attributes["from"],
            attributes["to"],
            int(attributes["fromLane"]),
            int(attributes["toLane"]),
            attributes.get("via"),
            signal,
            None if signal is None else _index(attributes["linkIndex"]),
            attributes.get("dir", ""),
        )
    )


def _index(text: str) -> int:
    index = int(text)
    if not 0 <= index < 10_000:  # noqa: PLR2004 - far above any junction
        raise ValueError(f"linkIndex {text[:20]} is out of range")
    return index


def _logic(_: SumoFile, now: _Open, attributes: dict[str, str]) -> None:
    attributes["id"]
    now.logic, now.phases, now.params = attributes, [], []


def _phase(_: SumoFile, now: _Open, attributes: dict[str, str]) -> None:
    if now.logic is None:
        return
    known = {"duration", "state", "name", "minDur", "maxDur"}
    duration_s = _number(attributes["duration"])
    if duration_s < 0:
        raise ValueError("duration is negative")
    now.phases.append(
        SumoPhase(
            duration_s,
            attributes["state"],
            attributes.get("name", ""),
            _optional(attributes, "minDur"),
            _optional(attributes, "maxDur"),
            tuple((name, value) for name, value in attributes.items() if name not in known),
        )
    )


def _param(_: SumoFile, now: _Open, attributes: dict[str, str]) -> None:
    if now.logic is not None:
        now.params.append((attributes["key"], attributes["value"]))


def _logic_end(found: SumoFile, now: _Open) -> None:
    if now.logic is None:
        return
    logic = now.logic
    known = {"id", "type", "programID", "offset"}
    try:
        offset_s = _number(logic.get("offset", "0"))
    except ValueError:
        raise Invalid(f"offset {logic['offset'][:20]!r} of {logic['id']} is no number") from None
    found.logics.append(
        SumoLogic(
            logic["id"],
            logic.get("type", "static"),
            logic.get("programID", "0"),
            offset_s,
            tuple(now.phases),
            tuple(now.params),
            tuple((name, value) for name, value in logic.items() if name not in known),
        )
    )
    now.logic = None


_OPENED: Final[Mapping[str, Callable[[SumoFile, _Open, dict[str, str]], None]]] = {
    "edge": _edge,
    "lane": _lane,
    "junction": _node,
    "request": _request,
    "connection": _connection,
    "tlLogic": _logic,
    "phase": _phase,
    "param": _param,
}
_CLOSED: Final[Mapping[str, Callable[[SumoFile, _Open], None]]] = {
    "edge": _edge_end,
    "junction": _node_end,
    "tlLogic": _logic_end,
}
