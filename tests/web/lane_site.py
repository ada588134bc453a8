"""A garage with an entry and an exit lane, and a controller in each that speaks as a maker's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from city.identifiers import FacilityId, OperatorId, uuid7
from city.people.credentials import issue_token
from parking.services import stays
from parking.services.places import record_places
from parking.store.places import Facility

if TYPE_CHECKING:
    from datetime import datetime

    from tests.web.small_site import Site

PLATE = "京A12345"


@dataclass
class LaneBox:
    """A controller: it keeps what it told, carries orders out, and says so."""

    site: Site
    lane_id: str
    who: str
    life: str = "life-1"
    number: int = 0
    shown: list[str] = field(default_factory=list)
    photos: list[str] = field(default_factory=list)
    barrier: str = "down"
    standing: dict[str, Any] | None = None
    kept: list[dict[str, Any]] = field(default_factory=list)
    online: bool = True

    def word(self, kind: str, at: datetime | None = None, **members: Any) -> dict[str, Any]:
        self.number += 1
        when = at or self.site.clock.now()
        return {"number": self.number, "at": when.isoformat(), "kind": kind, **members}

    def tell(self, *words: dict[str, Any]) -> dict[str, Any]:
        """Send words, or keep them while the line is down; do what comes back."""
        self.kept += words
        if not self.online:
            return {}
        sent, self.kept = self.kept, []
        body = {"life": self.life, "sent_at": self.site.clock.now().isoformat(), "words": sent}
        answer = self.site.post(f"/api/v1/lanes/{self.lane_id}/reports", self.who, json=body)
        assert answer.status_code == 200, answer.get_json()
        found: dict[str, Any] = answer.get_json()
        self.standing = found["standing"]
        self.obey(found)
        return found

    def obey(self, answer: dict[str, Any]) -> None:
        done = []
        for order in answer["orders"]:
            if order["kind"] == "show":
                self.shown.append(order["detail"])
            elif order["kind"] == "photo":
                self.photos.append(order["id"])
            done.append(self.word("done", order_id=order["id"]))
            if order["kind"] in {"lift", "lower"}:
                self.barrier = "up" if order["kind"] == "lift" else "down"
                done.append(self.word("barrier", barrier=self.barrier))
        if done:
            self.tell(*done)

    def starts(self) -> None:
        self.tell(
            self.word("barrier", barrier="down"),
            self.word("loop", loop="approach", on=False),
            self.word("loop", loop="barrier", on=False),
        )

    def arrives(self, plate: str | None = PLATE, **members: Any) -> dict[str, Any]:
        """Stop before the barrier, and be read."""
        self.tell(self.word("loop", loop="approach", on=True))
        if plate is None and not members:
            return {}
        named = {"plate": plate, "plate_kind": "blue7"} if plate else {}
        kind = "ticket" if "ticket" in members else "plate"
        return self.tell(self.word(kind, **{**named, **members}))

    def drives(self) -> None:
        """Drive through."""
        self.site.clock.advance(2)
        self.tell(self.word("loop", loop="barrier", on=True))
        self.tell(self.word("loop", loop="approach", on=False))
        self.site.clock.advance(2)
        self.tell(self.word("loop", loop="barrier", on=False))

    def waits(self, seconds: float) -> dict[str, Any]:
        self.site.clock.advance(seconds)
        return self.tell()


@dataclass
class Gates:
    """The garage's lanes."""

    site: Site
    facility_id: str
    entry: LaneBox
    exit: LaneBox

    def lane(self, box: LaneBox, who: str = "attendant") -> dict[str, Any]:
        items = self.site.get("/api/v1/lanes", who).get_json()["items"]
        found: dict[str, Any] = next(each for each in items if each["id"] == box.lane_id)
        return found

    def alarms(self) -> list[str]:
        items = self.site.get("/api/v1/lane-alarms", "operator").get_json()["items"]
        return [each["kind"] for each in items]

    def stays(self, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.site.get(
            "/api/v1/sessions", "operator", query_string=query
        ).get_json()["items"]
        return found

    def settle(self) -> list[dict[str, Any]]:
        """Let the stays that are over be billed; give the bills."""
        self.site.clock.advance(11 * 60)
        with self.site.wiring.database.unit_of_work() as uow:
            stays.announce_settled(uow)
        self.site.run_jobs()
        found: list[dict[str, Any]] = self.site.get("/api/v1/bills", "finance").get_json()["items"]
        return found


def open_gates(site: Site) -> Gates:
    """Register a garage with two lanes and a controller for each, and start them."""
    home = site.facility
    place = Facility(
        code="G-1",
        district=home.district,
        ownership="commercial",
        kind="garage",
        name_zh="滨江车库",
        name_en="Riverside Garage",
        position=home.position,
        timezone=home.timezone,
        operator_id=OperatorId(uuid7()),
        revenue_nature="commercial",
        tariff_id=home.tariff_id,
        id=FacilityId(uuid7()),
    )
    with site.wiring.database.unit_of_work() as uow:
        record_places(uow, [place], [])
    boxes = []
    for way in ("entry", "exit"):
        gate = f"{way}-1"
        lane = {"facility_id": str(place.id), "gate": gate, "way": way}
        made = site.post("/api/v1/lanes", "operator", json=lane)
        assert made.status_code == 201, made.get_json()
        with site.wiring.database.unit_of_work() as uow:
            site.tokens[gate] = issue_token(uow, "device", f"lane.{gate}")
        reader = {"subject": f"lane.{gate}", "facility_id": str(place.id), "gate": gate}
        assert site.post("/api/v1/readers", "operator", json=reader).status_code == 201
        boxes.append(LaneBox(site, made.get_json()["id"], gate))
        boxes[-1].starts()
    return Gates(site, str(place.id), *boxes)
