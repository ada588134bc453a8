"""One linear history of migrations, on an empty and on a populated database."""

import os
import subprocess
import sys
from importlib import metadata, resources

import psycopg
from alembic import command

from city.works import schema


def revision(url: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("select version_num from alembic_version").fetchone()
    assert row is not None
    return str(row[0])


def test_the_history_is_one_line_and_each_revision_is_its_files_name() -> None:
    revisions = schema.all_revisions()
    assert len(schema.latest_revisions()) == 1
    assert sum(script.is_merge_point or script.is_branch_point for script in revisions) == 0
    assert [
        script.revision
        for script in revisions
        if script.path.split("/")[-1] != f"{script.revision}.py"
    ] == []


def test_a_populated_database_keeps_its_rows_through_every_later_migration(
    empty_database_url: str,
) -> None:
    schema.upgrade(empty_database_url, target="0001_works")
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(
            "insert into works.setting values ('demo-clock', '{\"speed\": 60}', now())"
        )
        connection.execute(
            "select procrastinate_defer_jobs_v1(array[row('default', 'note', 0, null, null,"
            " '{\"n\": 1}'::jsonb, null)::procrastinate_job_to_defer_v1])"
        )
    for script in reversed(schema.all_revisions()):
        schema.upgrade(empty_database_url, target=script.revision)
    assert frozenset([revision(empty_database_url)]) == schema.latest_revisions()
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("select value from works.setting").fetchone() == ({"speed": 60},)
        assert connection.execute("select task_name, args from procrastinate_jobs").fetchone() == (
            "note",
            {"n": 1},
        )


def test_two_processes_that_migrate_at_once_do_not_collide(empty_database_url: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "city.works.schema"],
            env={**os.environ, "DATABASE_URL": empty_database_url},
            cwd=schema.MIGRATIONS.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    assert [process.communicate()[1] for process in processes] == [b"", b""]
    assert [process.returncode for process in processes] == [0, 0]
    assert frozenset([revision(empty_database_url)]) == schema.latest_revisions()


def test_the_first_migration_goes_back_to_nothing(empty_database_url: str) -> None:
    schema.upgrade(empty_database_url, target="0001_works")
    command.downgrade(schema.alembic_config(empty_database_url), "base")
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute(
            "select count(*) from pg_class where relname like 'procrastinate%'"
        ).fetchone() == (0,)
    schema.upgrade(empty_database_url, target="0001_works")
    assert revision(empty_database_url) == "0001_works"


def test_the_kept_sql_of_the_job_queue_is_that_of_the_release_it_names() -> None:
    kept = schema.MIGRATIONS / "sql" / "procrastinate_3_10_0.sql"
    installed = resources.files("procrastinate").joinpath("sql", "schema.sql").read_text()
    assert metadata.version("procrastinate") == "3.10.0", "add a migration with its new SQL"
    assert kept.read_text() == installed
