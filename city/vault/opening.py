"""Opening the vault: which keys are in force, and the turns that writers take.

The database says which versions exist and which one new rows use (``vault.key``); the key ring
holds the keys. A process whose ring is older than the database reads its ring anew, and one whose
ring is another database's is refused: it would make every vehicle a second time.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, insert, select, text

from city.errors import Unavailable
from city.vault.keys import KeyRing, KeySource, key_source
from city.vault.store import KEY
from city.works.database import UnitOfWork

# Writers of new rows hold it shared, whoever adds or retires a key alone: so no row is ever
# written under a key that has just been retired.
KEYS_LOCK: Final = 0x6772_6E62_7661_756C
_SHARED = text("select pg_advisory_xact_lock_shared(:lock)")
_ALONE = text("select pg_advisory_xact_lock(:lock)")
_PATIENCE = text("set local lock_timeout = '5s'")
_NO_PATIENCE = text("set local lock_timeout = default")


@dataclass(frozen=True, slots=True)
class OpenVault:
    """The vault as one transaction sees it.

    Parameters
    ----------
    ring : KeyRing
        The keys; every live version is in it.
    current : int
        Version that new rows use.
    live : tuple of int
        Versions that rows may have, ascending.
    """

    ring: KeyRing
    current: int
    live: tuple[int, ...]

    def lookups(self, purpose: str, subject: str) -> dict[int, bytes]:
        """Give the keyed hash (HMAC-SHA256) of a text under every live version."""
        return {
            version: hmac.digest(self.ring.derive(version, purpose), subject.encode(), "sha256")
            for version in self.live
        }

    def hash_current(self, purpose: str, subject: str) -> bytes:
        """Give the keyed hash of a text under the version that new rows use."""
        return hmac.digest(self.ring.derive(self.current, purpose), subject.encode(), "sha256")


def take_shared(connection: Connection) -> None:
    """Keep the keys as they are until this transaction ends."""
    connection.execute(_SHARED, {"lock": KEYS_LOCK})


def take_alone(connection: Connection) -> None:
    """Wait until no transaction writes new rows, 5 s at most, and keep others from it."""
    connection.execute(_PATIENCE)
    connection.execute(_ALONE, {"lock": KEYS_LOCK})
    connection.execute(_NO_PATIENCE)


def take_turns(connection: Connection, lookups: Iterable[bytes]) -> None:
    """Let one transaction at a time make the row of one identity.

    The turn's number is taken from the keyed hash under every live version: two processes that
    disagree about which version is current still meet at those that both know, and the numbers,
    which administrators see in ``pg_locks``, tell nothing about the plate.
    """
    numbers = sorted(int.from_bytes(lookup[:8], "big", signed=True) for lookup in lookups)
    for number in numbers:
        connection.execute(_ALONE, {"lock": number})


def open_vault(connection: Connection, keys: KeySource | None = None) -> OpenVault | None:
    """Open the vault for reading.

    Returns
    -------
    OpenVault or None
        None for a vault that nothing was ever put into.

    Raises
    ------
    Unavailable
        Where the key ring is missing, older than the database, or another one's.
    """
    source = keys or key_source()
    rows = connection.execute(
        select(KEY).where(KEY.c.retired_at.is_(None)).order_by(KEY.c.version)
    ).all()
    if not rows:
        return None
    ring = source.ring()
    if ring is None or any(row.version not in ring.keys for row in rows):
        ring = source.reload()
    if ring is None:
        raise Unavailable("the vault's key ring is missing", retry_after_s=60)
    for row in rows:
        if row.version not in ring.keys:
            raise Unavailable(f"the vault's key ring lacks version {row.version}", retry_after_s=60)
        if not hmac.compare_digest(ring.check_value(row.version), bytes(row.check_value)):
            raise Unavailable(
                f"the vault's key of version {row.version} is not this database's",
                retry_after_s=60,
            )
    (current,) = (row.version for row in rows if row.current)
    return OpenVault(ring, current, tuple(row.version for row in rows))


def open_for_writing(uow: UnitOfWork, keys: KeySource | None = None) -> OpenVault:
    """Open the vault for making rows; makes the first key where there is none.

    The keys stay as they are until the transaction ends.

    Raises
    ------
    Unavailable
        As `open_vault`.
    """
    connection = uow.connection
    take_shared(connection)
    opened = open_vault(connection, keys)
    if opened is not None:
        return opened
    return _first(uow, keys or key_source())


def _first(uow: UnitOfWork, source: KeySource) -> OpenVault:
    """Enter the first key; where two transactions do, the second finds the first one's."""
    ring = source.reload() or source.create()
    version = max(ring.versions)
    take_turns(uow.connection, [b"first key"])
    opened = open_vault(uow.connection, source)
    if opened is not None:
        return opened
    uow.connection.execute(
        insert(KEY).values(
            version=version,
            check_value=ring.check_value(version),
            current=True,
            created_at=uow.wall.now(),
        )
    )
    return OpenVault(ring, version, (version,))
