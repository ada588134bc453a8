"""Garages beside the demo town, each with bills of its own: nobody else pays or sees to them.

The demo's cars and attendants do not know them, so what happens there comes from one test alone.
Their gates tell of stays that are over, which a job bills; all are opened before the demo city is
waited for, so that nobody waits for their bills again.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

PLACE: Final = (118.55, 31.45)
"""Some kilometres off the demo town."""
PATIENCE_S: Final = 120.0
BILLED_WITHIN_S: Final = 240.0
EARLIER: Final = (("entry", 240), ("exit", 180))
"""Minutes ago, of a visit before the last one."""
_TOKEN = re.compile(r"Authorization: Bearer (\S+)'")


@dataclass(frozen=True)
class Plan:
    """A garage to be opened."""

    code: str
    plates: tuple[str, ...]
    """Each was in it for an hour and has a bill."""
    district: str | None = None
    """None for the one where the demo's facilities are."""
    days_to_pay: int | None = None
    """Where the district has a rule of its own."""
    inside: tuple[str, ...] = ()
    """Each came in over an hour ago, and stays."""
    twice: tuple[str, ...] = ()
    """Of the plates, those that had been in it for an hour before, and have a second bill."""

    def again(self, look: int) -> Plan:
        """Give a garage like it that nobody knows yet: other code, plates and district."""
        return replace(
            self,
            code=f"{self.code}L{look}",
            plates=tuple(_other(each, look) for each in self.plates),
            inside=tuple(_other(each, look) for each in self.inside),
            twice=tuple(_other(each, look) for each in self.twice),
            district=self.district and f"{self.district}l{look}",
        )


GARAGES: Final = {
    "agreements": Plan("AG7", (), inside=("皖B70008",)),
    "together": Plan("TG7", ("皖B70011",), twice=("皖B70011",)),
    "arrears": Plan("AR7", ("皖B70012",), district="arr1", days_to_pay=30, twice=("皖B70012",)),
    "reader": Plan("RD7", ("皖B70013",)),
    "scan": Plan("SC7", ("皖B70014", "皖B70015")),
    "attendant": Plan("AT7", ("皖B70007",)),
    "offline": Plan("OF7", ("皖B72001",)),
    "bridge": Plan("BR7", ("皖B70061",)),
    "shift": Plan("SH7", ("皖B70031", "皖B70032", "皖B70033", "皖B70034")),
    "finance": Plan("F7", ("皖B71001", "皖B71002"), district="fin1", days_to_pay=0),
    "left-code": Plan("LC7", ("皖B70021",)),
    "unknown": Plan("UK7", ("皖B70022",)),
    "invoice": Plan("IV7", ("皖B70023",)),
    "pay": Plan("P7", ("皖B70005",), inside=("皖B70004",)),
    "day": Plan("D7", ("皖B70001", "皖B70002", "皖B70003")),
}

_looks: dict[str, int] = {}


def garage_of(name: str, visitor: Visitor, system: System) -> Garage:
    """Give a garage whose bills nobody has touched: each look of a test has its own.

    The first has what was opened before the city was waited for; a later one, where a test is
    looked at again, opens another like it and waits for its bills.
    """
    look = _looks.get(name, 0)
    _looks[name] = look + 1
    plan = GARAGES[name]
    if look:
        plan = plan.again(look)
        _open(visitor, system, plan)
    return Garage(visitor, system, plan)


def _other(plate: str, look: int) -> str:
    """Give a plate of another ten thousand: all plans' stand in the seventh."""
    return f"{plate[:2]}{7 + look}{plate[3:]}"


@dataclass
class Garage:
    """A garage with a bill for each plate of its plan, opened by `open_garages`."""

    visitor: Visitor
    system: System
    plan: Plan

    def __post_init__(self) -> None:
        """Find what was opened under the plan's code."""
        # Lists of places are answered from memory for some seconds.
        until(lambda: bool(self._ids()))
        (self.facility_id,) = self._ids()
        (bay,) = self.visitor.ask("operator", f"/api/v1/facilities/{self.facility_id}/bays")[
            "items"
        ]
        self.bay_id = bay["id"]
        expected = len(self.plan.plates) + len(self.plan.twice)
        until(lambda: billed(self.system, len(self._bills()) == expected), BILLED_WITHIN_S)

    def _ids(self) -> list[str]:
        facilities = self.visitor.ask("operator", "/api/v1/facilities?limit=500")["items"]
        return [each["id"] for each in facilities if each["code"] == self.plan.code]

    def bill(self, plate: str) -> Any:
        """Give the bill of a plate as the finance desk has it."""
        (found,) = self.bills(plate)
        return found

    def bills(self, plate: str) -> list[Any]:
        """Give the bills of a plate as the finance desk has them."""
        shown = [
            self.visitor.ask("finance", f"/api/v1/bills/{each['id']}") for each in self._bills()
        ]
        return [each for each in shown if each["plate"]["text"].replace("·", "") == plate]

    def _bills(self) -> list[Any]:
        path = f"/api/v1/bills?facility_id={self.facility_id}"
        found: list[Any] = self.visitor.ask("finance", path)["items"]
        return found


def until(true: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait for something that the system does by itself."""
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.5)


def billed(system: System, done: bool) -> bool:
    """Say whether what is over is billed; have it billed now, and not within a minute, if not."""
    if not done:
        system.run_now("parking.announce_settled")
    return done


def poster(visitor: Visitor, role: str) -> Callable[[str, Any], Any]:
    """Give what acts over the API as a role."""
    request = visitor.context(role).request
    csrf = request.get(f"{visitor.system.origin}/api/v1/me").json()["csrf_token"]

    def post(path: str, body: Any) -> Any:
        answer = request.post(
            visitor.system.origin + path, data=body, headers={"X-CSRF-Token": csrf}
        )
        assert answer.ok, f"{path}: {answer.status} {answer.text()}"
        return answer.json()

    return post


def open_garages(visitor: Visitor, system: System) -> None:
    """Register each garage, and let cars pass its gates: an hour in it, all gone."""
    for plan in GARAGES.values():
        _open(visitor, system, plan)


def integration_token(system: System) -> str:
    """Give the token that the demo shows for network servers and gates."""
    found = _TOKEN.search(system.said)
    assert found is not None
    return found[1]


def _open(visitor: Visitor, system: System, plan: Plan) -> None:
    post = poster(visitor, "operator")
    if plan.days_to_pay is not None:
        policy: dict[str, Any] = {
            "district": plan.district,
            "days_to_pay": plan.days_to_pay,
            "steps": [],
            "source": "a test's own rule",
            "cash_step_minor": 10,
        }
        draft = poster(visitor, "finance")("/api/v1/arrears/policies", policy)
        decision = f"/api/v1/term-drafts/{draft['id']}/decision"
        poster(visitor, "administrator")(decision, {"approve": True})
    tariffs = visitor.ask("operator", "/api/v1/tariffs")["items"]
    operators = visitor.ask("operator", "/api/v1/operators")["items"]
    own = visitor.ask("operator", "/api/v1/facilities?limit=1")["items"][0]["district"]
    facility_id = post(
        "/api/v1/facilities",
        {
            "code": plan.code,
            "district": plan.district or own,
            "ownership": "commercial",
            "kind": "garage",
            "name": {"zh": "渡口车库", "en": "Ferry Garage"},
            "position": PLACE,
            "operator_id": operators[0]["id"],
            "revenue_nature": "commercial",
            "tariff_id": next(each["id"] for each in tariffs if each["code"] == "garage"),
            "onboarding": "live",
        },
    )["state"]["id"]
    post(
        f"/api/v1/facilities/{facility_id}/bays",
        {"bays": [{"label": f"{plan.code}-01", "position": PLACE}]},
    )
    token = integration_token(system)
    now = datetime.fromisoformat(visitor.ask("operator", "/api/v1/demo/clock")["now"])
    gate = visitor.context().request
    passages = [
        *((plate, direction, at) for plate in plan.twice for direction, at in EARLIER),
        *((plate, "entry", 80) for plate in (*plan.plates, *plan.inside)),
        *((plate, "exit", 20) for plate in plan.plates),
    ]
    for plate, direction, before in passages:
        answer = gate.post(
            f"{system.origin}/api/v1/gates/passages",
            data={
                "facility_id": facility_id,
                "gate": "N1",
                "direction": direction,
                "event_id": f"{plate[-5:]}-{direction}-{before}",
                "at": (now - timedelta(minutes=before)).isoformat(),
                "plate": plate,
                "plate_kind": "blue7",
            },
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.ok, answer.text()
