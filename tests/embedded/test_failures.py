"""What can keep the embedded database from starting: each has a paragraph that says what to do, and loses nothing."""

import os
import shutil
import socket
import stat
import subprocess
from pathlib import Path

import psutil
import pytest

from shared.embedded import EmbeddedError, EmbeddedServer
from shared.embedded.failures import explain
from shared.embedded.sharing import Sharing
from tests.embedded.starting import alive, embedded, query, starter, wait_until

AS_ROOT = os.geteuid() == 0


def test_a_taken_port_that_was_asked_for_is_an_error(made):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(EmbeddedError, match=rf"Port {port} on 127.0.0.1.*PMCRM_EMBEDDED_PORT.*taken"):
            embedded(made, port=port).start()
    with embedded(made, port=port) as server:
        assert server.port == port


def test_a_taken_port_that_was_picked_is_replaced_and_said(made):
    with embedded(made) as server:
        port = server.port
    with socket.create_server(("127.0.0.1", port)), embedded(made) as server:
        assert server.port != port
        assert server.notes == [
            f"The database's port {port} is taken by another program: it listens on {server.port} from now on."
        ]


def test_a_first_start_that_was_killed_midway_begins_anew(data_dir):
    suite = starter(data_dir, durable=True)
    wait_until(lambda: any(data_dir.glob("postgres/unfinished-*/data/PG_VERSION")))
    suite.kill()
    suite.communicate()
    assert not (data_dir / "postgres" / "data").exists()
    with embedded(data_dir) as server:
        assert query(server, "SELECT 1") == "1"
        assert any("began anew" in note for note in server.notes)
    # The initdb of the start that was killed may have gone on for a moment.
    wait_until(lambda: not initdb_runs_in(data_dir))
    with embedded(data_dir) as server:
        assert server.notes == []
    assert not any(data_dir.glob("postgres/unfinished-*"))


def initdb_runs_in(data_dir: Path) -> bool:
    """Whether any process makes a database below a folder."""
    return any(f"--pgdata={data_dir}" in " ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"]))


def test_an_empty_data_directory_is_no_database_yet(data_dir):
    with embedded(data_dir):
        data = data_dir / "postgres" / "data"
    for entry in data.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    with embedded(data_dir) as server:
        assert query(server, "SELECT 1") == "1"


@pytest.mark.parametrize("part", ["PG_VERSION", "global/pg_control"])
def test_a_data_directory_that_lost_a_part_is_left_as_it_is(made, part):
    data = made / "postgres" / "data"
    kept = (data / part).read_bytes()
    (data / part).unlink()
    before = _contents(data)
    with pytest.raises(EmbeddedError, match=r"not a whole PostgreSQL data directory.*left as it is.*move"):
        embedded(made).start()
    assert _contents(data) == before
    (data / part).write_bytes(kept)
    os.chown(data / part, data.stat().st_uid, data.stat().st_gid)
    with embedded(made) as server:
        assert query(server, "SELECT 1") == "1"


def test_a_database_of_another_major_version_is_left_as_it_is(made):
    version = made / "postgres" / "data" / "PG_VERSION"
    right = version.read_text()
    version.write_text("17\n")
    before = _contents(version.parent)
    with pytest.raises(
        EmbeddedError, match=r"was made by PostgreSQL 17, and this pmcrm brings PostgreSQL \d+.*Dump it"
    ):
        embedded(made).start()
    assert _contents(version.parent) == before
    version.write_text(right)
    embedded(made).start().stop()


def test_other_keys_than_the_databases_are_noticed_at_once(made):
    with pytest.raises(EmbeddedError, match=r"made with other keys.*keys\.env") as caught:
        EmbeddedServer(made, "another", durable=False).start()
    assert "another" not in str(caught.value)
    with embedded(made) as server:
        assert not server.attached


@pytest.mark.skipif(not AS_ROOT, reason="a disk of its own, to be filled, needs root to mount it")
def test_a_full_disk_is_said_and_nothing_is_lost(data_dir):
    data_dir.mkdir(mode=0o711)
    data_dir.chmod(0o711)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20m,mode=711", "tmpfs", data_dir], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("this root may not mount a small disk")
    try:
        with pytest.raises(EmbeddedError, match=r"could not be created: the disk that holds .* is full.*Free some"):
            embedded(data_dir).start()
        subprocess.run(["mount", "-o", "remount,size=400m", data_dir], check=True)
        with embedded(data_dir) as server:
            query(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        _fill(data_dir / "filler")
        with pytest.raises(EmbeddedError, match=r"could not be started: the disk that holds .* is full.*untouched"):
            embedded(data_dir).start()
        (data_dir / "filler").unlink()
        with embedded(data_dir) as server:
            assert query(server, "SELECT answer FROM kept") == "42"
    finally:
        subprocess.run(["umount", "--lazy", data_dir], check=True)


def test_a_server_that_another_container_runs_is_not_started_twice(made):
    with embedded(made) as server:
        sockets = server.socket_dir
    pid_file = made / "postgres" / "data" / "postmaster.pid"
    pid_file.write_text(f"999999999\n{pid_file.parent}\n0\n5432\n{sockets}\n127.0.0.1\n")
    with socket.socket(socket.AF_UNIX) as elsewhere:
        elsewhere.bind(f"{sockets}/.s.PGSQL.5432")
        elsewhere.listen()
        with pytest.raises(EmbeddedError, match="another container"):
            embedded(made).start()
    assert pid_file.exists()


def test_a_start_that_hangs_elsewhere_is_named_with_its_process(made, monkeypatch):
    monkeypatch.setattr("shared.embedded.sharing._PATIENCE", 0.2)
    with (
        Sharing(made).one_at_a_time(),
        pytest.raises(EmbeddedError, match=f"Process {os.getpid()} has been starting"),
    ):
        embedded(made).start()


def test_a_machine_without_time_zones_is_told_where_they_come_from(data_dir, tmp_path, monkeypatch):
    monkeypatch.setattr("shared.embedded.launch.TIME_ZONES", tmp_path)
    with pytest.raises(EmbeddedError, match="apt-get install tzdata"):
        embedded(data_dir).start()
    assert not data_dir.exists()


def test_a_path_too_long_for_a_socket_gets_a_private_folder_elsewhere(data_dir):
    deep = data_dir / ("d" * 60) / ("e" * 60)
    with embedded(deep) as server:
        assert server.socket_dir.parent == Path("/tmp")
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
        assert server.socket_dir.stat().st_uid == server.place.stat().st_uid
        assert query(server, "SELECT 1") == "1"
        pid = server.pid
        folder = server.socket_dir
    assert not alive(pid)
    folder.chmod(0o755)
    with pytest.raises(EmbeddedError, match=f"{folder} should be a private folder"):
        embedded(deep).start()
    folder.rmdir()


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("initdb: error: could not write to file: No space left on device", "is full"),
        (
            "postgres: error while loading shared libraries: libgssapi_krb5.so.2: cannot open shared object file",
            "apt-get install libgssapi-krb5-2",
        ),
        ("FATAL: could not resize shared memory segment: No such file", "shm-size"),
        ("PANIC: could not locate a valid checkpoint record", "last words:\nPANIC: could not locate"),
        ("", "(nothing)"),
    ],
)
def test_what_postgresql_says_becomes_what_to_do(output, says):
    assert says in explain("started", output, Path("/data"))


def _contents(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _fill(path: Path) -> None:
    try:
        with path.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
    except OSError:
        assert shutil.disk_usage(path.parent).free < 4096
