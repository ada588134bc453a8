"""A payer's code over HTTP: scanned by an attendant, charged once, and told of nowhere."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import text

from city.time import WallClock
from payments.adapters.accounts import read_channels
from payments.gateway.app import Gateway
from tests.payments.merchants import keys
from tests.web.conftest import site_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from city.time import FixedClock
    from journeys.wiring import Wiring
    from tests.web.small_site import Site

PAYS, PASSWORD, EXPIRED = "130061098828009411", "130061098828009403", "130061098828009409"
NUMBER = "SCAN000001"


@dataclass
class Kerb:
    """A site with channels, the gateway behind them, and one bill of a stay of an hour."""

    site: Site
    gateway: Gateway
    bill: str

    def charge(
        self, code: str, number: str = NUMBER, who: str = "attendant", status: int = 201
    ) -> Any:
        wish = {"code": code, "order_no": number}
        path = f"/api/v1/bills/{self.bill}/code-payments"
        answer = self.site.post(path, who, json=wish)
        assert answer.status_code == status, answer.text
        assert code not in answer.text
        return answer.get_json()

    def follow(self, number: str = NUMBER, who: str = "attendant", status: int = 200) -> Any:
        path = f"/api/v1/bills/{self.bill}/code-payments/{number}"
        answer = self.site.get(path, who)
        assert answer.status_code == status, answer.text
        return answer.get_json()


@pytest.fixture
def kerb(wiring: Wiring, clock: FixedClock) -> Iterator[Kerb]:
    gateway = Gateway(keys(), speed=200)
    gateway.start()
    document = httpx.get(f"{gateway.address}/gateway/keys").json()
    channels = read_channels(document, "http://127.0.0.1:9", WallClock())
    site = site_of(replace(wiring, channels=channels), clock)
    site.stay(61)
    (bill,) = site.get("/api/v1/bills", "finance").get_json()["items"]
    yield Kerb(site, gateway, bill["id"])
    gateway.stop()


def heard_long_ago(kerb: Kerb, seconds: int) -> None:
    with kerb.site.wiring.database.unit_of_work() as uow:
        uow.connection.execute(
            text(
                "update payments.channel_order set opened_at ="
                " opened_at - make_interval(secs => :s),"
                " heard_at = coalesce(heard_at, opened_at) - make_interval(secs => :s)"
            ),
            {"s": seconds},
        )


def test_an_attendants_scan_pays_a_bill_once(kerb: Kerb, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for _ in range(2):
            paid = kerb.charge(PAYS)
            assert (paid["state"], paid["channel"], paid["order_no"]) == ("paid", "wechat", NUMBER)
            assert (paid["amount"]["minor"], paid["outstanding"]["minor"]) == (900, 0)
            assert (paid["refused"], paid["earlier"], paid["surplus"]) == (None, False, False)
    assert PAYS not in caplog.text
    assert kerb.follow(who="finance")["state"] == "paid"
    shown = kerb.site.get(f"/api/v1/bills/{kerb.bill}", "finance").get_json()
    assert shown["payment"]["channel"] == "wechat"
    assert kerb.charge(PAYS, "SCAN000002", status=409)["detail"]


def test_a_code_that_is_none_or_over_charges_nothing(kerb: Kerb) -> None:
    problem = kerb.charge("990061098828009411", status=422)
    assert "payment code" in str(problem)
    for wrong in ("13006109882800941", "not-a-code-at-all-x", "13006109882800941111"):
        kerb.charge(wrong, status=422)
    chinese = kerb.site.post(
        f"/api/v1/bills/{kerb.bill}/code-payments",
        "attendant",
        json={"code": "990061098828009411", "order_no": NUMBER},
        headers={"Accept-Language": "zh"},
    )
    assert "付款码" in chinese.text
    over = kerb.charge(EXPIRED)
    assert (over["state"], over["refused"], over["outstanding"]["minor"]) == ("closed", "code", 900)
    assert kerb.follow(status=200)["refused"] is None
    kerb.follow("SCAN000009", status=404)


def test_who_is_waited_for_can_be_called_off_after_a_while(kerb: Kerb) -> None:
    waits = kerb.charge(PASSWORD)
    assert waits["state"] == "open"
    assert 0 < waits["callable_off_in_s"] <= 16
    assert 60 < waits["seconds_left"] <= 120
    earlier = kerb.charge(PAYS, "SCAN000002")
    assert (earlier["order_no"], earlier["earlier"], earlier["state"]) == (NUMBER, True, "open")
    path = f"/api/v1/bills/{kerb.bill}/code-payments/{NUMBER}/cancellation"
    assert kerb.site.post(path, "attendant", json={}).status_code == 409
    heard_long_ago(kerb, 20)
    assert kerb.follow()["callable_off_in_s"] == 0
    off = kerb.site.post(path, "attendant", json={})
    assert (off.status_code, off.get_json()["state"]) == (200, "closed")
    assert kerb.charge(PAYS, "SCAN000003")["state"] == "paid"


def test_codes_are_charged_by_attendants_and_finance_alone(kerb: Kerb) -> None:
    for who in ("driver", "auditor", "operator", "engineer"):
        kerb.charge(PAYS, who=who, status=403)
        kerb.follow(who=who, status=403)
    assert kerb.charge(PAYS, who="finance")["state"] == "paid"
