"""Alarms over HTTP: raised by the watcher from what is kept, acknowledged, cleared; pictures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from signals.services import alarms
from tests.web.small_site import UNKNOWN_ID
from tests.web.test_signal_detections_api import keep, reporting, send

if TYPE_CHECKING:
    from tests.web.small_site import Site


def back_then(site: Site, minutes: float) -> None:
    """Let the reporter have been registered some minutes ago."""
    with site.wiring.database.unit_of_work() as uow:
        uow.connection.execute(
            text("update signals.reporter set added_at = added_at - make_interval(mins => :m)"),
            {"m": minutes},
        )


def listed(site: Site, network: str, **query: str) -> list[Any]:
    answer = site.get(f"{network}/alarms", "operator", query_string=query)
    assert answer.status_code == 200, answer.get_json()
    items: list[Any] = answer.get_json()["items"]
    return items


def test_a_silent_controller_is_told_acknowledged_and_over_when_it_speaks(site: Site) -> None:
    home = reporting(site)
    network = home.rpartition("/signals/")[0]
    database = site.wiring.database
    assert alarms.watch_all(database) == (0, 0)
    back_then(site, 20)
    assert alarms.watch_all(database) == (1, 0)
    assert alarms.watch_all(database) == (0, 0)
    (found,) = listed(site, network)
    assert (found["code"], found["severity"], found["signal"]) == (
        "controller_silent",
        "high",
        "crossroads",
    )
    assert "20" in found["why"]["zh"]
    assert "20 min" in found["why"]["en"]
    seen = f"{network}/alarms/{found['id']}/acknowledgement"
    assert site.post(seen, "operator", json={}).status_code == 403
    done = site.post(seen, "engineer", json={"note": "派人查看 on my way"}).get_json()
    assert (done["note"], done["acknowledged_by"] is None) == ("派人查看 on my way", False)
    assert site.post(seen, "administrator", json={}).status_code == 409
    other = f"{network}/alarms/{UNKNOWN_ID}/acknowledgement"
    assert site.post(other, "engineer", json={}).status_code == 404
    send(site, [[datetime.now(UTC).isoformat(), 1, 1]])
    keep(site)
    assert alarms.watch_all(database) == (0, 1)
    assert listed(site, network) == []
    (over,) = listed(site, network, state="cleared", signal="crossroads")
    assert (over["id"], over["cleared_at"] is None) == (found["id"], False)
    assert listed(site, network, state="all", signal="elsewhere") == []


def test_flashing_is_told_until_the_controller_says_that_it_is_over(site: Site) -> None:
    network = reporting(site).rpartition("/signals/")[0]
    now = datetime.now(UTC)
    send(site, [[(now - timedelta(minutes=5)).isoformat(), 173, 6]])
    keep(site)
    alarms.watch_all(site.wiring.database)
    (found,) = listed(site, network)
    assert found["code"] == "flashing"
    assert datetime.fromisoformat(found["since_at"]) == now - timedelta(minutes=5)
    send(site, [[now.isoformat(), 173, 2]])
    keep(site)
    alarms.watch_all(site.wiring.database)
    assert listed(site, network) == []


def test_a_signal_at_a_glance_says_unknown_where_nothing_is_known(site: Site) -> None:
    network = reporting(site).rpartition("/signals/")[0]
    (signal,) = site.get(f"{network}/overview", "auditor").get_json()["signals"]
    assert (signal["signal"], signal["reporters"], signal["heard_at"]) == ("crossroads", 1, None)
    assert (signal["on_green"], signal["detectors"], signal["cycles"]) == (None, 0, 0)
    assert signal["plan"] is not None
    assert site.get(f"{network}/findings", "engineer").get_json() == {"items": []}


def test_pictures_are_drawn_of_the_kept_events(site: Site) -> None:
    home = reporting(site)
    uses = {"detectors": [{"channel": 5, "phase": 1, "function": "advance"}]}
    assert site.call("PUT", f"{home}/detectors", "engineer", json=uses).status_code == 200
    start = datetime.now(UTC) - timedelta(minutes=40)
    rows: list[list[Any]] = []
    for cycle in range(30):
        for second, code, channel in (
            *((0, 1, 1), (30, 8, 1), (33, 10, 1), (5, 82, 5)),
            *((0, 21, 2), (10, 22, 2), (20, 23, 2)),
        ):
            at = start + timedelta(seconds=60 * cycle + second)
            rows.append([at.isoformat(), code, channel])
    send(site, rows)
    keep(site)
    query = {"from_at": start.isoformat(), "until_at": (start + timedelta(hours=1)).isoformat()}
    names = site.get(f"{home}/pictures", "operator", query_string=query).get_json()["items"]
    assert "coordination-crossroads-1.svg" in names
    one = site.get(f"{home}/pictures/{names[0]}", "operator", query_string=query)
    assert one.content_type.startswith("image/svg+xml")
    assert one.data.startswith(b"<svg")
    assert b"<script" not in one.data
    none = site.get(f"{home}/pictures/other.svg", "operator", query_string=query)
    assert none.status_code == 404
