"""Events are contracts between versions of the system: their schemas are kept beside this test.

A changed event needs a new version, with a new snapshot. Write the snapshot of a new version with
``GREENBAY_WRITE_SNAPSHOTS=1``; one that exists is never overwritten.
"""

import importlib
import json
import os
import pkgutil
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, ValidationError

import city.events
from city.errors import Invalid
from city.events import BusinessEvent, registered_events
from city.events.parking import ParkingSessionClosed, VehicleAttached
from city.events.payments import BillIssued
from city.identifiers import BillId, FacilityId, ParkingSessionId, VehicleId, uuid7
from city.money import Money

SNAPSHOTS = Path(__file__).parent / "event_schemas"
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)

for _module in pkgutil.iter_modules(city.events.__path__, "city.events."):
    importlib.import_module(_module.name)

# Events that a test defines itself are no part of the contract.
EVENTS = {
    key: event
    for key, event in registered_events().items()
    if event.__module__.startswith("city.events.")
}


def _file(key: tuple[str, int]) -> Path:
    return SNAPSHOTS / f"{key[0]}.v{key[1]}.json"


def _bare(schema: JsonValue) -> JsonValue:
    """Drop what people read: a better sentence in a docstring is no new version."""
    if isinstance(schema, dict):
        return {
            name: {member: _bare(value) for member, value in part.items()}
            if name in {"properties", "$defs"} and isinstance(part, dict)
            else _bare(part)
            for name, part in schema.items()
            if name not in {"description", "title"}
        }
    return [_bare(part) for part in schema] if isinstance(schema, list) else schema


def bill_issued(amount: Money = Money(250, "CNY")) -> BillIssued:  # noqa: B008 - frozen
    return BillIssued(
        occurred_at=AT,
        bill_id=BillId(uuid7()),
        session_id=ParkingSessionId(uuid7()),
        facility_id=FacilityId(uuid7()),
        vehicle_id=VehicleId(uuid7()),
        amount=amount,
        due_at=AT + timedelta(days=30),
    )


@pytest.mark.parametrize("key", EVENTS, ids=lambda key: f"{key[0]}.v{key[1]}")
def test_an_events_fields_are_those_of_its_version(key: tuple[str, int]) -> None:
    schema = _bare(EVENTS[key].model_json_schema(mode="serialization"))
    file = _file(key)
    if os.environ.get("GREENBAY_WRITE_SNAPSHOTS") and not file.exists():
        file.write_text(json.dumps(schema, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    assert json.loads(file.read_text(encoding="utf-8")) == schema, (
        "a changed event is a new version"
    )


def test_no_version_of_an_event_disappears_while_jobs_may_carry_it() -> None:
    assert sorted(file.name for file in SNAPSHOTS.iterdir()) == sorted(
        _file(key).name for key in EVENTS
    )


def test_an_event_never_carries_a_plate() -> None:
    names = {name for event in EVENTS.values() for name in event.model_fields}

    assert not {name for name in names if "plate" in name}


@given(st.integers(-(10**12), 10**12), st.sampled_from(["CNY", "JPY"]))
def test_an_event_comes_back_from_its_envelope(minor: int, currency: str) -> None:
    event = bill_issued(Money(minor, currency))
    travelled = json.loads(json.dumps(event.envelope()))

    assert BusinessEvent.opened(travelled) == event
    assert BillIssued.opened(travelled) == event


def test_an_envelope_names_its_event_and_version() -> None:
    envelope = bill_issued().envelope()

    assert (envelope["event_type"], envelope["event_version"]) == ("payments.bill-issued", 1)


def test_every_event_has_an_identifier_of_its_own() -> None:
    assert bill_issued().event_id != bill_issued().event_id


def test_an_events_instants_are_kept_in_utc() -> None:
    event = VehicleAttached(
        occurred_at=datetime(2026, 3, 2, 9, tzinfo=timezone(timedelta(hours=8))),
        session_id=ParkingSessionId(uuid7()),
        facility_id=FacilityId(uuid7()),
        vehicle_id=VehicleId(uuid7()),
    )

    assert event.occurred_at.tzinfo is UTC
    assert event.occurred_at == AT


def test_an_event_is_never_changed() -> None:
    event = bill_issued()

    with pytest.raises(ValidationError):
        setattr(event, "bill_id", BillId(UUID(int=0)))  # noqa: B010 - mypy already forbids the plain form


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"event_type": "payments.bill-lost"}, "envelope"),
        ({"event_version": 99}, "envelope"),
        ({"event_type": None}, "envelope"),
        ({"event": None}, "event"),
        ({"event": {}}, "event.occurred_at"),
    ],
)
def test_a_malformed_envelope_is_refused(change: dict[str, JsonValue], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        BusinessEvent.opened({**bill_issued().envelope(), **change})

    assert caught.value.field == field


def test_an_event_is_not_read_as_another_one() -> None:
    with pytest.raises(Invalid):
        ParkingSessionClosed.opened(bill_issued().envelope())


def test_two_events_of_one_name_and_version_are_a_mistake() -> None:
    with pytest.raises(TypeError, match="already"):
        type("Impostor", (BusinessEvent,), {"type": "payments.bill-issued", "version": 1})
