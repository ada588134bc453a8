"""Levels of service, and what traffic burns.

Fuel, by (1) to (4), for a lane group over an hour, with travel in vehicle miles, delay in vehicle
hours, stops, and speed S in miles an hour:

(1) F = k1 travel + k2 delay + k3 stops                      US gallons
(2) k1 = 0.075283 - 0.0015892 S + 0.000015066 S^2
(3) k2 = 0.7329
(4) k3 = 0.0000061411 S^2
(5) CO 69.9, NOx 13.6, VOC 16.2 g a gallon

Source: TRANSYT-7F's model for cars of the United States of about 1990, as Synchro's manual restates
it: fit for comparing plans, not for an inventory. CO2 is petrol's, 2.31 kg a litre.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signals.rules.delay.checks import Floats, above, at_least

HCM_LEVELS_S: Final = (10.0, 20.0, 35.0, 55.0, 80.0)
"""Largest control delay of A to E. Source: Highway Capacity Manual, signalised intersections."""
CHINESE_LEVELS_S: Final = (30.0, 50.0, 60.0)
"""Control delay up to which levels 1 to 3 reach. Source: CJJ 37-2012, from memory, to be seen."""
CHINESE_SATURATION: Final = (0.6, 0.8, 0.9)
"""Degree of saturation up to which levels 1 to 3 reach. Source: the same."""

HCM_GIVING_WAY_S: Final = (10.0, 15.0, 25.0, 35.0, 50.0)
"""The same without a signal. Source: Highway Capacity Manual 2000, exhibit 17-2, from memory."""

LITRES_PER_GALLON: Final = 3.785411784
METRES_PER_MILE: Final = 1609.344
CO2_KG_PER_LITRE: Final = 2.31


def hcm_level(delay_s: ArrayLike, saturation: ArrayLike = 0.0) -> NDArray[np.str_]:
    """Give A to F; F also where demand exceeds capacity."""
    delay = at_least(delay_s, 0, "delay_s")
    place = np.searchsorted(HCM_LEVELS_S, delay, side="left")
    full = at_least(saturation, 0, "saturation") > 1
    return np.asarray(np.array(list("ABCDEF"))[np.where(full, len(HCM_LEVELS_S), place)])


def hcm_level_giving_way(delay_s: float) -> str:
    """Give A to F of who gives way at a junction without a signal."""
    delay = float(at_least(delay_s, 0, "delay_s"))
    return "ABCDEF"[int(np.searchsorted(HCM_GIVING_WAY_S, delay, side="left"))]


def chinese_level(delay_s: ArrayLike, saturation: ArrayLike = 0.0) -> NDArray[np.int64]:
    """Give levels 1 (best) to 4: the worse of what delay and saturation say."""
    by_delay = np.searchsorted(CHINESE_LEVELS_S, at_least(delay_s, 0, "delay_s"), side="right")
    by_load = np.searchsorted(
        CHINESE_SATURATION, at_least(saturation, 0, "saturation"), side="right"
    )
    return np.asarray(np.maximum(by_delay, by_load) + 1, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Burden:
    """What an hour's traffic burns and gives off."""

    fuel_l: Floats
    co2_kg: Floats
    co_g: Floats
    nox_g: Floats
    voc_g: Floats


def burden(
    flow_vph: ArrayLike,
    length_m: ArrayLike,
    speed_kph: ArrayLike,
    delay_s: ArrayLike,
    stops_per_vehicle: ArrayLike,
) -> Burden:
    """Give fuel and emissions of an hour, by (1) to (5).

    Parameters
    ----------
    flow_vph : array_like
    length_m : array_like
        Of the approach.
    speed_kph : array_like
        Between the signals, without their delay.
    delay_s, stops_per_vehicle : array_like
        Means of a vehicle.
    """
    flow = at_least(flow_vph, 0, "flow_vph")
    mph = above(speed_kph, 0, "speed_kph") * 1000 / METRES_PER_MILE
    miles = flow * at_least(length_m, 0, "length_m") / METRES_PER_MILE
    hours = flow * at_least(delay_s, 0, "delay_s") / 3600
    stops = flow * at_least(stops_per_vehicle, 0, "stops_per_vehicle")
    gallons = (
        (0.075283 - 0.0015892 * mph + 0.000015066 * mph**2) * miles
        + 0.7329 * hours
        + 0.0000061411 * mph**2 * stops
    )
    litres = gallons * LITRES_PER_GALLON
    return Burden(
        fuel_l=np.asarray(litres),
        co2_kg=np.asarray(litres * CO2_KG_PER_LITRE),
        co_g=np.asarray(gallons * 69.9),
        nox_g=np.asarray(gallons * 13.6),
        voc_g=np.asarray(gallons * 16.2),
    )
