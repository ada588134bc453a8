"""Tariffs: their versions from draft to street, trials of a document, simulations."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, JsonValue

from city.vehicles import PlateKind
from web.api.schemas.base import Incoming, Instant, InstantIn, MoneyOut, Names, Outgoing
from web.api.schemas.places import QuoteLine

TariffCode = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]{0,63}$")]
Text = Annotated[str, Field(max_length=500, pattern="^[^\\x00]*$")]
Reason = Annotated[str, Field(min_length=1, max_length=500, pattern="^[^\\x00]*$")]
Document = Annotated[
    dict[str, JsonValue],
    Field(description="In the tariff language: GET /api/v1/tariff-language"),
]
Status = Literal["draft", "approved", "published", "withdrawn"]
Revision = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]
LocalTime = Annotated[
    str,
    Field(max_length=40, description="ISO 8601; without an offset on the tariff's wall clock"),
]
Identifier = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]{0,39}$")]


class TariffVersionOut(Outgoing):
    """A version of a tariff and who did what to it."""

    id: UUID
    version: int
    status: Status
    origin: Literal["import", "person", "demand_rule"]
    revision: Annotated[int, Field(description="Counts the edits of a draft")]
    note: str
    drafted_at: Instant | None
    drafted_by: str | None
    edited_at: Instant | None
    edited_by: str | None
    approved_at: Instant | None
    approved_by: str | None
    published_at: Instant | None
    published_by: str | None
    valid_from: Instant | None
    withdrawn_at: Instant | None
    withdrawn_by: str | None
    withdrawn_reason: str | None


class TariffOut(Outgoing):
    """A tariff by its code."""

    id: UUID
    code: str
    name: Names
    notice_s: Annotated[int, Field(description="How long before they begin changes are announced")]


class TariffsOut(Outgoing):
    """A page of tariffs, the latest first."""

    items: list[TariffOut]
    next: str | None


class TariffWithVersionsOut(Outgoing):
    """A tariff and a page of its versions, the latest first."""

    tariff: TariffOut
    items: list[TariffVersionOut]
    next: str | None


class TariffSimulationOut(Outgoing):
    """What a draft would have brought on past stays, or that it is still being worked out."""

    id: UUID
    version_id: UUID
    revision: int
    from_at: Instant
    to_at: Instant
    status: Literal["waiting", "done", "failed"]
    requested_at: Instant
    requested_by: str
    finished_at: Instant | None
    problem: str | None
    result: dict[str, Any] | None


class TariffVersionDetailOut(Outgoing):
    """A version with its document and its last simulation."""

    tariff: TariffOut
    version: TariffVersionOut
    document: dict[str, Any]
    simulation: TariffSimulationOut | None


class TariffDraftIn(Incoming):
    """A new draft."""

    document: Document
    note: Text = ""


class TariffEditIn(Incoming):
    """Another document for a draft, written on the revision that was read."""

    document: Document
    revision: Revision
    note: Text | None = None


class TariffApprovalIn(Incoming):
    """What is approved: the draft as it stands at a revision."""

    revision: Revision


class TariffPublicationIn(Incoming):
    """From when an approved version is in force: an instant, or a day's local midnight."""

    valid_from: InstantIn | None = None
    valid_on: Annotated[
        str | None,
        Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="A date in the tariff's zone"),
    ] = None


class TariffWithdrawalIn(Incoming):
    """Why a version is taken back."""

    reason: Reason


class TariffNoticeIn(Incoming):
    """How long before they take effect changes of a tariff must be announced."""

    notice_s: Annotated[int, Field(ge=0, le=366 * 86_400, strict=True)]


class TariffSimulationIn(Incoming):
    """Stays that began in this time are rated again."""

    from_at: InstantIn
    to_at: InstantIn


class TariffTrialStay(Incoming):
    """A stay to be rated under a document that nobody has published."""

    enter: LocalTime
    leave: LocalTime
    vehicle: Literal["small", "large", "motorcycle"] = "small"
    energy: Literal["new", "conventional"] | None = None
    plate_kind: PlateKind | None = None
    exempt: Identifier | None = None
    coupons: Annotated[tuple[Identifier, ...], Field(max_length=10)] = ()
    cards: Annotated[tuple[Identifier, ...], Field(max_length=10)] = ()


class TariffTrialIn(Incoming):
    """A document, and stays to be rated under it."""

    document: Document
    stays: Annotated[tuple[TariffTrialStay, ...], Field(max_length=50)] = ()


class TariffTrialFault(Outgoing):
    """What is wrong, and where."""

    field: str
    detail: str


class TariffTrialQuote(Outgoing):
    """What one stay would cost; or why it has no price."""

    total: MoneyOut | None
    lines: list[QuoteLine]
    fault: TariffTrialFault | None


class TariffTrialOut(Outgoing):
    """Whether a document can be published, and what the stays would cost under it."""

    fault: TariffTrialFault | None
    quotes: list[TariffTrialQuote]


class DemandOccupancyIn(Incoming):
    """Occupancy of bays while a band was in force: what a demand rule looks at."""

    schedule: Identifier
    band: Identifier
    occupied_s: Annotated[
        int | None,
        Field(ge=0, le=10**15, strict=True, description="With open_s; null: as figures counted it"),
    ] = None
    open_s: Annotated[
        int | None, Field(ge=0, le=10**15, strict=True, description="Unknown time left out")
    ] = None


class DemandProposalIn(Incoming):
    """A demand rule and what it looks at."""

    rule: Annotated[dict[str, JsonValue], Field(description="See docs/tariff.md")]
    occupancies: Annotated[list[DemandOccupancyIn], Field(min_length=1, max_length=200)]


class DemandChangeOut(Outgoing):
    """What the rule did to one band's hourly price."""

    schedule: str
    band: str
    occupancy_per_mille: int
    before: MoneyOut
    after: MoneyOut


class DemandProposalOut(Outgoing):
    """The draft that a demand rule proposes; none where nothing changes."""

    version: TariffVersionOut | None
    changes: list[DemandChangeOut]


class TariffLanguageOut(Outgoing):
    """The JSON schema of the tariff language."""

    json_schema: dict[str, Any]


class TariffVersionsQuery(Incoming):
    """Where a page of versions begins."""

    cursor: Annotated[str | None, Field(max_length=200)] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
