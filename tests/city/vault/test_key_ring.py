"""The key ring: where keys come from, and what never shows them."""

from __future__ import annotations

import json
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from city.errors import Conflict, Unavailable
from city.vault import FileKeys, GivenKeys, KeyRing, key_source
from city.works.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = bytes(range(32))


def test_the_first_start_makes_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    path = tmp_path / "var" / "keys" / "vault.json"
    ring = FileKeys(path).create()
    assert ring.versions == (1,)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["vault.json"]


def test_processes_that_start_together_end_up_with_one_ring(tmp_path: Path) -> None:
    path = tmp_path / "vault.json"
    made: list[KeyRing] = []
    threads = [
        threading.Thread(target=lambda: made.append(FileKeys(path).create())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert {ring.encode() for ring in made} == {path.read_text()}


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vault.json"
    FileKeys(path).create()
    path.chmod(0o640)
    with pytest.raises(Unavailable, match="chmod 600"):
        FileKeys(path).ring()


def test_a_missing_key_file_is_not_made_by_reading(tmp_path: Path) -> None:
    path = tmp_path / "vault.json"
    assert FileKeys(path).ring() is None
    assert not path.exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": 1, "keys": {}}',
        '{"format": 2, "keys": {"1": "AAAA"}}',
        '{"format": 1, "keys": {"1": "AAAA"}}',
        '{"format": 1, "keys": {"1": "?"}}',
        '{"format": 1, "keys": {"0": "' + "A" * 43 + '="}}',
        '{"format": 1, "keys": {"one": "' + "A" * 43 + '="}}',
        '{"format": 1, "keys": ["' + "A" * 43 + '="]}',
    ],
)
def test_what_is_no_key_ring_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(Unavailable) as caught:
        KeyRing.decode(text)
    assert str(caught.value) == "the vault's key ring cannot be read"
    assert caught.value.__context__ is None


def test_a_ring_is_what_was_written() -> None:
    ring = KeyRing({1: KEY}).with_fresh(2)
    assert KeyRing.decode(ring.encode()) == ring
    assert json.loads(ring.encode())["keys"]["1"] == "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def test_every_purpose_and_version_has_a_key_of_its_own() -> None:
    ring = KeyRing({1: KEY, 2: bytes(32)})
    derived = {
        ring.derive(1, "encrypt"),
        ring.derive(1, "lookup"),
        ring.derive(2, "encrypt"),
        ring.derive(2, "lookup"),
        KEY,
    }
    assert len(derived) == 5
    assert {len(key) for key in derived} == {32}


def test_a_ring_never_shows_its_keys() -> None:
    assert repr(KeyRing({1: KEY})) == "KeyRing()"


def test_a_given_ring_is_changed_by_those_who_gave_it() -> None:
    source = GivenKeys(KeyRing({1: KEY}))
    with pytest.raises(Conflict, match="VAULT_KEYS"):
        source.add(2)
    with pytest.raises(Conflict, match="VAULT_KEYS"):
        source.drop(frozenset({1}))
    assert source.add(1).versions == (1,)


@pytest.fixture
def _fresh_settings() -> Iterator[None]:
    settings.cache_clear()
    key_source.cache_clear()
    yield
    settings.cache_clear()
    key_source.cache_clear()


@pytest.mark.usefixtures("_fresh_settings")
def test_servers_take_their_keys_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_KEYS", KeyRing({3: KEY}).encode())
    ring = key_source().ring()
    assert ring is not None
    assert ring.versions == (3,)
    assert KeyRing({3: KEY}).encode() not in repr(settings())


@pytest.mark.usefixtures("_fresh_settings")
def test_an_installation_of_its_own_keeps_them_under_var(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VAULT_KEYS", "")
    monkeypatch.setenv("GREENBAY_VAR", str(tmp_path))
    key_source().create()
    assert (tmp_path / "keys" / "vault.json").exists()
