"""Whom the server runs as: an ordinary user as that user, root as somebody without privileges."""

import multiprocessing
import os
import pwd
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.embedded import EmbeddedError
from shared.embedded.account import account_for
from tests.embedded.starting import embedded, query

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user, or must")
NOBODY = pwd.getpwnam("nobody")


@root_only
def test_root_becomes_the_caller_of_sudo_else_postgres_else_nobody(tmp_path, monkeypatch):
    monkeypatch.delenv("SUDO_UID", raising=False)
    account = account_for(tmp_path / "new")
    assert account.dropped
    assert account.name in ("postgres", "nobody")
    monkeypatch.setenv("SUDO_UID", str(NOBODY.pw_uid))
    assert account_for(tmp_path / "new").uid == NOBODY.pw_uid
    monkeypatch.setenv("SUDO_UID", "0")
    assert account_for(tmp_path / "new").uid != 0


@root_only
def test_root_becomes_the_owner_of_a_folder_that_is_there(tmp_path):
    os.chown(tmp_path, 12345, 23456)
    account = account_for(tmp_path)
    assert (account.uid, account.gid) == (12345, 23456)


@root_only
def test_root_leaves_database_and_socket_to_that_user_and_keeps_the_rest(data_dir):
    with embedded(data_dir) as server:
        owner = (data_dir / "postgres").stat()
        assert owner.st_uid != 0
        assert stat.S_IMODE(owner.st_mode) == 0o700
        assert Path(f"/proc/{server.pid}").stat().st_uid == owner.st_uid
        assert data_dir.stat().st_uid == 0
        assert os.access(server.bin_dir / "postgres", os.X_OK)
        assert (server.bin_dir / "postgres").stat().st_uid == 0


@root_only
def test_a_folder_closed_to_that_user_gets_its_database_elsewhere_for_good(tmp_path, data_dir, monkeypatch):
    monkeypatch.setattr("shared.embedded.placement.SYSTEM_PLACES", data_dir)
    closed = tmp_path / "home" / ".pmcrm"
    (tmp_path / "home").mkdir(mode=0o700)
    with embedded(closed) as server:
        assert server.place.parent == data_dir
        assert server.notes[0].startswith(f"The database is in {server.place}: ")
        query(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    moved = closed.rename(tmp_path / "home" / "moved")
    with embedded(moved) as server:
        assert query(server, "SELECT answer FROM kept") == "42"
    (data_dir / server.place.name).rename(data_dir / "lost")
    with pytest.raises(EmbeddedError, match="which is gone"):
        embedded(moved).start()


@root_only
def test_a_database_whose_user_was_locked_out_is_not_begun_anew(data_dir):
    with embedded(data_dir):
        pass
    data_dir.chmod(0o700)
    with pytest.raises(EmbeddedError, match="cannot enter it any more"):
        embedded(data_dir).start()
    data_dir.chmod(0o711)


@root_only
def test_an_ordinary_user_needs_no_root(data_dir):
    data_dir.mkdir()
    os.chown(data_dir, NOBODY.pw_uid, NOBODY.pw_gid)
    assert _as_nobody(_start_twice, data_dir) == ["42", NOBODY.pw_uid]
    # and root, when it comes later, goes on as that user
    with embedded(data_dir / "mine") as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid == NOBODY.pw_uid
    assert _as_nobody(_start_twice, data_dir) == ["42", NOBODY.pw_uid]


@root_only
def test_another_users_database_is_refused(data_dir):
    with embedded(data_dir):
        pass
    assert "belongs to another user" in str(_as_nobody(_refusal, data_dir))


def _start_twice(folder: Path) -> list[object]:
    with embedded(folder / "mine") as server:
        query(server, "CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer")
    with embedded(folder / "mine") as server:
        return [query(server, "SELECT answer FROM kept"), Path(f"/proc/{server.pid}").stat().st_uid]


def _refusal(folder: Path) -> str:
    try:
        embedded(folder).start().stop()
    except EmbeddedError as error:
        return str(error)
    return "not refused"


def _as_nobody(work: Callable[[Path], object], folder: Path) -> object:
    """What the function returns in a process without privileges, whose home is in the folder (if it may write there).

    Forked, since another user may not be able to read the interpreter that root runs.
    """
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_child, args=(work, folder, sender))
    process.start()
    assert receiver.poll(60), "the child has not answered"
    answer = receiver.recv()
    process.join()
    if isinstance(answer, Exception):
        raise answer
    return answer


def _child(work: Callable[[Path], object], folder: Path, sender: Any) -> None:
    try:
        os.setgroups([])
        os.setgid(NOBODY.pw_gid)
        os.setuid(NOBODY.pw_uid)
        os.environ["HOME"] = str(folder / "home")
        sender.send(work(folder))
    except Exception as error:  # noqa: BLE001 (for the parent to raise)
        sender.send(error)
