"""A junction's file over HTTP: papers by their content, and how signals were on line."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from tests.web.small_site import UNKNOWN_ID
from tests.web.test_signal_plans_api import imported

if TYPE_CHECKING:
    from tests.web.small_site import Site

PDF = b"%PDF-1.7\n" + bytes(20) + b"\n%%EOF\n"


def sent(site: Site, home: str, who: str = "maintainer", content: bytes = PDF) -> Any:
    body = {
        "kind": "wiring",
        "title": "Cabinet",
        "content": base64.b64encode(content).decode(),
        "note": "after the new board",
    }
    return site.post(f"{home}/documents", who, json=body)


def test_a_paper_is_kept_listed_and_given_back_as_a_file(site: Site) -> None:
    home = f"/api/v1/signal-networks/{imported(site)}/signals/crossroads"
    answer = sent(site, home)
    assert answer.status_code == 201, answer.get_json()
    made = answer.get_json()
    assert (made["version"], made["format"], made["bytes"]) == (1, "application/pdf", len(PDF))
    assert sent(site, home).get_json()["id"] == made["id"]
    assert sent(site, home, content=b"MZ\x90").status_code == 422
    assert sent(site, home, "operator").status_code == 403
    found = site.get(f"{home}/file", "auditor").get_json()
    assert [each["id"] for each in found["documents"]] == [made["id"]]
    assert (found["may_keep"], found["month"], found["reporters"]) == (False, None, [])
    assert [each["origin"] for each in found["plans"]] == ["found"]
    file = site.get(f"{home}/documents/{made['id']}/content", "operator")
    assert (file.data, file.content_type) == (PDF, "application/pdf")
    # A PDF may hold scripts: it is never opened inside a page of ours.
    assert file.headers["Content-Disposition"] == 'attachment; filename="wiring-1.pdf"'
    other = home.replace("crossroads", "elsewhere")
    assert site.get(f"{other}/documents/{made['id']}/content", "operator").status_code == 404
    assert site.get(f"{other}/file", "operator").status_code == 404
    assert sent(site, other).status_code == 404


def test_a_month_on_line_tells_of_signals_that_report(site: Site) -> None:
    network_id = imported(site)
    found = site.get(f"/api/v1/signal-networks/{network_id}/on-line", "maintainer").get_json()
    assert (found["rate"], found["items"]) == (None, [])
    path = f"/api/v1/signal-networks/{network_id}/on-line?month="
    assert site.get(f"{path}2026-02", "auditor").get_json()["month"] == "2026-02-01"
    assert site.get(f"{path}2026-13", "auditor").status_code == 422
    unknown = f"/api/v1/signal-networks/{UNKNOWN_ID}/on-line"
    assert site.get(unknown, "auditor").status_code == 404
