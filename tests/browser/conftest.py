"""Pages in Debian's Chromium, on the real system; what a page logs as an error fails its test."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.garages import open_garages
from tests.browser.system import System

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

CHROMIUM: Final = "/usr/bin/chromium"
FLAGS: Final = (
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS: Final = 60_000
TAKEN_AT_LEAST: Final = 250
LIVELY_PATIENCE_S: Final = 480.0
STILL_LOOKS: Final = 3
STILL_EVERY_S: Final = 1.0


expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here that opens a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.path.name != "test_texts.py":
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(1_200))
            # A whole city shares two cores with its browser: what fails is looked at once more,
            # and said in the summary. What is wrong fails twice.
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="package")
def system() -> Iterator[System]:
    """Run the system with its demo city for all tests here."""
    running = System()
    yield running
    running.stop()


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Drive Chromium; its event loop ends with the tests here."""
    with sync_playwright() as driver:
        yield driver


def launch(playwright: Playwright, *more: str) -> Browser:
    """Start Chromium with flags of its own."""
    if not Path(CHROMIUM).exists():
        pytest.fail("browser tests need Debian's Chromium: apt-get install chromium fonts-noto-cjk")
    as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *as_root, *more])


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Keep one Chromium for all tests here."""
    running = launch(playwright)
    yield running
    running.close()


@dataclass
class Faults:
    """What pages did that they must not do."""

    expected: list[str] = field(default_factory=list)
    """Parts of console errors that a test brings about on purpose."""
    seen: list[str] = field(default_factory=list)

    def watch(self, page: Page, origins: tuple[str, ...]) -> None:
        """Note errors on the console, uncaught ones, and requests to anywhere but our origins."""
        page.on("console", lambda entry: self._note(entry.text) if entry.type == "error" else None)
        page.on("pageerror", lambda error: self._note(f"uncaught: {error}"))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((*origins, "data:", "blob:"))
                else self._note(f"foreign request: {request.url}")
            ),
        )

    def _note(self, words: str) -> None:
        if not any(part in words for part in self.expected):
            self.seen.append(words)


class Visitor:
    """Opens pages as somebody, in a language, at a width."""

    def __init__(self, browser: Browser, system: System, states: dict[str, Any]) -> None:
        self.browser = browser
        self.system = system
        self.faults = Faults()
        self._states = states
        self._contexts: list[BrowserContext] = []
        self._asking: dict[str, BrowserContext] = {}

    def context(
        self,
        role: str | None = None,
        *,
        language: str = "en",
        width: int = 1440,
        height: int = 900,
        theme: str = "light",
        scale: float = 1,
        agent: str | None = None,
        browser: Browser | None = None,
        service_workers: Literal["allow", "block"] = "block",
        bypass_csp: bool = False,
    ) -> BrowserContext:
        """Open a browser window of somebody's own."""
        context = (browser or self.browser).new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=scale,
            user_agent=agent,
            color_scheme="dark" if theme == "dark" else "light",
            locale="en-GB" if language == "en" else "zh-CN",
            storage_state=self.logged_in(role) if role else None,
            reduced_motion="reduce",
            # What a worker fetches no test could intercept: only its own test has one.
            service_workers=service_workers,
            # What a browser adds to a page by itself, a bridge to its app, heeds no page's policy.
            bypass_csp=bypass_csp,
        )
        context.set_default_timeout(PATIENCE_MS)
        context.add_cookies(
            [{"name": "greenbay_language", "value": language, "url": self.system.origin}]
        )
        self._contexts.append(context)
        return context

    def open(self, path: str, role: str | None = None, **how: Any) -> Page:
        """Open a page and wait until its script runs."""
        page = self.watched(self.context(role, **how))
        page.goto(self.system.origin + path)
        page.wait_for_selector("html[data-ready]")
        return page

    def watched(self, context: BrowserContext) -> Page:
        """Open an empty page whose faults are noted."""
        page = context.new_page()
        self.faults.watch(page, (self.system.origin, self.system.live_origin))
        return page

    def logged_in(self, role: str) -> Any:
        """Give the cookies of a role, logging in through the page the first time."""
        if role not in self._states:
            login, password = self.system.log_ins[role]
            context = self.browser.new_context()
            page = context.new_page()
            page.goto(f"{self.system.origin}/log-in")
            page.fill("#login", login)
            page.fill("#password", password)
            page.click("main button[type=submit]")
            page.wait_for_url(f"{self.system.origin}/")
            self._states[role] = context.storage_state()
            context.close()
        return self._states[role]

    def ask(self, role: str, path: str) -> Any:
        """Read from the API as a role, in one window for all that is asked."""
        if role not in self._asking:
            self._asking[role] = self.context(role)
        response = self._asking[role].request.get(self.system.origin + path)
        assert response.ok, f"{path}: {response.status} {response.text()}"
        return response.json()

    def stand_still(self) -> None:
        """Stop the demo's clock, and wait until its attendants have done what was due."""
        self.set_speed(0)
        looks: list[set[tuple[str, bool]]] = []
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while len(looks) < STILL_LOOKS or any(each != looks[-1] for each in looks[-STILL_LOOKS:]):
            assert time.monotonic() < deadline, "the city does not stand still"
            time.sleep(STILL_EVERY_S)
            stays = self.ask("attendant", "/api/v1/sessions?limit=500")["items"]
            looks.append({(each["id"], each["plate"] is None) for each in stays})

    def set_speed(self, speed: float) -> None:
        """Set the speed of the demo's clock, and wait until it runs so."""
        context = self.context("administrator")
        me = context.request.get(f"{self.system.origin}/api/v1/me").json()
        response = context.request.put(
            f"{self.system.origin}/api/v1/demo/clock",
            data={"speed": speed},
            headers={"X-CSRF-Token": me["csrf_token"]},
        )
        assert response.ok, response.text()
        since_at = datetime.fromisoformat(response.json()["since_at"])
        while self.city_time() < since_at:
            time.sleep(0.1)

    def city_time(self) -> datetime:
        """Give the time in the demo city."""
        return datetime.fromisoformat(self.ask("operator", "/api/v1/demo/clock")["now"])

    def close(self) -> None:
        """Close every window."""
        for context in self._contexts:
            context.close()


@pytest.fixture(scope="package")
def states() -> dict[str, Any]:
    """Keep each role's log-in for all tests here."""
    return {}


@pytest.fixture
def visitor(browser: Browser, system: System, states: dict[str, Any]) -> Iterator[Visitor]:
    """Open pages; no page may log an error or ask anybody but us."""
    someone = Visitor(browser, system, states)
    yield someone
    someone.close()
    assert someone.faults.seen == [], system.errors()


@pytest.fixture(scope="package")
def lively(browser: Browser, system: System, states: dict[str, Any]) -> System:
    """Open garages for tests, let the demo run fast until it lives, then at a walking pace."""
    someone = Visitor(browser, system, states)
    open_garages(someone, system)
    someone.set_speed(60)
    deadline = time.monotonic() + LIVELY_PATIENCE_S
    while True:
        facilities = someone.ask("attendant", "/api/v1/facilities?limit=500")["items"]
        taken = sum(each["counts"]["occupied"] for each in facilities)
        bills = someone.ask("attendant", "/api/v1/bills?limit=1")["items"]
        if taken >= TAKEN_AT_LEAST and bills:
            break
        assert time.monotonic() < deadline, (
            f"the city stays empty: {taken} taken, {len(bills)} bills"
        )
        time.sleep(1)
    someone.set_speed(1)
    someone.close()
    return system
