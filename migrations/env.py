"""Runs migrations: one linear history, a transaction each, one process at a time."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from city.works.database import psycopg_url

MIGRATION_LOCK = 0x67726565  # any constant of ours: "gree"


def database_url() -> str:
    given = context.config.attributes.get("url")
    if isinstance(given, str):
        return given
    from city.works.settings import settings  # noqa: PLC0415 - only the command line needs it

    return settings().database_address()


def run() -> None:
    engine = create_engine(
        psycopg_url(database_url()),
        poolclass=pool.NullPool,
        connect_args={"application_name": "greenbay-migrations"},
    )
    with engine.connect() as connection:
        # Held by the session, so that it spans the transactions of the single migrations.
        connection.execute(text("select pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


if context.is_offline_mode():
    raise SystemExit("migrations run against a database: --sql is not supported")
run()
