"""Coordinates of map apps at public test points, and the links that carry them."""

from urllib.parse import parse_qs, urlsplit

import pytest

from city.places import Position
from parking.rules.finding import navigation


@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [
        ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
        ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
        ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ],
)
def test_shanghai_shenzhen_and_beijing_shift_as_published(
    wgs84: tuple[float, float], gcj02: tuple[float, float]
) -> None:
    # Source: the test points of googollee/eviltransform.
    assert navigation.gcj02(Position(*wgs84)) == pytest.approx(gcj02, abs=1e-9)


def test_baidus_coordinates_are_as_published() -> None:
    # Source: the example of wandergis/coordtransform.
    found = navigation.bd09_of_gcj02(116.404, 39.915)
    assert found == pytest.approx((116.41036949371029, 39.92133699351021), abs=1e-9)


@pytest.mark.parametrize("place", [(-0.1276, 51.5072), (151.2093, -33.8688), (-104.99, 39.74)])
def test_nothing_shifts_abroad(place: tuple[float, float]) -> None:
    assert navigation.gcj02(Position(*place)) == place


def test_each_app_gets_its_own_coordinates() -> None:
    at = Position(116.377817, 39.911954)
    links = navigation.links(at, "西单,北|A01")
    asked = parse_qs(urlsplit(links.amap).query)
    assert asked["to"] == ["116.384047,39.913345,西单 北 A01"]
    assert asked["mode"] == ["car"]
    asked = parse_qs(urlsplit(links.baidu).query)
    longitude, latitude = navigation.bd09(at)
    assert asked["destination"] == [f"latlng:{latitude:.6f},{longitude:.6f}|name:西单 北 A01"]
    assert asked["coord_type"] == ["bd09ll"]
    assert parse_qs(urlsplit(links.apple).query)["daddr"] == ["39.913345,116.384047"]
    assert parse_qs(urlsplit(links.google).query)["destination"] == ["39.913345,116.384047"]
