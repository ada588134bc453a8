"""The live feed: a snapshot, then changes; resumed, boxed, bounded, and ours alone to read."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import orjson
import pytest
import redis
from sqlalchemy import Engine, event

from city.places import BoundingBox
from city.works.live_lines import LiveLines
from tests.waiting import eventually
from tests.web.small_site import EAST, Site
from web.app import create_live_app
from web.live import hub as hub_module
from web.live.feed import Page
from web.live.hub import QUEUE_TICKS, Hub

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flask import Flask
    from werkzeug.test import TestResponse


FEED = "/live/occupancy"
EVERYWHERE = BoundingBox(-180, -90, 180, 90)
PATIENCE_S = 60.0


class Stream:
    """An open feed, read event by event."""

    def __init__(self, answer: TestResponse) -> None:
        self.answer = answer
        self._chunks = iter(cast("Iterable[bytes]", answer.response))
        self._waiting = b""

    def event(self) -> dict[str, Any]:
        """Give the next event; heartbeats and retry hints are passed over."""
        while True:
            while b"\n\n" not in self._waiting:
                self._waiting += next(self._chunks)
            head, _, self._waiting = self._waiting.partition(b"\n\n")
            fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
            if "event" in fields:
                return {**fields, "bays": orjson.loads(fields["data"])["bays"]}


@pytest.fixture
def live(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setattr(hub_module, "BLOCK_MS", 50)  # so long does a stop wait
    app = create_live_app(site.wiring)
    hub: Hub = app.extensions["hub"]
    assert hub.wait_until_following(PATIENCE_S)
    yield app
    hub.stop()


@pytest.fixture(scope="module")
def shared_live(shared_site: Site) -> Iterator[Flask]:
    """Give a feed that tests share which ask how it answers, and not what it tells."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hub_module, "BLOCK_MS", 50)
        app = create_live_app(shared_site.wiring)
        hub: Hub = app.extensions["hub"]
        assert hub.wait_until_following(PATIENCE_S)
        yield app
        hub.stop()


@contextmanager
def opened(live: Flask, query: str = "", **headers: str) -> Iterator[Stream]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = live.test_client().get(f"{FEED}{query}", headers=sent)
    assert answer.status_code == 200
    try:
        yield Stream(answer)
    finally:
        answer.close()


def occupy(site: Site, *, occupied: bool = True) -> None:
    site.hear(site.message(occupied=occupied))
    site.clock.advance(60)
    site.consume()


def states(event: dict[str, Any]) -> dict[str, str]:
    return {row[0]: row[4] for row in event["bays"]}


def test_first_the_whole_box_then_what_changes(site: Site, live: Flask) -> None:
    with opened(live) as feed:
        first = feed.event()
        assert first["event"] == "snapshot"
        assert set(states(first).values()) == {"unknown"}
        assert set(states(first)) == {each.id.hex for each in (*site.bays, site.west_bay)}
        occupy(site)
        change = feed.event()
        assert change["event"] == "changes"
        (row,) = change["bays"]
        bay = site.bays[0]
        assert row[:6] == [
            bay.id.hex,
            site.facility.id.hex,
            bay.position.longitude,
            bay.position.latitude,
            "occupied",
            1_772_413_200_000,
        ]
        assert 0 < row[6] <= 1000


def test_a_snapshot_shows_what_is_taken_now(site: Site, live: Flask) -> None:
    occupy(site)
    with opened(live) as feed:
        assert states(feed.event())[site.bays[0].id.hex] == "occupied"


def test_a_page_that_comes_back_gets_what_it_missed(site: Site, live: Flask) -> None:
    with opened(live) as feed:
        last_id = feed.event()["id"]
    occupy(site)
    hub: Hub = live.extensions["hub"]
    assert eventually(lambda: hub.position() != last_id)
    with opened(live, Last_Event_ID=last_id) as feed:
        missed = feed.event()
        assert (missed["event"], states(missed)) == (
            "changes",
            {site.bays[0].id.hex: "occupied"},
        )
    with opened(live, Last_Event_ID=missed["id"]) as feed:
        assert feed.event()["bays"] == []


@pytest.mark.parametrize("last_id", ["feedface-12", "x", "-", "feedface--1", "\u0661-\u0661"])
def test_a_page_of_another_process_starts_from_the_whole(shared_live: Flask, last_id: str) -> None:
    with opened(shared_live, f"?last_event_id={last_id}") as feed:
        assert feed.event()["event"] == "snapshot"


def test_a_box_holds_its_own_bays_and_changes_alone(site: Site, live: Flask) -> None:
    at = site.west_bay.position
    box = (
        f"{at.longitude - 0.001},{at.latitude - 0.001},{at.longitude + 0.001},{at.latitude + 0.001}"
    )
    with opened(live, f"?bbox={box}") as feed:
        assert set(states(feed.event())) == {site.west_bay.id.hex}
        occupy(site)
        site.post("/api/v1/uplinks/ttn", "integration", json=site.message("24e124fffe0000aa"))
        site.clock.advance(60)
        site.consume()
        assert states(feed.event()) == {site.west_bay.id.hex: "occupied"}


def test_a_snapshot_kept_for_a_moment_misses_no_change(site: Site, live: Flask) -> None:
    with opened(live) as one:
        before = one.event()
        occupy(site)
        one.event()
        with opened(live) as another:
            kept = another.event()
            seen = states(kept)
            if kept["id"] == before["id"]:
                seen.update(states(another.event()))
        assert seen[site.bays[0].id.hex] == "occupied"


def test_many_maps_of_a_neighbourhood_share_what_is_asked_for(site: Site, live: Flask) -> None:
    statements: list[str] = []
    at = site.bays[0].position

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        for number in range(30):
            east, north = at.longitude + number / 1e5, at.latitude + number / 1e5
            box = f"{at.longitude - 0.001},{at.latitude - 0.001},{east},{north}"
            with opened(live, f"?bbox={box}") as feed:
                assert site.bays[0].id.hex in states(feed.event())
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    tiles = 4  # around one corner
    assert sum("from parking.bay" in each.lower() for each in statements) <= tiles


def test_a_box_has_its_own_bays_alone_whatever_tiles_it_touches(site: Site, live: Flask) -> None:
    inside = site.bays[1].position
    box = ",".join(str(each) for each in (*inside.as_json(), *inside.as_json()))
    with opened(live, f"?bbox={box}") as feed:
        shown = states(feed.event())
    assert set(shown) == {each.id.hex for each in site.bays if each.position == inside}


def test_a_slow_page_starts_again_from_the_whole(site: Site, live: Flask) -> None:
    with live.test_request_context(FEED):
        hub: Hub = live.extensions["hub"]
        page = Page(hub, live.extensions["snapshots"], EVERYWHERE)
        assert list(page.begin(None))
        for number in range(QUEUE_TICKS + 2):
            hub._spread([change(site, number)])
        occupy(site)
        assert eventually(lambda: hub.position() != "")
        again = next(page.run())
        assert again.startswith(b"event: snapshot")
        assert site.bays[0].id.hex.encode() in again
        page.close()


def change(site: Site, number: int) -> bytes:
    bay = site.bays[0]
    now = ["free" if number % 2 else "occupied", 1_772_413_200_000 + number, 900, 0, False]
    at = bay.position
    return orjson.dumps(
        [bay.id.hex, site.facility.id.hex, at.longitude, at.latitude, None, [], now]
    )


def test_of_many_changes_of_a_bay_in_a_tick_the_last_is_sent(site: Site, live: Flask) -> None:
    hub: Hub = live.extensions["hub"]
    subscriber = hub.join(EVERYWHERE)
    hub._spread([change(site, 0), change(site, 1), change(site, 2)])
    event = subscriber.take(1)
    assert event is not None
    assert event.data.count(site.bays[0].id.hex.encode()) == 1
    assert b'"occupied",1772413200002' in event.data
    hub.leave(subscriber)
    assert hub.subscribers == 0


def test_changes_beyond_what_is_kept_cannot_be_resumed(site: Site, live: Flask) -> None:
    hub: Hub = live.extensions["hub"]
    before = hub.position()
    hub._spread([change(site, number) for number in range(3)])
    found = hub.since(before, EVERYWHERE)
    assert found is not None
    assert found[1] == 1
    hub._forgotten = hub._number
    assert hub.since(before, EVERYWHERE) is None


def test_a_store_that_goes_away_ends_no_page_and_starts_it_anew(
    site: Site, live: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(live) as feed:
        first = feed.event()
        lost = threading.Event()

        def fail(*_: object, **__: object) -> Any:
            lost.set()
            raise redis.ConnectionError("gone")

        monkeypatch.setattr(site.wiring.live, "xread", fail)
        assert lost.wait(PATIENCE_S)
        monkeypatch.undo()
        again = feed.event()
        assert again["event"] == "snapshot"
        assert again["id"].partition("-")[0] != first["id"].partition("-")[0]


def test_a_page_opened_while_the_store_is_away_is_told_so(
    live: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise redis.ConnectionError("gone")

    monkeypatch.setattr(LiveLines, "ask", fail)
    answer = live.test_client().get(FEED)
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert live.extensions["hub"].subscribers == 0


def test_a_page_that_goes_away_is_forgotten(live: Flask) -> None:
    hub: Hub = live.extensions["hub"]
    with opened(live) as feed:
        feed.event()
        assert hub.subscribers == 1
    assert hub.subscribers == 0


def test_neither_plates_nor_evidence_are_sent(site: Site, live: Flask) -> None:
    with opened(live) as feed:
        feed.event()
        occupy(site)
        (stay,) = site.get("/api/v1/sessions", "attendant").get_json()["items"]
        body = {"plate": "京A12345", "kind": "blue7"}
        site.post(f"/api/v1/sessions/{stay['id']}/vehicle", "attendant", json=body)
        sent = feed.event()["data"]
    device = site.devices["24e124fffe000001"].id
    assert [each for each in ("12345", device.hex, str(device), "24e124") if each in sent] == []
    assert len(orjson.loads(sent)["bays"][0]) == 9


@pytest.mark.parametrize(
    ("origin", "shared"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("http://127.0.0.1:9000", False),
        ("https://localhost:8000", False),
        ("http://localhost", False),
        ("http://localhost:8000.evil.example", False),
        ("http://evil.example", False),
        ("null", False),
    ],
)
def test_only_our_own_pages_may_read_the_feed(
    shared_live: Flask, origin: str, shared: bool
) -> None:
    with opened(shared_live, Origin=origin) as feed:
        headers = feed.answer.headers
        assert headers.get("Access-Control-Allow-Origin") == (origin if shared else None)
        assert headers.get("Access-Control-Allow-Credentials") == ("true" if shared else None)
        assert "Origin" in headers["Vary"]


@pytest.mark.parametrize(
    ("host", "feed"),
    [
        ("127.0.0.1:8000", "http://127.0.0.1:8001"),
        ("localhost:8000", "http://localhost:8001"),
        ("[::1]:8000", "http://[::1]:8001"),
        ("evil.example", "http://127.0.0.1:8001"),
        ("localhost.evil.example:8000", "http://127.0.0.1:8001"),
    ],
)
def test_a_page_is_sent_to_the_feed_under_the_name_it_was_opened_by(
    shared_site: Site, host: str, feed: str
) -> None:
    answer = shared_site.get("/live/occupancy?bbox=120,30,121,31", headers={"Host": host})
    assert answer.status_code == 307
    assert answer.headers["Location"] == f"{feed}/live/occupancy?bbox=120,30,121,31"
    page = shared_site.get("/", headers={"Host": host})
    assert f"connect-src 'self' {feed};" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "query",
    ["?bbox=1,2,3", "?bbox=a,b,c,d", "?bbox=nan,0,1,1", "?bbox=2,0,1,1", "?bbox=" + "1" * 200,
     "?colour=red", "?bbox=0,0,999,1"],
)  # fmt: skip
def test_a_box_that_is_none_is_refused(shared_live: Flask, query: str) -> None:
    answer = shared_live.test_client().get(f"{FEED}{query}")
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")


def test_beyond_its_limit_a_process_turns_pages_away(
    live: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.live.feed.MAX_PAGES", 1)
    with opened(live) as feed:
        feed.event()
        answer = live.test_client().get(FEED)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")


def test_a_district_that_is_new_is_followed(site: Site, live: Flask) -> None:
    hub: Hub = live.extensions["hub"]
    positions: dict[str, str] = {}
    hub._follow(positions)
    assert positions == {f"{{d:{EAST}}}:changes": "0-0", "{d:0154}:changes": "0-0"}
    occupy(site)
    fresh: dict[str, str] = {}
    hub._follow(fresh)
    assert fresh[f"{{d:{EAST}}}:changes"] != "0-0"


def test_without_news_a_page_is_told_that_the_feed_lives(
    live: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.live.feed.HEARTBEAT_S", 0.1)
    monkeypatch.setattr("web.live.feed.LOOK_S", 0.05)
    answer = live.test_client().get(FEED)
    chunks = iter(answer.response)
    seen = [next(chunks) for _ in range(3)]
    assert seen[2] == b": alive\n\n"
    answer.close()
