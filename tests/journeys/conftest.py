"""A street of three bays with a tariff, and the people who work there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from city.identifiers import AccountId, BayId, DistrictCode, OperatorId, uuid7
from city.people.actors import Actor
from city.people.roles import Role
from city.places import Position
from city.time import FixedClock
from city.vault import key_source
from city.works.database import Database
from city.works.settings import settings
from journeys.wiring import EVENT_HANDLERS
from parking.rules.occupancy.history import BayChange, BayState, StateChange
from parking.services.tariffs import publish_tariff
from parking.store.places import Bay, Facility, add_bays, add_facilities
from parking.store.tariffs import ensure_tariff

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DISTRICT = DistrictCode("0153")
NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)
"""Monday, 09:00 on the street."""

TARIFF: dict[str, Any] = {
    "language": "greenbay-tariff/1",
    "name": {"zh": "滨江道路停车", "en": "Riverside kerb"},
    "currency": "CNY",
    "timezone": "Asia/Shanghai",
    "schedules": [
        {
            "id": "small",
            "vehicles": ["small"],
            "free": {"up_to_s": 900, "when_exceeded": "charged_from_start", "once_per": "day"},
            "bands": [
                {
                    "id": "day",
                    "name": {"zh": "白天", "en": "day"},
                    "from": "08:00",
                    "to": "20:00",
                    "charge": {
                        "kind": "steps",
                        "rounding": "started",
                        "steps": [{"unit_s": 1800, "price_minor": 300}],
                    },
                },
                {
                    "id": "night",
                    "name": {"zh": "夜间", "en": "night"},
                    "from": "20:00",
                    "to": "08:00",
                    "charge": {"kind": "entry", "price_minor": 500},
                },
            ],
            "caps": [{"per": "24h", "minor": 3000}],
        }
    ],
    "exemptions": [
        {
            "id": "emergency",
            "name": {"zh": "应急救援车辆", "en": "emergency vehicle"},
            "plate_kinds": ["emergency_white"],
        }
    ],
}


def person(name: str, role: Role, district: str | None = None) -> Actor:
    """Give somebody with one role, in one district or in all."""
    districts = None if district is None else frozenset({district})
    return Actor("person", name, AccountId(uuid7()), frozenset({role}), name, districts)


@dataclass(frozen=True, slots=True)
class Street:
    """What a test works on."""

    database: Database
    url: str
    clock: FixedClock
    wall: FixedClock
    facility: Facility
    bays: tuple[Bay, ...]
    attendant: Actor
    colleague: Actor
    driver: Actor
    from_elsewhere: Actor

    @staticmethod
    def at(minute: float) -> datetime:
        """Give an instant so many minutes after nine."""
        return at(minute)

    def publish(self, document: dict[str, Any], minute: float) -> None:
        """Put another version of the street's tariff in force."""
        with self.database.unit_of_work() as uow:
            publish_tariff(uow, "riverside", document, valid_from=at(minute), by="test")

    def change(
        self,
        minute: float | None,
        *states: tuple[str, float],
        bay: int = 0,
        provisional: bool = False,
        heard: float | None = None,
    ) -> BayChange:
        """Give an edit of a bay's history: states and the minutes after nine of their beginning."""
        changes = tuple(
            StateChange(BayState(state), at(since), 900, f"{bay}-{since}", None)
            for state, since in states
        )
        return BayChange(
            bay_id=self.bays[bay].id,
            facility_id=self.facility.id,
            district=DISTRICT,
            from_at=None if minute is None else at(minute),
            changes=changes,
            state=changes[-1].state if changes else BayState.FREE,
            since_at=changes[-1].at if changes else None,
            sure=900,
            heard_at=None if heard is None else at(heard),
            provisional=provisional,
        )


def at(minute: float) -> datetime:
    """Give an instant so many minutes after nine."""
    return NINE + timedelta(minutes=minute)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the vault's keys in the test's own folder."""
    monkeypatch.setenv("GREENBAY_VAR", str(tmp_path / "var"))
    for kept in (settings, key_source):
        kept.cache_clear()
    yield
    for kept in (settings, key_source):
        kept.cache_clear()


@pytest.fixture
def tariff() -> dict[str, Any]:
    """Give the street's tariff as its document."""
    return TARIFF


@pytest.fixture
def street(database_url: str, clock: FixedClock) -> Iterator[Street]:
    """Give a street whose events are handled as in the running system."""
    wall = FixedClock(NINE)
    opened = Database(database_url, clock=clock, handlers=EVENT_HANDLERS, pool_size=4, wall=wall)
    with opened.unit_of_work() as uow:
        publish_tariff(uow, "riverside", TARIFF, valid_from=at(-60 * 24 * 30), by="test")
        tariff_id = ensure_tariff(uow.connection, "riverside", "", "")
        facility = Facility(
            code="RV-1",
            district=DISTRICT,
            ownership="public",
            kind="kerb",
            name_zh="滨江路",
            name_en="Riverside Road",
            position=Position(120.1, 30.2),
            timezone="Asia/Shanghai",
            operator_id=OperatorId(uuid7()),
            revenue_nature="public_non_tax",
            tariff_id=tariff_id,
        )
        add_facilities(uow.connection, [facility])
        bays = tuple(
            Bay(
                facility_id=facility.id,
                district=DISTRICT,
                label=f"A{number}",
                kind="standard",
                position=Position(120.1, 30.2),
                id=BayId(uuid7()),
            )
            for number in range(1, 4)
        )
        add_bays(uow.connection, bays)
    yield Street(
        opened,
        database_url,
        clock,
        wall,
        facility,
        bays,
        attendant=person("attendant-1", Role.ATTENDANT),
        colleague=person("attendant-2", Role.ATTENDANT),
        driver=person("driver-1", Role.DRIVER),
        from_elsewhere=person("attendant-3", Role.ATTENDANT, "0999"),
    )
    opened.close()
