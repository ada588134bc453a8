"""What a channel does that deducts by agreement: asked of adapters, told by them.

A driver signs once, with the channel, for a car; when the car has left, the bill is taken from
them without another act of theirs. Which channel can is stated by its adapter (`DeductingChannel`);
whether a deduction may be asked for at all is our own law (`payments.rules.agreements`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from city.vehicles import PlateKind, PlateNumber
from payments.rules.channels import Answer, Channel, ChannelAdapter, Order


class PlateColour(StrEnum):
    """What channels tell plates of one number apart by; WeChat Pay's words."""

    BLUE = "BLUE"
    GREEN = "GREEN"
    YELLOW = "YELLOW"
    BLACK = "BLACK"
    WHITE = "WHITE"
    LIMEGREEN = "LIMEGREEN"
    """Yellow and green: a large vehicle of new energy."""


_COLOURS: Final[Mapping[PlateKind, PlateColour]] = {
    PlateKind.BLUE7: PlateColour.BLUE,
    PlateKind.YELLOW7: PlateColour.YELLOW,
    PlateKind.YELLOW2: PlateColour.YELLOW,
    PlateKind.LEARNER_YELLOW: PlateColour.YELLOW,
    PlateKind.NEV_GREEN8: PlateColour.GREEN,
    PlateKind.NEV_LARGE8: PlateColour.LIMEGREEN,
    PlateKind.BLACK7: PlateColour.BLACK,
    PlateKind.EMBASSY_BLACK: PlateColour.BLACK,
    PlateKind.CONSULATE_BLACK: PlateColour.BLACK,
    PlateKind.HKMO_BLACK: PlateColour.BLACK,
}


def colour_of(kind: PlateKind) -> PlateColour | None:
    """Give the colour by which channels know a plate; None where they know no such plate.

    Official plates, trailers and whatever has no one colour are left out: nobody signs for them.
    """
    return _COLOURS.get(kind)


class Standing(StrEnum):
    """What a channel says of an agreement over a car."""

    SIGNED = "signed"
    PAUSED = "paused"
    """The payer, or the channel, has stopped it for now."""
    NONE = "none"
    """Nobody has signed for this car, or does not any more."""
    UNKNOWN = "unknown"
    """No answer that can be believed: ask again."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A channel's answer on an agreement; ``reason`` is its own code, or ours, for people."""

    standing: Standing
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Parked:
    """What a channel is told of the stay whose bill it takes.

    Parameters
    ----------
    plate : PlateNumber
        The car that left.
    place : str
        Name of the facility, as a payer reads it.
    place_code : str
        Its code with us.
    entered_at, left_at : datetime
        In wall time, to the second, which is all that a channel knows; the second is later.
    """

    plate: PlateNumber
    place: str
    place_code: str
    entered_at: datetime
    left_at: datetime


@dataclass(frozen=True, slots=True)
class Deducted:
    """What came of asking for a deduction.

    Parameters
    ----------
    answer : Answer
        How the order stands: PAID at once, OPEN while the channel takes it, CLOSED where refused.
    standing : Standing or None
        What the channel said of the agreement by that; None where nothing.
    """

    answer: Answer
    standing: Standing | None = None


@runtime_checkable
class DeductingChannel(ChannelAdapter, Protocol):
    """A channel that deducts by agreement; every hook as those of `ChannelAdapter`.

    Its `query`, `refund` and `read_notice` know orders of the method AGREEMENT as well. None of the
    two channels takes back a deduction that it has accepted: `close` only asks after it.
    """

    signing_address: str
    """Where drivers sign and stop; empty where that is not set up: then nothing is deducted."""

    def agreement(self, plate: PlateNumber, holder: str) -> Signed:
        """Ask whether a payer has signed for a car; changes nothing.

        ``holder`` is the payer's id at the channel; it is not kept.
        """
        ...

    def deduct(self, order: Order, parked: Parked) -> Deducted:
        """Ask the channel to take an order from whoever signed for the car.

        Again with the same order, it is the same deduction.
        """
        ...


def deducting(channels: Mapping[Channel, ChannelAdapter]) -> dict[Channel, DeductingChannel]:
    """Give those of some channels that deduct by agreement and are set up for it."""
    return {
        channel: adapter
        for channel, adapter in channels.items()
        if isinstance(adapter, DeductingChannel) and adapter.signing_address
    }
