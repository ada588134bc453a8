"""What waits for a second person: contracts, policies on unpaid bills, rules about exits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.people import Role
from journeys.agree_terms import decide_terms
from payments import terms
from web import access
from web.acts import act
from web.api.names import names_of
from web.api.schemas.terms import TermDecisionIn, TermDraftOut, TermDraftsOut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from uuid import UUID

    from city.works.database import UnitOfWork
    from payments.rules.terms import TermDraft, Version

blueprint = APIBlueprint("term_drafts", __name__, url_prefix="/api/v1", tag="Payments")


@blueprint.get("/term-drafts")
@access.allow(Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)
@blueprint.output(TermDraftsOut)
@blueprint.doc(summary="Contracts, policies and rules about exits that wait for a second person")
def drafts() -> dict[str, Any]:
    """List what waits."""
    with access.wiring().database.read() as connection:
        found = terms.waiting(connection)
        names = names_of(connection, (each.proposed_by for each in found))
    return {"items": [shown_draft(each) for each in found], "names": names}


@blueprint.post("/term-drafts/<uuid:draft_id>/decision")
@access.allow(Role.FINANCE, Role.ADMINISTRATOR)
@act
@blueprint.input(TermDecisionIn)
@blueprint.output(TermDraftOut)
@blueprint.doc(
    summary="Approve what another proposed, which puts it in force, or send it back",
    description="Who proposed it may take it back, and never approves it.",
)
def decide(uow: UnitOfWork, draft_id: UUID, json_data: TermDecisionIn) -> dict[str, Any]:
    """Decide what waits."""
    return shown_draft(decide_terms(uow, access.known_actor(), draft_id, approve=json_data.approve))


def shown_draft(draft: TermDraft) -> dict[str, Any]:
    """Return what was proposed."""
    return {
        "id": draft.id,
        "kind": draft.kind.value,
        "state": draft.state.value,
        "from_at": draft.from_at,
        "proposed_at": draft.proposed_at,
        "proposed_by": draft.proposed_by,
        "decided_at": draft.decided_at,
        "decided_by": draft.decided_by,
        **dict.fromkeys(("contract", "policy", "exit")),
        draft.kind.value: dict(draft.terms),
    }


def people_of(versions: Iterable[Version]) -> Iterator[str]:
    """Give who proposed and who approved some versions."""
    for each in versions:
        yield each.agreed_by
        if each.approved_by is not None:
            yield each.approved_by
