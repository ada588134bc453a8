"""Sessions with signal systems, shared by the lines to all their junctions.

A system is dialled and logged in to, unless it has dialled us and logged in itself: public
implementations have it that way round.
"""

import socket
import threading
from dataclasses import dataclass

from signals.adapters.gat1049.session import Session
from signals.adapters.gat1049.users import GatUser
from signals.adapters.gbt20999.link import Patience
from signals.rules.controllers.line import NoAnswer, Refused

Key = tuple[str, int, str]
"""Host, port, user."""


@dataclass
class _Open:
    session: Session
    lines: int


class Systems:
    """Opens a session where there is none, and ends it when its last line is closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._dialling: dict[Key, threading.Lock] = {}
        self._open: dict[Key, _Open] = {}
        self._received: dict[str, Session] = {}

    def receive(self, user: str, token: str, session: Session) -> None:
        """Keep the session of a system that has dialled us, in the place of an earlier one."""
        session.trust(token)
        with self._lock:
            former = self._received.get(user)
            self._received[user] = session
        if former is not None and former is not session:
            former.close()

    def borrow(self, host: str, port: int, user: GatUser, patience: Patience) -> Session:
        """Give a session that is logged in.

        Raises
        ------
        NoAnswer
        Refused
            Where the system does not let us in.
        """
        key = (host, port, user.name)
        with self._lock:
            came = self._received.get(user.name)
            if came is not None and came.alive and came.peer == host:
                return came
            dialling = self._dialling.setdefault(key, threading.Lock())
        # One at a time dials, whoever else wants the same system waits for what comes of it.
        with dialling:
            with self._lock:
                known = self._open.get(key)
                if known is not None and known.session.alive:
                    known.lines += 1
                    return known.session
            session = _dialled(host, port, user, patience)
            with self._lock:
                self._open[key] = _Open(session, 1)
            return session

    def give_back(self, session: Session) -> None:
        """End a session that no line has any more; one that was received stays."""
        with self._lock:
            key = next((key for key, each in self._open.items() if each.session is session), None)
            if key is None:
                return
            self._open[key].lines -= 1
            if self._open[key].lines > 0:
                return
            del self._open[key]
        session.close()


def _dialled(host: str, port: int, user: GatUser, patience: Patience) -> Session:
    try:
        opened = socket.create_connection((host, port), timeout=patience.timeout_s)
    except OSError as error:
        raise NoAnswer(f"the system takes no connection ({error})") from None
    session = Session(opened, patience=patience)
    try:
        session.log_in(user.name, user.password)
    except (NoAnswer, Refused):
        session.close()
        raise
    return session
