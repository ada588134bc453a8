"""What goes wrong on purpose: a grammar of faults, drawn so that a seed brings the same again.

A draw depends on the seed, the fault and the name of what it strikes (an order's event and the
attempt, a request and its repetition), never on which thread came first.
"""

import random
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from city.errors import Invalid

GRAMMAR: Final = (
    "seed=N, delay=P[:LOW-HIGH seconds], duplicate=P[:COPIES], reorder=P, "
    "lose=P[:attempt|always], unheard=P, 5xx=P[:before|after], wrong-amount=P, "
    "wrong-signature=P; "
    "P from 0 to 1, joined by commas"
)
_FEWEST_COPIES: Final = 2
_MOST_COPIES: Final = 10
_MOST_DELAY_S: Final = 3600.0


class Fault(StrEnum):
    """What can go wrong."""

    DELAY = "delay"
    """An attempt of a notification goes out late."""
    DUPLICATE = "duplicate"
    """An attempt goes out several times, a second apart."""
    REORDER = "reorder"
    """An attempt waits until a later one has gone out."""
    LOSE = "lose"
    """An attempt does not go out and counts as not answered; ``always``: none ever does."""
    UNHEARD = "unheard"
    """A merchant's answer to an attempt is lost on its way: what it took is sent again."""
    SERVER_ERROR = "5xx"
    """A merchant's request is answered 500, 502 or 503, before or after it was done."""
    WRONG_AMOUNT = "wrong-amount"
    """An attempt carries another amount, truly signed."""
    WRONG_SIGNATURE = "wrong-signature"
    """An attempt carries the signature of another text."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Probabilities by fault, and the seed.

    Parameters
    ----------
    seed : int
        The same seed strikes the same things.
    shares : dict
        Probability from 0 to 1 of each fault; one that is missing never happens.
    delay_s : tuple of float
        Shortest and longest delay in seconds.
    copies : int
        How often a duplicated attempt goes out in all.
    lose_always : bool
        Whether losing takes the whole notification rather than one attempt.
    when : str
        ``before``, ``after`` or empty: half of each.
    """

    seed: int = 0
    shares: dict[Fault, float] = field(default_factory=dict)
    delay_s: tuple[float, float] = (0.5, 3.0)
    copies: int = 2
    lose_always: bool = False
    when: str = ""

    def strikes(self, fault: Fault, name: str) -> bool:
        """Draw whether a fault strikes the thing of that name."""
        share = self.shares.get(fault, 0.0)
        return share > 0 and self.draw(fault, name) < share

    def draw(self, fault: Fault, name: str, what: str = "") -> float:
        """Draw a number from 0 up to 1 for a thing; the same one each time."""
        text = f"{self.seed}:{fault.value}:{what}:{name}"
        return random.Random(text).random()  # noqa: S311 - replayable by design, guards nothing

    def delay_of(self, name: str) -> float:
        """Draw how many seconds an attempt is held back; 0 where it is not struck."""
        if not self.strikes(Fault.DELAY, name):
            return 0.0
        low, high = self.delay_s
        return low + (high - low) * self.draw(Fault.DELAY, name, "seconds")

    def server_error(self, name: str) -> tuple[int, bool] | None:
        """Draw how a request fails: its status, and whether it is done first; None: it does not."""
        if not self.strikes(Fault.SERVER_ERROR, name):
            return None
        status = (500, 502, 503)[int(self.draw(Fault.SERVER_ERROR, name, "status") * 3)]
        after = self.draw(Fault.SERVER_ERROR, name, "when") < 0.5  # noqa: PLR2004 - half of each
        return status, (self.when == "after" if self.when else after)


def parse_faults(text: str) -> Faults:
    """Read a specification such as ``seed=7,delay=0.2:0.5-3,lose=0.2,5xx=0.05:after``.

    Raises
    ------
    Invalid
        Naming the part that is not of the grammar.
    """
    faults = Faults()
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals:
            raise Invalid(f"{part!r} is not NAME=VALUE; {GRAMMAR}", field="--faults")
        if name == "seed":
            faults = replace(faults, seed=_whole(value, part))
            continue
        if name not in set(Fault):
            raise Invalid(f"knows no {name!r}; {GRAMMAR}", field="--faults")
        fault = Fault(name)
        if fault in faults.shares:
            raise Invalid(f"names {name!r} twice", field="--faults")
        share, _, detail = value.partition(":")
        faults = replace(faults, shares={**faults.shares, fault: _number(share, part, 1.0)})
        if detail:
            faults = _with_detail(faults, fault, detail, part)
    return faults


def _with_detail(faults: Faults, fault: Fault, detail: str, part: str) -> Faults:
    match fault, detail:
        case Fault.DELAY, _:
            low, _, high = detail.partition("-")
            first = _number(low, part, _MOST_DELAY_S)
            last = _number(high or low, part, _MOST_DELAY_S)
            if first > last:
                raise Invalid(f"{part!r} ends before it begins", field="--faults")
            return replace(faults, delay_s=(first, last))
        case Fault.DUPLICATE, _:
            copies = _whole(detail, part)
            if not _FEWEST_COPIES <= copies <= _MOST_COPIES:
                wanted = f"{_FEWEST_COPIES} to {_MOST_COPIES}"
                raise Invalid(f"{part!r} must be {wanted} copies", field="--faults")
            return replace(faults, copies=copies)
        case Fault.LOSE, "attempt" | "always":
            return replace(faults, lose_always=detail == "always")
        case Fault.SERVER_ERROR, "before" | "after":
            return replace(faults, when=detail)
        case _:
            raise Invalid(f"{part!r} is not of the grammar; {GRAMMAR}", field="--faults")


def _number(text: str, part: str, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        raise Invalid(f"{part!r} needs a number", field="--faults") from None
    if not 0 <= value <= most:
        raise Invalid(f"{part!r} must lie between 0 and {most:g}", field="--faults")
    return value


def _whole(text: str, part: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise Invalid(f"{part!r} needs a whole number", field="--faults")
    return int(text)
