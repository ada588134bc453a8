"""Events in order: columns sorted by device, time, code and parameter, without duplicates.

Times are microseconds since 1970 of the clock that the file was written by, whatever its zone:
bins start at that clock's full hours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Column = npt.NDArray[np.generic] | list[str] | list[int | None]
Table = dict[str, Column]
"""A measure: its columns by name, all of one length."""

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
DAY_US: Final = 24 * 60 * MINUTE_US
MOST_CODE: Final = 32_767
_DIGITS: Final = 18

GREEN, YELLOW, RED = 1, 8, 10
DETECTOR_OFF, DETECTOR_ON = 81, 82


@dataclass(frozen=True)
class Events:
    """Sorted events; columns of one length.

    Parameters
    ----------
    at_us : array
        Microseconds since 1970.
    device : array
        Position in ``devices``.
    code, parameter : array
        0 to 32 767.
    devices : tuple of str
        Names, sorted.
    """

    at_us: Ints
    device: Ints
    code: Ints
    parameter: Ints
    devices: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.at_us)

    def where(self, chosen: Bools | Ints) -> "Events":
        """Give some of the events, in their order."""
        if chosen.dtype == np.bool_:
            chosen = np.flatnonzero(chosen)  # four times taking places is quicker than masking
        return Events(
            self.at_us[chosen],
            self.device[chosen],
            self.code[chosen],
            self.parameter[chosen],
            self.devices,
        )

    def of(self, *codes: int) -> "Events":
        """Give the events with these codes."""
        return self.where(coded(self.code, codes))

    def by_channel(self) -> "Events":
        """Give the events sorted by device, parameter, time and code."""
        group = self.device * (MOST_CODE + 1) + self.parameter
        return self.where(np.argsort(group, kind="stable"))

    @property
    def channel(self) -> Ints:
        """One number for a device and a parameter."""
        return self.device * (MOST_CODE + 1) + self.parameter


def coded(code: Ints, codes: Sequence[int]) -> Bools:
    """Say which events have one of these codes."""
    known = np.zeros(MOST_CODE + 2, dtype=np.bool_)
    known[list(codes)] = True
    return known[code]


def in_order(
    at_us: Ints, device: Ints, code: Ints, parameter: Ints, devices: Sequence[str]
) -> tuple[Events, int]:
    """Sort events, and drop those that say the same again.

    Cost grows as sorting does; files that are nearly in order sort in nearly linear time.

    Returns
    -------
    tuple of Events and int
        The events, and how many duplicates were dropped.
    """
    if not len(at_us):
        return Events(at_us, device, code, parameter, tuple(devices)), 0
    first = int(at_us.min())
    small = code * (MOST_CODE + 1) + parameter
    if int(at_us.max()) - first < 1 << 46 and len(devices) < 1 << 16:
        order = np.lexsort((small, (device << 46) + (at_us - first)))
    else:
        order = np.lexsort((small, at_us, device))
    at_us, device, small = at_us[order], device[order], small[order]
    kept = np.ones(len(order), dtype=np.bool_)
    kept[1:] = (np.diff(at_us) != 0) | (np.diff(device) != 0) | (np.diff(small) != 0)
    events = Events(at_us, device, code[order], parameter[order], tuple(devices)).where(kept)
    return events, int(len(order) - kept.sum())


def bin_of(at_us: Ints, bin_us: int) -> Ints:
    """Give the start of each instant's bin."""
    return at_us // bin_us * bin_us


def milliseconds(start_us: Ints, end_us: Ints) -> Ints:
    """Give the whole milliseconds' boundaries between instants, as DuckDB counts them."""
    result: Ints = end_us // 1000 - start_us // 1000
    return result


def stamps(at_us: Ints) -> npt.NDArray[np.datetime64]:
    """Give instants as the file wrote them."""
    return at_us.astype("datetime64[us]")


def names(events: Events, device: Ints) -> Column:
    """Give devices' names: whole numbers where all are."""
    if all(
        each.isdecimal() and len(each) <= _DIGITS and str(int(each)) == each
        for each in events.devices
    ):
        return np.array([int(each) for each in events.devices], dtype=np.int64)[device]
    known = events.devices
    return [known[each] for each in device.tolist()]


def grouped(*keys: Ints) -> tuple[list[Ints], Ints, Ints]:
    """Group rows by keys.

    Returns
    -------
    tuple
        The distinct keys, a column each, sorted; each row's group; each group's size.
    """
    if not len(keys[0]):
        none = np.zeros(0, dtype=np.int64)
        return [none for _ in keys], none, none
    order = np.lexsort(keys[::-1])
    change = np.zeros(len(order), dtype=np.bool_)
    change[0] = True
    for key in keys:
        change[1:] |= np.diff(key[order]) != 0
    at = np.flatnonzero(change)
    group = np.empty(len(order), dtype=np.int64)
    group[order] = np.cumsum(change) - 1
    sizes = np.diff(np.append(at, len(order)))
    return [key[order][at] for key in keys], group, sizes


def means(values: Floats, group: Ints, sizes: Ints) -> Floats:
    """Give each group's mean."""
    return np.bincount(group, values, len(sizes)) / np.maximum(sizes, 1)


def positions(keys: Ints, wanted: Ints) -> Ints:
    """Give where each wanted key stands among sorted distinct keys, -1 where it does not."""
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    result: Ints = np.where(keys[found] == wanted, found, -1)
    return result


def served(events: Events, uses: Sequence[tuple[str, int, int]]) -> tuple[Ints, Ints, Ints]:
    """Give the uses whose device is known: device, phase, channel."""
    place = {name: number for number, name in enumerate(events.devices)}
    known = sorted({(place[d], p, c) for d, p, c in uses if d in place})
    columns = np.array(known, dtype=np.int64).reshape(-1, 3)
    return columns[:, 0], columns[:, 1], columns[:, 2]


def with_phase(events: Events, uses: Sequence[tuple[str, int, int]]) -> tuple[Events, Ints]:
    """Give detectors' events with the phase that each serves: once for each that it does."""
    device, phase, channel = served(events, uses)
    picked: list[Ints] = []
    phases: list[Ints] = []
    rest = np.argsort(events.channel, kind="stable")
    ordered = events.channel[rest]
    for d, p, c in zip(device.tolist(), phase.tolist(), channel.tolist(), strict=True):
        key = d * (MOST_CODE + 1) + c
        low, high = np.searchsorted(ordered, [key, key + 1])
        picked.append(rest[low:high])
        phases.append(np.full(high - low, p, dtype=np.int64))
    if not picked:
        return events.where(np.zeros(0, dtype=np.int64)), np.zeros(0, dtype=np.int64)
    return events.where(np.concatenate(picked)), np.concatenate(phases)
