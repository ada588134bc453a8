"""Many plates at once: lists that are kept in a few statements, and walks over kinds."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection, select, text

from city.errors import Invalid
from city.identifiers import VehicleId, uuid7
from city.vault.keys import KeySource
from city.vault.opening import OpenVault, open_for_writing
from city.vault.plates import LOOKUP, MOST_AT_ONCE, USE_NOTED_EVERY, encrypt
from city.vault.store import VEHICLE
from city.vehicles import PlateKind, PlateNumber
from city.works.database import UnitOfWork

# Each in its turn, in the order of the numbers, as `opening.take_turns` does one at a time.
_TURNS = text("select pg_advisory_xact_lock(n) from unnest(cast(:numbers as bigint[])) as n")

# Columns as arrays: a statement of one text, however many plates, is read and planned once.
_FIND = text(
    "select v.id, v.key_version, v.lookup"
    " from unnest(cast(:versions as int[]), cast(:lookups as bytea[])) as said (version, lookup)"
    " join vault.vehicle v on v.key_version = said.version and v.lookup = said.lookup"
)
_MAKE = text(
    "insert into vault.vehicle"
    " (id, kind, masked, key_version, lookup, nonce, ciphertext, created_at, used_at)"
    " select id, kind, masked, :version, lookup, nonce, ciphertext, :at, :at"
    " from unnest(cast(:ids as uuid[]), cast(:kinds as text[]), cast(:masked as text[]),"
    "  cast(:lookups as bytea[]), cast(:nonces as bytea[]), cast(:ciphertexts as bytea[]))"
    " as said (id, kind, masked, lookup, nonce, ciphertext)"
)
_NOTE_USE = text(
    "update vault.vehicle set used_at = :now"
    " where id = any(cast(:ids as uuid[])) and used_at <= :before"
)


def keep_plates(
    uow: UnitOfWork, plates: Sequence[PlateNumber], *, keys: KeySource | None = None
) -> dict[PlateNumber, VehicleId]:
    """Find the vehicles of plates, or keep them as new ones: at most six statements.

    Parameters
    ----------
    uow : UnitOfWork
        Its transaction.
    plates : Sequence[PlateNumber]
        At most 500; the same one twice is one vehicle.
    keys : KeySource or None
        Another key source than the process's own.

    Raises
    ------
    Invalid
        On more than 500.
    Unavailable
        Where the key ring is missing or not this database's.
    """
    if len(plates) > MOST_AT_ONCE:
        raise Invalid(f"must be at most {MOST_AT_ONCE}", field="plates")
    if not plates:
        return {}
    by_identity = {plate.identity: plate for plate in plates}
    opened = open_for_writing(uow, keys)
    hashes = {identity: opened.lookups(LOOKUP, identity) for identity in by_identity}
    found = _find(uow, hashes)
    missing = {identity: hashes[identity] for identity in hashes if identity not in found}
    if missing:
        numbers = sorted(
            int.from_bytes(lookup[:8], "big", signed=True)
            for lookups in missing.values()
            for lookup in lookups.values()
        )
        uow.connection.execute(_TURNS, {"numbers": numbers})
        found |= _find(uow, missing)
        found |= _make(
            uow,
            opened,
            {
                identity: (by_identity[identity], lookups[opened.current])
                for identity, lookups in missing.items()
                if identity not in found
            },
        )
    _note_use(uow, found.values())
    return {plate: found[plate.identity] for plate in plates}


def vehicles_of_kinds(
    connection: Connection,
    kinds: Collection[PlateKind],
    *,
    after: VehicleId | None = None,
    limit: int = MOST_AT_ONCE,
) -> list[VehicleId]:
    """Give vehicles with plates of some kinds in the order of their ids, forgotten ones too."""
    query = (
        select(VEHICLE.c.id)
        .where(VEHICLE.c.kind.in_([kind.value for kind in kinds]))
        .order_by(VEHICLE.c.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(VEHICLE.c.id > after)
    return [VehicleId(each) for each in connection.scalars(query)]


def _find(uow: UnitOfWork, hashes: dict[str, dict[int, bytes]]) -> dict[str, VehicleId]:
    identities = {
        (version, lookup): identity
        for identity, lookups in hashes.items()
        for version, lookup in lookups.items()
    }
    values = {
        "versions": [version for version, _ in identities],
        "lookups": [lookup for _, lookup in identities],
    }
    rows = uow.connection.execute(_FIND, values)
    return {identities[row.key_version, bytes(row.lookup)]: VehicleId(row.id) for row in rows}


def _make(
    uow: UnitOfWork, opened: OpenVault, new: dict[str, tuple[PlateNumber, bytes]]
) -> dict[str, VehicleId]:
    made: dict[str, VehicleId] = {}
    columns: dict[str, list[object]] = {
        name: [] for name in ("ids", "kinds", "masked", "lookups", "nonces", "ciphertexts")
    }
    for identity, (plate, lookup) in new.items():
        vehicle_id = made[identity] = VehicleId(uuid7())
        nonce, ciphertext = encrypt(opened.ring, opened.current, vehicle_id, plate.kind, plate.text)
        row = (vehicle_id, plate.kind.value, plate.masked(), lookup, nonce, ciphertext)
        for column, value in zip(columns.values(), row, strict=True):
            column.append(value)
    if made:
        values = {**columns, "version": opened.current, "at": uow.wall.now()}
        uow.connection.execute(_MAKE, values)
    return made


def _note_use(uow: UnitOfWork, vehicle_ids: Iterable[VehicleId]) -> None:
    now = uow.wall.now()
    values = {"ids": list(vehicle_ids), "now": now, "before": now - USE_NOTED_EVERY}
    uow.connection.execute(_NOTE_USE, values)
