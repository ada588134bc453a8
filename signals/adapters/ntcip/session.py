"""Questions and orders over SNMPv3, one at a time, for callers that wait."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pysnmp.entity import config
from pysnmp.hlapi.v3arch.asyncio import (
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    UdpTransportTarget,
    UsmUserData,
    get_cmd,
    set_cmd,
)
from pysnmp.proto.rfc1902 import Integer32
from pysnmp.proto.rfc1905 import NoSuchInstance, NoSuchObject

from signals.adapters.gbt20999.link import Patience
from signals.adapters.ntcip.users import SnmpUser
from signals.rules.controllers.line import NoAnswer, Refused
from signals.rules.controllers.ntcip.objects import Oid

Value = int | bytes
_MOST_ASKED: Final = 30
"""Objects a packet: with keys and padding it stays below 1 400 bytes."""


class SnmpSession:
    """One agent at the other end; not for several threads at once.

    Parameters
    ----------
    host : str
    port : int
    user : SnmpUser
    patience : Patience or None
        An order is repeated like a question: each sets values, which does no harm twice.
    """

    def __init__(
        self, host: str, port: int, user: SnmpUser, patience: Patience | None = None
    ) -> None:
        self._address = (host, port)
        self._patience = patience or Patience()
        self._loop = asyncio.new_event_loop()
        self._engine = SnmpEngine()
        self._user = UsmUserData(
            user.name,
            authKey=user.authentication,
            privKey=user.privacy,
            authProtocol=user.authentication_protocol,
            privProtocol=config.USM_PRIV_CFB128_AES,
        )
        self._target: UdpTransportTarget | None = None

    def get(self, wanted: Sequence[Oid]) -> dict[Oid, Value]:
        """Ask for objects; what the agent does not have is left out. Raises NoAnswer, Refused."""
        found: dict[Oid, Value] = {}
        for first in range(0, len(wanted), _MOST_ASKED):
            asked = wanted[first : first + _MOST_ASKED]
            bound = [ObjectType(ObjectIdentity(each)) for each in asked]
            for name, value in self._exchange(get_cmd, bound):
                if isinstance(value, NoSuchObject | NoSuchInstance):
                    continue
                found[tuple(name)] = int(value) if isinstance(value, Integer32) else bytes(value)
        return found

    def set(self, values: Mapping[Oid, int]) -> None:
        """Set objects, all or none (RFC 3416, 4.2.5). Raises NoAnswer, Refused."""
        bound = [
            ObjectType(ObjectIdentity(name), Integer32(value)) for name, value in values.items()
        ]
        self._exchange(set_cmd, bound)

    def close(self) -> None:
        """End it."""
        if not self._loop.is_closed():
            self._loop.run_until_complete(self._end())
            self._loop.close()

    async def _end(self) -> None:
        self._engine.close_dispatcher()
        # The timer of the dispatcher ends in its own turn.
        await asyncio.sleep(0)

    def _exchange(self, command: Any, bound: Sequence[ObjectType]) -> list[tuple[Any, Any]]:
        indication, status, index, told = self._loop.run_until_complete(self._ask(command, bound))
        if indication:
            # A wrong key, a wrong answer and none are the same to the caller: nothing is known.
            raise NoAnswer(f"the controller did not answer ({indication})")
        if status:
            place = bound[int(index) - 1][0] if index else "the request"
            raise Refused(f"the controller says {status.prettyPrint()} to {place}")
        return [(each[0], each[1]) for each in told]

    async def _ask(self, command: Any, bound: Sequence[ObjectType]) -> tuple[Any, Any, Any, Any]:
        if self._target is None:
            self._target = await UdpTransportTarget.create(
                self._address,
                timeout=self._patience.timeout_s,
                retries=self._patience.tries - 1,
            )
        answer: tuple[Any, Any, Any, Any] = await command(
            self._engine, self._user, self._target, ContextData(), *bound, lookupMib=False
        )
        return answer
