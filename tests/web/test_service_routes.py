"""Health, metrics and the API's own description."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import SecretStr
from sqlalchemy.exc import OperationalError

from web.measures import UNROUTED
from web.pages.static_files import STATIC

if TYPE_CHECKING:
    import pytest

    from tests.web.small_site import Site


def samples(site: Site) -> dict[str, float]:
    """Give the counters of requests by labels as the exposition writes them."""
    text = site.get("/metrics").get_data(as_text=True)
    found = re.findall(r"^(greenbay_http_requests_total\{[^}]*\}) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in found}


def test_a_process_that_answers_is_alive(shared_site: Site) -> None:
    answer = shared_site.get("/healthz")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "alive"})


def test_a_store_without_an_append_only_file_is_not_ready(shared_site: Site) -> None:
    # The test's own store runs in memory: what an operator's Redis must not do.
    answer = shared_site.get("/readyz")
    checks = answer.get_json()["checks"]
    assert (answer.status_code, answer.get_json()["status"]) == (503, "not-ready")
    assert checks["postgres"]["ok"] is True
    assert checks["live_store"] == {
        "ok": False,
        "detail": "has no append-only file: set appendonly yes",
    }
    assert checks["mqtt"] == {"ok": False, "detail": "cannot be reached"}
    assert answer.headers["Cache-Control"] == "no-store"


def test_with_an_append_only_file_the_store_is_ready(shared_site: Site) -> None:
    store = shared_site.wiring.live
    store.config_set("appendonly", "yes")
    try:
        checks = shared_site.get("/readyz").get_json()["checks"]
    finally:
        store.config_set("appendonly", "no")
    assert checks["live_store"]["ok"] is True


def test_a_database_out_of_reach_is_not_ready_and_not_told_about(
    shared_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("connect", {}, Exception("no route to secret-host"))

    monkeypatch.setattr(shared_site.wiring.database.engine, "connect", fail)
    answer = shared_site.get("/readyz")
    assert answer.get_json()["checks"]["postgres"] == {"ok": False, "detail": "cannot be reached"}
    assert shared_site.get("/healthz").status_code == 200


def test_every_request_is_counted_by_its_route_and_status(shared_site: Site) -> None:
    before = samples(shared_site)
    shared_site.get("/api/v1/facilities?limit=1")
    shared_site.get(f"/api/v1/facilities/{shared_site.facility.id}")
    shared_site.get("/api/v1/facilities?limit=0")
    shared_site.get("/api/v1/no/such/path")
    after = samples(shared_site)
    grown = {name: value - before.get(name, 0) for name, value in after.items()}
    name = 'greenbay_http_requests_total{{method="GET",route="{}",status="{}"}}'
    assert grown[name.format("/api/v1/facilities", 200)] == 1
    assert grown[name.format("/api/v1/facilities", 422)] == 1
    assert grown[name.format("/api/v1/facilities/<uuid:facility_id>", 200)] == 1
    assert grown[name.format(UNROUTED, 404)] == 1
    text = shared_site.get("/metrics").get_data(as_text=True)
    assert 'greenbay_http_request_seconds_count{route="/api/v1/facilities"}' in text


def test_metrics_are_for_this_machine_alone(shared_site: Site) -> None:
    afar = {"REMOTE_ADDR": "203.0.113.7"}
    assert shared_site.get("/metrics").status_code == 200
    assert shared_site.get("/metrics", environ_overrides=afar).status_code == 403
    forwarded = {"X-Forwarded-For": "203.0.113.7"}
    assert shared_site.get("/metrics", headers=forwarded).status_code == 403


def test_metrics_are_for_who_has_their_token_as_well(shared_site: Site) -> None:
    app = shared_site.app
    wiring = shared_site.wiring
    known = wiring.settings.model_copy(update={"metrics_token": SecretStr("scrape-me")})
    app.extensions["greenbay"] = replace(wiring, settings=known)
    try:
        afar = {"REMOTE_ADDR": "203.0.113.7"}
        answers = {
            token: shared_site.get(
                "/metrics",
                headers={"Authorization": f"Bearer {token}"},
                environ_overrides=afar,
            ).status_code
            for token in ("scrape-me", "scrape-m", "")
        }
    finally:
        app.extensions["greenbay"] = wiring
    assert answers == {"scrape-me": 200, "scrape-m": 403, "": 403}


def test_the_description_is_given_and_shown_in_both_languages(shared_site: Site) -> None:
    document = shared_site.get("/api/openapi.json").get_json()
    assert document["openapi"] == "3.1.0"
    for language in ("en", "zh"):
        shown = shared_site.get(f"/api/docs?lang={language}")
        text = shown.get_data(as_text=True)
        assert shown.status_code == 200
        assert all(path in text for path in document["paths"])
        assert "docs." not in re.sub(r"<[^>]*>", "", text).replace("docs.ts", "")
        assert "<script>" not in text
        assert "style=" not in text


def test_the_maps_worker_may_read_the_base_map(shared_site: Site) -> None:
    # A worker lives by the policy of its own script's response, not by the page's.
    build = STATIC / "build" / "assets"
    worker = next(path.name for path in build.glob("*worker*.js"))
    answer = shared_site.get(f"/static/build/assets/{worker}")
    policy = answer.headers["Content-Security-Policy"]
    answer.close()
    assert "connect-src 'self'" in policy
