"""What payers signed for at the channels: which car, by whose account, and whether it has money."""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from payments.rules.channels import Channel
from payments.rules.deductions import PlateColour


class SignatureState(StrEnum):
    """Where a signature stands."""

    NORMAL = "normal"
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Car:
    """A car as a channel knows it: text and colour of its plate."""

    plate: str
    colour: PlateColour


@dataclass(frozen=True, slots=True)
class Signature:
    """A payer's word that parking of a car may be taken from them; the last one counts.

    Parameters
    ----------
    channel : Channel
        At whom it was given.
    car : Car
    holder : str
        The payer's id at the channel.
    state : SignatureState
    solvent : bool
        Whether there is money to take: the payer's own switch, for trying.
    at : datetime
        Since when.
    """

    channel: Channel
    car: Car
    holder: str
    state: SignatureState
    solvent: bool
    at: datetime


class KeepsSignatures(Protocol):
    """Where signatures outlive the process; `payments.gateway.journal.Journal`."""

    def signatures(self) -> list[Signature]:
        """Give all of them."""
        ...

    def keep_signature(self, signature: Signature) -> None:
        """Keep one instead of what was kept of its car."""
        ...


@dataclass(slots=True)
class Signatures:
    """All of them; safe to use from any thread.

    Parameters
    ----------
    journal : KeepsSignatures or None
        Where they are kept across the process's death; None: nowhere.
    """

    journal: KeepsSignatures | None = None
    _known: dict[tuple[Channel, Car], Signature] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        for each in self.journal.signatures() if self.journal else ():
            self._known[each.channel, each.car] = each

    def sign(self, signature: Signature) -> None:
        """Take a payer's word."""
        with self._lock:
            if self.journal is not None:
                self.journal.keep_signature(signature)
            self._known[signature.channel, signature.car] = signature

    def find(self, channel: Channel, car: Car) -> Signature | None:
        """Give the last word on a car; None where there never was one."""
        with self._lock:
            return self._known.get((channel, car))
