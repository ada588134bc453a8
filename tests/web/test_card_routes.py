"""A card over HTTP: a desk issues it, a reader pays with it, its driver keeps it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from journeys.wiring import channels_of
from parking.services import stays
from tests.web.conftest import site_of
from tests.web.test_my_rights_routes import own_vehicle

if TYPE_CHECKING:
    from city.time import FixedClock
    from journeys.wiring import Wiring
    from tests.web.small_site import Site

READER = "04:A2:2B:91:5C:80"
YUAN_20 = {"minor": 2000, "currency": "CNY"}


@pytest.fixture
def site(wiring: Wiring, clock: FixedClock) -> Site:
    return site_of(replace(wiring, channels=channels_of({}, wiring.database)), clock)


def done(site: Site, path: str, who: str, json: Any = None, status: int = 201) -> Any:
    answer = site.post(f"/api/v1{path}", who, json=json)
    assert answer.status_code == status, answer.text
    return answer.get_json()


def bill_of(site: Site) -> str:
    (bill,) = site.get("/api/v1/bills", "finance").get_json()["items"]
    found: str = bill["id"]
    return found


def test_an_attendants_reader_pays_a_bill_once_and_finance_sees_the_same_sums(site: Site) -> None:
    issued = done(site, "/cards", "attendant", {"reader": READER})
    number, card_id = issued["card"]["number"], issued["card"]["id"]
    wish = {"number": number, "amount": YUAN_20, "id": "0199d3f0-0000-7000-8000-0000000000c1"}
    for _ in range(2):
        assert done(site, "/cards/top-ups", "attendant", wish)["balance"] == YUAN_20
    site.stay(61)
    bill = bill_of(site)
    payment = {"reader": READER, "order_no": "TAP0000001"}
    for _ in range(2):
        paid = done(site, f"/bills/{bill}/card-payments", "attendant", payment)
        assert (paid["state"], paid["amount"]["minor"]) == ("paid", 900)
        assert (paid["balance"]["minor"], paid["outstanding"]["minor"]) == (1100, 0)
    assert site.get(f"/api/v1/bills/{bill}", "finance").get_json()["payment"]["channel"] == "card"
    found = done(site, "/cards/found", "attendant", {"reader": READER}, 200)
    assert (found["id"], found["balance"]["minor"], found["registered"]) == (card_id, 1100, False)
    back = {
        "refund_no": "TAPBACK001",
        "amount": {"minor": 300, "currency": "CNY"},
        "reason": "gate",
    }
    refund = done(site, "/channel-orders/TAP0000001/refunds", "finance", back)
    assert refund["state"] == "done"
    liabilities = site.get("/api/v1/cards/liabilities", "auditor").get_json()
    assert liabilities["items"] == [
        {"state": "active", "cards": 1, "held": {"minor": 1400, "currency": "CNY"}}
    ]
    assert liabilities["owed"] == [{"minor": 1400, "currency": "CNY"}]
    statement = site.get(f"/api/v1/cards/{card_id}/movements", "finance").get_json()["items"]
    assert [(each["kind"], each["amount"]["minor"], each["bill_id"]) for each in statement] == [
        ("returned", 300, bill),
        ("debit", -900, bill),
        ("top-up", 2000, None),
    ]
    (row,) = site.rows("/api/v1/cards/export?state=active", "auditor")
    assert (row["number"].strip(), row["balance_minor"], row["id"]) == (number, "1400", card_id)
    assert site.rows("/api/v1/cards/export?before_at=2020-01-01T00:00:00Z", "finance") == []
    rows = site.rows(f"/api/v1/cards/{card_id}/movements/export", "administrator")
    assert [(each["kind"], each["amount_minor"], each["bill_id"]) for each in rows] == [
        ("returned", "300", bill),
        ("debit", "-900", bill),
        ("top-up", "2000", ""),
    ]
    (top_up,) = (each["entry_id"] for each in statement if each["kind"] == "top-up")
    entry = site.get(f"/api/v1/ledger/entries/{top_up}", "finance").get_json()
    assert {each["account"].split(":")[0] for each in entry["postings"]} == {"cash", "stored_value"}
    wish = {"amount": {"minor": 1400, "currency": "CNY"}, "reason": "moves away"}
    assert done(site, f"/cards/{card_id}/refunds", "attendant", wish, 403)
    assert done(site, f"/cards/{card_id}/refunds", "finance", wish)["balance"]["minor"] == 0
    # What the reader read is nowhere: not on the card, not in what is kept to know requests again.
    with site.wiring.database.read() as connection:
        kept = connection.execute(
            text("select (select string_agg(c::text, ' ') from payments.card c),"
                 " (select string_agg(i::text, ' ') from works.idempotency i),"
                 " (select string_agg(r::text, ' ') from audit.record r)")
        ).one()  # fmt: skip
    assert not any(READER in (each or "") for each in kept)


def test_a_driver_pays_a_part_loses_the_card_and_moves_what_is_left(site: Site) -> None:
    own_vehicle(site)
    site.clock.advance(61 * 60)
    site.hear(site.message(occupied=False))
    site.clock.advance(20 * 60)
    site.consume()
    site.run_jobs()
    issued = done(site, "/me/cards", "driver")
    card_id, number = issued["card"]["id"], issued["card"]["number"]
    assert (issued["card"]["registered"], issued["card"]["expires_at"]) == (True, None)
    five = {"minor": 500, "currency": "CNY"}
    done(site, "/cards/top-ups", "attendant", {"number": number, "amount": five})
    with site.wiring.database.unit_of_work() as uow:
        stays.announce_settled(uow)
    site.run_jobs()
    bill = bill_of(site)
    wish: dict[str, Any] = {"bill_id": bill, "order_no": "OWN0000001"}
    refused = done(site, f"/me/cards/{card_id}/payments", "driver", wish, 409)
    assert refused["detail"]
    paid = done(site, f"/me/cards/{card_id}/payments", "driver", {**wish, "part": True})
    assert (paid["amount"]["minor"], paid["balance"]["minor"]) == (500, 0)
    assert paid["outstanding"]["minor"] > 0
    done(site, "/cards/top-ups", "attendant", {"number": number, "amount": YUAN_20})
    lost = done(site, f"/me/cards/{card_id}/loss", "driver", None, 200)
    assert lost["state"] == "frozen"
    done(site, f"/me/cards/{card_id}/payments", "driver", {**wish, "order_no": "OWN0000002"}, 409)
    new = done(site, f"/me/cards/{card_id}/replacement", "driver")["card"]
    assert (new["balance"], new["registered"]) == (YUAN_20, True)
    done(site, "/cards/media", "attendant",
         {"number": new["number"], "code": "AAAA-BBBB-CCCC", "reader": READER}, 403)  # fmt: skip
    code = done(site, f"/me/cards/{new['id']}/code", "driver", None, 200)["code"]
    bound = {"number": new["number"], "code": code, "reader": READER}
    assert done(site, "/cards/media", "attendant", bound, 200)["read"] is True
    rest = {"reader": READER, "order_no": "TAP0000002"}
    assert (
        done(site, f"/bills/{bill}/card-payments", "attendant", rest)["outstanding"]["minor"] == 0
    )
    kinds = [
        each["kind"]
        for each in site.get(f"/api/v1/me/cards/{card_id}/movements", "driver").get_json()["items"]
    ]
    assert kinds == ["moved-out", "top-up", "debit", "top-up"]
    states = [each["state"] for each in site.get("/api/v1/me/cards", "driver").get_json()["items"]]
    assert states == ["active", "replaced"]


def test_a_cards_code_is_tried_ten_times_and_no_more(site: Site) -> None:
    number = done(site, "/cards", "attendant", {})["card"]["number"]
    wish = {"number": number, "code": "2222-3333-4444"}
    for _ in range(10):
        done(site, "/me/cards/registrations", "driver", wish, 403)
    done(site, "/me/cards/registrations", "driver", wish, 429)
    done(site, "/cards/recoveries", "attendant", wish, 429)


@pytest.mark.parametrize(
    ("path", "who", "body", "status"),
    [
        ("/cards", "driver", {}, 403),
        ("/cards/found", "attendant", {}, 422),
        ("/cards/found", "attendant", {"number": "1234567890123456"}, 422),
        ("/cards/found", "attendant", {"reader": "04:FF:FF:FF"}, 404),
        ("/cards/top-ups", "attendant", {"reader": READER, "amount": YUAN_20}, 404),
        ("/me/cards/0199d3f0-0000-7000-8000-000000000000/loss", "driver", None, 404),
        ("/cards/losses", "finance", {"number": "4539148803436467"}, 404),
    ],
)  # fmt: skip
def test_what_is_no_card_or_not_ones_own_is_refused(
    site: Site, path: str, who: str, body: Any, status: int
) -> None:
    done(site, path, who, body, status)


def test_money_on_cards_stands_beside_the_takings_until_a_card_pays(site: Site) -> None:
    site.stay()
    (bill,) = site.get("/api/v1/bills", "finance").get_json()["items"]
    card = site.post("/api/v1/cards", "attendant", json={"reader": "reader-1"}).get_json()["card"]
    put = {"number": card["number"], "amount": {"minor": 5000, "currency": "CNY"}}
    assert site.post("/api/v1/cards/top-ups", "attendant", json=put).status_code == 201
    shown = site.get("/api/v1/takings", "finance").get_json()
    (line,) = shown["cards"]
    assert (shown["items"], line["channel"], line["top_ups"]) == ([], "cash", 1)
    assert (line["amount"]["minor"], line["backs"], line["back"]["minor"]) == (5000, 0, 0)
    assert line["taker"]

    by_card = {"reader": "reader-1", "order_no": "cardpays1"}
    paid = site.post(f"/api/v1/bills/{bill['id']}/card-payments", "attendant", json=by_card)
    assert paid.status_code == 201
    out = {"amount": {"minor": 1000, "currency": "CNY"}, "reason": "asked for it"}
    assert site.post(f"/api/v1/cards/{card['id']}/refunds", "finance", json=out).status_code == 201
    shown = site.get("/api/v1/takings", "finance").get_json()
    assert [(each["channel"], each["amount"]) for each in shown["items"]] == [
        ("card", bill["amount"])
    ]
    assert [(each["top_ups"], each["backs"], each["back"]["minor"]) for each in shown["cards"]] in (
        [(1, 0, 0), (0, 1, 1000)],
        [(0, 1, 1000), (1, 0, 0)],
    )
    path = "/api/v1/takings/card-moves"
    first = site.get(f"{path}?limit=1", "finance").get_json()
    rest = site.get(f"{path}?cursor={first['next']}", "finance").get_json()
    found = [(each["kind"], each["amount"]["minor"]) for each in first["items"] + rest["items"]]
    assert sorted(found) == [("paid-out", -1000), ("top-up", 5000)]
    entry = f"/api/v1/ledger/entries/{first['items'][0]['entry_id']}"
    assert site.get(entry, "finance").status_code == 200
    (mine,) = site.get(f"{path}?taken_by={line['taken_by']}", "finance").get_json()["items"]
    assert mine["kind"] == "top-up"
    accounts = site.get("/api/v1/ledger/accounts?kind=stored_value", "auditor").get_json()
    named = [accounts["names"][each["holder"]]["en"] for each in accounts["items"]]
    assert named == [card["number"]]
    # The file has all of it, each movement once under its kind, with its entry.
    lines = site.rows("/api/v1/takings/export", "finance")
    told = sorted((each["kind"], each["channel"], int(each["amount_minor"])) for each in lines)
    assert told == [
        ("paid-out", "cash", -1000),
        ("payment", "card", bill["amount"]["minor"]),
        ("top-up", "cash", 5000),
    ]
    assert {each["card"].strip() for each in lines} == {"", card["number"]}
    for each in lines:
        entry = f"/api/v1/ledger/entries/{each['entry_id']}"
        assert site.get(entry, "finance").status_code == 200
