"""Children, the account they run as, and the locks that say whether they live."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from city.errors import Unavailable
from city.works.embedded import children, postgres, valkey
from city.works.embedded.children import (
    Account,
    Hold,
    can_reach,
    kept_secret,
    own_folder,
    remove_socket_folder,
    server_account,
    server_home,
    socket_folder,
    stop,
    tethered,
)

STRANGER = Account("stranger", 54321, 54321)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder that every account can pass through."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_an_account_reaches_a_folder_through_open_parents_alone(open_folder: Path) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    assert can_reach(open_folder / "not" / "yet" / "there", STRANGER)
    assert not can_reach(closed / "inside", STRANGER)
    owner = Account("owner", os.geteuid(), os.getegid())
    assert can_reach(closed / "inside", owner)
    assert can_reach(closed / "inside", None)


def test_data_out_of_the_accounts_reach_lies_elsewhere_and_always_in_the_same_place(
    open_folder: Path,
) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    assert server_home(open_folder / "var", STRANGER) == open_folder / "var"
    elsewhere = server_home(closed / "var", STRANGER)
    assert elsewhere.parent == Path("/var/lib/greenbay")
    assert server_home(closed / "var", STRANGER) == elsewhere
    assert server_home(closed / "other", STRANGER) != elsewhere


def test_a_socket_fits_into_its_folder_however_deep_the_temporary_folder_is(
    monkeypatch: pytest.MonkeyPatch, open_folder: Path
) -> None:
    deep = open_folder.joinpath(*["a-rather-long-name"] * 6)
    deep.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    folder = socket_folder(None)
    assert len(os.fsencode(folder / ".s.PGSQL.5432")) <= 107
    assert folder.stat().st_mode & 0o777 == 0o700
    remove_socket_folder(folder)
    assert not folder.exists()


def test_only_a_socket_folder_is_removed_as_one(open_folder: Path) -> None:
    remove_socket_folder(open_folder)
    assert open_folder.exists()


def test_a_secret_is_random_kept_and_its_owners_alone(tmp_path: Path) -> None:
    first = kept_secret(tmp_path / "a")
    assert len(first) == 43
    assert kept_secret(tmp_path / "a") == first
    assert kept_secret(tmp_path / "b") != first
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_a_lock_is_held_as_long_as_the_child_that_got_it_lives(tmp_path: Path) -> None:
    hold = Hold(tmp_path / "lock")
    assert hold.take()
    child = tethered(["/bin/sleep", "100"], death_signal=signal.SIGKILL, hold=hold)
    second = Hold(tmp_path / "lock")
    assert not second.take(wait_s=0.1)
    assert second.holders() == [child.pid]
    assert stop(child, signal.SIGTERM, patience_s=60) == -signal.SIGTERM
    assert second.take(wait_s=60)
    assert second.holders() == []
    second.release()


def test_a_child_that_ignores_the_signal_is_killed_after_the_patience() -> None:
    child = tethered(
        [
            sys.executable,
            "-c",
            "import signal; signal.signal(15, signal.SIG_IGN); print(flush=True); signal.pause()",
        ],
        death_signal=signal.SIGKILL,
        output=subprocess.PIPE,
    )
    assert child.stdout is not None
    child.stdout.readline()
    assert stop(child, signal.SIGTERM, patience_s=0.2) == -signal.SIGKILL
    child.stdout.close()


def test_a_second_server_on_the_same_data_is_refused(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "LEFTOVER_PATIENCE_S", 0.1)
    monkeypatch.setattr(valkey, "LEFTOVER_PATIENCE_S", 0.1)
    account = server_account()
    sockets = socket_folder(account)
    held = [Hold(open_folder / f"{name}.lock") for name in ("postgres", "valkey")]
    assert all(hold.take() for hold in held)
    with pytest.raises(Unavailable, match="another PostgreSQL still runs"):
        postgres.start_postgres(open_folder, sockets, account=account)
    with pytest.raises(Unavailable, match="another Valkey still runs"):
        valkey.start_valkey(open_folder, sockets, account=account)
    for hold in held:
        hold.release()
    remove_socket_folder(sockets)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs its servers as another account")
def test_as_root_a_clone_under_a_closed_home_still_starts(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = open_folder / "home"
    closed.mkdir(mode=0o700)
    found = postgres.packaged_installation()
    packaged = closed / "site-packages" / found.parent.name / found.name
    shutil.copytree(found, packaged)
    libraries = f"{found.parent.name}.libs"
    shutil.copytree(found.parents[1] / libraries, packaged.parents[1] / libraries)
    binary = Path(shutil.copy2(valkey.packaged_binary(), closed))
    monkeypatch.setattr(postgres, "packaged_installation", lambda: packaged)
    monkeypatch.setattr(valkey, "packaged_binary", lambda: binary)
    monkeypatch.setattr(children, "FALLBACK", open_folder / "elsewhere")
    account = server_account()
    assert account is not None
    sockets = socket_folder(account)
    store = valkey.start_valkey(closed / "var", sockets, account=account)
    server = postgres.start_postgres(closed / "var", sockets, account=account)
    with psycopg.connect(server.url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    server.stop()
    store.stop()
    assert closed.stat().st_mode & 0o777 == 0o700
    assert not (closed / "var" / "postgres").exists()
    remove_socket_folder(sockets)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs its servers as another account")
def test_as_root_data_of_another_account_is_taken_over(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sockets = socket_folder(server_account())
    for name in ("nobody", "daemon"):
        monkeypatch.setattr(children, "ACCOUNTS", (name,))
        account = server_account()
        assert account is not None
        os.chown(sockets, account.uid, account.gid)
        server = postgres.start_postgres(open_folder, sockets, account=account, durable=False)
        store = valkey.start_valkey(open_folder, sockets, account=account)
        assert (open_folder / "postgres" / "base").stat().st_uid == account.uid
        server.stop()
        store.stop()
    remove_socket_folder(sockets)


def test_data_of_another_release_is_left_alone_and_says_what_to_do(open_folder: Path) -> None:
    data = own_folder(open_folder / "postgres", None)
    (data / "global").mkdir()
    (data / "global" / "pg_control").touch()
    (data / "PG_VERSION").write_text("17\n")
    with pytest.raises(Unavailable, match="is of PostgreSQL 17, this release brings 18"):
        postgres.start_postgres(open_folder, open_folder, account=server_account())


def test_a_cluster_that_was_being_made_when_killed_is_made_again(open_folder: Path) -> None:
    account = server_account()
    sockets = socket_folder(account)
    half = own_folder(open_folder / "postgres.new", account)
    (half / "PG_VERSION").write_text("18\n")
    own_folder(open_folder / "postgres", account)
    server = postgres.start_postgres(open_folder, sockets, account=account, durable=False)
    with psycopg.connect(server.url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    server.stop()
    remove_socket_folder(sockets)
