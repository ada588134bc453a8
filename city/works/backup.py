"""`python -m city.works.backup create|restore FILE`: the record of the city in one file.

The file is a tar of a manifest (with SHA-256 of each part) and PostgreSQL's own dump in its custom
format. It holds what lives in PostgreSQL, which is every stay, bill, posting and audit record; the
live store is rebuilt from it. It does *not* hold the keys of the vault: plates in a stolen backup
stay sealed. Keep `var/keys` elsewhere; without them plates cannot be read again.
"""

import argparse
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from city.errors import CityError, Conflict, Invalid, Unavailable
from city.time import WallClock, rfc3339
from city.works import schema
from city.works.embedded.children import (
    Hold,
    remove_socket_folder,
    server_account,
    socket_folder,
)
from city.works.embedded.postgres import packaged_installation, start_postgres
from city.works.run_record import read_run_record
from city.works.settings import Settings, settings

FORMAT = 1
MANIFEST = "manifest.json"
DUMP = "database.dump"
CHUNK_BYTES = 1 << 20
EXAMPLE = """example:
  python -m city.works.backup create greenbay-2026-03-02.backup
  python -m city.works.backup restore greenbay-2026-03-02.backup
"""
_LIBPQ_NAMES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "connect_timeout": "PGCONNECT_TIMEOUT",
}


def create(url: str, target: Path, *, at: datetime) -> dict[str, Any]:
    """Write a backup of the database at `url` to `target`, whole or not at all.

    The dump is one snapshot; the system may run meanwhile.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    Conflict
        Where `target` exists.
    Unavailable
        Where the database cannot be dumped.
    """
    if target.exists():
        raise Conflict(f"{target} exists already")
    with psycopg.connect(url) as connection:
        revisions = _revisions(connection)
    with tempfile.TemporaryDirectory(dir=target.absolute().parent) as folder:
        dump = Path(folder) / DUMP
        _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={dump}")
        manifest = {
            "format": FORMAT,
            "created_at": rfc3339(at),
            "revisions": revisions,
            "parts": {DUMP: {"bytes": dump.stat().st_size, "sha256": _digest(dump)}},
        }
        text = json.dumps(manifest, indent=1).encode()
        draft = Path(folder) / "backup"
        with tarfile.open(draft, "w") as archive:
            head = tarfile.TarInfo(MANIFEST)
            head.size = len(text)
            head.mode = 0o600
            archive.addfile(head, io.BytesIO(text))
            archive.add(dump, DUMP, recursive=False)
        draft.chmod(0o600)
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.replace(target)
    return manifest


def restore(url: str, source: Path) -> dict[str, Any]:
    """Fill the empty database at `url` from `source`, then bring it to the present schema.

    One transaction: after a failure the database is as empty as before.

    Returns
    -------
    dict
        The backup's manifest.

    Raises
    ------
    Conflict
        Where the database is not empty.
    Invalid
        Where `source` is no backup, damaged, or newer than this release.
    Unavailable
        Where the database refuses it.
    """
    with tempfile.TemporaryDirectory() as folder:
        dump = Path(folder) / DUMP
        manifest = _unpack(source, dump)
        known = {script.revision for script in schema.all_revisions()}
        unknown = sorted(set(manifest["revisions"]) - known)
        if unknown:
            raise Invalid(f"{source} is from a later release (schema {', '.join(unknown)})")
        with psycopg.connect(url) as connection:
            tables = _tables(connection)
        if tables:
            raise Conflict(f"the database is not empty: it has {tables} tables")
        _run(
            "pg_restore",
            url,
            "--exit-on-error",
            "--single-transaction",
            "--no-owner",
            "--no-privileges",
            f"--dbname={conninfo_to_dict(url).get('dbname', '')}",
            str(dump),
        )
    schema.upgrade(url)
    return manifest


def _revisions(connection: psycopg.Connection[Any]) -> list[str]:
    try:
        rows = connection.execute("select version_num from alembic_version order by 1").fetchall()
    except psycopg.errors.UndefinedTable as error:
        raise Invalid("the database holds no Greenbay schema") from error
    return [str(row[0]) for row in rows]


def _tables(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute(
        "select count(*) from pg_class join pg_namespace on pg_namespace.oid = relnamespace"
        " where relkind in ('r', 'p', 'v', 'm', 'f') and nspname not like 'pg\\_%'"
        " and nspname <> 'information_schema'"
    ).fetchone()
    return 0 if row is None else int(row[0])


def _unpack(source: Path, dump: Path) -> dict[str, Any]:
    """Write the dump inside `source` to `dump` when it is what the manifest says."""
    try:
        with tarfile.open(source, "r:") as archive:
            manifest: dict[str, Any] = json.loads(_member(archive, MANIFEST).read(CHUNK_BYTES))
            if manifest["format"] != FORMAT:
                raise Invalid(f"{source} is of another format: {manifest['format']}")
            part = manifest["parts"][DUMP]
            digest = hashlib.sha256()
            with _member(archive, DUMP) as packed, dump.open("wb") as out:
                while chunk := packed.read(CHUNK_BYTES):
                    digest.update(chunk)
                    out.write(chunk)
    except FileNotFoundError as error:
        raise Invalid(f"there is no file {source}") from error
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
        raise Invalid(f"{source} is not a Greenbay backup") from error
    if digest.hexdigest() != part["sha256"]:
        raise Invalid(f"{source} is damaged: {DUMP} does not match its SHA-256")
    return manifest


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    found = archive.extractfile(name)
    if found is None:
        raise KeyError(name)
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _run(tool: str, url: str, *arguments: str) -> None:
    """Run one of PostgreSQL's tools; the address goes by environment, out of others' sight."""
    result = subprocess.run(
        [str(packaged_installation() / "bin" / tool), *arguments],
        env={"PATH": os.defpath, "LC_ALL": "C", **_libpq_environment(url)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if result.returncode != 0:
        raise Unavailable(f"{tool} failed: {result.stderr.decode(errors='replace').strip()}")


def _libpq_environment(url: str) -> Mapping[str, str]:
    return {
        _LIBPQ_NAMES[name]: str(value)
        for name, value in conninfo_to_dict(url).items()
        if name in _LIBPQ_NAMES and value is not None
    }


@contextmanager
def database_address(chosen: Settings, given: str | None) -> Iterator[str]:
    """Give the address of this installation's database, started for the purpose if need be."""
    if given or chosen.database_url:
        yield str(given or chosen.database_url)
        return
    hold = Hold(chosen.var / "supervisor.lock")
    if not hold.take():
        record = read_run_record(chosen.var)
        if record is None:
            raise Unavailable("Greenbay is just starting or stopping: try again")
        yield record.addresses.database
        return
    account = server_account()
    sockets = socket_folder(account)
    try:
        server = start_postgres(chosen.var, sockets, account=account)
        try:
            yield server.url
        finally:
            server.stop()
    finally:
        remove_socket_folder(sockets)
        hold.release()


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; print one JSON object."""
    parser = argparse.ArgumentParser(
        prog="python -m city.works.backup",
        description="Back up the record of the city, or restore it into an empty database.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=("create", "restore"))
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--database", metavar="URL", help="instead of this installation's")
    parser.add_argument("--json", action="store_true", help="always the case")
    options = parser.parse_args(arguments)
    try:
        with database_address(settings(), options.database) as url:
            if options.action == "create":
                manifest = create(url, options.file, at=WallClock().now())
            else:
                manifest = restore(url, options.file)
    except (Invalid, Conflict) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (CityError, psycopg.Error, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps({"action": options.action, "file": str(options.file), **manifest}))
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
