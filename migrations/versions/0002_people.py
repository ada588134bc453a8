"""People: accounts, page sessions, credentials, log-in attempts, driver identities and codes.

Revision ID: 0002_people
Revises: 0001_works

No secret stands here in the clear: passwords as argon2id, tokens and page sessions as SHA-256,
one-time codes and phone numbers as keyed hashes. Logins that were tried are kept as a digest too,
for people type their password into the wrong field.
"""

from alembic import op

revision = "0002_people"
down_revision = "0001_works"
branch_labels = None
depends_on = None

ACCOUNTS = """
create table people.account (
    id uuid primary key,
    kind text not null check (kind in ('staff', 'driver')),
    login text,
    login_key text unique,
    name text not null check (length(name) between 1 and 120),
    roles text[] not null check (
        roles <@ array['driver', 'attendant', 'inspector', 'operator', 'finance', 'engineer',
                       'auditor', 'administrator']
        and cardinality(roles) > 0
    ),
    districts text[],
    password_hash text,
    created_at timestamptz not null,
    password_changed_at timestamptz,
    disabled_at timestamptz,
    check ((kind = 'staff') = (login is not null)),
    check ((login is null) = (login_key is null)),
    check ((kind = 'staff') = (password_hash is not null)),
    check (kind <> 'driver' or roles = array['driver'])
);

create table people.session (
    id uuid primary key,
    token_digest bytea not null unique check (length(token_digest) = 32),
    account_id uuid not null references people.account (id),
    remote text not null,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    idle_s integer not null check (idle_s > 0),
    expires_at timestamptz not null,
    ended_at timestamptz
);
create index session_of_account on people.session (account_id) where ended_at is null;
create index session_expiry on people.session (expires_at);
"""

CREDENTIALS = """
create table people.credential (
    id uuid primary key,
    kind text not null check (kind in ('device', 'integration', 'api')),
    subject text not null check (length(subject) between 1 and 120),
    account_id uuid references people.account (id),
    roles text[] not null,
    districts text[],
    token_digest bytea not null unique check (length(token_digest) = 32),
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    check ((kind = 'api') = (account_id is not null))
);
create index credential_of_subject on people.credential (kind, subject) where revoked_at is null;
create index credential_of_account on people.credential (account_id) where revoked_at is null;
"""

ATTEMPTS = """
create table people.attempt (
    id bigint generated always as identity primary key,
    login_digest bytea not null check (length(login_digest) = 32),
    remote text not null,
    at timestamptz not null
);
create index attempt_of_login on people.attempt (login_digest, at);
create index attempt_of_remote on people.attempt (remote, at);

create table people.familiar_remote (
    login_digest bytea not null check (length(login_digest) = 32),
    remote text not null,
    at timestamptz not null,
    primary key (login_digest, remote)
);
create index familiar_remote_age on people.familiar_remote (at);
"""

DRIVERS = """
create table people.driver_identity (
    provider text not null,
    pseudonym_id uuid not null,
    account_id uuid not null references people.account (id),
    primary key (provider, pseudonym_id)
);
create index driver_identity_of_account on people.driver_identity (account_id);

create table people.driver_code (
    id uuid primary key,
    phone_digest bytea not null check (length(phone_digest) = 32),
    remote text,
    code_digest bytea not null check (length(code_digest) = 32),
    sent_at timestamptz not null,
    expires_at timestamptz not null,
    tries integer not null default 0,
    used_at timestamptz
);
create index driver_code_of_phone on people.driver_code (phone_digest, sent_at);
create index driver_code_of_remote on people.driver_code (remote, sent_at);
"""


def upgrade() -> None:
    """Create the schema and its tables."""
    op.execute("create schema people")
    for part in (ACCOUNTS, CREDENTIALS, ATTEMPTS, DRIVERS):
        op.execute(part)


def downgrade() -> None:
    """Drop the schema with all it holds."""
    op.execute("drop schema people cascade")
