"""What tests of the demo city share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from city.works.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from city.time import FixedClock
    from city.works.database import Database

WALL_AT = datetime(2026, 7, 14, 6, 0, tzinfo=UTC)
"""Tuesday, 14:00 in Shanghai."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A prepared city: where it is, and what the terminal showed."""

    settings: Settings
    database: Database
    wall: FixedClock
    said: str


def demo_settings(database_url: str, var: Path, redis_url: str | None = None) -> Settings:
    """Give settings that allow the demo at a database."""
    return Settings.model_validate(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "GREENBAY_VAR": var,
            "GREENBAY_DEMO": True,
        }
    )


def with_database(url: str, name: str) -> str:
    """Give a server's address with another database's name."""
    address, _, query = url.partition("?")
    return f"{address.rpartition('/')[0]}/{name}?{query}"
