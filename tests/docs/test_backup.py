"""The commands of docs/backup.md, taken from the page and run as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.embedded.account import account_for
from shared.embedded.distribution import Distribution, distribution
from shared.embedded.failures import EmbeddedError

PAGE = Path(__file__).parents[2] / "docs" / "backup.md"
PROGRAMS = ("initdb", "pg_ctl", "pg_dump", "pg_restore", "pg_basebackup", "psql", "createdb")

PREPARING = """
mkdir "$BACKUPS"
initdb --pgdata "$PGDATA" --username postgres --auth trust --no-sync
printf "unix_socket_directories = '%s'\\nlisten_addresses = ''\\nfsync = off\\n" "$PGHOST" >> "$PGDATA/postgresql.conf"
pg_ctl start --pgdata "$PGDATA" --wait --log "$BACKUPS/server.log"
createdb pmcrm
psql --dbname pmcrm --command "CREATE ROLE pmcrm_backup LOGIN BYPASSRLS; GRANT pg_read_all_data TO pmcrm_backup"
psql --dbname pmcrm --command "CREATE TABLE notes (note text); INSERT INTO notes VALUES ('dumped')"
"""
ACCIDENT = """
psql --dbname pmcrm --command "INSERT INTO notes VALUES ('archived')"
export TARGET="$(psql --no-align --tuples-only --dbname pmcrm --command 'SELECT clock_timestamp()')"
sleep 0.05
psql --dbname pmcrm --command "DELETE FROM notes"
"""
LOOKING = """
export PGOPTIONS="-c client_min_messages=warning"
for database in pmcrm_restored pmcrm; do
    psql --no-align --tuples-only --dbname $database \\
        --command "SELECT current_database() || ': ' || string_agg(note, ' ') FROM notes"
done
psql --dbname pmcrm --command "INSERT INTO notes VALUES ('it takes writes again')"
"""


@pytest.fixture
def place() -> Iterator[Path]:
    folder = Path(tempfile.gettempdir()) / f"pmcrm-test-{uuid.uuid4().hex[:12]}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def programs_for(place: Path) -> Distribution:
    """PostgreSQL's programs; skips the test where the embedded ones are not all there."""
    try:
        found = distribution(account_for(place), place)
    except EmbeddedError as error:
        pytest.skip(f"no embedded PostgreSQL: {error}")
    missing = [name for name in PROGRAMS if not (found.bin_dir / name).exists()]
    if missing:
        pytest.skip(f"the embedded PostgreSQL lacks {' '.join(missing)}")
    return found


def test_what_the_page_says_restores_a_dump_and_a_moment(place: Path) -> None:
    programs, account = programs_for(place), account_for(place)
    account.own(place)
    dump, load, archiving, base, stopping, restoring = re.findall(
        r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL
    )
    script = place / "page.sh"
    ending = (
        'trap \'for d in "$RESTORED" "$PGDATA"; do pg_ctl stop --pgdata "$d" --mode immediate || true; done\' EXIT\n'
    )
    steps = (PREPARING, dump, load, archiving, base, ACCIDENT, stopping, restoring, LOOKING)
    script.write_text("set -e\n" + ending + "\n".join(steps), encoding="utf-8")
    environment = {
        **programs.environment(),
        "PATH": f"{programs.bin_dir}:{os.environ['PATH']}",
        "PGHOST": str(place),
        "PGPORT": "54329",
        "PGUSER": "postgres",
        "PGDATA": str(place / "data"),
        "BACKUPS": str(place / "backups"),
        "RESTORED": str(place / "restored"),
    }
    code, output = account.run(["bash", script], environment, timeout=60)
    assert code == 0, output
    assert "pmcrm_restored: dumped\n" in output
    assert "pmcrm: dumped archived\n" in output
