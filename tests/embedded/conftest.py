"""Data directories for servers that live for one test."""

import contextlib
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.embedded.postmaster import running_postmaster
from tests.embedded.starting import embedded


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder that does not exist yet, where PostgreSQL's user could enter (tmp_path lets nobody in but its owner)."""
    with _folder() as folder:
        yield folder


@pytest.fixture
def other_data_dir() -> Iterator[Path]:
    with _folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A data directory with a database that does not run. A module's tests share it, and leave it as it was."""
    with _folder() as folder:
        embedded(folder).start().stop()
        yield folder


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.gettempdir()) / f"pmcrm-test-{uuid.uuid4().hex[:12]}"
    yield folder
    place = (folder / "postgres").resolve()
    if server := running_postmaster(place / "data"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(server.pid, signal.SIGQUIT)
    shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
