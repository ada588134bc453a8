"""Answers that anybody may see: told apart by an ETag, and not made twice while nothing changed.

A driver's page asks every few seconds; where nothing has changed it gets 304 and no body. Many
pages ask for the same thing: it is made once and then given again, as long as nothing was heard
from the facilities that it shows. One small question to the live store tells, asked ten times a
second at most for each answer.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson
from flask import Response, request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from city.works.live_lines import Command
    from parking.adapters.live_store import LiveStore
    from parking.known_places import KnownPlaces
    from parking.store.places import Facility

MAX_AGE_S: Final = 2
"""A cache between us and many drivers may answer for so long; states are older than that anyway."""
KEPT_S: Final = 2.0
"""What a late frame changed shows after so long at most: it need not leave a mark."""
SURE_S: Final = 0.1
"""For so long nobody asks again whether anything was heard: no eye sees that delay."""
MOST_BYTES: Final = 32_000_000
LARGEST: Final = 1_000_000
TURNS: Final = 64
JSON: Final = "application/json"
CACHE_CONTROL: Final = f"public, max-age={MAX_AGE_S}"
NOT_MODIFIED: Final = 304
DIGEST_BYTES: Final = 12


class Answer(NamedTuple):
    """An answer as it is sent.

    Attributes
    ----------
    written
        Writes its body again where figures in it grow with the clock; None where none do.
    """

    body: bytes
    name: str
    tag: str
    written: Callable[[], bytes] | None = None

    def response(self) -> Response:
        """Give it, or 304 where the caller has it already."""
        headers = {"ETag": self.tag, "Cache-Control": CACHE_CONTROL}
        wanted = request.headers.get("If-None-Match")
        if wanted is not None and (self.name in wanted or wanted.strip() == "*"):
            return Response(status=NOT_MODIFIED, headers=headers)
        return Response(self.body, headers=headers, content_type=JSON)


@dataclass(slots=True)
class _Kept:
    answer: Answer
    size: int
    version: int
    question: tuple[Command, ...]
    marks: bytes
    until_s: float
    sure_until_s: float


def dumped(value: Any) -> bytes:
    """Write JSON as every kept answer has it."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def made(value: Mapping[str, Any], alike: Any = None) -> Answer:
    """Write an answer.

    Parameters
    ----------
    value
        What the operation's schema says; written as it is.
    alike
        What two answers must share to be the same; the value itself unless given. Without
        figures that only grow with the clock a page's copy stays good while nothing happens.
    """
    body = dumped(value)
    told_apart = body if alike is None else dumped(alike)
    name = hashlib.blake2b(told_apart, digest_size=DIGEST_BYTES).hexdigest()
    # Weak: what it leaves out may differ.
    return Answer(body, name, f'"{name}"' if alike is None else f'W/"{name}"')


class Answers:
    """Keeps answers while what they were made from stands. Threads share one.

    Parameters
    ----------
    live_store
        Tells whether anything was heard from facilities.
    places
        Tells the registry's version.
    kept_s
        Longest time that an answer is kept, in seconds.
    sure_s
        How long an answer is given without asking whether anything was heard, in seconds.
    """

    def __init__(
        self,
        live_store: LiveStore,
        places: KnownPlaces,
        *,
        kept_s: float = KEPT_S,
        sure_s: float = SURE_S,
    ) -> None:
        self._live_store = live_store
        self._places = places
        self._kept_s = kept_s
        self._sure_s = sure_s
        self._lock = threading.Lock()
        self._turns = [threading.Lock() for _ in range(TURNS)]
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0

    def about(
        self, shown: Sequence[Facility], make: Callable[[], Answer], *, also: bytes = b""
    ) -> Response:
        """Answer about facilities: made anew where anything was heard from them.

        Parameters
        ----------
        shown
            The facilities that the answer is about.
        make
            Makes the answer.
        also
            What else it is made from, such as the minute of the day where hours decide.

        Raises
        ------
        Unavailable
            Where the live store cannot be reached.
        """
        kept = self._known()
        if kept is not None and time.monotonic() < kept.sure_until_s:
            return kept.answer.response()
        question = (
            self._live_store.question((each.district, each.id) for each in shown)
            if kept is None
            else kept.question
        )
        # Before the answer is made: what is heard meanwhile makes the next one new.
        return self._give(kept, question, self._live_store.marks(question) + also, make)

    def sure(self) -> Response | None:
        """Give the kept answer while nobody has to ask again whether it stands; else None."""
        kept = self._known()
        if kept is not None and time.monotonic() < kept.sure_until_s:
            return kept.answer.response()
        return None

    def marked(
        self,
        marks: bytes,
        make: Callable[[], Answer],
        *,
        times: int = 1,
        kept_s: float | None = None,
    ) -> Response:
        """Answer anew where the marks are not what they were.

        Parameters
        ----------
        marks
            Names what the answer is made from; read before it is made.
        make
            Makes the answer.
        times
            How many times the usual moment nobody asks again: where asking is a search.
        kept_s
            How long the answer stands, in seconds, where the marks tell what matters; as long as
            any unless given.
        """
        return self._give(self._known(), (), marks, make, times=times, kept_s=kept_s)

    def _known(self) -> _Kept | None:
        kept = self._kept.get(request.full_path)
        return kept if kept is not None and kept.version == self._places.version else None

    def _give(
        self,
        kept: _Kept | None,
        question: tuple[Command, ...],
        marks: bytes,
        make: Callable[[], Answer],
        *,
        times: int = 1,
        kept_s: float | None = None,
    ) -> Response:
        sure_s = self._sure_s * times
        now_s = time.monotonic()
        if kept is not None and kept.marks == marks and now_s < kept.until_s:
            if kept.answer.written is not None:
                kept.answer = kept.answer._replace(body=kept.answer.written())
            kept.sure_until_s = min(now_s + sure_s, kept.until_s)
            return kept.answer.response()
        key = request.full_path
        # One makes it, the others that ask for the same thing meanwhile wait for it.
        with self._turns[hash(key) % TURNS]:
            kept = self._known()
            if kept is None or kept.marks != marks or now_s >= kept.until_s:
                version = self._places.version
                until_s = now_s + (self._kept_s if kept_s is None else kept_s)
                made_now = make()
                size = len(made_now.body) * (1 if made_now.written is None else 2)
                kept = _Kept(made_now, size, version, question, marks, until_s, now_s + sure_s)
                self._keep(key, kept)
        return kept.answer.response()

    def _keep(self, key: str, kept: _Kept) -> None:
        if kept.size > LARGEST:
            return
        with self._lock:
            before = self._kept.pop(key, None)
            self._bytes += kept.size - (before.size if before else 0)
            self._kept[key] = kept
            while self._bytes > MOST_BYTES:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= oldest.size
