"""Alarms of signals, signals at a glance, findings, and a signal's pictures."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Incoming, Instant, InstantIn, Names, Outgoing, PageQuery
from web.api.schemas.signal_cabinets import SignalCabinetActOut
from web.api.schemas.signals import SignalName


class SignalAlarmsQuery(PageQuery):
    """Which alarms: those that are open, those that are over, or all."""

    state: Literal["open", "cleared", "all"] = "open"
    signal: SignalName | None = None


class SignalAlarmOut(Outgoing):
    """Something wrong at a signal: what, since when, why in plain words, what was done."""

    id: UUID
    signal: str
    code: str
    subject: Annotated[str, Field(description="Phase, channel or device; empty for the junction")]
    severity: Literal["high", "medium"]
    what: Names
    why: Names
    advice: Names
    done: Names
    since_at: Annotated[Instant, Field(description="Wall time, as all instants of alarms")]
    raised_at: Instant
    seen_at: Instant
    cleared_at: Instant | None
    acknowledged_at: Instant | None
    acknowledged_by: str | None
    note: str | None


class SignalAlarmsOut(Outgoing):
    """Alarms, the latest first."""

    items: list[SignalAlarmOut]
    next: str | None


class AlarmNoteIn(Incoming):
    """What whoever has seen an alarm says to it."""

    note: Annotated[str | None, Field(max_length=400)] = None


class SignalNowOut(Outgoing):
    """A signal at a glance; what nobody tells is null."""

    signal: str
    title: Names
    plan: str | None
    plan_since: Instant | None
    last_act: SignalCabinetActOut | None
    heard_at: Instant | None
    reporters: int
    detectors: int
    believed: int
    cycles: Annotated[int, Field(description="Whole cycles of all phases in the last 15 min")]
    split_failures: int
    arrivals: int
    on_green: float | None
    alarms: int
    severe: int


class SignalOverviewOut(Outgoing):
    """A network's signals now."""

    at: Instant
    signals: list[SignalNowOut]


class SignalFindingsQuery(Incoming):
    """Of how many days back."""

    days: Annotated[int, Field(ge=1, le=35)] = 2
    signal: SignalName | None = None


class SignalDayFindingOut(Outgoing):
    """What the daily watchdog said."""

    signal: str
    day: str
    code: str
    subject: str
    severity: Literal["high", "medium"]
    words: Names


class SignalFindingsOut(Outgoing):
    """What was found, the latest day first."""

    items: list[SignalDayFindingOut]


class SignalPicturesQuery(Incoming):
    """A span of at most two days."""

    from_at: InstantIn
    until_at: InstantIn


class SignalPicturesOut(Outgoing):
    """The pictures that there are of a span: their names, to be asked for one by one."""

    items: list[str]
