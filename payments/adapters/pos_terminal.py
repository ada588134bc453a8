"""A POS terminal as real ones behave: for tests, benchmarks and the demo city.

It remembers what it sent before it sends it. Where no answer comes it reverses, and does nothing
else until the reversal is answered; after a power cut it goes on from what it remembered. On
purpose it loses answers, sends twice, lets its reversal overtake what it reverses, and is cut off.
"""

import json
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from payments.rules.pos.batches import following, totals_of
from payments.rules.pos.iso8583 import (
    LENGTH_BYTES,
    MAC_BYTES,
    MAC_FIELD,
    BadMessage,
    Frame,
    Message,
    decode,
    encode,
    read_frame,
    signed_part,
)
from payments.rules.pos.mac import Mac, is_mac, mac_of, unwrapped
from payments.rules.pos.requests import (
    MOST_UPLOADED,
    REVERSED,
    SIGNED,
    TEXT_CODE,
    Code,
    Kind,
    Original,
    Request,
    Target,
    Uploaded,
    as_message,
)

TPDU: Final = bytes.fromhex("6000030000")
HEADER: Final = bytes.fromhex("603100310000")
_REVERSES: Final = frozenset({Kind.SALE, Kind.VOID})
_TRIES: Final = 5


class NoAnswer(Exception):
    """No answer came, or none that this terminal believes."""


class PowerCut(Exception):
    """The terminal went dark after it had sent: what it remembers is all that is left of it."""


@dataclass(frozen=True, slots=True)
class Faults:
    """How often what goes wrong, as shares of the messages that move money."""

    lost: float = 0.0
    """The answer does not arrive."""
    twice: float = 0.0
    """The message arrives twice."""
    overtaken: float = 0.0
    """The reversal arrives, and the message after it."""
    cut: float = 0.0
    """The power goes after the message was sent."""


@dataclass(slots=True)
class Memory:
    """What a terminal keeps through a power cut.

    Parameters
    ----------
    trace, batch_no : int
    done : list of Uploaded
        What its batch holds.
    pending : list
        Kind, trace and amount of what was sent and not answered; empty where all was.
    path : Path or None
        Where it is kept.
    """

    trace: int = 0
    batch_no: int = 0
    done: list[Uploaded] = field(default_factory=list)
    pending: tuple[Kind, int, int] | None = None
    path: Path | None = None

    def keep(self) -> None:
        """Write it down, whole or not at all."""
        if self.path is None:
            return
        told = {
            "trace": self.trace,
            "batch_no": self.batch_no,
            "done": [[each.trace, each.kind.value, each.amount_minor] for each in self.done],
            "pending": self.pending,
        }
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(told), "ascii")
        fresh.replace(self.path)


def remembered(path: Path) -> Memory:
    """Read what a terminal kept; a new one where there is nothing."""
    if not path.exists():
        return Memory(path=path)
    told = json.loads(path.read_text("ascii"))
    pending = told["pending"]
    return Memory(
        told["trace"],
        told["batch_no"],
        [Uploaded(trace, Kind(kind), minor) for trace, kind, minor in told["done"]],
        None if pending is None else (Kind(pending[0]), pending[1], pending[2]),
        path,
    )


@dataclass(frozen=True, slots=True)
class Answered:
    """What a request was answered with; the message of the answer."""

    code: str
    message: Message
    trace: int


class PosTerminal:
    """One terminal and its line.

    Parameters
    ----------
    address : tuple of str and int
        Of the host.
    terminal_no, merchant_no : str
    master : bytes
        Its master key.
    mac : Mac
    memory : Memory or None
        What it remembers.
    faults : Faults
    seed : int
        Of what goes wrong.
    patience_s : float
        How long an answer is waited for.
    """

    def __init__(  # noqa: PLR0917 - what a terminal is set up with
        self,
        address: tuple[str, int],
        terminal_no: str,
        merchant_no: str,
        master: bytes,
        mac: Mac = Mac.UNIONPAY,
        memory: Memory | None = None,
        faults: Faults = Faults(),
        seed: int = 0,
        patience_s: float = 20.0,
    ) -> None:
        self._address = address
        self._terminal_no = terminal_no
        self._merchant_no = merchant_no
        self._master = master
        self._mac = mac
        self.memory = Memory() if memory is None else memory
        self._faults = faults
        self._random = random.Random(seed)  # noqa: S311 - faults on purpose, replayable
        self._patience_s = patience_s
        self._key: bytes | None = None
        self._line: socket.socket | None = None

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()
            self._line = None

    # --- what a terminal does ---

    def sign_in(self) -> Answered:
        """Get the working key and the batch; NoAnswer where the key does not fit."""
        answered = self._asked(self._request(Kind.SIGN_IN, self._next()))
        if answered.code == Code.OK:
            self._key = unwrapped(self._master, answered.message.raw(62))
            if self._key is None:
                raise NoAnswer("the working key does not fit its check value")
            batch_no = int(answered.message.text(60)[2:8])
            if batch_no != self.memory.batch_no:
                self.memory.batch_no, self.memory.done = batch_no, []
                self.memory.keep()
        return answered

    def echo(self) -> Answered:
        """See whether the host is there."""
        return self._asked(self._request(Kind.ECHO, self._next()))

    def inquire(self, target: Target) -> Answered:
        """Ask what is owed."""
        self._ready()
        return self._asked(replace(self._request(Kind.INQUIRY, self._next()), target=target))

    def to_give_back(self, reference: str) -> Answered:
        """Ask what is to go back of a sale, by the acquirer's reference on its slip."""
        self._ready()
        return self._asked(replace(self._request(Kind.INQUIRY, self._next()), reference=reference))

    def sale(
        self, target: Target, amount_minor: int, *, reference: str = "", reader: str = "",
        masked_card: str = "",
    ) -> Answered:  # fmt: skip
        """Take money for a bill: by the acquirer's reference, or by a parking card."""
        self._ready()
        return self._moving(
            replace(
                self._request(Kind.SALE, self._next()),
                target=target,
                amount_minor=amount_minor,
                reference=reference,
                reader=reader,
                masked_card=masked_card,
            )
        )

    def void(self, original: Original, amount_minor: int) -> Answered:
        """Take a sale of this batch back."""
        self._ready()
        request = self._request(Kind.VOID, self._next())
        return self._moving(replace(request, original=original, amount_minor=amount_minor))

    def refund(self, original: Original, reference: str, amount_minor: int) -> Answered:
        """Give a part or all of an earlier sale back; asked again until it is answered."""
        self._ready()
        request = replace(
            self._request(Kind.REFUND, self._next()),
            original=original,
            reference=reference,
            amount_minor=amount_minor,
        )
        answered = self._until_answered(request)
        self._keep_done(request, answered)
        return answered

    def settle(self) -> Answered:
        """Close the batch: totals, and where they differ all that it holds."""
        self._ready()
        request = replace(
            self._request(Kind.SETTLEMENT, self._next()), totals=totals_of(self.memory.done)
        )
        answered = self._until_answered(request)
        if answered.code == Code.OK and answered.message.text(48)[30:] == "2":
            self._upload()
        return answered

    def recover(self) -> Answered | None:
        """Reverse what was sent and not answered; None where all was."""
        if self.memory.pending is None:
            return None
        if self._key is None:
            self.sign_in()
        kind, trace, amount_minor = self.memory.pending
        request = replace(
            self._request(Kind.REVERSAL, trace), reverses=kind, amount_minor=amount_minor
        )
        answered = self._until_answered(request)
        if answered.code in REVERSED:
            self.memory.pending = None
            self.memory.done = [each for each in self.memory.done if each.trace != trace]
            self.memory.keep()
        return answered

    # --- how it does it ---

    def _ready(self) -> None:
        if self._key is None:
            self.sign_in()
        self.recover()

    def _next(self) -> int:
        self.memory.trace = following(self.memory.trace)
        self.memory.keep()
        return self.memory.trace

    def _request(self, kind: Kind, trace: int) -> Request:
        return Request(
            kind, self._terminal_no, self._merchant_no, trace, self.memory.batch_no, operator="001"
        )

    def _moving(self, request: Request) -> Answered:
        """Send what moves money: remembered first, reversed where no answer comes."""
        self.memory.pending = (request.kind, request.trace, request.amount_minor)
        self.memory.keep()
        chance = self._random.random
        if chance() < self._faults.overtaken:
            self.recover()
            return self._asked(request)  # it comes after its reversal: nothing may come of it
        content = self._content(request)
        if chance() < self._faults.cut:
            self._send(content)
            self.close()
            raise PowerCut
        if chance() < self._faults.twice:
            self._send(content)
            self._receive()
        try:
            self._send(content)
            answered = self._receive()
        except NoAnswer:
            self.recover()
            raise
        if chance() < self._faults.lost:
            self.recover()
            raise NoAnswer("lost on purpose")
        self._keep_done(request, answered)
        return answered

    def _keep_done(self, request: Request, answered: Answered) -> None:
        self.memory.pending = None
        if answered.code == Code.OK:
            self.memory.done.append(Uploaded(request.trace, request.kind, request.amount_minor))
        self.memory.keep()

    def _upload(self) -> None:
        held = self.memory.done
        for at in range(0, len(held), MOST_UPLOADED):
            part = replace(
                self._request(Kind.UPLOAD, self._next()),
                uploaded=tuple(held[at : at + MOST_UPLOADED]),
            )
            self._until_answered(part)
        self._until_answered(self._request(Kind.UPLOAD_END, self._next()))

    def _asked(self, request: Request) -> Answered:
        self._send(self._content(request))
        return self._receive()

    def _until_answered(self, request: Request) -> Answered:
        for _ in range(_TRIES):
            try:
                answered = self._asked(request)
            except NoAnswer:
                continue
            if answered.code != Code.MAC:
                return answered
            self.sign_in()
        raise NoAnswer("asked five times")

    def _content(self, request: Request) -> bytes:
        message = as_message(request)
        if request.kind not in SIGNED:
            return encode(message)
        if self._key is None:
            raise NoAnswer("not signed in")
        room = Message(message.mti, {**message.fields, MAC_FIELD: bytes(MAC_BYTES)})
        signed = signed_part(encode(room))
        return signed + mac_of(self._mac, self._key, signed)

    def _send(self, content: bytes) -> None:
        try:
            if self._line is None:
                self._line = socket.create_connection(self._address, self._patience_s)
            self._line.sendall(Frame(TPDU, HEADER, content).encode())
        except OSError as error:
            self.close()
            raise NoAnswer(str(error)) from error

    def _receive(self) -> Answered:
        line = self._line
        if line is None:
            raise NoAnswer("hung up")
        try:
            length = int.from_bytes(_exactly(line.recv, LENGTH_BYTES), "big")
            frame = read_frame(_exactly(line.recv, length))
            message = decode(frame.content)
        except (OSError, BadMessage) as error:
            self.close()
            raise NoAnswer(str(error)) from error
        told = message.raw(MAC_FIELD)
        if told and (
            self._key is None or not is_mac(self._mac, self._key, signed_part(frame.content), told)
        ):
            raise NoAnswer("its MAC does not fit")
        return Answered(message.text(39), message, int(message.text(11) or 0))


def owed_bills(answered: Answered) -> list[tuple[str, int]]:
    """Read the bills that an inquiry was answered with: number and minor units."""
    said = answered.message.raw(62).decode(TEXT_CODE)
    rows = [each.removeprefix("B=").partition(",") for each in said.split(";") if each]
    return [(number, int(minor)) for number, _, minor in rows]


def _exactly(receive: Callable[[int], bytes], length: int) -> bytes:
    found = b""
    while len(found) < length:
        more = receive(length - len(found))
        if not more:
            raise ConnectionResetError("the line ended")
        found += more
    return found
