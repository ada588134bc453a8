"""Vault: encrypted plates, keyed pseudonyms and the versions of the keys that made them.

Revision ID: 0004_vault
Revises: 0003_audit

The keys themselves are never in the database: ``vault.key`` holds each version's number, a check
value by which a process knows that its key ring is the right one, and which version new rows use.
"""

from alembic import op

revision = "0004_vault"
down_revision = "0003_audit"
branch_labels = None
depends_on = None

TABLES = """
create table vault.key (
    version integer primary key check (version > 0),
    check_value bytea not null check (length(check_value) = 16),
    current boolean not null,
    created_at timestamptz not null,
    retired_at timestamptz,
    check (not (current and retired_at is not null))
);
create unique index one_current_key on vault.key (current) where current;

create table vault.vehicle (
    id uuid primary key,
    kind text not null,
    masked text,
    key_version integer references vault.key (version),
    lookup bytea check (length(lookup) = 32),
    nonce bytea check (length(nonce) = 12),
    ciphertext bytea,
    created_at timestamptz not null,
    used_at timestamptz not null,
    forgotten_at timestamptz,
    unique (key_version, lookup),
    check (
        case when forgotten_at is null
        then num_nulls(masked, key_version, lookup, nonce, ciphertext) = 0
        else num_nonnulls(masked, key_version, lookup, nonce, ciphertext) = 0 end
    )
);
create index vehicle_use on vault.vehicle (used_at) where forgotten_at is null;

create table vault.pseudonym (
    id uuid primary key,
    purpose text not null,
    key_version integer references vault.key (version),
    lookup bytea check (length(lookup) = 32),
    created_at timestamptz not null,
    used_at timestamptz not null,
    forgotten_at timestamptz,
    unique (purpose, key_version, lookup),
    check (num_nonnulls(key_version, lookup) = case when forgotten_at is null then 2 else 0 end)
);
create index pseudonym_use on vault.pseudonym (used_at) where forgotten_at is null;
create index pseudonym_key on vault.pseudonym (key_version);
"""


def upgrade() -> None:
    """Create the schema and its tables."""
    op.execute("create schema vault")
    op.execute(TABLES)


def downgrade() -> None:
    """Drop the schema with all it holds."""
    op.execute("drop schema vault cascade")
