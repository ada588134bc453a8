"""Many plates at once: lists that are kept in a few statements, and walks over kinds."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection, insert, select, text, tuple_, update

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
    rows = uow.connection.execute(
        select(VEHICLE.c.id, VEHICLE.c.key_version, VEHICLE.c.lookup).where(
            tuple_(VEHICLE.c.key_version, VEHICLE.c.lookup).in_(list(identities))
        )
    )
    return {identities[row.key_version, bytes(row.lookup)]: VehicleId(row.id) for row in rows}


def _make(
    uow: UnitOfWork, opened: OpenVault, new: dict[str, tuple[PlateNumber, bytes]]
) -> dict[str, VehicleId]:
    at = uow.wall.now()
    made: dict[str, VehicleId] = {}
    rows = []
    for identity, (plate, lookup) in new.items():
        vehicle_id = made[identity] = VehicleId(uuid7())
        nonce, ciphertext = encrypt(opened.ring, opened.current, vehicle_id, plate.kind, plate.text)
        rows.append(
            {
                "id": vehicle_id,
                "kind": plate.kind.value,
                "masked": plate.masked(),
                "key_version": opened.current,
                "lookup": lookup,
                "nonce": nonce,
                "ciphertext": ciphertext,
                "created_at": at,
                "used_at": at,
            }
        )
    if rows:
        uow.connection.execute(insert(VEHICLE), rows)
    return made


def _note_use(uow: UnitOfWork, vehicle_ids: Iterable[VehicleId]) -> None:
    now = uow.wall.now()
    uow.connection.execute(
        update(VEHICLE)
        .where(VEHICLE.c.id.in_(list(vehicle_ids)), VEHICLE.c.used_at <= now - USE_NOTED_EVERY)
        .values(used_at=now)
    )
