"""A page's session: cookies and the token that keeps other sites from acting with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher

from city.people import passwords
from city.people.services import create_account, log_in
from web.access import CSRF_HEADER, FORM_COOKIE, SESSION_COOKIE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from tests.web.small_site import Site

PASSWORD = "quay-lantern-3417"
FRESH = {"network_key": "fresh-1", "model": "bosch-tps110", "district": "0153"}


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let password hashes cost next to nothing."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(1, 8, 1))
    passwords._nobody.cache_clear()
    yield
    passwords._nobody.cache_clear()


@pytest.fixture
def page(site: Site) -> tuple[FlaskClient, str]:
    """Give a browser with an operator's session, and its token."""
    with site.wiring.database.unit_of_work() as uow:
        create_account(uow, "olive", "Olive", ["operator"], PASSWORD)
    with site.wiring.database.unit_of_work() as uow:
        grant = log_in(uow, "olive", PASSWORD, "127.0.0.1")
    client = site.app.test_client()
    client.set_cookie(SESSION_COOKIE, grant.token)
    return client, grant.csrf


def test_an_act_of_a_session_carries_its_token(page: tuple[FlaskClient, str]) -> None:
    client, csrf = page
    for sent in (None, "", "x", csrf[:-1], csrf + "x"):
        headers = {} if sent is None else {CSRF_HEADER: sent}
        answer = client.post("/api/v1/devices", json=FRESH, headers=headers)
        assert (sent, answer.status_code) == (sent, 403)
        assert answer.get_json()["reason"] == "csrf"
    answer = client.post("/api/v1/devices", json=FRESH, headers={CSRF_HEADER: csrf})
    assert answer.status_code == 201


def test_me_tells_a_session_its_token_and_a_bearer_none(
    page: tuple[FlaskClient, str], site: Site
) -> None:
    client, csrf = page
    assert client.get("/api/v1/me").get_json() == {
        "kind": "person",
        "name": "Olive",
        "roles": ["operator"],
        "csrf_token": csrf,
    }
    assert site.get("/api/v1/me", "operator").get_json()["csrf_token"] is None


def test_a_session_that_logged_out_is_nobodys(page: tuple[FlaskClient, str]) -> None:
    client, csrf = page
    assert client.post("/log-out", headers={CSRF_HEADER: csrf}).status_code == 303
    client.set_cookie(SESSION_COOKIE, "gbs_nonsense")
    assert client.get("/api/v1/me").status_code == 401


def test_another_site_cannot_log_a_browser_in(site: Site) -> None:
    client = site.app.test_client()
    form = {"login": "olive", "password": PASSWORD}
    assert client.post("/log-in", data=form).status_code == 403
    client.set_cookie(FORM_COOKIE, "a-token-of-ours")
    assert client.post("/log-in", data={**form, "csrf_token": "another"}).status_code == 403
    wrong = client.post("/log-in", data={**form, "csrf_token": "a-token-of-ours"})
    assert wrong.status_code == 401


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/log-in", {"login": "olive\x00", "password": PASSWORD}, 401),
        ("/log-in", {"login": "olive", "password": "\x00"}, 401),
        ("/log-in/driver/code", {"phone": "1380000\x000000"}, 422),
        ("/log-in/driver/verify", {"phone": "13800000000\x00", "code": "\x00"}, 422),
    ],
)
def test_a_form_with_a_nul_is_only_wrong(
    site: Site, path: str, form: dict[str, str], status: int
) -> None:
    client = site.app.test_client()
    client.set_cookie(FORM_COOKIE, "a-token-of-ours")
    answer = client.post(path, data={**form, "csrf_token": "a-token-of-ours"})
    assert answer.status_code == status


def test_the_log_in_of_a_browser_works_with_its_form_token(
    page: tuple[FlaskClient, str], site: Site
) -> None:
    assert page
    client = site.app.test_client()
    shown = client.get("/log-in")
    token = shown.headers["Set-Cookie"].partition(f"{FORM_COOKIE}=")[2].partition(";")[0]
    form = {"login": "olive", "password": PASSWORD, "csrf_token": token}
    entered = client.post("/log-in", data=form)
    assert entered.status_code == 303
    cookie = next(each for each in entered.headers.getlist("Set-Cookie") if SESSION_COOKIE in each)
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert client.get("/api/v1/me").get_json()["name"] == "Olive"


def test_anybody_may_ask_for_a_quote_without_a_token(site: Site) -> None:
    body = {
        "facility_id": str(site.facility.id),
        "enter_at": "2026-03-02T09:00:00+08:00",
        "leave_at": "2026-03-02T10:00:00+08:00",
    }
    answer = site.post("/api/v1/quotes", json=body)
    assert (answer.status_code, answer.get_json()["total"]["minor"]) == (200, 600)


def test_pages_may_run_no_script_of_others(site: Site) -> None:
    policy = site.get("/").headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    answer = site.get("/api/v1/facilities")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
