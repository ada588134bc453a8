"""Links that open the way to a bay in the driver's own map app.

Everything inside is WGS-84. Map apps on the mainland draw streets in GCJ-02, Baidu in BD-09; the
shift is made here, at the very edge, and only inside the rectangle that those systems shift.
Apple's and Google's street maps of the mainland are drawn in GCJ-02 as well.

Source: the published reverse-engineered formulas (googollee/eviltransform and others); their
public test points are our tests.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from city.places import Position

AXIS_M: Final = 6_378_245.0
"""Semi-major axis of the Krasovsky 1940 ellipsoid."""
ECCENTRICITY2: Final = 0.006_693_421_622_965_943
WEST, EAST, SOUTH, NORTH = 72.004, 137.8347, 0.8293, 55.8271
"""Where the apps shift, as a rectangle."""
_BD_TURN: Final = math.pi * 3000.0 / 180.0
SOURCE: Final = "greenbay"


def _wave(x: float, y: float) -> float:
    del y
    return 20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)


def _north(x: float, y: float) -> float:
    shift = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    shift += _wave(x, y) * 2.0 / 3.0
    shift += (20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)) * 2.0 / 3.0
    return (
        shift
        + (160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y * math.pi / 30.0)) * 2.0 / 3.0
    )


def _east(x: float, y: float) -> float:
    shift = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    shift += _wave(x, y) * 2.0 / 3.0
    shift += (20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)) * 2.0 / 3.0
    return (
        shift
        + (150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)) * 2.0 / 3.0
    )


def gcj02(at: Position) -> tuple[float, float]:
    """Give (longitude, latitude) in GCJ-02; unchanged outside the shifted rectangle."""
    longitude, latitude = at.longitude, at.latitude
    if not (WEST <= longitude <= EAST and SOUTH <= latitude <= NORTH):
        return longitude, latitude
    x, y = longitude - 105.0, latitude - 35.0
    radians = math.radians(latitude)
    flat = 1.0 - ECCENTRICITY2 * math.sin(radians) ** 2
    north = _north(x, y) * 180.0
    north /= AXIS_M * (1.0 - ECCENTRICITY2) / (flat * math.sqrt(flat)) * math.pi
    east = _east(x, y) * 180.0 / (AXIS_M / math.sqrt(flat) * math.cos(radians) * math.pi)
    return longitude + east, latitude + north


def bd09_of_gcj02(longitude: float, latitude: float) -> tuple[float, float]:
    """Give Baidu's (longitude, latitude) of a GCJ-02 one."""
    radius = math.hypot(longitude, latitude) + 2e-5 * math.sin(latitude * _BD_TURN)
    angle = math.atan2(latitude, longitude) + 3e-6 * math.cos(longitude * _BD_TURN)
    return radius * math.cos(angle) + 0.0065, radius * math.sin(angle) + 0.006


def bd09(at: Position) -> tuple[float, float]:
    """Give (longitude, latitude) in BD-09."""
    return bd09_of_gcj02(*gcj02(at))


@dataclass(frozen=True, slots=True)
class NavigationLinks:
    """One link an app."""

    amap: str
    baidu: str
    apple: str
    google: str


@lru_cache(maxsize=50_000)
def links(at: Position, name: str) -> NavigationLinks:
    """Give the links that drive to a place from wherever the driver is.

    Parameters
    ----------
    at
        The place, WGS-84.
    name
        Shown in the app where it shows names.
    """
    longitude, latitude = gcj02(at)
    # A comma would end Amap's name, a bar Baidu's.
    shown = name.replace(",", " ").replace("|", " ")
    baidu_longitude, baidu_latitude = bd09_of_gcj02(longitude, latitude)
    gcj = f"{latitude:.6f},{longitude:.6f}"
    name_shown = quote(shown)
    return NavigationLinks(
        amap=f"https://uri.amap.com/navigation?to={longitude:.6f},{latitude:.6f},{name_shown}"
        f"&mode=car&coordinate=gaode&callnative=1&src={SOURCE}",
        baidu="baidumap://map/direction?destination=latlng:"
        f"{baidu_latitude:.6f},{baidu_longitude:.6f}%7Cname:{name_shown}"
        f"&coord_type=bd09ll&mode=driving&src={SOURCE}",
        apple=f"https://maps.apple.com/?daddr={gcj}&dirflg=d",
        google=f"https://www.google.com/maps/dir/?api=1&destination={gcj}&travelmode=driving",
    )
