"""A row of simulated GB/T 20999 controllers behind one datagram port, told apart by their numbers.

One thread answers and keeps all of them alive: their conflict monitors watch whether somebody
asks or not. What a cabinet keeps without power (plans, and which one runs) is told whenever it
has changed.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from city.errors import Invalid
from signals.adapters.gbt20999.simulated import SimulatedGbt20999
from signals.rules.controllers.gbt20999.frames import decode, encode
from signals.rules.controllers.layout import ControllerPlan

ALIVE_S: Final = 1.0
"""How often every cabinet is looked at, if nobody asks."""
_LOOK_S: Final = 0.2
_MOST_DATAGRAM: Final = 65_535

log = structlog.get_logger("cabinets")

Memory = Mapping[int, tuple[int, Mapping[int, ControllerPlan]]]
"""By controller: the plan that runs, and all plans."""


class Row:
    """Simulated controllers that answer at one address.

    Parameters
    ----------
    controllers : Mapping
        By their numbers. A late reply of one (``delay``) is not simulated here: the others would
        wait for it.
    port : int
        Of the loopback interface; 0 for a free one.
    kept : callable
        Gets what the cabinets keep, after a change.

    Raises
    ------
    OSError
        Where the port is taken.
    """

    def __init__(
        self,
        controllers: Mapping[int, SimulatedGbt20999],
        port: int,
        kept: Callable[[Memory], None] = lambda _memory: None,
    ) -> None:
        self._controllers = controllers
        self._kept = kept
        self._known = self._memory()
        self._stop = threading.Event()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind(("127.0.0.1", port))
        except OSError:
            self._socket.close()
            raise
        self._socket.settimeout(_LOOK_S)
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="cabinets", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self, patience_s: float) -> None:
        """End."""
        self._stop.set()
        self._thread.join(patience_s)
        self._socket.close()

    def replies(self, raw: bytes) -> list[bytes]:
        """Give what is sent for a datagram; nothing for one that is for none of them."""
        try:
            frame = decode(raw, escaped=False)
        except Invalid:
            return []
        controller = self._controllers.get(frame.controller)
        reply = None if controller is None else controller.answer(frame)
        if controller is None or reply is None:
            return []
        return controller.host.spoiled(encode(reply, escaped=False))

    def _run(self) -> None:
        looked_s = time.monotonic()
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError, ConnectionError):
                raw, sender = self._socket.recvfrom(_MOST_DATAGRAM)
                for reply in self.replies(raw):
                    self._socket.sendto(reply, sender)
            if time.monotonic() - looked_s >= ALIVE_S:
                looked_s = time.monotonic()
                self._look()

    def _look(self) -> None:
        now = self._memory()
        if now != self._known:
            try:
                self._kept(now)
            except OSError as error:
                # Tried again in a second: nobody's lamps wait for a full disk.
                log.warning("what the cabinets keep is not written", reason=str(error))
                return
            self._known = now

    def _memory(self) -> Memory:
        found = {}
        for number, controller in self._controllers.items():
            at = controller.host.cabinet
            found[number] = (at.plan, at.plans)
        return found
