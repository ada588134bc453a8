"""A channel's bill held against ours over HTTP, and its differences resolved by two people."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from city.errors import Invalid
from city.identifiers import uuid7
from city.money import Money
from journeys.reconcile_stays import reconcile_yesterday
from payments.rules.channel_bills import wechat
from payments.rules.channel_bills.lines import BillLine, LineKind
from web.api.csv_files import csv_file, every_line
from web.refusals import told

if TYPE_CHECKING:
    from tests.web.small_site import Site


def bill_of(site: Site, *numbers: int) -> dict[str, str]:
    """Give WeChat Pay's bill of payments that we know nothing of, ten yuan each."""
    lines = [
        BillLine(
            kind=LineKind.PAYMENT,
            at=site.clock.now() + timedelta(minutes=number),
            order_no=f"order{number:08d}",
            channel_no=f"4200{number:024d}",
            amount=Money(1000, "CNY"),
            fee=Money(6, "CNY"),
            merchant="1900000109",
        )
        for number in numbers
    ]
    content = wechat.write_trade(lines, "wx1")
    return {"channel": "wechat", "bill": base64.b64encode(content).decode()}


def act(site: Site, one: dict[str, Any], what: str, who: str, **body: Any) -> Any:
    path = f"/api/v1/differences/{one['id']}/{what}"
    return site.post(path, who, json=body) if body else site.post(path, who)


def test_a_difference_is_proposed_approved_by_another_and_posted_once(site: Site) -> None:
    run = site.post("/api/v1/reconciliations", "finance", json=bill_of(site, 1, 2, 3)).get_json()
    assert (run["day"], run["summary"]["differences"]) == ("2026-03-02", 3)
    listed = site.get("/api/v1/differences?state=open&channel=wechat", "finance").get_json()
    assert {(each["kind"], each["effect"]["minor"]) for each in listed["items"]} == {
        ("theirs-only", 1000)
    }
    one, two, _ = sorted(listed["items"], key=lambda each: each["order_no"])
    why = {"resolution": "surplus", "note": "paid twice at the kiosk"}
    assert act(site, one, "proposal", "auditor", **why).status_code == 403
    assert act(site, one, "resolution", "finance").status_code == 409
    assert act(site, one, "proposal", "finance", **why).get_json()["state"] == "proposed"
    assert act(site, one, "decision", "finance", approve=True).status_code == 403
    assert act(site, one, "decision", "administrator", approve=False).get_json()["state"] == "open"
    act(site, one, "proposal", "finance", **why)
    assert act(site, one, "decision", "administrator", approve=True).status_code == 200
    done = act(site, one, "resolution", "finance").get_json()
    assert (done["state"], act(site, one, "resolution", "finance").status_code) == ("resolved", 409)
    entry = site.get(f"/api/v1/ledger/entries/{done['entry_id']}", "finance").get_json()
    assert {each["account"]: each["amount"]["minor"] for each in entry["postings"]} == {
        "clearing:wechat": 1000,
        "surplus:wechat": -1000,
    }
    chinese = {"Accept-Language": "zh-CN"}
    act(site, two, "proposal", "finance", resolution="note", note="=asked the channel")
    again = site.post("/api/v1/reconciliations", "finance", json=bill_of(site, 1, 2)).get_json()
    assert again["summary"]["differences"] == 2
    states = site.get("/api/v1/differences?day=2026-03-02", "auditor").get_json()["items"]
    assert sorted((each["order_no"][-1], each["state"]) for each in states) == [
        ("1", "resolved"),
        ("2", "proposed"),
        ("3", "resolved"),
    ]
    gone = site.get("/api/v1/differences?state=resolved", "auditor", headers=chinese).get_json()
    assert "当日的后续账单已不再显示此差异" in {each["note"] for each in gone["items"]}
    first = site.get("/api/v1/reconciliations?limit=1", "auditor").get_json()
    rest = site.get(f"/api/v1/reconciliations?limit=1&cursor={first['next']}", "auditor").get_json()
    assert [each["summary"]["rows"] for each in (*first["items"], *rest["items"])] == [2, 3]
    assert rest["next"] is None
    runs = site.rows("/api/v1/reconciliations/export", "auditor")
    assert [(each["rows"], each["differences"], each["complete"]) for each in runs] == [
        ("2", "2", "True"),
        ("3", "3", "True"),
    ]
    assert len({each["sha256"] for each in runs}) == 2
    ended = next(
        each
        for each in site.rows("/api/v1/differences/export?state=resolved", "auditor")
        if each["entry_id"]
    )
    assert len({ended["proposed_by"], ended["approved_by"], ""}) == 3
    written = site.get("/api/v1/differences/export", "finance").get_data(as_text=True)
    assert len(written.splitlines()) == 4
    assert "'=asked the channel" in written
    records = site.get("/api/v1/audit?action=payments.difference_resolved", "auditor").get_json()
    assert len(records["items"]) == 1


def test_a_row_that_cannot_be_read_is_told_of_with_its_reason_and_nothing_is_concluded(
    site: Site,
) -> None:
    bill = bill_of(site, 1, 2)
    torn = base64.b64decode(bill["bill"]).replace(b"`CNY", b"`C0Y", 1)
    bill["bill"] = base64.b64encode(torn).decode()
    headers = {"Accept-Language": "zh-CN"}
    run = site.post("/api/v1/reconciliations", "finance", json=bill, headers=headers).get_json()
    (row,) = run["summary"]["quarantined_rows"]
    assert (run["summary"]["quarantined"], run["summary"]["complete"]) == (1, False)
    assert (row["line"], row["reason"].startswith("货币种类: ")) == (2, True)
    assert row["reason"] == "货币种类: 不是两位小数的货币"
    assert run["summary"]["by_class"] == {"theirs-only": 1, "totals": 1}
    (listed,) = site.get("/api/v1/reconciliations", "auditor").get_json()["items"]
    assert listed["summary"]["quarantined_rows"][0]["reason"].endswith("of two decimals")
    audit = site.get("/api/v1/audit?action=payments.bill_reconciled", "auditor").get_json()
    assert [each["detail"]["quarantined"] for each in audit["items"]] == [1]


def test_what_is_no_bill_is_refused_and_changes_nothing(site: Site) -> None:
    for body, status in (
        ({"channel": "wechat", "bill": "!!"}, 422),
        ({"channel": "alipay", "bill": base64.b64encode(b"no zip").decode()}, 422),
        ({"channel": "gold", "bill": "YQ=="}, 422),
    ):
        refused = site.post("/api/v1/reconciliations", "finance", json=body)
        assert refused.status_code == status, body
    assert site.get("/api/v1/reconciliations", "finance").get_json()["items"] == []
    path = f"/api/v1/differences/{uuid7()}/resolution"
    assert site.post(path, "finance").status_code == 404
    # Nobody has paid on a day that has not come: nothing agrees on it either.
    early = site.post(
        "/api/v1/reconciliations", "finance", json=bill_of(site, 1) | {"day": "2999-01-01"}
    )
    assert (early.status_code, early.get_json()["errors"][0]["field"]) == (422, "day")
    assert site.get("/api/v1/reconciliations", "finance").get_json()["items"] == []


def test_why_a_bill_is_refused_is_told_in_chinese_to_who_asks_in_chinese() -> None:
    for reason in (
        "is not a zip that opens",
        "is gzip that was cut off",
        "has no order number or an amount below zero",
        "is missing on a refund",
        "is not a time",
        "is 7 bytes long, not 9",
        "the summary is not of its form",
        "WeChat Pay's bill did not come whole: is gzip that was cut off",
        "UnionPay gives no bill: 34",
    ):
        said = told(reason).replace("gzip", "").replace("zip", "")
        assert not any("a" <= letter <= "z" for letter in said), reason


def test_a_day_s_takings_name_who_took_them(site: Site) -> None:
    site.stay()
    (bill,) = site.get("/api/v1/bills", "finance").get_json()["items"]
    cash = {"channel": "cash", "tendered": bill["amount"]}
    paid = site.post(f"/api/v1/bills/{bill['id']}/payments", "attendant", json=cash)
    assert paid.status_code == 201
    (line,) = site.get("/api/v1/takings", "finance").get_json()["items"]
    assert (line["channel"], line["payments"], line["amount"]) == ("cash", 1, bill["amount"])
    assert line["taker"]
    assert site.get("/api/v1/takings?day=2026-03-01", "finance").get_json()["items"] == []
    assert site.get("/api/v1/takings", "attendant").status_code == 403


def test_a_bill_is_handed_in_with_its_day_and_fetched_only_from_a_channel_that_is_set_up(
    site: Site,
) -> None:
    stated = bill_of(site, 1) | {"day": "2026-03-02"}
    assert site.post("/api/v1/reconciliations", "finance", json=stated).status_code == 201
    asked = {"channel": "alipay", "day": "2026-03-02"}
    path = "/api/v1/reconciliations/fetches"
    assert site.post(path, "auditor", json=asked).status_code == 403
    refused = site.post(path, "finance", json=asked)
    assert (refused.status_code, "not set up" in refused.get_json()["detail"]) == (404, True)


def test_every_figure_of_the_takings_opens_its_payments_and_their_entries(site: Site) -> None:
    site.stay()
    (bill,) = site.get("/api/v1/bills", "finance").get_json()["items"]
    cash = {"channel": "cash", "tendered": bill["amount"]}
    site.post(f"/api/v1/bills/{bill['id']}/payments", "attendant", json=cash)
    (line,) = site.get("/api/v1/takings", "finance").get_json()["items"]
    path = f"/api/v1/takings/payments?taken_by={line['taken_by']}&limit=1"
    page = site.get(path, "finance").get_json()
    (one,) = page["items"]
    assert (one["bill_id"], one["amount"], page["next"]) == (bill["id"], bill["amount"], None)
    entry = site.get(f"/api/v1/ledger/entries/{one['entry_id']}", "finance").get_json()
    assert (entry["kind"], entry["bill_id"]) == ("payment", bill["id"])
    assert entry["names"][one["taken_by"]] == line["taker"]
    assert entry["holders"][one["taken_by"]] == {"zh": line["taker"], "en": line["taker"]}
    after = f"/api/v1/takings/payments?cursor={one['payment_id']}"
    assert site.get(after, "finance").get_json()["items"] == []
    assert site.get("/api/v1/takings/payments?channel=alipay", "finance").get_json()["items"] == []
    written = site.get("/api/v1/takings/export", "auditor").get_data(as_text=True)
    assert one["payment_id"] in written.splitlines()[1]
    account = next(each["account"] for each in entry["postings"] if each["amount"]["minor"] > 0)
    postings = site.get(f"/api/v1/ledger/postings/export?account={account}", "finance")
    assert one["entry_id"] in postings.get_data(as_text=True)


def test_no_cell_of_a_file_is_a_formula_and_no_file_leaves_lines_out() -> None:
    answer = csv_file("a.csv", ("words", "minor"), [("=1+1", -5), ("\tx", 3), ("1" * 16, None)])
    written = answer.get_data(as_text=True).splitlines()[1:]
    assert written == ["'=1+1,-5", "'\tx,3", "1111111111111111\t,"]
    with pytest.raises(Invalid, match="too many for one file"):
        every_line(lambda last, limit: ([0] * limit, 1 if last is None else last + 1))


def test_a_day_s_stays_are_held_against_their_sensors_bills_and_payments(site: Site) -> None:
    site.stay()
    (bill,) = site.get("/api/v1/bills", "finance").get_json()["items"]
    cash = {"channel": "cash", "tendered": bill["amount"]}
    site.post(f"/api/v1/bills/{bill['id']}/payments", "attendant", json=cash)
    path, day = "/api/v1/reconciliations/stays", {"day": "2026-03-02"}
    assert site.post(path, "finance", json=day).status_code == 422  # it is not over
    site.clock.advance(24 * 3600)
    held = site.post(path, "finance", json=day).get_json()
    assert {
        name: held["summary"][name] for name in ("rows", "billed", "agreed", "differences")
    } == {
        "rows": 1,
        "billed": 1,
        "agreed": 1,
        "differences": 0,
    }
    with site.wiring.database.unit_of_work() as uow:
        # The sensor's record, as a late word would leave it: nobody there for half of the stay.
        uow.connection.execute(
            text(
                "insert into parking.bay_change (bay_id, facility_id, district, changed_at,"
                " observation_key, state, sure, device_id, recorded_at)"
                " select bay_id, facility_id, district, changed_at + interval '20 minutes',"
                " observation_key || 'x', 'free', sure, device_id, recorded_at"
                " from parking.bay_change"
                " where state = 'occupied'"
            )
        )
    assert site.post(path, "auditor", json=day).status_code == 403
    again = site.post(path, "finance", json=day).get_json()
    assert again["summary"]["by_class"] == {"time-contradicted": 1}
    (one,) = site.get("/api/v1/differences?channel=stays", "finance").get_json()["items"]
    assert one["detail"]["bill"]["bill_id"] == bill["id"]
    assert one["detail"]["stay"]["free_s"] > 600
    refused = act(site, one, "proposal", "finance", resolution="suspense", note="move it")
    assert refused.status_code == 422
    act(site, one, "proposal", "finance", resolution="note", note="the sensor was covered")
    act(site, one, "decision", "administrator", approve=True)
    assert act(site, one, "resolution", "finance").get_json()["state"] == "resolved"
    assert reconcile_yesterday(site.wiring.database) is not None
    assert reconcile_yesterday(site.wiring.database) is None
