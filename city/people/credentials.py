"""Credentials of devices, integrations and scripts: random tokens, kept as SHA-256."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.sql.functions import now as database_now

from city import audit
from city.errors import Invalid, NotFound
from city.identifiers import AccountId, CredentialId, parse_id, uuid7
from city.people import store
from city.people.accounts import clean_districts, clean_name
from city.people.actors import SYSTEM, Actor
from city.people.roles import Role, parse_roles
from city.people.tokens import digest, new_token
from city.works.database import UnitOfWork

CredentialKind = Literal["integration", "device", "api"]
PREFIXES: Final[dict[str, str]] = {"integration": "gbi", "device": "gbd", "api": "gba"}


def issue_tokens(
    uow: UnitOfWork,
    kind: CredentialKind,
    subjects: Collection[str],
    roles: Iterable[str] = (),
    scope: Collection[str] | None = None,
    *,
    expires_at: datetime | None = None,
    by: Actor = SYSTEM,
) -> dict[str, str]:
    """Issue a token to each of several subjects, in one statement.

    Parameters
    ----------
    uow : UnitOfWork
        Its transaction.
    kind : {"integration", "device", "api"}
        A system that sends to us, a device, or a script that acts for an account.
    subjects : collection of str
        Names: of integrations and devices as the audit record and topics have them; of ``api``
        the account's id.
    roles : iterable of Role or str
        What the token may do besides what every credential of its kind may; for ``api`` at most
        what the account may, at every moment.
    scope : collection of str or None
        Codes of the districts that it holds in; None for all.
    expires_at : datetime or None
        Wall time; None for a token that holds until it is revoked.
    by : Actor
        Who issues it.

    Returns
    -------
    dict of str to str
        Token by subject: 256 random bits, given out here and kept nowhere.

    Raises
    ------
    Invalid
        On an unknown kind or role, an empty name, a bad district, or an account that is not one.
    """
    if kind not in PREFIXES:
        raise Invalid(f"is not among {', '.join(PREFIXES)}", field="kind")
    granted = sorted(parse_roles(roles))
    if kind == "api" and not granted:
        raise Invalid("must name a role: an API token does nothing without", field="roles")
    districts = clean_districts(scope, "scope")
    tokens: dict[str, str] = {}
    rows: list[dict[str, Any]] = []
    for subject in subjects:
        name = clean_name(subject, "subject")
        tokens[subject] = new_token(PREFIXES[kind])
        rows.append(
            {
                "id": uuid7(),
                "kind": kind,
                "subject": name,
                "account_id": _account(uow.connection, name) if kind == "api" else None,
                "roles": granted,
                "districts": districts,
                "token_digest": digest(tokens[subject]),
                "created_at": uow.wall.now(),
                "expires_at": expires_at,
            }
        )
    if rows:
        uow.connection.execute(insert(store.CREDENTIAL), rows)
    audit.record_all(
        uow,
        by,
        "people.token_issued",
        "credential",
        {
            str(row["id"]): {
                "kind": kind,
                "subject": row["subject"],
                "roles": [str(role) for role in granted],
                "districts": list(districts) if districts is not None else None,
            }
            for row in rows
        },
    )
    return tokens


def issue_token(
    uow: UnitOfWork,
    kind: CredentialKind,
    subject: str,
    roles: Iterable[str] = (),
    scope: Collection[str] | None = None,
    *,
    expires_at: datetime | None = None,
    by: Actor = SYSTEM,
) -> str:
    """Issue one token; as `issue_tokens`."""
    return issue_tokens(uow, kind, [subject], roles, scope, expires_at=expires_at, by=by)[subject]


def _account(connection: Connection, subject: str) -> AccountId:
    account_id = AccountId(parse_id(subject, "subject"))
    found = store.account_by_id(connection, account_id)
    if found is None or found[0].disabled_at is not None:
        raise Invalid("is not the id of an account in force", field="subject")
    return account_id


def token_actor(connection: Connection, token: str) -> Actor | None:
    """Give who is behind a token.

    Parameters
    ----------
    connection : Connection
        Any; one index look-up by the token's digest. Expiry goes by the database's wall time.
    token : str
        As it was sent.

    Returns
    -------
    Actor or None
        A device, an integration, or for an API token the person, with the roles and districts
        that token and account both have. None where the token is unknown, revoked or expired, or
        its account disabled.
    """
    issued, account = store.CREDENTIAL.c, store.ACCOUNT.c
    row = connection.execute(
        select(
            issued.kind,
            issued.subject,
            issued.roles,
            issued.districts,
            account.id,
            account.name,
            account.roles.label("account_roles"),
            account.districts.label("account_districts"),
        )
        .select_from(store.CREDENTIAL.outerjoin(store.ACCOUNT, account.id == issued.account_id))
        .where(
            issued.token_digest == digest(token),
            issued.revoked_at.is_(None),
            func.coalesce(issued.expires_at > database_now(), True),
            account.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    roles = frozenset(Role(role) for role in row.roles)
    districts = store.districts_of(row.districts)
    if row.kind != "api":
        return Actor(row.kind, row.subject, None, roles, row.subject, districts)
    theirs = store.districts_of(row.account_districts)
    if districts is None or theirs is None:
        districts = theirs if districts is None else districts
    else:
        districts &= theirs
    return Actor(
        "person",
        str(row.id),
        AccountId(row.id),
        roles & frozenset(Role(role) for role in row.account_roles),
        row.name,
        districts,
    )


def revoke_token(uow: UnitOfWork, credential_id: CredentialId, *, by: Actor = SYSTEM) -> None:
    """Revoke a credential; again is no error.

    Raises
    ------
    NotFound
        Where there is no such credential.
    """
    issued = store.CREDENTIAL.c
    row = uow.connection.execute(
        select(store.CREDENTIAL).where(issued.id == credential_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("there is no such credential", field="credential_id")
    if row.revoked_at is not None:
        return
    uow.connection.execute(
        update(store.CREDENTIAL).where(issued.id == credential_id).values(revoked_at=uow.wall.now())
    )
    audit.record(
        uow,
        by,
        "people.token_revoked",
        "credential",
        str(credential_id),
        {"kind": row.kind, "subject": row.subject},
    )


def revoke_subject(
    uow: UnitOfWork, kind: CredentialKind, subject: str, *, by: Actor = SYSTEM
) -> int:
    """Revoke all that was issued to a subject, as when a device is replaced; give how many."""
    issued = store.CREDENTIAL.c
    revoked = list(
        uow.connection.scalars(
            update(store.CREDENTIAL)
            .where(issued.kind == kind, issued.subject == subject, issued.revoked_at.is_(None))
            .values(revoked_at=uow.wall.now())
            .returning(issued.id)
        )
    )
    audit.record_all(
        uow,
        by,
        "people.token_revoked",
        "credential",
        {str(credential_id): {"kind": kind, "subject": subject} for credential_id in revoked},
    )
    return len(revoked)
