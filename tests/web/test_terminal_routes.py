"""Terminals over HTTP: enrolled by a code, signing, refused where anything about that is wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from sqlalchemy import exc, text, update

from city.terminals.store import TERMINAL
from tests.terminal import Handheld

if TYPE_CHECKING:
    from tests.web.small_site import Site

ENROLMENT = "/api/v1/terminals/enrolment"
HEALTH = "/api/v1/terminals/health"
WELL = {"app_version": "1.0.0", "acts_waiting": 0, "battery_percent": 80}


_numbers = count(1)


@pytest.fixture
def site(shared_site: Site) -> Site:
    """Share one site, where nobody has tried a code yet."""
    shared_site.wiring.live.delete(*shared_site.wiring.live.keys("limit:*"), "limit:none")
    return shared_site


def registered(site: Site, name: str | None = None) -> dict[str, Any]:
    body = {"name": name or f"PDA {next(_numbers)}", "district": "0153"}
    answer = site.post("/api/v1/terminals", "operator", json=body)
    assert answer.status_code == 201
    given: dict[str, Any] = answer.get_json()
    return given


def enrolled(site: Site) -> Handheld:
    handheld = Handheld(site.app.test_client())
    assert handheld.enrol(registered(site)["code"]).status_code == 201
    return handheld


def listed(site: Site, handheld: Handheld) -> dict[str, Any]:
    items = site.get("/api/v1/terminals", "operator").get_json()["items"]
    return next(each for each in items if each["id"] == handheld.name)


def refusal(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.get_json().get("reason")


def test_a_code_enrols_one_device_once_and_is_kept_nowhere(site: Site) -> None:
    given = registered(site)
    handheld = Handheld(site.app.test_client())
    typed = given["code"].lower().replace("-", " ").replace("0", "o").replace("1", "l")
    answer = handheld.enrol(typed)
    assert (answer.status_code, answer.get_json()["state"]) == (201, "active")
    # Another device with the same code; the same device again, for its answer was lost.
    assert Handheld(site.app.test_client()).enrol(given["code"]).status_code == 404
    handheld.name = None
    assert handheld.enrol(given["code"]).status_code == 201
    shown = listed(site, handheld)
    assert (shown["state"], shown["key"]) == ("active", handheld.key.thumbprint)
    with site.wiring.database.read() as connection:
        kept = connection.execute(text("select t::text from terminals.terminal t")).scalars().all()
        said = connection.execute(text("select detail::text from audit.record")).scalars().all()
    assert given["code"].replace("-", "") not in "".join([*kept, *said]).replace("-", "")
    path = f"/api/v1/audit?action=terminals.&subject_id={handheld.name}"
    audit = site.get(path, "auditor").get_json()["items"]
    assert [each["action"] for each in audit] == ["terminals.enrolled", "terminals.registered"]


def test_a_code_that_ended_was_replaced_or_is_signed_by_another_key_enrols_nobody(
    site: Site,
) -> None:
    first = registered(site)
    path = f"/api/v1/terminals/{first['terminal']['id']}/code"
    second = site.post(path, "operator").get_json()
    fresh = Handheld(site.app.test_client())
    assert fresh.enrol(first["code"]).status_code == 404
    other = Handheld(site.app.test_client())
    body = orjson.dumps({"code": second["code"], "public_key": fresh.jwk(), "app_version": "1.0.0"})
    stolen = fresh.client.post(ENROLMENT, data=body, headers=other.signed(ENROLMENT, body))
    assert refusal(stolen) == (401, "signature")
    off_curve = {**fresh.jwk(), "y": fresh.jwk()["x"]}
    body = orjson.dumps({"code": second["code"], "public_key": off_curve, "app_version": "1"})
    answer = fresh.client.post(ENROLMENT, data=body, headers=fresh.signed(ENROLMENT, body))
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (422, "public_key")
    assert site.post(ENROLMENT, json=orjson.loads(body)).status_code in {401, 422}
    with site.wiring.database.unit_of_work() as uow:
        ended = uow.wall.now() - timedelta(seconds=1)
        uow.connection.execute(
            update(TERMINAL)
            .where(TERMINAL.c.id == first["terminal"]["id"])
            .values(code_expires_at=ended)
        )
    assert fresh.enrol(second["code"]).status_code == 404
    assert fresh.enrol("not a code, at all").status_code == 422


def test_a_request_that_is_not_what_was_signed_is_refused(site: Site) -> None:
    handheld = enrolled(site)
    good = orjson.dumps(WELL)

    def sent(
        body: bytes = good, path: str = HEALTH, changed: tuple[str, str | None] | None = None
    ) -> tuple[int, Any]:
        headers = handheld.signed(HEALTH, good)
        if changed is not None:
            name, value = changed
            del headers[name]
            headers |= {} if value is None else {name: value}
        return refusal(handheld.client.post(path, data=body, headers=headers))

    assert handheld.post(HEALTH, WELL).status_code == 200
    not_signed = (401, "signature")
    assert sent(orjson.dumps({**WELL, "acts_waiting": 1})) == not_signed
    assert sent(path=f"{HEALTH}?a=1") == not_signed
    for name in ("Signature", "Signature-Input", "Content-Digest", "Terminal-Sequence"):
        assert sent(changed=(name, None)) == not_signed
        assert sent(changed=(name, "x")) == not_signed
    assert sent(changed=("Terminal-Sequence", "999999")) == not_signed
    assert sent(changed=("Terminal-Sequence", "-1")) == not_signed
    stranger = Handheld(handheld.client, name=handheld.name)
    assert refusal(stranger.post(HEALTH, WELL)) == not_signed
    nobody = Handheld(handheld.client, name="0199d3f0-0000-7000-8000-000000000000")
    assert refusal(nobody.post(HEALTH, WELL)) == not_signed
    # A signature that covers less: right in itself, and not what we ask for.
    less = handheld.signed(HEALTH, good)
    less["Signature-Input"] = less["Signature-Input"].replace(' "content-digest"', "")
    assert refusal(handheld.client.post(HEALTH, data=good, headers=less)) == not_signed
    assert listed(site, handheld)["health"]["acts_waiting"] == 0


def test_a_body_beyond_the_limit_is_refused_unread(site: Site) -> None:
    handheld = enrolled(site)
    body = b" " * 1_048_577
    answer = handheld.client.post(HEALTH, data=body, headers=handheld.signed(HEALTH, body))
    assert answer.status_code == 413


def test_a_request_counts_once_and_in_order_and_what_is_left_out_is_told(site: Site) -> None:
    handheld = enrolled(site)
    body = orjson.dumps(WELL)
    headers = handheld.signed(HEALTH, body)
    assert handheld.client.post(HEALTH, data=body, headers=headers).status_code == 200
    again = handheld.client.post(HEALTH, data=body, headers=headers)
    assert refusal(again) == (409, "replayed")
    assert again.get_json()["next_sequence"] == handheld.sequence + 1
    handheld.sequence += 30
    assert handheld.post(HEALTH, WELL).status_code == 200
    assert refusal(handheld.post(HEALTH, WELL, sequence=handheld.sequence - 2)) == (409, "replayed")
    shown = listed(site, handheld)
    assert (shown["missed_requests"], "missed" in shown["concerns"]) == (30, True)


def test_a_request_that_was_refused_cannot_be_tried_again(site: Site) -> None:
    handheld = enrolled(site)
    body = orjson.dumps({"acts_waiting": "many"})
    headers = handheld.signed(HEALTH, body)
    assert handheld.client.post(HEALTH, data=body, headers=headers).status_code == 422
    assert handheld.client.post(HEALTH, data=body, headers=headers).status_code == 409


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_wrong_clock_is_told_the_time_and_may_sign_again(site: Site, minutes: int) -> None:
    handheld = enrolled(site)
    wrong = site.wiring.wall.now() + timedelta(minutes=minutes)
    refused = handheld.post(HEALTH, WELL, at=wrong)
    assert refusal(refused) == (401, "clock")
    told = refused.get_json()["server_at"]
    assert handheld.post(HEALTH, WELL, sequence=1, at=wrong).status_code == 401
    assert handheld.post(HEALTH, WELL, at=datetime.fromisoformat(told)).status_code == 200
    # The refused number counts as left out.
    assert listed(site, handheld)["missed_requests"] == 1


def test_a_locked_terminal_says_how_it_does_and_a_revoked_one_nothing(site: Site) -> None:
    handheld = enrolled(site)
    path = f"/api/v1/terminals/{handheld.name}"
    why = {"reason": "left in a bus"}
    assert site.post(f"{path}/lock", "operator-west", json=why).status_code == 404
    assert site.post(f"{path}/unlock", "operator", json=why).status_code == 409
    assert site.post(f"{path}/lock", "operator", json=why).get_json()["state"] == "locked"
    told = handheld.post(HEALTH, {**WELL, "longitude": 120.123456, "latitude": 30.987654})
    assert (told.get_json()["state"], told.get_json()["state_reason"]) == (
        "locked",
        "left in a bus",
    )
    assert listed(site, handheld)["health"]["position"] == [120.123, 30.988]
    # A code does not open what is locked.
    given = site.post(f"{path}/code", "operator").get_json()
    assert refusal(Handheld(handheld.client).enrol(given["code"])) == (409, "locked")
    assert site.post(f"{path}/unlock", "operator", json=why).status_code == 200
    revoked = site.post(f"{path}/revocation", "administrator", json=why).get_json()
    assert (revoked["state"], revoked["code_expires_at"]) == ("revoked", None)
    assert refusal(handheld.post(HEALTH, WELL)) == (403, "revoked")
    assert Handheld(handheld.client).enrol(given["code"]).status_code == 404
    for act in ("code", "revocation"):
        assert site.post(f"{path}/{act}", "operator", json=why).status_code == 409
    # Its name is free for the one that takes its place.
    assert registered(site, revoked["name"])["terminal"]["name"] == revoked["name"]


def test_a_terminal_enrolled_anew_has_one_key(site: Site) -> None:
    handheld = enrolled(site)
    given = site.post(f"/api/v1/terminals/{handheld.name}/code", "operator").get_json()
    assert handheld.post(HEALTH, WELL).status_code == 200
    anew = Handheld(handheld.client)
    assert anew.enrol(given["code"]).get_json()["id"] == handheld.name
    assert refusal(handheld.post(HEALTH, WELL)) == (401, "signature")
    assert anew.post(HEALTH, WELL).status_code == 200


def test_terminals_are_registered_in_ones_own_district_under_one_name(site: Site) -> None:
    body = {"name": registered(site)["terminal"]["name"], "district": "0153"}
    assert site.post("/api/v1/terminals", "operator", json=body).status_code == 409
    assert site.post("/api/v1/terminals", "operator-west", json=body).status_code == 403
    assert site.get("/api/v1/terminals", "operator-west").get_json()["items"] == []


def test_the_database_holds_numbers_and_revocations(site: Site) -> None:
    handheld = enrolled(site)
    for statement in (
        "update terminals.terminal set last_sequence = 0",
        "delete from terminals.terminal",
    ):
        with (
            pytest.raises(exc.DBAPIError, match=r"stays on record|never goes back"),
            site.wiring.database.unit_of_work() as uow,
        ):
            uow.connection.execute(text(statement))
    assert handheld.post(HEALTH, WELL).status_code == 200


def test_a_terminal_is_told_how_much_cash_it_may_take_without_a_line(site: Site) -> None:
    handheld = enrolled(site)
    standing = handheld.post(HEALTH, WELL).get_json()
    assert standing["offline_cash"] == {"minor": 50_000, "currency": "CNY"}
    path = f"/api/v1/terminals/{handheld.name}/offline-cash"
    most = {"minor": 0, "currency": "CNY"}
    assert site.call("PUT", path, "attendant", json={"offline_cash": most}).status_code == 403
    assert site.call("PUT", path, "operator", json={"offline_cash": most}).status_code == 200
    assert listed(site, handheld)["offline_cash"] == most
    assert handheld.post(HEALTH, WELL).get_json()["offline_cash"] == most
    less = {"offline_cash": {"minor": -1, "currency": "CNY"}}
    assert site.call("PUT", path, "operator", json=less).status_code == 422
