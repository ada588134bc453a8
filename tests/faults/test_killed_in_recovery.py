"""A PostgreSQL whose parent is killed ends and lets the next one in, whatever it was doing."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

from city.works.embedded.children import (
    Hold,
    own_folder,
    remove_socket_folder,
    server_account,
    socket_folder,
)
from city.works.embedded.postgres import start_postgres
from tests.faults.installation import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.faults

PARENT = """
import os, signal, sys, time
from pathlib import Path
import psycopg
from city.works.embedded.children import server_account
from city.works.embedded.postgres import start_postgres

var, sockets, wait_s = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
server = start_postgres(var, sockets, account=server_account(), log=var / "postgres.log")
with psycopg.connect(server.url, autocommit=True) as connection:
    connection.execute("create table if not exists kept (number int, filling text)")
    connection.execute(
        "insert into kept select n, repeat('x', 200) from generate_series(1, 10000) n"
    )
    (victim,) = connection.execute("select pg_backend_pid()").fetchone()
    os.kill(victim, signal.SIGKILL)
    time.sleep(wait_s)
    os.kill(os.getpid(), signal.SIGKILL)
"""
WAITS_S = (0.02, 0.1, 0.3)


@pytest.fixture
def folder() -> Iterator[Path]:
    made = socket_folder(server_account())
    yield made
    remove_socket_folder(made)


def test_a_server_that_loses_its_parent_while_it_recovers_ends(folder: Path) -> None:
    account = server_account()
    var = own_folder(folder / "var", account)
    for wait_s in WAITS_S:
        parent = subprocess.run(
            [sys.executable, "-c", PARENT, str(var), str(folder), str(wait_s)],
            cwd=ROOT,
            check=False,
            timeout=60,
        )
        assert parent.returncode == -9
        hold = Hold(var / "postgres.lock")
        assert hold.take(wait_s=20)
        hold.release()
    server = start_postgres(var, folder, account=account)
    try:
        with psycopg.connect(server.url) as connection:
            row = connection.execute("select count(*) from kept").fetchone()
        assert row == (10_000 * len(WAITS_S),)
    finally:
        server.stop()
