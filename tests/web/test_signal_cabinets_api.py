"""Cabinets over HTTP: bound, sent to by a deployment, told, taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.web.test_signal_plans_api import act, drafted, imported

if TYPE_CHECKING:
    from tests.web.small_site import Site


def test_a_deployment_waits_for_the_bound_cabinet_and_says_so(site: Site) -> None:
    network_id = imported(site)
    home = f"/api/v1/signal-networks/{network_id}"
    cabinet = f"{home}/signals/crossroads/cabinet"
    body = {"host": "127.0.0.1", "port": 20_999, "controller": 3, "dialect": {"version": 256}}
    assert site.call("PUT", cabinet, "operator", json=body).status_code == 403
    named = site.call("PUT", cabinet, "engineer", json=body | {"host": "tsc.example"})
    assert (named.status_code, named.get_json()["errors"][0]["field"]) == (422, "host")
    missing = site.call("PUT", f"{home}/signals/nowhere/cabinet", "engineer", json=body)
    assert missing.status_code == 404
    bound = site.call("PUT", cabinet, "engineer", json=body).get_json()
    assert (bound["controller"], bound["last_act"]) == (3, None)
    assert (bound["dialect"]["version"], bound["dialect"]["lenient"]) == (256, None)
    plan = drafted(site, network_id)
    for verb, who in (
        ("check", "engineer"),
        ("approval", "administrator"),
        ("deployment", "engineer"),
    ):
        assert act(site, plan, verb, who, revision=1).status_code == 200
    listed = site.get(f"{home}/cabinets", "operator").get_json()["items"]
    assert [each["last_act"]["status"] for each in listed] == ["waiting"]
    assert site.post(f"{cabinet}/acts", "engineer", json={}).status_code == 409
    assert site.post(f"{cabinet}/removal", "engineer", json={}).status_code == 409
    told = site.get(f"{home}/cabinet-acts?signal=crossroads", "auditor").get_json()
    assert [(each["status"], each["steps"]) for each in told["items"]] == [("waiting", [])]


def test_a_cabinet_of_ntcip_names_its_user_and_never_a_key(site: Site) -> None:
    network_id = imported(site)
    cabinet = f"/api/v1/signal-networks/{network_id}/signals/crossroads/cabinet"
    body = {"protocol": "ntcip", "host": "127.0.0.1", "port": 161}
    nobody = site.call("PUT", cabinet, "engineer", json=body)
    assert (nobody.status_code, nobody.get_json()["errors"][0]["field"]) == (422, "dialect")
    keyed = body | {"dialect": {"user": "centre", "privacy": "private-key"}}
    assert site.call("PUT", cabinet, "engineer", json=keyed).status_code == 422
    named = body | {"dialect": {"user": "centre"}}
    bound = site.call("PUT", cabinet, "engineer", json=named).get_json()
    assert (bound["protocol"], bound["dialect"]["user"]) == ("ntcip", "centre")


def test_junctions_of_a_signal_system_are_told_apart_by_their_numbers(site: Site) -> None:
    network_id = imported(site)
    cabinet = f"/api/v1/signal-networks/{network_id}/signals/crossroads/cabinet"
    body = {"protocol": "gat1049", "transport": "tcp", "host": "127.0.0.1", "port": 9_999}
    nobody = site.call("PUT", cabinet, "engineer", json=body)
    assert (nobody.status_code, nobody.get_json()["errors"][0]["field"]) == (422, "dialect")
    named = body | {"dialect": {"user": "centre", "cross": "11010180001001"}}
    bound = site.call("PUT", cabinet, "engineer", json=named).get_json()
    assert (bound["protocol"], bound["dialect"]["cross"]) == ("gat1049", "11010180001001")
    # At one address there are many junctions, and each stands at one signal alone.
    another = imported(site)
    elsewhere = cabinet.replace(str(network_id), str(another))
    assert site.call("PUT", elsewhere, "engineer", json=named).status_code == 409
    other = body | {"dialect": {"user": "centre", "cross": "11010180001002"}}
    assert site.call("PUT", elsewhere, "engineer", json=other).status_code == 200
