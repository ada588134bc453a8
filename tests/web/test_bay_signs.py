"""A bay's own page, the code that leads to it, and the signs that are printed."""

from __future__ import annotations

import html
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.errors import NotFound
from city.identifiers import AccountId, BayId, FacilityId, OperatorId, VehicleId, uuid7
from city.people.actors import SYSTEM
from parking.rules.places.model import Operator
from parking.services import tickets
from parking.services.place_keeping import register_operator
from parking.services.places import record_places
from parking.store.places import Bay, Facility
from tests.web.small_site import EAST, UNKNOWN_ID
from web import qr

if TYPE_CHECKING:
    from tests.web.small_site import Site

HTML = {"Accept": "text/html"}


def decoded(text: str) -> str:
    """Read a code as a phone's camera would: its modules as pixels, with the margin."""
    rows = np.array(qr.modules(text), dtype=np.uint8)
    image = np.pad(255 * (1 - rows), qr.QUIET_MODULES, constant_values=255)
    read, _, _ = cv2.QRCodeDetector().detectAndDecode(np.kron(image, np.ones((6, 6), np.uint8)))
    return str(read)


@pytest.fixture
def kerb(site: Site) -> tuple[Facility, Bay]:
    """Give a kerb that a registered operator runs, and a bay of it."""
    operator = Operator("HB", "湖滨停车", "Lakeside Parking", "0571-8888 0000", OperatorId(uuid7()))
    home = Facility(
        code="LK-1",
        district=EAST,
        ownership="roadside",
        kind="kerb",
        name_zh="湖滨路",
        name_en="Lakeside Road",
        position=site.facility.position,
        timezone="Asia/Shanghai",
        operator_id=operator.id,
        revenue_nature="public_non_tax",
        tariff_id=site.facility.tariff_id,
        id=FacilityId(uuid7()),
    )
    bay = Bay(home.id, EAST, "07<b>", "standard", home.position, id=BayId(uuid7()))
    with site.wiring.database.unit_of_work() as uow:
        register_operator(uow, SYSTEM, operator)
        record_places(uow, [home], [bay])
    return home, bay


def test_a_bays_page_is_for_everybody_and_says_whose_bay_it_is(
    site: Site, kerb: tuple[Facility, Bay]
) -> None:
    _, bay = kerb
    answer = site.get(f"/bays/{bay.id}?lang=en", headers=HTML)
    assert answer.status_code == 200
    shown = answer.get_data(as_text=True)
    for words in ("Lakeside Road", "Lakeside Parking", 'href="tel:0571-8888 0000"', "07&lt;b&gt;"):
        assert words in shown
    assert "<b>" not in shown
    # Monday 09:00: half an hour is one unit, four hours are eight.
    assert [price in shown for price in ("¥3.00", "¥24.00")] == [True, True]
    assert f"/log-in/driver?next=/mine?bay%3D{bay.id}" in html.unescape(shown)
    assert "湖滨停车" in site.get(f"/bays/{bay.id}?lang=zh", headers=HTML).get_data(as_text=True)


def test_what_is_not_known_of_a_bay_is_said_and_not_guessed(site: Site) -> None:
    shown = site.get(f"/bays/{site.west_bay.id}?lang=en", headers=HTML).get_data(as_text=True)
    assert "not registered: do not pay here" in shown
    assert "No price is published here now" in shown
    assert "¥" not in shown


def test_a_bay_that_is_no_more_has_no_page(site: Site) -> None:
    path = f"/bays/{site.bays[3].id}"
    assert site.get(path, headers=HTML).status_code == 200
    retired = site.post(f"/api/v1{path}/retirement", "operator", json={"reason": "rebuilt"})
    assert retired.status_code == 200, retired.get_json()
    assert site.get(path, headers=HTML).status_code == 404
    assert site.get(f"/bays/{UNKNOWN_ID}", headers=HTML).status_code == 404


def test_a_code_leads_to_its_bays_page_wherever_it_was_asked_for(
    site: Site, kerb: tuple[Facility, Bay]
) -> None:
    _, bay = kerb
    drawn = site.get(f"/bays/{bay.id}/qr.svg", "operator", headers={"Host": "evil.example"})
    assert (drawn.status_code, drawn.content_type) == (200, "image/svg+xml")
    address = f"{site.wiring.settings.page_origin}/bays/{bay.id}"
    assert decoded(address) == address
    assert drawn.get_data(as_text=True) == qr.svg(address, "Lakeside Road 07<b>")
    assert "<b>" not in drawn.get_data(as_text=True)


@settings(max_examples=20, deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=120))
def test_a_code_says_what_was_put_into_it(text: str) -> None:
    assert decoded(f"https://parking.example/{text}") == f"https://parking.example/{text}"


def test_the_drawing_has_exactly_the_dark_modules() -> None:
    rows = qr.modules("https://parking.example/bays/1")
    drawn = qr.svg("https://parking.example/bays/1", "a bay")
    dark = drawn.split('fill="#000" d="')[1].split('"')[0]
    runs = [part.split("v")[0] for part in dark.strip("M").split("M")]
    found = set()
    for run in runs:
        where, _, length = run.partition("h")
        x, y = (int(each) for each in where.split())
        found |= {(x + step, y) for step in range(int(length))}
    margin = qr.QUIET_MODULES
    assert found == {
        (x + margin, y + margin) for y, row in enumerate(rows) for x, each in enumerate(row) if each
    }


def test_a_sheet_has_a_sign_for_each_bay_and_only_for_ones_own_district(site: Site) -> None:
    path = f"/facilities/{site.facility.id}/signs?lang=en"
    shown = site.get(path, "operator", headers=HTML).get_data(as_text=True)
    assert shown.count('class="sign-print"') == 4
    assert shown.count("<svg xmlns=") == 4
    assert site.get(path, "operator-west", headers=HTML).status_code == 403
    code = f"/bays/{site.bays[0].id}/qr.svg"
    assert site.get(code, "operator-west").status_code == 403


def test_whoever_is_not_logged_in_is_led_to_the_log_in_of_drivers(site: Site) -> None:
    answer = site.get(f"/mine?bay={site.bays[0].id}", headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/log-in/driver?next=/mine?bay%3D")


def test_a_scanned_bay_stands_in_the_drivers_page_and_a_false_one_does_not(site: Site) -> None:
    shown = site.get(f"/mine?bay={site.bays[0].id}", "driver", headers=HTML)
    assert f'data-bay="{site.bays[0].id}" data-label="A0"' in shown.get_data(as_text=True)
    for wrong in (UNKNOWN_ID, "x", ""):
        shown = site.get(f"/mine?bay={wrong}", "driver", headers=HTML)
        assert (wrong, shown.status_code) == (wrong, 200)
        assert "data-bay=" not in shown.get_data(as_text=True)


def test_a_gates_page_is_for_drivers_and_a_kerb_has_none(
    site: Site, kerb: tuple[Facility, Bay]
) -> None:
    home, _ = kerb
    assert site.get(f"/facilities/{home.id}/gate", "driver", headers=HTML).status_code == 404
    garage = replace(home, id=FacilityId(uuid7()), code="LG-1", kind="garage")
    with site.wiring.database.unit_of_work() as uow:
        record_places(uow, [garage], [])
    path = f"/facilities/{garage.id}/gate"
    led = site.get(path, headers=HTML)
    assert led.headers["Location"] == f"/log-in/driver?next={path}"
    shown = site.get(f"{path}?lang=en", "driver", headers=HTML).get_data(as_text=True)
    for words in ("Lakeside Road", "Lakeside Parking", "¥24.00", "data-ticket"):
        assert words in shown


def test_a_ticket_is_shown_to_who_took_it_alone(site: Site, kerb: tuple[Facility, Bay]) -> None:
    garage = replace(kerb[0], id=FacilityId(uuid7()), code="LG-1", kind="garage")
    with site.wiring.database.unit_of_work() as uow:
        record_places(uow, [garage], [])
    taken = site.post(f"/api/v1/facilities/{garage.id}/tickets", "driver", json={}).get_json()
    assert "code" not in taken
    path = f"/mine/tickets/{taken['vehicle_id']}"
    code = site.get(f"/api/v1/me/tickets/{taken['vehicle_id']}", "driver").get_json()["code"]
    answer = site.get(path, "driver", headers=HTML)
    assert f"{code[:5]}-{code[5:]}" in answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert site.get(f"/mine/tickets/{UNKNOWN_ID}", "driver", headers=HTML).status_code == 404
    with site.wiring.database.unit_of_work() as uow, pytest.raises(NotFound):
        tickets.of_account(uow, AccountId(uuid7()), VehicleId(UUID(taken["vehicle_id"])))
