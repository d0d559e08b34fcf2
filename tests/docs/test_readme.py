"""What README and the docs show is what there is."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.app import app
from cli.settings import markdown_table
from services.contacts.service import SERVICE as CONTACTS
from tests.postgres import Database
from tests.suite import OPERATOR_KEY, running, settings_for

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


async def test_the_python_example_runs(database: Database) -> None:
    [example] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    async with running(CONTACTS, settings_for(database)) as service:
        environment = {
            **os.environ,
            "PMCRM_ADDRESS": f"127.0.0.1:{service.port}",
            "PMCRM_OPERATOR_KEY": OPERATOR_KEY,
        }
        said = await said_by(example, environment)
    assert said == "Grace Sample\n1\n"


async def test_the_grpcurl_calls_work(database: Database) -> None:
    if shutil.which("grpcurl") is None:
        pytest.skip("grpcurl is not installed (go install github.com/fullstorydev/grpcurl/cmd/grpcurl@latest)")
    [block] = re.findall(r"```sh\n(grpcurl.*?)```", README, re.DOTALL)
    first, second = re.findall(r"^grpcurl.*?(?<!\\)$", block, re.MULTILINE | re.DOTALL)
    async with running(CONTACTS, settings_for(database)) as service:
        environment = {**os.environ, "KEY": OPERATOR_KEY}
        user = json.loads(await said_by_shell(first, service.port, environment))
        contact = json.loads(await said_by_shell(second, service.port, {**environment, "TENANT": user["id"]}))
    assert (user["displayName"], contact["displayName"]) == ("Ada", "Grace")


async def said_by_shell(command: str, port: int, environment: dict[str, str]) -> str:
    here = command.replace("127.0.0.1:50051", f"127.0.0.1:{port}")
    process = await asyncio.create_subprocess_shell(here, env=environment, stdout=subprocess.PIPE)
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()


async def said_by(example: str, environment: dict[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", example, env=environment, cwd=ROOT, stdout=subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()


def test_every_make_target_and_command_that_the_documents_name_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = {c.name for c in app.registered_commands} | {g.name for g in app.registered_groups}
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"(?:`|\$ )make ([a-z]+)", text):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{document.name}: make {target}"
        for command in re.findall(r"`(?:[A-Z_]+=\S* )?pmcrm ([a-z]+)", text):
            assert command in commands, f"{document.name}: pmcrm {command}"


def test_links_lead_somewhere() -> None:
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_table_of_settings_is_the_one_that_the_command_prints() -> None:
    assert markdown_table().strip() in (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
