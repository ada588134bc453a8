"""The key ring: 256-bit keys by version, and where they come from.

A key is never used itself: every purpose has a key of its own, derived with HKDF-SHA256, so that
what leaks of one tells nothing of another. The ring stands in a file that only its owner can read,
made at the first start, or in ``VAULT_KEYS``; never in the database, a log or a message.
"""

import base64
import binascii
import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, Protocol

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from city.errors import Conflict, Unavailable
from city.works.settings import settings

KEY_BYTES: Final = 32
CHECK_BYTES: Final = 16
FILE_NAME: Final = "vault.json"
_FORMAT: Final = 1
_SALT: Final = b"greenbay/vault/v1"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@lru_cache(maxsize=256)
def _derived(key: bytes, purpose: str, length: int) -> bytes:
    return HKDF(SHA256(), length=length, salt=_SALT, info=purpose.encode()).derive(key)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by version.

    Parameters
    ----------
    keys : Mapping of int to bytes
        32 bytes each; version 1 upwards.
    """

    keys: Mapping[int, bytes] = field(repr=False)

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions in the ring, ascending."""
        return tuple(sorted(self.keys))

    def derive(self, version: int, purpose: str) -> bytes:
        """Give the key of one purpose; 32 bytes. KeyError where the version is not in the ring."""
        return _derived(self.keys[version], purpose, KEY_BYTES)

    def check_value(self, version: int) -> bytes:
        """Give what tells a key from another one without telling the key; 16 bytes."""
        return _derived(self.keys[version], "check", CHECK_BYTES)

    def with_fresh(self, version: int) -> "KeyRing":
        """Give the ring with a random key under one more version."""
        return KeyRing({**self.keys, version: secrets.token_bytes(KEY_BYTES)})

    def without(self, versions: frozenset[int]) -> "KeyRing":
        """Give the ring without some versions."""
        return KeyRing({v: key for v, key in self.keys.items() if v not in versions})

    def encode(self) -> str:
        """Write the ring as JSON, for the file or the environment."""
        written = {str(v): base64.b64encode(self.keys[v]).decode() for v in self.versions}
        return json.dumps({"format": _FORMAT, "keys": written})

    @classmethod
    def decode(cls, text: str) -> "KeyRing":
        """Read what `encode` wrote; Unavailable otherwise, without a word of the content."""
        try:
            found = json.loads(text)
            keys = {
                int(version): base64.b64decode(key, validate=True)
                for version, key in found["keys"].items()
            }
            sound = found["format"] == _FORMAT
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            sound, keys = False, {}
        if not sound or not keys or min(keys) < 1 or {len(k) for k in keys.values()} != {KEY_BYTES}:
            # Out here, not in the handler: a decoding error quotes what it could not decode.
            raise Unavailable("the vault's key ring cannot be read", retry_after_s=60)
        return cls(keys)


class KeySource(Protocol):
    """Where a process gets the key ring from."""

    def ring(self) -> KeyRing | None:
        """Give the ring as last read; None where there is none yet."""
        ...

    def reload(self) -> KeyRing | None:
        """Read the ring anew."""
        ...

    def create(self) -> KeyRing:
        """Make the first ring, or give the one that another process has just made."""
        ...

    def add(self, version: int) -> KeyRing:
        """Put a fresh key into the ring; Conflict where the ring is not ours to change."""
        ...

    def drop(self, versions: frozenset[int]) -> KeyRing:
        """Take keys out of the ring; Conflict where the ring is not ours to change."""
        ...


class FileKeys:
    """A key ring in a file of its own, readable by its owner alone.

    Parameters
    ----------
    path : Path
        The file; its folder is made with mode 0700 where it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: KeyRing | None = None

    def ring(self) -> KeyRing | None:
        """Give the ring as last read; None where there is no file."""
        return self._known or self.reload()

    def reload(self) -> KeyRing | None:
        """Read the file anew.

        Raises
        ------
        Unavailable
            Where others than the owner could read it, or it is not a key ring.
        """
        try:
            with self._path.open(encoding="utf-8") as file:
                if os.fstat(file.fileno()).st_mode & _OTHERS:
                    raise Unavailable(
                        f"others can read the vault's key ring: chmod 600 {self._path.name}",
                        retry_after_s=60,
                    )
                self._known = KeyRing.decode(file.read())
        except FileNotFoundError:
            self._known = None
        return self._known

    def create(self) -> KeyRing:
        """Make the file with one key; where another process was first, its ring is the ring."""
        fresh = self._written(KeyRing({}).with_fresh(1))
        try:
            os.link(fresh, self._path)  # unlike a rename, it never replaces
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
        self._sync_folder()
        made = self.reload()
        if made is None:
            raise Unavailable("the vault's key ring was removed", retry_after_s=60)
        return made

    def add(self, version: int) -> KeyRing:
        """Put a fresh key into the file, at once or not at all; kept where it is there already."""
        known = self.reload() or KeyRing({})
        if version in known.keys:
            return known
        return self._replace(known.with_fresh(version))

    def drop(self, versions: frozenset[int]) -> KeyRing:
        """Take keys out of the file, at once or not at all."""
        return self._replace((self.reload() or KeyRing({})).without(versions))

    def _replace(self, ring: KeyRing) -> KeyRing:
        self._written(ring).replace(self._path)
        self._sync_folder()
        self._known = ring
        return ring

    def _written(self, ring: KeyRing) -> Path:
        folder = self._path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = folder / f".{self._path.name}.{secrets.token_hex(8)}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(ring.encode())
            file.flush()
            os.fsync(file.fileno())
        return fresh

    def _sync_folder(self) -> None:
        descriptor = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class GivenKeys:
    """A key ring that somebody else keeps, such as the environment of a server.

    Parameters
    ----------
    ring : KeyRing
        All that there is; to change it, start the processes with another one.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def ring(self) -> KeyRing:
        """Give the ring."""
        return self._ring

    def reload(self) -> KeyRing:
        """Give the ring: it does not change."""
        return self._ring

    def create(self) -> KeyRing:
        """Give the ring: it is there."""
        return self._ring

    def add(self, version: int) -> KeyRing:
        """Give the ring where it holds the version; Conflict otherwise."""
        if version not in self._ring.keys:
            raise Conflict(f"put a key of version {version} into VAULT_KEYS of every process first")
        return self._ring

    def drop(self, versions: frozenset[int]) -> KeyRing:
        """Give the ring where it no longer holds the versions; Conflict otherwise."""
        left = sorted(versions & set(self._ring.keys))
        if left:
            raise Conflict(f"take the versions {left} out of VAULT_KEYS of every process")
        return self._ring


@cache
def key_source() -> KeySource:
    """Give this process's key source: ``VAULT_KEYS`` where set, else the file under ``var``."""
    given = settings().vault_keys
    if given is not None:
        return GivenKeys(KeyRing.decode(given.get_secret_value()))
    return FileKeys(settings().var / "keys" / FILE_NAME)
