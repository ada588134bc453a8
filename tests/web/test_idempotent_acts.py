"""A repeated act is answered again and done once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from city.vault import begin_rotation
from city.works.idempotency import request_hash

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.web.small_site import Site

DEVICE = {"network_key": "fresh-1", "model": "bosch-tps110", "district": "0153"}


def register(site: Site, key: str | None, who: str = "operator", **change: Any) -> TestResponse:
    return site.post("/api/v1/devices", who, json={**DEVICE, **change}, key=key)


def test_the_same_key_and_body_get_the_first_answer_and_do_nothing(site: Site) -> None:
    first, again = register(site, "k-1"), register(site, "k-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.data == again.data
    assert register(site, "k-2").status_code == 409


def test_an_act_says_when_the_city_did_it(site: Site) -> None:
    done = datetime.fromisoformat(register(site, "k-1").headers["City-Time"])
    assert done == site.clock.now()


def test_the_same_key_with_another_body_is_a_conflict(site: Site) -> None:
    register(site, "k-1")
    answer = register(site, "k-1", network_key="fresh-2")
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (409, "Idempotency-Key")


def test_a_key_is_its_callers_own(site: Site) -> None:
    register(site, "k-1")
    other = register(site, "k-1", "administrator", network_key="fresh-2")
    assert other.get_json()["network_key"] == "fresh-2"


def test_a_refused_act_leaves_its_key_free(site: Site) -> None:
    assert register(site, "k-1", model="nonsense").status_code == 422
    assert register(site, "k-1").status_code == 201


def test_a_key_that_cannot_be_one_is_refused(site: Site) -> None:
    for key in ("", "x" * 201, "a\tb", "\u00e9"):
        answer = register(site, key)
        assert (key, answer.status_code) == (key, 422)


def test_twelve_at_once_with_one_key_act_once(site: Site) -> None:
    def act(_: int) -> tuple[int, bytes]:
        answer = site.app.test_client().post(
            "/api/v1/devices",
            json=DEVICE,
            headers={
                "Authorization": f"Bearer {site.tokens['operator']}",
                "Idempotency-Key": "k-1",
            },
        )
        return answer.status_code, answer.data

    with ThreadPoolExecutor(12) as pool:
        answers = set(pool.map(act, range(12)))
    assert [status for status, _ in answers] == [201]


def test_reading_with_a_key_reads_anew(site: Site) -> None:
    stay = site.stay()
    before = site.get(f"/api/v1/sessions/{stay}", "attendant", key="k-1").get_json()
    assert before["bill_id"] is not None
    with site.wiring.database.unit_of_work() as uow:
        uow.connection.execute(text("update parking.parking_session set bill_id = null"))
    after = site.get(f"/api/v1/sessions/{stay}", "attendant", key="k-1").get_json()
    assert after["bill_id"] is None


def test_cash_sent_twice_is_taken_once(site: Site) -> None:
    site.stay()
    (bill,) = site.get("/api/v1/bills", "attendant").get_json()["items"]
    body = {"channel": "cash", "tendered": {"minor": 1000, "currency": "CNY"}}
    path = f"/api/v1/bills/{bill['id']}/payments"
    first = site.post(path, "attendant", json=body, key="k-1")
    again = site.post(path, "attendant", json=body, key="k-1")
    assert (first.status_code, first.data) == (201, again.data)
    assert site.post(path, "attendant", json=body, key="k-2").status_code == 409


def attach(site: Site, plate: str) -> TestResponse:
    (stay,) = site.get("/api/v1/sessions", "attendant").get_json()["items"]
    return site.post(
        f"/api/v1/sessions/{stay['id']}/vehicle",
        "attendant",
        data=body_of(plate),
        content_type="application/json",
        key="k-1",
    )


def body_of(plate: str) -> bytes:
    return f'{{"plate": "{plate}", "kind": "blue7"}}'.encode()


def occupy(site: Site) -> None:
    site.hear(site.message(occupied=True))
    site.clock.advance(60)
    site.consume()


def test_what_is_kept_of_a_plate_can_be_read_by_nobody(site: Site) -> None:
    occupy(site)
    first, again = attach(site, "京A12345"), attach(site, "京A12345")
    assert (first.status_code, first.data) == (200, again.data)
    assert attach(site, "京A54321").status_code == 409
    with site.wiring.database.read() as connection:
        kept = connection.execute(
            text("select convert_from(body, 'UTF8'), request_hash from works.idempotency")
        ).all()
    ((body, hashed),) = kept
    assert "A12345" not in body  # digits alone stand in many an id
    path = first.request.path
    assert bytes(hashed) != request_hash("POST", path, body_of("京A12345"))


def test_a_plate_sent_again_after_the_keys_were_rotated_is_known(site: Site) -> None:
    occupy(site)
    first = attach(site, "京A12345")
    with site.wiring.database.unit_of_work() as uow:
        assert begin_rotation(uow) == 2
    assert attach(site, "京A12345").data == first.data
