"""`pmcrm serve`, `demo` and `seed` as a newcomer runs them: on an embedded database, from nothing."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

PMCRM = (sys.executable, "-m", "cli")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which nothing is configured but where the data go and which ports are free."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PMCRM_", "DATABASE_URL"))}
    ports = {f"PMCRM_{name}_PORT": str(free_port()) for name in ("CONTACTS", "INTERACTIONS", "INSIGHTS", "GDPR")}
    return {**kept, **ports, "PMCRM_DATA_DIR": str(tmp_path_factory.mktemp("tour") / "data")}


@pytest.fixture(scope="module")
def served(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """`pmcrm serve`, once it has said that it runs."""
    process = subprocess.Popen([*PMCRM, "serve"], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    assert "pmcrm is running" in said
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def pmcrm(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [*PMCRM, *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_tour_runs_on_a_suite_that_is_running(served: object, environment: dict[str, str]) -> None:
    said = pmcrm(environment, "demo")
    assert "already running" in said
    assert "41 contacts made, 1 card not" in said
    assert "9 contacts made (LinkedIn CSV)" in said
    assert "Erica Mustre: Erika Muster (similar)" in said
    assert "样本: 李样本" in said
    assert "Erika Muster is Publisher at Placeholder Press." in said
    assert "Bob Placeholder and Bob Placeholder: 0.9" in said
    assert "undone: Bob Placeholder is back, and an export is the same to the byte" in said
    assert "before: Erika Muster, strength 1, never contacted" in said
    assert "after:  Erika Muster, strength 4, last contact" in said
    assert "2026-03-08T02:30:00 in New York is 2026-03-08T07:30Z" in said
    for kind in ("overdue", "losing_touch", "birthday", "follow_up", "job_change", "duplicate", "introduction"):
        assert re.search(rf"^ +{kind} +0\.\d\d  ", said, re.MULTILINE), kind
    assert "asked again: 0 new" in said
    assert "after the withdrawal: 0 found" in said
    assert "imported again: 0 made, 1 suppressed" in said
    assert re.search(r"valid: [1-9]\d* sealed entries, [1-9]\d* of them emptied by the erasure", said)
    assert "ABORTED ETAG_MISMATCH" in said
    assert said.count("NOT_FOUND CONTACT_NOT_FOUND") == 2
    assert "That was the tour." in said


def test_seeding_prints_the_tenants_it_made(served: object, environment: dict[str, str]) -> None:
    tenants = pmcrm(environment, "seed", "--tenants", "2", "--contacts", "30").split()
    for tenant in tenants:
        count = f"SELECT count(*) FROM contacts WHERE user_id = '{tenant}'"
        assert pmcrm(environment, "psql", "--role", "service", "-Atc", count).strip() == "30"


def test_ctrl_c_stops_the_suite_and_keeps_its_data(served: subprocess.Popen[str], environment: dict[str, str]) -> None:
    served.send_signal(signal.SIGINT)
    assert served.wait(60) == 0
    users = pmcrm(environment, "psql", "--role", "service", "-Atc", "SELECT count(*) FROM users")
    assert int(users) == 4


def test_without_a_running_suite_the_tour_starts_one(environment: dict[str, str]) -> None:
    said = pmcrm(environment, "demo")
    assert "started for this tour" in said
    assert "That was the tour." in said
