"""Bad requests of every kind get a problem document that names the field and leaks nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import OperationalError

from tests.web.small_site import UNKNOWN_ID, Site
from web.parsing import MAX_JSON_BYTES

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

FACILITIES = "/api/v1/facilities"
QUOTES = "/api/v1/quotes"
STAY = {
    "facility_id": UNKNOWN_ID,
    "enter_at": "2026-03-02T09:00:00+08:00",
    "leave_at": "2026-03-02T10:00:00+08:00",
}


def problem(answer: TestResponse) -> dict[str, Any]:
    assert answer.content_type == "application/problem+json"
    found: dict[str, Any] = answer.get_json()
    assert found["status"] == answer.status_code
    assert {"type", "title", "detail", "instance"} <= set(found)
    return found


def fields(answer: TestResponse) -> list[str]:
    return [each["field"] for each in problem(answer)["errors"]]


def test_an_unknown_path_is_not_found(shared_site: Site) -> None:
    answer = shared_site.get("/api/v1/nothing")
    assert (answer.status_code, problem(answer)["type"]) == (404, "urn:greenbay:problem:not-found")


def test_a_wrong_method_says_which_are_right(shared_site: Site) -> None:
    answer = shared_site.call("DELETE", FACILITIES)
    assert (answer.status_code, problem(answer)["status"]) == (405, 405)
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("id_", ["nothing", "123", UNKNOWN_ID[:-1], UNKNOWN_ID + "%00"])
def test_an_identifier_that_is_none_is_not_found(shared_site: Site, id_: str) -> None:
    answer = shared_site.get(f"{FACILITIES}/{id_}")
    assert (answer.status_code, problem(answer)["status"]) == (404, 404)


def test_a_facility_that_is_not_there_is_not_found(shared_site: Site) -> None:
    answer = shared_site.get(f"{FACILITIES}/{UNKNOWN_ID}")
    assert (answer.status_code, fields(answer)) == (404, ["facility_id"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=many", "limit"),
        ("limit=99999999999999999999999999", "limit"),
        ("limit=1&limit=2", "limit"),
        ("district=UPPER", "district"),
        ("district=%00", "district"),
        ("cursor=abc", "cursor"),
        ("cursor=" + "9" * 300, "cursor"),
        ("cursor=%F0%28%8C%28", "cursor"),
        ("colour=red", "colour"),
        ("x" * 500 + "=1", "x" * 64),
    ],
)
def test_a_bad_query_names_its_field(shared_site: Site, query: str, field: str) -> None:
    answer = shared_site.get(f"{FACILITIES}?{query}")
    assert (answer.status_code, fields(answer)) == (422, [field])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("latitude=30", "longitude"),
        ("longitude=nan&latitude=30", "longitude"),
        ("longitude=1e999&latitude=30", "longitude"),
        ("longitude=181&latitude=30", "longitude"),
        ("longitude=120&latitude=30&radius_m=1e9", "radius_m"),
    ],
)
def test_a_place_that_is_none_names_its_field(shared_site: Site, query: str, field: str) -> None:
    answer = shared_site.get(f"/api/v1/bays/nearest?{query}")
    assert (answer.status_code, fields(answer)) == (422, [field])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"facility_id": "x"}, "facility_id"),
        ({"facility_id": 7}, "facility_id"),
        ({"enter_at": "2026-03-02T09:00:00"}, "enter_at"),
        ({"enter_at": 1_772_413_200}, "enter_at"),
        ({"enter_at": None}, "enter_at"),
        ({"leave_at": "2028-03-02T09:00:00+08:00"}, "leave_at"),
        ({"leave_at": "9999-12-31T23:59:59-12:00"}, "leave_at"),
        ({"vehicle": "tank"}, "vehicle"),
        ({"exempt": "a\u0000b"}, "exempt"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_body_names_its_field(shared_site: Site, change: dict[str, Any], field: str) -> None:
    answer = shared_site.post(QUOTES, json={**STAY, **change})
    assert (answer.status_code, fields(answer)) == (422, [field])


def test_a_stay_that_ends_before_it_begins_is_refused(shared_site: Site) -> None:
    body = {**STAY, "facility_id": str(shared_site.facility.id), "leave_at": STAY["enter_at"]}
    body["enter_at"] = "2026-03-02T11:00:00+08:00"
    answer = shared_site.post(QUOTES, json=body)
    assert (answer.status_code, fields(answer)) == (422, ["leave_at"])


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b'{"a":1}}', b'{"a": "\\ud800"}', b"[" * 9000]
)
def test_a_body_that_is_not_json_is_malformed(shared_site: Site, body: bytes) -> None:
    answer = shared_site.post(QUOTES, data=body, content_type="application/json")
    assert (answer.status_code, fields(answer)) == (400, ["body"])


@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"7"])
def test_a_body_that_is_no_object_does_not_fit(shared_site: Site, body: bytes) -> None:
    answer = shared_site.post(QUOTES, data=body, content_type="application/json")
    assert (answer.status_code, fields(answer)) == (422, ["body"])


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_of_another_content_type_is_refused(shared_site: Site, kind: str | None) -> None:
    answer = shared_site.post(QUOTES, data=b"{}", content_type=kind)
    assert (answer.status_code, fields(answer)) == (415, ["Content-Type"])


def test_a_body_beyond_the_limit_is_refused(shared_site: Site) -> None:
    body = b'{"exempt": "' + b"x" * MAX_JSON_BYTES + b'"}'
    answer = shared_site.post(QUOTES, data=body, content_type="application/json")
    assert (answer.status_code, problem(answer)["status"]) == (413, 413)


def test_an_unknown_token_is_told_how_to_log_in(shared_site: Site) -> None:
    answer = shared_site.get("/api/v1/me", headers={"Authorization": "Bearer nonsense"})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert problem(answer)["type"] == "urn:greenbay:problem:unauthenticated"


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Basic !!!", "Digest x=y", "Bearer " + "x" * 5000, "\u00ff"]
)
def test_a_broken_authorization_is_nobodys(shared_site: Site, header: str) -> None:
    answer = shared_site.get("/api/v1/me", headers={"Authorization": header})
    assert (answer.status_code, problem(answer)["status"]) == (401, 401)


def test_a_bug_is_logged_and_not_shown(shared_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret of the house")

    monkeypatch.setattr("web.api.places._facilities", fail)
    answer = shared_site.get(FACILITIES)
    assert (answer.status_code, b"secret" in answer.data) == (500, False)
    assert problem(answer)["type"] == "urn:greenbay:problem:internal-error"


def test_a_database_out_of_reach_is_unavailable_and_says_when_to_come_back(
    shared_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("connect", {}, Exception("no route to secret-host"))

    monkeypatch.setattr(shared_site.wiring.database.engine, "connect", fail)
    answer = shared_site.get(f"{FACILITIES}?limit=3")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert b"secret-host" not in answer.data


@pytest.mark.parametrize("path", ["/api/v1/audit?action=%00", "/api/v1/audit?subject_id=a%00b"])
def test_a_nul_in_a_text_is_refused(shared_site: Site, path: str) -> None:
    assert shared_site.get(path, "auditor").status_code == 422


def test_errors_are_never_kept_by_a_cache(shared_site: Site) -> None:
    assert shared_site.get(f"{FACILITIES}?limit=0").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": {"zh": "一\x00", "en": "One"}}, "name.zh"),
        ({"name": {"zh": "一", "en": "One"}, "phone": "\x00"}, "phone"),
    ],
)
def test_a_text_with_a_nul_names_its_field(
    shared_site: Site, body: dict[str, Any], field: str
) -> None:
    answer = shared_site.post("/api/v1/operators", "administrator", json={"code": "nul"} | body)
    assert (answer.status_code, fields(answer)) == (422, [field])


def test_a_nul_deep_in_a_document_names_its_place(shared_site: Site) -> None:
    body = {
        "format": "geojson",
        "source": "nul",
        "district": "0153",
        "operator_id": UNKNOWN_ID,
        "content": {"features": [{"properties": {"label": "a\x00b"}}, {"\x00": 1}]},
    }
    answer = shared_site.post("/api/v1/place-imports", "operator", json=body)
    assert answer.status_code == 422
    assert fields(answer) == ["content.features.0.properties.label", "content.features.1"]


def test_a_query_with_a_nul_names_its_parameter(shared_site: Site) -> None:
    answer = shared_site.get(f"{FACILITIES}?cursor=%00")
    assert (answer.status_code, fields(answer)) == (422, ["cursor"])


def test_a_refusal_is_told_in_the_language_that_was_asked_for(shared_site: Site) -> None:
    path = f"{FACILITIES}?limit=0"
    english = shared_site.call("GET", path)
    chinese = shared_site.call("GET", path, headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"})
    assert english.headers["Content-Language"] == "en"
    assert chinese.headers["Content-Language"] == "zh-CN"
    assert problem(chinese)["errors"] == [{"field": "limit", "detail": "条数：须不小于 1"}]
    assert problem(chinese)["detail"] == "填写有误：条数。"
    same = ("type", "title", "status", "instance")
    assert [problem(chinese)[each] for each in same] == [problem(english)[each] for each in same]
