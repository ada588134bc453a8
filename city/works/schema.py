"""Bring a database to the present schema; say which revision it has.

`python -m city.works.schema` upgrades the database of this installation.
"""

import json
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection

from city.errors import CityError
from city.works.settings import settings

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def alembic_config(url: str) -> Config:
    """Return Alembic's configuration for the database at `url`, without reading a file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["url"] = url
    return config


def upgrade(url: str, *, target: str = "head") -> None:
    """Apply every migration up to `target`, each in its own transaction.

    Safe to run from several processes at once: an advisory lock lets one go first.
    """
    command.upgrade(alembic_config(url), target)


def latest_revisions() -> frozenset[str]:
    """Return the revisions that this code's migrations end in (one, in a linear history)."""
    return frozenset(ScriptDirectory.from_config(alembic_config("")).get_heads())


def all_revisions() -> list[Script]:
    """Return every migration that this code has."""
    return list(ScriptDirectory.from_config(alembic_config("")).walk_revisions())


def database_revisions(connection: Connection) -> frozenset[str]:
    """Return the revisions that the database has reached; empty for a new one."""
    return frozenset(MigrationContext.configure(connection).get_current_heads())


def main() -> int:
    """Upgrade the database that the environment or the running system names."""
    try:
        upgrade(settings().database_address())
    except CityError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps({"revisions": sorted(latest_revisions())}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
