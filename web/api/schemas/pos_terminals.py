"""POS terminals over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Incoming, Instant, MoneyOut, Outgoing, PageQuery

PosState = Literal["active", "locked", "retired"]
PosMac = Literal["unionpay", "x9.19"]
BatchState = Literal["open", "uploading", "balanced", "differs"]
PosConcern = Literal["silent", "differs", "uploading"]


class PosTerminalIn(Incoming):
    """A POS terminal to register, as the acquirer numbers it."""

    terminal_no: Annotated[str, Field(pattern="^[0-9A-Z]{8}$", description="field 41")]
    merchant_no: Annotated[str, Field(pattern="^[0-9A-Z]{15}$", description="field 42")]
    name: Annotated[str, Field(min_length=1, max_length=120)]
    district: Annotated[str, Field(pattern=r"^[0-9a-z]{2,12}$")]
    mac: PosMac = "unionpay"


class PosReasonIn(Incoming):
    """Why."""

    reason: Annotated[str, Field(min_length=3, max_length=200)]


class PosTotalsOut(Outgoing):
    """What a batch holds."""

    sales: int
    sold: MoneyOut
    back: Annotated[int, Field(description="Voids and refunds")]
    went_back: MoneyOut


class PosBatchOut(Outgoing):
    """What a terminal does between two settlements."""

    batch_no: int
    state: BatchState
    opened_at: Instant
    settled_at: Instant | None
    ours: Annotated[PosTotalsOut | None, Field(description="By our acts")]
    told: Annotated[PosTotalsOut | None, Field(description="By the terminal, when it settled")]
    ledger_net: Annotated[MoneyOut | None, Field(description="What was posted of it by then")]
    differences: int


class PosDifferenceOut(Outgoing):
    """One act in which a batch and our record do not agree."""

    batch_no: int
    trace: int
    act: Literal["sale", "void", "refund"]
    kind: str
    terminal: MoneyOut | None
    ours: MoneyOut | None


class PosTerminalOut(Outgoing):
    """A POS terminal; its keys are told once, when they are given."""

    id: UUID
    terminal_no: str
    merchant_no: str
    name: str
    district: str
    state: PosState
    state_reason: str
    mac: PosMac
    registered_at: Instant
    key_generation: Annotated[int, Field(description="How many master keys it was given")]
    signed_in_at: Instant | None
    heard_at: Annotated[Instant | None, Field(description="Of its last message that was proved")]
    batch: Annotated[PosBatchOut | None, Field(description="The one that it is in")]
    settled: Annotated[PosBatchOut | None, Field(description="The one that it settled last")]
    differing: Annotated[list[PosDifferenceOut], Field(description="The latest of its batches")]
    concerns: list[PosConcern]


class PosTerminalsQuery(PageQuery):
    """Which POS terminals."""


class PosTerminalsOut(Outgoing):
    """POS terminals, the newest first."""

    items: list[PosTerminalOut]
    next: str | None
    at: Instant


class PosKeyOut(Outgoing):
    """A terminal and its master key, which is shown here and never again."""

    terminal: PosTerminalOut
    master_key: Annotated[str, Field(description="32 hexadecimal digits, for its key pad")]
    check_value: Annotated[str, Field(description="What the terminal shows when it is right")]
