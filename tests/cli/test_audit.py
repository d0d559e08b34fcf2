"""`pmcrm audit` and `pmcrm maintenance seal-audit` as people run them: heads to keep, and logs that are checked."""

from __future__ import annotations

import base64
import re
import uuid
from pathlib import Path

import pytest

from tests.postgres import Connection, Database
from tests.runtime.processes import environment, started
from tests.services.gdpr.audit_calls import KEYS, write_entries

RING = ",".join(f"{key.id}:{base64.b64encode(key.secret).decode()}" for key in KEYS)


async def run(database: Database, *arguments: str, **settings: object) -> tuple[int, list[str], list[str]]:
    """Exit status and lines of `pmcrm …`, as pmcrm_service alone."""
    variables = environment(database, **({"DATABASE_URL": None, "PMCRM_SEAL_KEYS": RING} | settings))
    async with started(["-m", "cli", *arguments], variables) as process:
        # Of the progress bar nothing is left but an empty line.
        return await process.ended(), process.out, [line for line in process.err if line]


async def test_heads_are_kept_and_logs_are_checked_against_them(
    database: Database, as_superuser: Connection, tmp_path: Path
) -> None:
    tenants = sorted(uuid.uuid4() for _ in range(3))
    for tenant in tenants[:2]:
        await write_entries(as_superuser, tenant, 3)

    status, out, _ = await run(database, "maintenance", "seal-audit")
    assert (status, out) == (0, ["6 entries sealed."])
    await as_superuser.execute("INSERT INTO users (id) VALUES ($1)", tenants[2])
    status, out, _ = await run(database, "audit", "head")
    assert status == 0
    # Gone ones too: two of these have no row among the users.
    heads = {line.split()[0]: line.split()[1] for line in out}
    assert list(heads) == [str(tenant) for tenant in tenants[:2]]
    assert all(re.fullmatch("1:[0-9a-f]{64}", head) for head in heads.values())

    kept = tmp_path / "heads"
    kept.write_text("# kept elsewhere\n\n" + "\n".join(out) + "\n")
    status, out, err = await run(database, "audit", "verify", "--heads", str(kept))
    assert (status, err) == (0, [])
    assert [line.split(maxsplit=1) for line in out] == [
        [str(tenants[0]), "valid: 3 entries in 1 seals, 0 not sealed yet"],
        [str(tenants[1]), "valid: 3 entries in 1 seals, 0 not sealed yet"],
        [str(tenants[2]), "valid: 0 entries in 0 seals, 1 not sealed yet"],
    ]

    await as_superuser.execute("UPDATE audit_logs SET actor = 'mallory' WHERE user_id = $1", tenants[1])
    for table in ("audit_logs", "audit_seals"):
        await as_superuser.execute(f"DELETE FROM {table} WHERE user_id = $1", tenants[0])
    status, out, err = await run(database, "audit", "verify", "--heads", str(kept))
    assert (status, err) == (1, ["2 audit logs are invalid."])
    assert [" ".join(line.split()[:3]) for line in out] == [
        f"{tenants[0]} INVALID: HEAD_MISSING",
        f"{tenants[1]} INVALID: ENTRY_CHANGED",
        f"{tenants[2]} valid: 0",
    ]
    status, out, _ = await run(database, "audit", "verify", "--tenant", str(tenants[2]), "--heads", str(kept))
    assert (status, len(out)) == (0, 1)
    status, out, _ = await run(database, "audit", "head", "--tenant", str(tenants[1]))
    assert out == [f"{tenants[1]} {heads[str(tenants[1])]}"]


@pytest.mark.parametrize("line", ["nobody 1:00", f"{uuid.UUID(int=1)}", f"{uuid.UUID(int=1)} 0:{'a' * 64}"])
async def test_a_file_that_holds_no_heads_is_told_by_its_line(database: Database, tmp_path: Path, line: str) -> None:
    kept = tmp_path / "heads"
    kept.write_text(f"\n{line}\n")
    status, out, err = await run(database, "audit", "verify", "--heads", str(kept))
    assert (status, out) == (2, [])
    assert err[0].startswith("Line 2 of ")


@pytest.mark.parametrize("command", [["audit", "verify"], ["maintenance", "seal-audit"]], ids=str)
async def test_without_keys_it_is_said_which_setting_is_missing(database: Database, command: list[str]) -> None:
    status, _, err = await run(database, *command, PMCRM_SEAL_KEYS=None)
    assert status != 0
    assert "PMCRM_SEAL_KEYS is not set" in " ".join(err)
