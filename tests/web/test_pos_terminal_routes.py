"""POS terminals over HTTP: registered with a key that is shown once, their batches, their end."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import text

from journeys.answer_pos import answer_frame
from payments.adapters.pos_line import PosHost, PosLines
from payments.adapters.pos_terminal import NoAnswer, PosTerminal
from payments.rules.pos.mac import check_value
from payments.rules.pos.requests import Code, Kind, Original, Target, Uploaded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.web.small_site import Site

MERCHANT = "898330154110001"
WHY = {"reason": "left in a bus"}
NOBODY = "018f3e1c-0000-7000-8000-000000000000"


class Line:
    """Dials the site's host as terminals do."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.opened: list[PosTerminal] = []

    def __call__(self, given: dict[str, Any]) -> PosTerminal:
        number, master = given["terminal"]["terminal_no"], bytes.fromhex(given["master_key"])
        made = PosTerminal(("127.0.0.1", self.port), number, MERCHANT, master, patience_s=10.0)
        self.opened.append(made)
        return made


@pytest.fixture
def line(site: Site) -> Iterator[Line]:
    """Answer terminals of the site."""
    host = PosHost(PosLines(partial(answer_frame, site.wiring.database), "127.0.0.1", 0, threads=2))
    dialled = Line(host.start())
    yield dialled
    for each in dialled.opened:
        each.close()
    host.stop()


def registered(site: Site, number: str = "GB000001") -> dict[str, Any]:
    body = {"terminal_no": number, "merchant_no": MERCHANT, "name": "East gate", "district": "0153"}
    answer = site.post("/api/v1/pos-terminals", "operator", json=body)
    assert answer.status_code == 201, answer.text
    given: dict[str, Any] = answer.get_json()
    return given


def listed(site: Site) -> dict[str, Any]:
    (found,) = site.get("/api/v1/pos-terminals", "auditor").get_json()["items"]
    shown: dict[str, Any] = found
    return shown


def owed(site: Site) -> tuple[UUID, int]:

    site.stay()
    (bill,) = site.get("/api/v1/bills?state=open", "finance").get_json()["items"]
    return UUID(bill["id"]), bill["amount"]["minor"]


def test_a_key_is_shown_once_and_signs_its_terminal_in(site: Site, line: Line) -> None:
    given = registered(site)
    assert check_value(bytes.fromhex(given["master_key"])).hex().upper() == given["check_value"]
    assert (given["terminal"]["signed_in_at"], given["terminal"]["batch"]) == (None, None)
    terminal = line(given)
    assert terminal.sign_in().code == Code.OK
    shown = listed(site)
    assert shown["signed_in_at"] is not None
    assert (shown["batch"]["batch_no"], shown["batch"]["state"]) == (1, "open")
    with site.wiring.database.read() as connection:
        for table in ("payments.pos_terminal", "audit.record", "works.idempotency"):
            rows = connection.execute(text(f"select t::text from {table} t")).scalars().all()  # noqa: S608 - names of ours
            assert not [each for each in rows if given["master_key"] in each.upper()]
    again = site.post(f"/api/v1/pos-terminals/{shown['id']}/key", "operator").get_json()
    assert again["terminal"]["key_generation"] == 2
    with pytest.raises(NoAnswer):
        terminal.sign_in()
    assert line(again).sign_in().code == Code.OK


def test_a_batch_is_seen_as_it_grows_and_where_it_differs(site: Site, line: Line) -> None:
    terminal = line(registered(site))
    bill_id, minor = owed(site)
    assert terminal.sale(Target(bill_id=bill_id), minor, reference="RRN000000001").code == "00"
    trace = terminal.memory.done[-1].trace
    assert terminal.refund(Original(1, trace), "RRN000000001", 100).code == Code.OK
    ours = listed(site)["batch"]["ours"]
    assert (ours["sales"], ours["sold"]["minor"]) == (1, minor)
    assert (ours["back"], ours["went_back"]["minor"]) == (1, 100)
    terminal.memory.done[0] = Uploaded(trace, Kind.SALE, minor + 50)
    terminal.settle()
    shown = listed(site)
    assert (shown["settled"]["state"], shown["concerns"]) == ("differs", ["differs"])
    assert shown["settled"]["ledger_net"]["minor"] == minor - 100
    (differs,) = shown["differing"]
    assert (differs["kind"], differs["terminal"]["minor"]) == ("amount", minor + 50)
    desk = site.get("/api/v1/differences?channel=pos-batches", "finance")
    (kept,) = desk.get_json()["items"]
    assert (kept["kind"], kept["effect"]["minor"]) == ("amount", 0)


def test_a_locked_terminal_is_refused_and_a_retired_one_stays_so(site: Site, line: Line) -> None:
    given = registered(site)
    path = f"/api/v1/pos-terminals/{given['terminal']['id']}"
    terminal = line(given)
    locked = site.post(f"{path}/lock", "operator", json=WHY).get_json()
    assert (locked["state"], locked["state_reason"]) == ("locked", "left in a bus")
    assert terminal.sign_in().code == Code.LOCKED
    assert site.post(f"{path}/unlock", "operator", json=WHY).get_json()["state"] == "active"
    assert terminal.sign_in().code == Code.OK
    assert site.post(f"{path}/retirement", "operator", json=WHY).get_json()["state"] == "retired"
    assert site.post(f"{path}/unlock", "operator", json=WHY).status_code == 409
    assert site.post(f"{path}/key", "operator").status_code == 409
    assert (
        site.post(f"/api/v1/pos-terminals/{NOBODY}/lock", "operator", json=WHY).status_code == 404
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [("terminal_no", "gb000001"), ("merchant_no", "1"), ("name", ""), ("district", "Nowhere!")],
)
def test_what_cannot_be_a_terminal_is_refused(site: Site, field: str, value: str) -> None:
    good = {"terminal_no": "GB000009", "merchant_no": MERCHANT, "name": "x", "district": "0153"}
    answer = site.post("/api/v1/pos-terminals", "operator", json={**good, field: value})
    assert answer.status_code == 422
    registered(site)
    twice = {**good, "terminal_no": "GB000001"}
    assert site.post("/api/v1/pos-terminals", "operator", json=twice).status_code == 409


def test_the_desk_agrees_over_http_and_withdraws(site: Site, line: Line) -> None:
    terminal = line(registered(site))
    bill_id, minor = owed(site)
    assert terminal.sale(Target(bill_id=bill_id), minor, reference="RRN000000001").code == "00"
    orders = site.get(f"/api/v1/bills/{bill_id}/channel-orders", "finance").get_json()["items"]
    asked = site.post(
        f"/api/v1/channel-orders/{orders[0]['order_no']}/refunds",
        "finance",
        json={"refund_no": "REFUND0001", "amount": orders[0]["amount"], "reason": "the bay"},
    )
    assert (asked.status_code, asked.get_json()["state"]) == (201, "asked")
    assert asked.get_json()["waits_for"] == "terminal"
    (waits,) = site.get("/api/v1/channel-refunds?state=asked", "finance").get_json()["items"]
    assert (waits["channel"], waits["waits_for"]) == ("pos", "terminal")
    assert terminal.to_give_back("RRN000000001").code == Code.OK
    path = "/api/v1/channel-refunds/REFUND0001/withdrawal"
    assert site.post(path, "operator", json=WHY).status_code == 403
    done = site.post(path, "finance", json=WHY).get_json()
    assert (done["state"], done["waits_for"]) == ("failed", None)
    assert terminal.to_give_back("RRN000000001").code == Code.NOT_FOUND
