"""What the system depends on, asked one by one: the pieces of `/readyz`."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import redis
from sqlalchemy.exc import SQLAlchemyError

from city.errors import CityError
from city.works import schema
from city.works.back_pressure import free_bytes
from city.works.database import Database
from city.works.settings import Settings

MQTT_TIMEOUT_S = 2.0
CONNACK = 0x20
# MQTT 3.1.1 CONNECT without credentials: clean session, keep-alive 5 s, empty client identifier.
_CONNECT = bytes.fromhex("100c00044d515454040200050000")


@dataclass(frozen=True, slots=True)
class Check:
    """Whether one thing can be used, and why not; `detail` is fit for the public."""

    name: str
    ok: bool
    detail: str


def postgres_check(database: Database) -> Check:
    """Ask the database for its schema's revision, and compare it with this code's."""
    try:
        with database.read() as connection:
            found = schema.database_revisions(connection)
    except (CityError, SQLAlchemyError):
        return Check("postgres", ok=False, detail="cannot be reached")
    wanted = schema.latest_revisions()
    if found != wanted:
        return Check(
            "postgres",
            ok=False,
            detail=f"schema is at {_names(found)}, this release needs {_names(wanted)}",
        )
    return Check("postgres", ok=True, detail=f"schema {_names(found)}")


def _names(revisions: frozenset[str]) -> str:
    return ", ".join(sorted(revisions)) or "nothing"


def live_store_check(store: redis.Redis) -> Check:
    """Ask the live store whether it takes writes and keeps them through a crash.

    Without its append-only file a killed server loses uplinks that were answered 202, so a store
    without one is not ready, whoever runs it.
    """
    try:
        persistence = store.info("persistence")
    except redis.RedisError:
        return Check("live_store", ok=False, detail="cannot be reached")
    if persistence.get("loading"):
        return Check("live_store", ok=False, detail="is still loading")
    if not persistence.get("aof_enabled"):
        return Check("live_store", ok=False, detail="has no append-only file: set appendonly yes")
    if persistence.get("aof_last_write_status") != "ok":
        return Check("live_store", ok=False, detail="cannot write its append-only file")
    return Check("live_store", ok=True, detail="append-only file on")


def mqtt_check(url: str) -> Check:
    """Knock at the broker: any answer to a CONNECT, a refusal too, shows that it lives."""
    address = urlsplit(url)
    if address.scheme not in {"mqtt", "tcp"}:
        return _reachable(address.hostname, address.port or 8883)
    try:
        with socket.create_connection(
            (address.hostname or "127.0.0.1", address.port or 1883), MQTT_TIMEOUT_S
        ) as connection:
            connection.sendall(_CONNECT)
            answer = connection.recv(4)
    except OSError:
        return Check("mqtt", ok=False, detail="cannot be reached")
    if answer[:1] != bytes([CONNACK]):
        return Check("mqtt", ok=False, detail="does not answer as a broker")
    return Check("mqtt", ok=True, detail="answers")


def _reachable(host: str | None, port: int) -> Check:
    try:
        socket.create_connection((host or "127.0.0.1", port), MQTT_TIMEOUT_S).close()
    except OSError:
        return Check("mqtt", ok=False, detail="cannot be reached")
    return Check("mqtt", ok=True, detail="takes connections")


def disk_check(settings: Settings) -> Check:
    """Compare the free space where the data lies with the stated limit."""
    free_mb = free_bytes(settings.var) // 1_000_000
    if free_mb < settings.disk_free_limit_mb:
        return Check("disk", ok=False, detail="too little free space")
    return Check("disk", ok=True, detail="enough free space")


def readiness(settings: Settings, database: Database, store: redis.Redis) -> Sequence[Check]:
    """Ask everything that answering requests depends on; takes a few milliseconds when well."""
    try:
        mqtt = mqtt_check(settings.addresses().mqtt)
    except CityError:
        mqtt = Check("mqtt", ok=False, detail="has no address")
    return (postgres_check(database), live_store_check(store), mqtt, disk_check(settings))
