"""Payers, attendants and a finance desk over HTTP: whatever is not answered is asked again."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Final

import orjson
from sqlalchemy import text

from city.errors import Unavailable
from tests.faults.debts import TOP_UP_MINOR
from tests.faults.installation import NotReadyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from city.works.database import Database
    from payments.rules.channels import Channel
    from tests.faults.debts import Debts, Errand, Held
    from tests.faults.installation import Installation

ANSWER_TIMEOUT_S: Final = 20.0
AGAIN_AFTER_S: Final = 0.1
OPENING_AT_ONCE: Final = 6
"""As many as the API lets wait for channels at once: who comes beyond is only sent away."""
LONGEST_PAUSE_S: Final = 1.6
REFUND_AGAIN_S: Final = 2.0
TOLD_AGAIN_S: Final = 1.0
CREATED, FOUND, CONFLICT = 201, 302, 409
_AGAIN: Final = frozenset({0, 429, 500, 502, 503})
"""No answer, or one that says to come again. 500 is the gateway's, on purpose."""
_CODE: Final = text("select code from payments.channel_order where order_no = :order_no")


class Halted(Exception):
    """The run is over before its time."""


class Payers:
    """Some threads that go through the errands, each from its beginning to its end.

    Parameters
    ----------
    debts
        What is to be done.
    installation
        The running system; a code is read off its database as a camera reads it off a screen.
    gateway_port
        Of the gateway that payers press on.
    payers
        How many at once.
    """

    def __init__(
        self, debts: Debts, installation: Installation, gateway_port: int, payers: int
    ) -> None:
        self._debts, self._installation = debts, installation
        self._ports = {"api": installation.port, "gateway": gateway_port}
        self._todo = deque(debts.errands)
        self._later: deque[tuple[float, Errand, str]] = deque()
        self._lock = threading.Lock()
        self._halt = threading.Event()
        self._opening = threading.Semaphore(OPENING_AT_ONCE)
        self._under_way = 0
        self._address = ""
        self._databases: list[Database] = []
        self.done = 0
        self.statuses: Counter[str] = Counter()
        self.answered_in: set[int] = set()
        """Seconds in which the API answered somebody: the others it was away."""
        self.strange: list[str] = []
        self.cash_minor: dict[int, int] = {}
        """What an attendant was told to have taken, by errand."""
        self.attendant = debts.attendant
        self.refunded: set[int] = set()
        """Errands whose refund was answered."""
        self._threads = [
            threading.Thread(target=self._work, name=f"payer-{number}") for number in range(payers)
        ]

    @property
    def busy(self) -> bool:
        """Whether anybody still works."""
        return any(thread.is_alive() for thread in self._threads)

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def finish(self, patience_s: float) -> None:
        """Wait for all of them."""
        deadline = time.monotonic() + patience_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        assert not self.busy, f"payers are not done within {patience_s:.0f} s"

    def stop_taking(self) -> frozenset[int]:
        """Begin no errand any more; give the numbers of those that nobody begins."""
        with self._lock:
            left = frozenset(errand.number for errand in self._todo)
            self._todo.clear()
        return left

    def halt(self) -> None:
        """Stop whatever they do."""
        self._halt.set()
        for thread in self._threads:
            thread.join()
        for database in self._databases:
            database.close()

    def _work(self) -> None:
        lines: dict[str, http.client.HTTPConnection] = {}
        try:
            while True:
                with self._lock:
                    work = self._next()
                if work is None:
                    return
                errand, order_no = work
                if errand is None:
                    self._wait(AGAIN_AFTER_S)
                    continue
                try:
                    self._do(lines, errand, order_no)
                finally:
                    with self._lock:
                        self._under_way -= 1
        except Halted:
            return
        finally:
            for line in lines.values():
                line.close()

    def _next(self) -> tuple[Errand | None, str] | None:
        if self._later and self._later[0][0] <= time.monotonic():
            _, errand, order_no = self._later.popleft()
        elif self._todo:
            errand, order_no = self._todo.popleft(), ""
        elif self._later or self._under_way:
            return None, ""
        else:
            return None
        self._under_way += 1
        return errand, order_no

    def _do(self, lines: dict[str, http.client.HTTPConnection], errand: Errand, no: str) -> None:
        paid_no = no or self._pay(lines, errand)
        if errand.refund_minor and not self._give_back(lines, errand, paid_no):
            with self._lock:
                self._later.append((time.monotonic() + REFUND_AGAIN_S, errand, paid_no))
            return
        with self._lock:
            self.done += 1

    def _pay(self, lines: dict[str, http.client.HTTPConnection], errand: Errand) -> str:
        finance = {"Authorization": f"Bearer {self._debts.finance_token}"}
        _, where, _ = self._ask(
            lines, "api", "GET", f"/bills/{errand.bill_id}/pay", finance, expect={FOUND}
        )
        link = where.rpartition("/")[2]
        if errand.card is not None:
            self._pay_by_card(lines, errand, errand.card)
            return ""
        if errand.left is not None:
            self._open(lines, link, errand.left)
        opened = [self._open(lines, link, channel) for channel in errand.channels]
        if errand.cash == "before":
            self._take_cash(lines, errand)
        for _, token in opened:
            self._press(lines, token)
        if errand.cash == "after":
            self._take_cash(lines, errand)
        return opened[0][0] if opened else ""

    def _press(self, lines: dict[str, http.client.HTTPConnection], token: str) -> None:
        self._ask(lines, "gateway", "POST", f"/payer/{token}/pay", {"Accept": "application/json"})

    def _pay_by_card(
        self, lines: dict[str, http.client.HTTPConnection], errand: Errand, card: Held
    ) -> None:
        """Top a card up online, wait until the money is on it, and have the attendant read it."""
        driver = {"Authorization": f"Bearer {self._debts.driver_token}"}
        amount = {"minor": TOP_UP_MINOR, "currency": "CNY"}
        order_no, token = self._open_at(
            lines,
            f"/api/v1/me/cards/{card.id}/top-ups",
            {"channel": errand.channels[0].value, "amount": amount},
            driver,
        )
        self._press(lines, token)
        path = f"/api/v1/me/top-ups/{order_no}"
        while orjson.loads(self._ask(lines, "api", "GET", path, driver)[2])["state"] != "paid":
            self._wait(TOLD_AGAIN_S)
        attendant = {
            "Authorization": f"Bearer {self._debts.attendant_token}",
            "Content-Type": "application/json",
        }
        known = {"number": card.number, "code": card.code, "reader": errand.reader}
        self._ask(lines, "api", "POST", "/api/v1/cards/media", attendant, orjson.dumps(known))
        paid = orjson.dumps({"reader": errand.reader, "order_no": errand.order_no})
        path = f"/api/v1/bills/{errand.bill_id}/card-payments"
        self._ask(lines, "api", "POST", path, attendant, paid, {CREATED})

    def _open(
        self, lines: dict[str, http.client.HTTPConnection], link: str, channel: Channel
    ) -> tuple[str, str]:
        path = f"/api/v1/pay/{link}/orders"
        return self._open_at(lines, path, {"channel": channel.value}, {})

    def _open_at(
        self,
        lines: dict[str, http.client.HTTPConnection],
        path: str,
        asked: Mapping[str, object],
        who: Mapping[str, str],
    ) -> tuple[str, str]:
        """Open an order until there is a code; give its number and the code's token."""
        body, headers = orjson.dumps(asked), {**who, "Content-Type": "application/json"}
        while True:
            with self._opening:
                _, _, answer = self._ask(lines, "api", "POST", path, headers, body, {CREATED})
            order = orjson.loads(answer)
            if order["scannable"]:
                break
            self._wait(AGAIN_AFTER_S)
        code = self._code(order["order_no"])
        return order["order_no"], code.rpartition("=")[2].rpartition("/")[2]

    def _code(self, order_no: str) -> str:
        while True:
            try:
                with self._database().read() as connection:
                    return str(connection.execute(_CODE, {"order_no": order_no}).scalar_one())
            except (Unavailable, NotReadyError):
                self._wait(AGAIN_AFTER_S)

    def _database(self) -> Database:
        """Give the running system's database; a new supervisor's has another socket."""
        address = self._installation.record().addresses.database
        with self._lock:
            if address != self._address:
                for gone in self._databases:
                    gone.close()  # what is idle; what is in use ends with its server
                self._databases.append(self._installation.database())
                self._address = address
            return self._databases[-1]

    def _take_cash(self, lines: dict[str, http.client.HTTPConnection], errand: Errand) -> None:
        tendered = {"minor": errand.amount_minor, "currency": "CNY"}
        headers = {
            "Authorization": f"Bearer {self._debts.attendant_token}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"cash-{errand.bill_id}",
        }
        body = orjson.dumps({"channel": "cash", "tendered": tendered})
        path = f"/api/v1/bills/{errand.bill_id}/payments"
        status, _, _ = self._ask(lines, "api", "POST", path, headers, body, {CREATED, CONFLICT})
        if status == CREATED:
            self.cash_minor[errand.number] = errand.amount_minor

    def _give_back(
        self, lines: dict[str, http.client.HTTPConnection], errand: Errand, order_no: str
    ) -> bool:
        """Ask for the refund; False where nobody has told us yet that it was paid."""
        headers = {
            "Authorization": f"Bearer {self._debts.finance_token}",
            "Content-Type": "application/json",
        }
        body = orjson.dumps(
            {
                "refund_no": errand.refund_no,
                "amount": {"minor": errand.refund_minor, "currency": "CNY"},
                "reason": "left early",
            }
        )
        path = f"/api/v1/channel-orders/{order_no}/refunds"
        status, _, _ = self._ask(lines, "api", "POST", path, headers, body, {CREATED, CONFLICT})
        if status == CREATED:
            self.refunded.add(errand.number)
        return status == CREATED

    def _ask(
        self,
        lines: dict[str, http.client.HTTPConnection],
        whom: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        expect: set[int] | None = None,
    ) -> tuple[int, str, bytes]:
        """Ask until there is an answer; give status, `Location` and body."""
        expected = expect or {200}
        pause_s = AGAIN_AFTER_S
        while True:
            status, where, answer = self._try(lines, whom, method, path, headers, body)
            self.statuses[f"{whom} {status or 'none'}"] += 1
            if status in expected:
                if whom == "api":
                    self.answered_in.add(int(time.monotonic()))
                return status, where, answer
            if status not in _AGAIN or (status == 500 and whom == "api"):
                self.strange.append(f"{method} {path}: {status} {answer[:300]!r}")
                self._wait(AGAIN_AFTER_S * 10)
            # Whoever is told to come again comes later each time, as people do.
            self._wait(pause_s)
            pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)

    def _try(
        self,
        lines: dict[str, http.client.HTTPConnection],
        whom: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> tuple[int, str, bytes]:
        line = lines.pop(whom, None) or http.client.HTTPConnection(
            "127.0.0.1", self._ports[whom], timeout=ANSWER_TIMEOUT_S
        )
        try:
            line.request(method, path, body or None, dict(headers))
            answer = line.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            line.close()
            return 0, "", b""
        if answer.will_close:
            line.close()
        else:
            lines[whom] = line
        return answer.status, answer.headers.get("Location", ""), content

    def _wait(self, seconds: float) -> None:
        if self._halt.wait(seconds):
            raise Halted
