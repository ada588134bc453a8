"""Who calls, and what is on record."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from city import audit
from city.people import Role
from web import access
from web.api.schemas.devices import AuditOut, AuditQuery, MeOut

blueprint = APIBlueprint("people", __name__, url_prefix="/api/v1", tag="People")


@blueprint.get("/me")
@access.signed_in
@blueprint.output(MeOut)
@blueprint.doc(summary="Who calls, in which roles")
def me() -> dict[str, Any]:
    """Say who calls, and the token that this session's acts carry."""
    caller = access.known_actor()
    return {
        "kind": caller.kind,
        "name": caller.name,
        "roles": sorted(caller.roles),
        "csrf_token": access.session_csrf(),
    }


@blueprint.get("/audit")
@access.allow(Role.AUDITOR, Role.ADMINISTRATOR)
@blueprint.input(AuditQuery, location="query")
@blueprint.output(AuditOut)
@blueprint.doc(summary="What was done, by whom, and how far it is sealed")
def records(query_data: AuditQuery) -> dict[str, Any]:
    """List records, the latest first."""
    wiring = access.wiring()
    wanted = audit.RecordFilter(action=query_data.action, subject_id=query_data.subject_id)
    with wiring.database.read() as connection:
        page = audit.records(connection, query_data.cursor, query_data.limit, wanted)
        unsealed_age_s = audit.unsealed_age_s(connection, wiring.wall.now())
    return {
        "items": [
            {
                "id": each.record_id,
                "at": each.at,
                "actor": each.actor_subject,
                "actor_kind": each.actor_kind,
                "action": each.action,
                "subject_kind": each.subject_kind,
                "subject_id": each.subject_id,
                "detail": each.detail,
            }
            for each in page.items
        ],
        "next": page.next,
        "unsealed_age_s": unsealed_age_s,
    }
