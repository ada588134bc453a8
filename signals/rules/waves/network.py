"""A network of corridors: a signal named in two of them has one offset, and so loops close.

Shares are of the cycle, which all signals have in common. An offset is when a junction's reference
point comes; `red_centre` says how far after it each corridor's outbound red has its centre.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Final

from pydantic import Field, JsonValue
from pydantic import ValidationError as SchemaError

from city.errors import Invalid
from signals.rules.documents import refusal
from signals.rules.waves.corridor import Coordination, Corridor
from signals.rules.waves.corridor_documents import (
    CorridorDocument,
    Finite,
    Range,
    as_range,
    corridor_of,
)

MOST_CORRIDORS: Final = 1_000
MOST_PLACES: Final = 20_000
"""Signals of all corridors together, those in two of them twice."""


@dataclass(frozen=True, slots=True)
class Network:
    """Corridors with signals in common.

    Attributes
    ----------
    corridors
        Each with the network's range of cycles.
    names
        Of the corridors.

    Raises
    ------
    Invalid
        Naming the corridor, and the signal where one is at fault.
    """

    corridors: tuple[Corridor, ...]
    names: tuple[str, ...]
    unknown: tuple[str, ...] = field(default=(), compare=False)
    """Members of its document that nobody reads."""

    def __post_init__(self) -> None:
        if not self.corridors:
            raise Invalid("must name a corridor at least", field="corridors")
        if sum(len(each.signals) for each in self.corridors) > MOST_PLACES:
            raise Invalid(f"must not name more than {MOST_PLACES} signals", field="corridors")
        for number, corridor in enumerate(self.corridors):
            if corridor.cycle_s != self.cycle_s:
                raise Invalid(
                    "must have the range of cycles that the others have",
                    field=f"{_called(number, self.names[number])}.cycle_s",
                )
            half = next((each.name for each in corridor.signals if each.half is not None), None)
            if half is not None:
                raise Invalid(
                    f"half cycles, as at {half!r}, are for single corridors",
                    field=f"{_called(number, self.names[number])}.signals",
                )
            times = Counter(each.name for each in corridor.signals)
            twice = next((name for name, count in times.items() if count > 1), None)
            if twice is not None:
                raise Invalid(
                    f"must not pass signal {twice!r} twice",
                    field=f"{_called(number, self.names[number])}.signals",
                )

    @property
    def cycle_s(self) -> tuple[float, float]:
        """Shortest and longest cycle."""
        return self.corridors[0].cycle_s

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the signals, each once, as they are first met."""
        return tuple(
            dict.fromkeys(each.name for corridor in self.corridors for each in corridor.signals)
        )


@dataclass(frozen=True, slots=True)
class NetworkCoordination:
    """A network's answer: shares of its cycle unless a name ends in a unit.

    Attributes
    ----------
    offsets
        Of each signal by its name, from 0 up to 1; the first signal's is 0.
    streets
        What each corridor gets, its offsets among them, measured from its first signal.
    objective, bound
        The weighted sum of all bands, and what it can be at most by proof.
    """

    cycle_s: float
    offsets: Mapping[str, float]
    streets: tuple[Coordination, ...]
    objective: float
    bound: float

    @property
    def gap(self) -> float:
        """How much wider, as a share of the bound, the bands could be at most."""
        return 0.0 if self.bound <= 0 else max(0.0, (self.bound - self.objective) / self.bound)

    def with_bound(self, bound: float) -> "NetworkCoordination":
        """Give the same with what is proven of it."""
        return replace(self, bound=bound)


# --- its document --------------------------------------------------------------------------------


class _CorridorDocument(CorridorDocument):
    name: str | None = Field(default=None, min_length=1, max_length=80)
    cycle_s: Range | Annotated[Finite, Field(gt=0)] | None = None  # type: ignore[assignment] # the network's stands for it


def read_network(value: JsonValue) -> Network:
    """Read a network's document; Invalid names the first member at fault.

    A corridor may say its own `cycle_s`: the network's cycle lies in all of them.
    """
    if not isinstance(value, dict):
        raise Invalid("must be an object with corridors")
    given = value.get("corridors")
    if not isinstance(given, list):
        raise Invalid("must be a list of corridors", field="corridors")
    if len(given) > MOST_CORRIDORS:
        raise Invalid(f"must not be more than {MOST_CORRIDORS}", field="corridors")
    documents = [_read(number, each) for number, each in enumerate(given)]
    names = [
        each.name or f"{each.signals[0].name} - {each.signals[-1].name}"
        if each.signals
        else f"corridor {number}"
        for number, each in enumerate(documents)
    ]
    cycle_s = _cycle_s(value.get("cycle_s"), documents, names)
    corridors = []
    for number, document in enumerate(documents):
        try:
            corridors.append(corridor_of(document, cycle_s))
        except Invalid as error:
            raise _placed(error, number, given[number]) from None
    unknown = [name for name in value if name not in {"cycle_s", "corridors"}]
    for number, corridor in enumerate(corridors):
        unknown += [f"corridors.{number}.{name}" for name in corridor.unknown]
    return Network(tuple(corridors), tuple(names), tuple(unknown))


def _read(number: int, value: JsonValue) -> _CorridorDocument:
    try:
        return _CorridorDocument.model_validate(value)
    except SchemaError as error:
        raise _placed(refusal(error), number, value) from None


def _cycle_s(
    value: JsonValue, documents: Sequence[_CorridorDocument], names: Sequence[str]
) -> tuple[float, float]:
    low, high, whose = 0.0, float("inf"), "the network"
    if value is not None:
        low, high = _range_of(value)
    for number, document in enumerate(documents):
        if document.cycle_s is None:
            continue
        here_low, here_high = as_range(document.cycle_s)
        if here_high < here_low:
            raise Invalid(
                "must not end below its beginning",
                field=f"{_called(number, names[number])}.cycle_s",
            )
        if here_high < low or here_low > high:
            raise Invalid(
                f"has no cycle in common with {whose}",
                field=f"{_called(number, names[number])}.cycle_s",
            )
        low, high, whose = max(low, here_low), min(high, here_high), "the corridors before it"
    if high == float("inf"):
        raise Invalid("must say the shortest and the longest cycle", field="cycle_s")
    return low, high


def _range_of(value: JsonValue) -> tuple[float, float]:
    """Read a range as a corridor's document has it."""
    whole = {"cycle_s": value, "speed_kph": {"out": 1, "in": 1}, "signals": []}
    try:
        low, high = as_range(CorridorDocument.model_validate(whole).cycle_s)
    except SchemaError as error:
        raise refusal(error) from None
    if high < low:
        raise Invalid("must not end below its beginning", field="cycle_s")
    return low, high


def _placed(error: Invalid, number: int, value: JsonValue) -> Invalid:
    """Give an error of a corridor with the corridor's and the signal's names."""
    name = value.get("name") if isinstance(value, dict) else None
    where = f"{_called(number, name)}{'.' + error.field if error.field else ''}"
    parts = (error.field or "").split(".")
    if len(parts) > 1 and parts[0] == "signals" and parts[1].isdigit() and isinstance(value, dict):
        signals = value.get("signals")
        if isinstance(signals, list) and int(parts[1]) < len(signals):
            signal = signals[int(parts[1])]
            if isinstance(signal, dict) and signal.get("name"):
                where += f" (signal {str(signal['name'])[:80]!r})"
    return Invalid(error.message, field=where)


def _called(number: int, name: object) -> str:
    return f"corridors.{number}" + (f" ({str(name)[:80]!r})" if name else "")
