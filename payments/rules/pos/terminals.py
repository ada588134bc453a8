"""A POS terminal as we know it, its batches, and each act of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from city.identifiers import DistrictCode
from payments.rules.pos.mac import Mac
from payments.rules.pos.requests import Kind, Totals
from payments.rules.refund_limits import RefundLimit

KEY_STANDS_FOR: Final = timedelta(minutes=1)
"""Signed in again within so long, a terminal gets the same working key: its answer was lost."""
REFUND_LIMIT: Final = RefundLimit(20_000, 200_000)
"""Of one terminal: at once, and in one of China's days; what finance's people have online."""
SILENT_AFTER: Final = timedelta(hours=26)
"""A terminal settles once a day at least: one that was not heard of for longer needs an eye."""


class TerminalState(StrEnum):
    """Whether a terminal is heard."""

    ACTIVE = "active"
    LOCKED = "locked"
    RETIRED = "retired"


class BatchState(StrEnum):
    """Where a batch stands."""

    OPEN = "open"
    UPLOADING = "uploading"
    """Its totals differ: the terminal sends all that it holds."""
    BALANCED = "balanced"
    DIFFERS = "differs"


class ActState(StrEnum):
    """What became of an act."""

    DONE = "done"
    REFUSED = "refused"
    REVERSED = "reversed"
    BLOCKED = "blocked"
    """Its reversal came first: should it still come, nothing is done."""


class Concern(StrEnum):
    """What of a terminal needs an eye."""

    SILENT = "silent"
    DIFFERS = "differs"
    """Its last batch differs from ours."""
    UPLOADING = "uploading"
    """It settled, the totals differed, and it has not sent its batch."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """One terminal.

    Parameters
    ----------
    id : UUID
    terminal_no, merchant_no : str
        Fields 41 and 42.
    name : str
        As on its label.
    district : DistrictCode
    state, state_reason
        Whether it is heard, and why not.
    mac : Mac
        How it proves what it says.
    registered_at, registered_by
    key_version, key_generation, session : int
        What its keys are derived from: the vault's key, how often its master key was given anew,
        how often it signed in. No key is kept.
    signed_in_at : datetime or None
    batch_no : int
        The last one opened; 0: none yet.
    last_trace : int
        Of the last act that moves money; 0: none yet.
    heard_at : datetime or None
    """

    id: UUID
    terminal_no: str
    merchant_no: str
    name: str
    district: DistrictCode
    state: TerminalState
    state_reason: str
    mac: Mac
    registered_at: datetime
    registered_by: str
    key_version: int
    key_generation: int = 1
    session: int = 0
    signed_in_at: datetime | None = None
    batch_no: int = 0
    last_trace: int = 0
    heard_at: datetime | None = None

    @property
    def subject(self) -> str:
        """Name it as who acts."""
        return f"pos:{self.terminal_no}"


@dataclass(frozen=True, slots=True)
class Batch:
    """What a terminal does between two settlements.

    Parameters
    ----------
    told, ours : Totals or None
        What the terminal said when it settled, and what we held then.
    ledger_net_minor : int or None
        What the ledger's postings of it came to then.
    day : date or None
        China's day on which it was settled.
    """

    terminal_id: UUID
    batch_no: int
    state: BatchState
    opened_at: datetime
    settled_at: datetime | None = None
    day: date | None = None
    told: Totals | None = None
    ours: Totals | None = None
    ledger_net_minor: int | None = None
    differences: int = 0


@dataclass(frozen=True, slots=True)
class Act:
    """A sale, void or refund that a terminal told, once, with the answer that it had.

    Parameters
    ----------
    code : str
        Field 39 of the answer.
    digest : bytes or None
        Keyed hash of what was told: told again it has to be the same. None of one that was blocked.
    answer : mapping or None
        Fields added to what is echoed, by number as text.
    reference : str
        The acquirer's, or of a parking card's payment ours.
    order_no, refund_no : str or None
        What it made, or what its reversal made beside.
    original_id : UUID or None
        The sale that a void or refund is of.
    """

    id: UUID
    terminal_id: UUID
    batch_no: int
    trace: int
    kind: Kind
    amount_minor: int
    state: ActState
    code: str
    at: datetime
    digest: bytes | None = field(default=None, repr=False)
    answer: Mapping[str, str] | None = None
    operator: str = ""
    reference: str = ""
    masked_card: str = ""
    bill_id: UUID | None = None
    order_no: str | None = None
    refund_no: str | None = None
    original_id: UUID | None = None


def concerns(
    terminal: Terminal, batch: Batch | None, open_batch: Batch | None, now: datetime
) -> tuple[Concern, ...]:
    """Name what of a terminal needs an eye.

    Parameters
    ----------
    terminal : Terminal
    batch : Batch or None
        The one that it settled last.
    open_batch : Batch or None
        The one that it is in.
    now : datetime
        Wall time.
    """
    found = []
    if terminal.state is TerminalState.ACTIVE and (
        (terminal.heard_at or terminal.registered_at) < now - SILENT_AFTER
    ):
        found.append(Concern.SILENT)
    if open_batch is not None and open_batch.state is BatchState.UPLOADING:
        found.append(Concern.UPLOADING)
    if batch is not None and batch.state is BatchState.DIFFERS:
        found.append(Concern.DIFFERS)
    return tuple(found)
