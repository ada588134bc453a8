"""The demo's handhelds: enrolled, signed, told of; locked, revoked, lost and wiped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from city.people.actors import system_actor
from city.terminals import act_store, store
from city.terminals import services as terminals
from parking.rules.occupancy.history import BayState
from tests.web.demo.street import KERB, NINE, PLATE, plate_of
from web.demo.api_client import ApiError
from web.demo.duty import ZONE
from web.demo.handhelds import battery_percent

if TYPE_CHECKING:
    from city.terminals.act_store import ActCount
    from city.terminals.rules.terminals import Terminal
    from tests.web.demo.street import Street

SUPERVISOR = system_actor("test")


def terminal_of(street: Street, name: str = "PDA 1") -> Terminal:
    with street.wiring.database.read() as connection:
        found = store.by_name(connection, name)
    assert found is not None
    return found


def count_of(street: Street, terminal: Terminal) -> ActCount:
    with street.wiring.database.read() as connection:
        return act_store.counts(connection, [terminal.id])[terminal.id]


def test_what_an_attendant_does_is_done_on_a_terminal_that_tells_how_it_does(
    street: Street,
) -> None:
    street.set_clock(NINE)
    for bay in KERB.bays[:4]:
        street.sense(bay, BayState.OCCUPIED, NINE)
    attendant = street.attendant()
    attendant.step(NINE + timedelta(minutes=7))
    terminal = terminal_of(street)
    assert count_of(street, terminal).received == attendant.plates_taken > 0
    assert terminal.health is not None
    assert terminal.health.battery_percent is not None
    assert terminal.health.longitude == pytest.approx(KERB.position.longitude, abs=0.001)
    assert terminal.missed_requests == 0


def test_a_device_goes_on_with_its_key_and_counts_after_a_restart(street: Street) -> None:
    street.set_clock(NINE)
    for bay in KERB.bays[:4]:
        street.sense(bay, BayState.OCCUPIED, NINE)
    street.attendant().step(NINE + timedelta(minutes=7))
    before = terminal_of(street)
    told = count_of(street, before).received
    again = street.attendant()
    again.step(NINE + timedelta(minutes=8))
    street.sense(KERB.bays[4], BayState.OCCUPIED, NINE)
    handheld = again._handheld
    plate = plate_of(KERB.bays[4].bay_id, PLATE)
    handheld.note(
        "plate", NINE, bay_id=str(KERB.bays[4].bay_id), plate=plate.text, plate_kind="blue7"
    )
    assert [each.created for each in handheld.send(NINE)] == [True]
    after = terminal_of(street)
    assert (after.id, after.key) == (before.id, before.key)
    assert count_of(street, after).received == count_of(street, after).last_sequence == told + 1


def test_what_waits_on_a_locked_device_arrives_once_when_it_is_unlocked(street: Street) -> None:
    street.set_clock(NINE)
    street.sense(KERB.bays[0], BayState.OCCUPIED, NINE)
    handheld = street.handheld(street.api())
    handheld.ready()
    terminal = terminal_of(street)
    with street.wiring.database.unit_of_work() as uow:
        terminals.lock(uow, SUPERVISOR, terminal.id, "left in a taxi")
    plate = plate_of(KERB.bays[0].bay_id, PLATE)
    handheld.note(
        "plate", NINE, bay_id=str(KERB.bays[0].bay_id), plate=plate.text, plate_kind="blue7"
    )
    with pytest.raises(ApiError, match="403"):
        handheld.send(NINE)
    assert handheld.tell(KERB.position, NINE)
    health = terminal_of(street).health
    assert health is not None
    assert health.acts_waiting == 1
    with street.wiring.database.unit_of_work() as uow:
        terminals.unlock(uow, SUPERVISOR, terminal.id, "found again")
    assert [each.created for each in handheld.send(NINE)] == [True]
    assert handheld.send(NINE) == []
    assert count_of(street, terminal).received == 1


def test_an_attendant_whose_device_is_revoked_gets_another(street: Street) -> None:
    street.set_clock(NINE)
    handheld = street.handheld(street.api())
    handheld.ready()
    first = terminal_of(street)
    with street.wiring.database.unit_of_work() as uow:
        terminals.revoke(uow, SUPERVISOR, first.id, "broken")
    with pytest.raises(ApiError, match="403"):
        handheld.tell(KERB.position, NINE)
    with pytest.raises(ApiError, match="403"):
        handheld.ready()
    handheld.ready()
    assert terminal_of(street).id != first.id


def test_a_wiped_device_enrols_anew_under_its_name(street: Street) -> None:
    street.set_clock(NINE)
    street.handheld(street.api()).ready()
    first = terminal_of(street)
    (street.wiring.settings.var / "PDA 1.json").unlink()
    street.handheld(street.api()).ready()
    again = terminal_of(street)
    assert again.id == first.id
    assert again.key != first.key


@pytest.mark.parametrize(
    ("shanghai", "fresh", "worn"),
    [
        ((7, 0), (100, False), (100, False)),
        ((19, 0), (46, False), (4, False)),
        ((20, 0), (42, True), (1, True)),
        ((2, 0), (100, True), (100, True)),
    ],
)
def test_a_battery_lasts_a_day_a_worn_one_hardly(
    shanghai: tuple[int, int], fresh: tuple[int, bool], worn: tuple[int, bool]
) -> None:
    at = datetime(2026, 7, 14, *shanghai, tzinfo=ZONE).astimezone(UTC)
    assert battery_percent(0, at) == fresh
    assert battery_percent(1, at) == worn
