"""Uplinks by MQTT: topics, what a message says, and many messages in one append.

Topic `greenbay/v1/{district}/{device}/up`, payload the TTN v3 uplink JSON; `{device}` is the
network's key of the device. The embedded broker and the listener at an external broker both end
here.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final, NamedTuple

import orjson
import structlog

from city.errors import TooMany, Unavailable
from city.works import metrics
from parking.adapters import ttn
from parking.adapters.message import Refused
from parking.uplinks import (
    LONGEST_MESSAGE_BYTES,
    IgnoredUplink,
    IngestAnswer,
    Refusal,
    Uplink,
)

SOURCE: Final = "mqtt"
TOPIC: Final = "greenbay/v1/{district}/{device}/up"
FILTER: Final = "greenbay/v1/+/+/up"
SHARED_FILTER: Final = f"$share/greenbay/{FILTER}"

BATCH: Final = 500
RETRY_AFTER_S: Final = 1.0

_TOPIC: Final = re.compile(r"greenbay/v1/([0-9a-z]{2,12})/([0-9A-Za-z][0-9A-Za-z._:-]{0,63})/up")

Accept = Callable[[str, Sequence[Uplink]], IngestAnswer]

log = structlog.get_logger(__name__)


class Topic(NamedTuple):
    """What a topic says."""

    district: str
    device: str
    """The network's key, lower case."""


def parse_topic(topic: str) -> Topic | None:
    """Read a topic that uplinks come on; None for any other."""
    match = _TOPIC.fullmatch(topic)
    return None if match is None else Topic(match[1], match[2].lower())


def read_message(topic: Topic, payload: bytes) -> Uplink | IgnoredUplink:
    """Read one message.

    Raises
    ------
    Refused
        Where it cannot be read, or is about another device than its topic.
    """
    if len(payload) > LONGEST_MESSAGE_BYTES:
        raise Refused(Refusal.OVERSIZED, f"must not exceed {LONGEST_MESSAGE_BYTES} bytes")
    try:
        message = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise Refused(Refusal.MALFORMED, "is not JSON") from error
    if not isinstance(message, dict):
        raise Refused(Refusal.MALFORMED, "is not a JSON object")
    uplink = ttn.read_one(0, message)
    if isinstance(uplink, IgnoredUplink):
        return uplink
    ids = message.get("end_device_ids")
    named = ids.get("device_id") if isinstance(ids, dict) else None
    # A device without an EUI, as one on NB-IoT, is named by `device_id` alone.
    if topic.device not in {uplink.network_key, str(named).lower()}:
        raise Refused(Refusal.WRONG_DEVICE, "the message is about another device than its topic")
    return replace(uplink, network_key=topic.device, district=topic.district)


def uplink_of(topic: Topic, payload: bytes) -> Uplink | None:
    """Give a message's uplink; None for one that is of no use, which is counted and logged.

    MQTT has no way to answer 'rejected': such a message is acknowledged, or it would come again
    for ever.
    """
    try:
        found = read_message(topic, payload)
    except Refused as refused:
        metrics.UPLINKS.labels(SOURCE, "rejected").inc()
        log.warning(
            "an uplink was rejected",
            device=topic.device,
            reason=refused.reason,
            detail=refused.detail,
        )
        return None
    return found if isinstance(found, Uplink) else None


class _Waiting(NamedTuple):
    uplink: Uplink
    done: asyncio.Future[None]


class Appender:
    """Appends messages that arrive together in one pipeline, and tells each when it is in.

    While one batch is under way the next gathers: at low load a message goes alone and at once,
    at high load hundreds share a round trip.

    Parameters
    ----------
    accept
        `Ingest.accept`; blocks, so it runs in a thread of its own.
    batch
        Uplinks in one call, at most.
    """

    def __init__(self, accept: Accept, *, batch: int = BATCH) -> None:
        self._accept = accept
        self._batch = batch
        self._waiting: list[_Waiting] = []
        self._some = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="append")

    async def append(self, uplink: Uplink) -> None:
        """Return when the uplink is in its stream, however long that takes."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(uplink, done))
        self._some.set()
        self._idle.clear()
        await done

    async def drained(self) -> None:
        """Return when nothing waits."""
        await self._idle.wait()

    async def run(self) -> None:
        """Append until cancelled; what is under way then is finished."""
        try:
            while True:
                await self._some.wait()
                taken, self._waiting = self._waiting[: self._batch], self._waiting[self._batch :]
                left = await self._append([each for each in taken if not each.done.done()])
                self._waiting.extend(left)
                if not self._waiting:
                    self._some.clear()
                    self._idle.set()
                elif left and len(left) == len(self._waiting):
                    await asyncio.sleep(RETRY_AFTER_S)
        finally:
            self._thread.shutdown(wait=True)

    async def _append(self, taken: list[_Waiting]) -> list[_Waiting]:
        """Append a batch; give those that have to wait for room."""
        if not taken:
            return []
        uplinks = [each.uplink for each in taken]
        try:
            await asyncio.get_running_loop().run_in_executor(
                self._thread, self._accept, SOURCE, uplinks
            )
        except TooMany as error:
            districts = {each.district for each in uplinks}
            if len(districts) > 1:  # one full stream must not stop the others
                return [
                    waiting
                    for district in districts
                    for waiting in await self._append(
                        [each for each in taken if each.uplink.district == district]
                    )
                ]
            log.warning("uplinks wait", count=len(taken), error=str(error))
            return taken
        except Unavailable as error:
            log.warning("uplinks wait", count=len(taken), error=str(error))
            return taken
        except Exception as error:  # noqa: BLE001 - each message's connection is told
            for waiting in taken:
                if not waiting.done.done():
                    waiting.done.set_exception(error)
            return []
        for waiting in taken:
            if not waiting.done.done():
                waiting.done.set_result(None)
        return []
