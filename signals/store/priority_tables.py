"""The tables of priority on the street as SQLAlchemy Core sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Boolean, Column, Exists, Integer, Table, Text, Uuid, exists
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REAL

from signals.store.tables import INSTANT, METADATA

if TYPE_CHECKING:
    from datetime import datetime

asker = Table(
    "priority_asker",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("network_id", Uuid, nullable=False),
    Column("subject", Text, nullable=False),
    Column("kinds", ARRAY(Text), nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("added_at", INSTANT, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("removed_at", INSTANT),
    Column("removed_by", Text),
)

turn = Table(
    "priority_turn",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("network_id", Uuid, nullable=False),
    Column("signal", Text, nullable=False),
    Column("claim", Uuid),
    Column("alive_at", INSTANT),
    Column("attempts", Integer, nullable=False, server_default="1"),
    Column("began_at", INSTANT, nullable=False),
    Column("until_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
    Column("status", Text, nullable=False),
    Column("orders", Integer, nullable=False, server_default="0"),
    Column("plan", Integer),
    Column("control", Text),
    Column("steps", JSONB, nullable=False, server_default="[]"),
)

request = Table(
    "priority_request",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("network_id", Uuid, nullable=False),
    Column("signal", Text, nullable=False),
    Column("asker_id", Uuid, nullable=False),
    Column("vehicle", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("group_name", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("told_at", INSTANT, nullable=False),
    Column("checked_in_at", INSTANT, nullable=False),
    Column("first_arrives_at", INSTANT, nullable=False),
    Column("arrives_at", INSTANT, nullable=False),
    Column("spread_s", REAL, nullable=False),
    Column("lateness_s", REAL),
    Column("passengers", Integer),
    Column("ahead", REAL),
    Column("lapses_at", INSTANT, nullable=False),
    Column("checked_out_at", INSTANT),
    Column("ended_at", INSTANT),
    Column("act", Text),
    Column("stage", Integer),
    Column("by_s", REAL),
    Column("sooner_s", REAL),
    Column("others_s", REAL),
    Column("reason", Text),
    Column("decided_at", INSTANT),
    Column("without_at", INSTANT),
    Column("turn_id", Uuid),
)


def being_led(other: Table, lost_before: datetime) -> Exists:
    """Whether the controller of a row's signal is held for somebody with priority meanwhile.

    Who holds it gives it up within seconds, or is dead.
    """
    return exists().where(
        turn.c.network_id == other.c.network_id,
        turn.c.signal == other.c.signal,
        turn.c.status == "holding",
        turn.c.alive_at >= lost_before,
    )
