"""Invoices over HTTP: asked for by a bill's link, once; taken back where money went back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from city.errors import Unavailable
from city.identifiers import BillId
from journeys.pay_by_link import give_link
from journeys.request_invoice import issue_invoices, request_invoice
from payments.rules.invoices import Buyer, InvoiceState
from payments.rules.pay_links import Scope

if TYPE_CHECKING:
    from payments.rules.invoices import Invoice, Issued
    from tests.web.small_site import Site

COMPANY = {"title": "临江市测试有限公司", "tax_no": "91310000ma1fl7ab2c"}


class Silent:
    """A provider out of reach."""

    name = "silent"

    def issue(self, invoice: Invoice) -> Issued:
        raise Unavailable(f"no answer about {invoice.id}")


def paid_bill(site: Site) -> tuple[str, int]:
    """Let a stay be billed and paid in cash; give its bill and what was paid."""
    site.stay()
    (bill,) = site.get("/api/v1/bills?state=open", "finance").get_json()["items"]
    cash = {"channel": "cash", "tendered": bill["amount"]}
    assert (
        site.post(f"/api/v1/bills/{bill['id']}/payments", "attendant", json=cash).status_code == 201
    )
    return bill["id"], bill["amount"]["minor"]


def link_to(site: Site, bill_id: str, scope: Scope = Scope.WHOLE) -> str:
    with site.wiring.database.unit_of_work() as uow:
        return give_link(uow, BillId(UUID(bill_id)), scope)


def listed(site: Site, link: str) -> Any:
    return site.get(f"/api/v1/pay/{link}/invoices").get_json()


def test_what_was_paid_is_invoiced_once_and_taken_back_where_it_went_back(site: Site) -> None:
    bill_id, minor = paid_bill(site)
    link = link_to(site, bill_id)
    before = listed(site, link)
    assert (before["items"], before["left"]["minor"]) == ([], minor)
    path = f"/api/v1/pay/{link}/invoices"
    blue = site.post(path, json=COMPANY).get_json()
    assert (blue["state"], blue["colour"], blue["amount"]["minor"]) == ("issued", "blue", minor)
    assert (len(blue["serial"]), blue["tax_no"]) in {
        (20, "91310000MA1FL7AB2C"),
        (18, "91310000MA1FL7AB2C"),
    }
    assert (blue["tax"]["minor"] > 0) == (before["kind"] == "vat")
    assert site.post(path, json=COMPANY).status_code == 409
    assert site.post(path, json={"title": "某公司", "tax_no": "I"}).status_code == 422
    assert issue_invoices(site.wiring.database, site.wiring.invoices) == 0
    back = {
        "id": "0199d3f0-0000-7000-8000-0000000000f1",
        "amount": {"minor": 1, "currency": "CNY"},
        "reason": "the lift stood still",
    }
    path_back = f"/api/v1/bills/{bill_id}/cash-refunds"
    assert site.post(path_back, "attendant", json=back).status_code == 403
    for _ in range(2):
        assert site.post(path_back, "finance", json=back).get_json()["id"] == back["id"]
    shown = site.get(f"/api/v1/bills/{bill_id}", "finance").get_json()
    assert (shown["refunded"]["minor"], shown["cash_refundable"]["minor"]) == (1, minor - 1)
    told = site.get("/api/v1/audit?action=payments.cash_refunded", "auditor").get_json()
    assert len(told["items"]) == 1
    assert issue_invoices(site.wiring.database, site.wiring.invoices) == 1
    after = listed(site, link)
    red = after["items"][1]
    assert (red["colour"], red["amount"]["minor"], red["of"]) == ("red", 1, blue["id"])
    assert (red["serial"] != blue["serial"], after["left"]["minor"]) == (True, 0)
    shown = site.get(f"{path}/{red['id']}").get_json()
    assert (shown["of_serial"], "seller" in shown) == (blue["serial"], True)
    page = site.get(f"/pay/{link}/invoices/{red['id']}?lang=zh", headers={"Accept": "text/html"})
    words = page.get_data(as_text=True)
    for part in (red["serial"], blue["serial"], COMPANY["title"], "壹分", "红字", "仅供试用"):
        assert part in words
    assert page.headers["Referrer-Policy"] == "no-referrer"
    records = site.get("/api/v1/audit?action=payments.invoice_issued", "auditor").get_json()
    assert len(records["items"]) == 2


def test_the_desk_lists_papers_by_pages_and_as_a_file_persons_masked(site: Site) -> None:
    bill_id, minor = paid_bill(site)
    database = site.wiring.database
    asked = request_invoice(database, Silent(), link_to(site, bill_id), Buyer("张三丰"))
    (waits,) = site.get("/api/v1/invoices?state=asked", "finance").get_json()["items"]
    assert (waits["id"], waits["serial"], waits["title"]) == (str(asked.id), None, "张**")
    assert issue_invoices(database, site.wiring.invoices) == 1
    site.clock.advance(60)
    other_id, _ = paid_bill(site)
    company = site.post(f"/api/v1/pay/{link_to(site, other_id)}/invoices", json=COMPANY).get_json()
    page = site.get("/api/v1/invoices?limit=1", "auditor").get_json()
    (first,) = page["items"]
    assert (first["serial"], first["title"]) == (company["serial"], COMPANY["title"])
    assert (first["bill_id"], first["plate"]["masked"]) == (other_id, True)
    path = f"/api/v1/invoices?limit=1&cursor={page['next']}"
    (last,) = site.get(path, "administrator").get_json()["items"]
    assert (last["id"], last["state"], last["amount"]["minor"]) == (waits["id"], "issued", minor)
    for narrowed, count in (
        (f"number={company['serial']}", 1),
        ("colour=red", 0),
        (f"from_at={first['asked_at']}", 1),
        (f"before_at={first['asked_at']}", 1),
    ):
        found = site.get(f"/api/v1/invoices?{narrowed}", "finance").get_json()["items"]
        assert (narrowed, len(found)) == (narrowed, count)
        rows = site.rows(f"/api/v1/invoices/export?{narrowed}", "finance")
        assert [each["id"] for each in rows] == [each["id"] for each in found]
    rows = site.rows("/api/v1/invoices/export", "auditor")
    assert [each["title"] for each in rows] == [COMPANY["title"], "张**"]
    # Twenty digits: a spreadsheet keeps them by the tab behind them.
    assert [each["serial"].strip() for each in rows] == [company["serial"], last["serial"]]
    assert site.get("/api/v1/invoices", "operator").status_code == 403


def test_a_paper_waits_for_its_provider_and_is_issued_once(site: Site) -> None:
    bill_id, _ = paid_bill(site)
    link, database = link_to(site, bill_id), site.wiring.database
    waits = request_invoice(database, Silent(), link, Buyer("张三"))
    assert waits.state is InvoiceState.ASKED
    assert issue_invoices(database, Silent()) == 0
    assert issue_invoices(database, site.wiring.invoices) == 1
    assert issue_invoices(database, site.wiring.invoices) == 0
    assert [each["state"] for each in listed(site, link)["items"]] == ["issued"]


def test_who_found_a_bill_by_its_plate_gets_no_invoice_and_sees_none(site: Site) -> None:
    bill_id, _ = paid_bill(site)
    link = link_to(site, bill_id, Scope.AMOUNT)
    path = f"/api/v1/pay/{link}/invoices"
    assert site.get(path).status_code == 403
    assert site.post(path, json=COMPANY).status_code == 403
    assert site.get("/api/v1/pay/nothing/invoices").status_code == 404
