"""The street network as a document that round-trips, and as the base map.

The document is JSON: ``{"format": "greenbay-streets", "version": 1, "nodes": […], "links": […]}``
with positions as ``[longitude, latitude]``.
"""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue
from pydantic import ValidationError as SchemaError

from city.errors import Invalid
from city.identifiers import JunctionId
from city.places import Position
from city.streets import StreetClass, StreetLink, StreetNetwork, StreetNode


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _NodeDocument(_Document):
    id: str
    position: tuple[float, float]
    junction_id: UUID | None = None


class _LinkDocument(_Document):
    id: str
    start: str
    end: str
    geometry: list[tuple[float, float]]
    length_m: float
    street_class: StreetClass
    lanes: int
    speed_kph: float
    name_zh: str
    name_en: str


class _NetworkDocument(_Document):
    format: Literal["greenbay-streets"]
    version: Literal[1]
    nodes: list[_NodeDocument]
    links: list[_LinkDocument]


def streets_as_json(network: StreetNetwork) -> dict[str, JsonValue]:
    """Give the document of a network; ``streets_from_json`` of it equals the network."""
    document = _NetworkDocument(
        format="greenbay-streets",
        version=1,
        nodes=[
            _NodeDocument(
                id=node.id,
                position=(node.position.longitude, node.position.latitude),
                junction_id=node.junction_id,
            )
            for node in network.nodes.values()
        ],
        links=[
            _LinkDocument(
                id=link.id,
                start=link.start,
                end=link.end,
                geometry=[(point.longitude, point.latitude) for point in link.geometry],
                length_m=link.length_m,
                street_class=link.street_class,
                lanes=link.lanes,
                speed_kph=link.speed_kph,
                name_zh=link.name_zh,
                name_en=link.name_en,
            )
            for link in network.links.values()
        ],
    )
    return document.model_dump(mode="json")


def streets_from_json(value: JsonValue) -> StreetNetwork:
    """Read the document of a network.

    Raises
    ------
    Invalid
        On anything that is not such a document, naming the first member at fault.
    """
    try:
        document = _NetworkDocument.model_validate(value)
    except SchemaError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Invalid(first["msg"], field=".".join(map(str, first["loc"]))) from None
    return StreetNetwork(
        nodes=[
            StreetNode(
                node.id,
                Position(*node.position),
                None if node.junction_id is None else JunctionId(node.junction_id),
            )
            for node in document.nodes
        ],
        links=[
            StreetLink(
                id=link.id,
                start=link.start,
                end=link.end,
                geometry=tuple(Position(*point) for point in link.geometry),
                length_m=link.length_m,
                street_class=link.street_class,
                lanes=link.lanes,
                speed_kph=link.speed_kph,
                name_zh=link.name_zh,
                name_en=link.name_en,
            )
            for link in document.links
        ],
    )


def streets_as_geojson(network: StreetNetwork) -> dict[str, JsonValue]:
    """Give the base map: a line per street, a point per signalled junction (RFC 7946).

    Two links that run the same points in opposite directions are one line, ``oneway`` false, with
    the lanes of both.
    """
    opposite: dict[tuple[Position, ...], StreetLink] = {}
    for link in network.links.values():
        opposite.setdefault(link.geometry[::-1], link)
    features: list[JsonValue] = []
    drawn: set[str] = set()
    for link in network.links.values():
        if link.id in drawn:
            continue
        other = opposite.get(link.geometry)
        paired = other is not None and other.id not in drawn and other.id != link.id
        drawn.add(link.id)
        if other is not None and paired:
            drawn.add(other.id)
        line: list[JsonValue] = [list[JsonValue](point.as_json()) for point in link.geometry]
        features.append(
            _feature(
                "LineString",
                line,
                {
                    "id": link.id,
                    "class": link.street_class.value,
                    "name_zh": link.name_zh,
                    "name_en": link.name_en,
                    "lanes": link.lanes + (other.lanes if other is not None and paired else 0),
                    "speed_kph": link.speed_kph,
                    "oneway": not paired,
                },
            )
        )
    for junction_id, node in network.junctions().items():
        point = list[JsonValue](node.position.as_json())
        features.append(_feature("Point", point, {"id": node.id, "junction_id": str(junction_id)}))
    return {"type": "FeatureCollection", "features": features}


def _feature(
    shape: str, coordinates: list[JsonValue], properties: dict[str, JsonValue]
) -> dict[str, JsonValue]:
    return {
        "type": "Feature",
        "geometry": {"type": shape, "coordinates": coordinates},
        "properties": properties,
    }
