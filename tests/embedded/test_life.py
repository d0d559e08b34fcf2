"""Starting, stopping, sharing, dying and coming back."""

import os
import signal
import subprocess
import threading

from tests.embedded.starting import alive, answer, embedded, query, starter, wait_until


def test_data_and_port_outlive_a_restart(made):
    with embedded(made, durable=True) as server:
        query(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        port = server.port
        assert not server.attached
        assert server.notes == []
    assert not server.running
    with embedded(made) as again:
        assert query(again, "SELECT answer FROM kept") == "42"
        assert again.port == port


def test_the_same_object_can_be_started_again(made):
    server = embedded(made).start()
    assert server.start() is server
    server.stop()
    server.stop()
    assert not server.running
    server.start()
    assert query(server, "SELECT 1") == "1"
    server.stop()


def test_two_suites_run_side_by_side(data_dir, other_data_dir):
    with embedded(data_dir) as one, embedded(other_data_dir) as other:
        assert one.port != other.port
        query(one, "CREATE TABLE only_here ()")
        assert "does not exist" in query(other, "SELECT * FROM only_here")


def test_a_second_start_joins_and_the_last_to_leave_stops_it(made):
    first = embedded(made).start()
    second = embedded(made).start()
    assert (second.attached, second.pid, second.port) == (True, first.pid, first.port)
    first.stop()
    assert query(second, "SELECT 1") == "1"
    pid = second.pid
    second.stop()
    assert not alive(pid)


def test_starts_at_the_same_moment_make_one_server(data_dir):
    starts = [starter(data_dir) for _ in range(3)]
    told = [answer(start) for start in starts]
    assert len({(pid, port) for pid, port, _ in told}) == 1
    assert sorted(attached for _, _, attached in told) == [False, True, True]
    for start in starts:
        start.communicate("\n")
    wait_until(lambda: not alive(told[0][0]))


def test_stopping_does_not_wait_for_clients(made):
    server = embedded(made).start()
    client = subprocess.Popen(
        [server.bin_dir / "psql", "-qtAX", "-c", "SELECT pg_sleep(600)", server.superuser_url()],
        env=server.client_environment(),
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: query(server, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sleep(600)'") != "0")
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    stopping.join(20)
    assert not stopping.is_alive()
    assert b"terminat" in client.communicate()[1]


def test_after_kill_9_of_the_suite_the_next_start_joins_the_server_and_stops_it(made):
    suite = starter(made)
    pid = answer(suite)[0]
    suite.kill()
    suite.communicate()
    assert alive(pid)
    with embedded(made) as server:
        assert server.attached
        assert server.pid == pid
    wait_until(lambda: not alive(pid))


def test_after_kill_9_of_suite_and_server_committed_data_is_there(data_dir):
    suite = starter(data_dir, durable=True)
    pid = answer(suite)[0]
    with embedded(data_dir) as joined:
        query(joined, "CREATE TABLE kept AS SELECT 42 AS answer")
        suite.kill()
        suite.communicate()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not joined.running)
    with embedded(data_dir) as again:
        assert not again.attached
        assert query(again, "SELECT answer FROM kept") == "42"


def test_a_pid_file_that_names_somebody_elses_process_does_not_keep_it_from_starting(made):
    suite = starter(made, durable=True)
    pid = answer(suite)[0]
    suite.kill()
    suite.communicate()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not alive(pid))
    pid_file = made / "postgres" / "data" / "postmaster.pid"
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        pid_file.write_text(pid_file.read_text().replace(str(pid), str(stranger.pid), 1))
        with embedded(made) as server:
            assert not server.attached
            assert query(server, "SELECT 1") == "1"
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_an_interrupted_start_leaves_no_server_behind(made):
    server = embedded(made)
    server.start()
    server.stop()
    suite = starter(made)
    wait_until(lambda: (made / "postgres" / "data" / "postmaster.pid").exists())
    suite.send_signal(signal.SIGINT)
    suite.communicate()
    wait_until(lambda: not server.running)
