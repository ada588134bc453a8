"""A key ring, a wall clock and a database of the test's own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher

from city.people import passwords
from city.time import FixedClock
from city.vault import KeyRing, key_source
from city.works.database import Database
from city.works.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _own_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("VAULT_KEYS", KeyRing({}).with_fresh(1).encode())
    settings.cache_clear()
    key_source.cache_clear()
    yield
    settings.cache_clear()
    key_source.cache_clear()


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let password hashes cost next to nothing; `test_passwords` tries the real ones."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(1, 8, 1))
    passwords._nobody.cache_clear()
    yield
    passwords._nobody.cache_clear()


@pytest.fixture
def wall() -> FixedClock:
    """Give a wall clock that stands; business time stands elsewhere."""
    return FixedClock(datetime(2026, 11, 2, 9, tzinfo=UTC))


@pytest.fixture
def people(database_url: str, clock: FixedClock, wall: FixedClock) -> Iterator[Database]:
    """Give a database whose wall clock is `wall`."""
    opened = Database(database_url, clock=clock, wall=wall)
    yield opened
    opened.close()
