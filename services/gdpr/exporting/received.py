"""An archive that somebody brings: opened, and checked against its manifest before anything is made of it."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb

from services.gdpr.exporting import manifest as manifests
from services.gdpr.exporting.archive import CHUNK
from services.gdpr.exporting.assembling import tables_of
from services.gdpr.exporting.exported_table import ExportedTable

# No manifest is larger; what is said to be one is not read into memory whole.
_LARGEST_MANIFEST = 1024 * 1024

# Rows that are read at a time, and how many bytes they may have together before fewer are.
_ROWS = 500
_BYTES = 1024 * 1024

# What zipfile raises for a damaged file, and for one that is compressed or encrypted as no export is.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


class ArchiveRefused(Exception):
    """The archive cannot be imported; the text names the file that is at fault, and holds nothing out of it."""


class Received:
    """An archive whose files are what its manifest says."""

    def __init__(self, content: zipfile.ZipFile, manifest: pb.ExportManifest) -> None:
        self.manifest = manifest
        self._zip = content

    def batches(self, table: ExportedTable) -> Iterator[list[dict[str, Any]]]:
        """The rows of a table, some at a time. Raises ArchiveRefused for what no export writes."""
        name = f"data/{table.name}.json"
        columns = set(table.columns)
        batch: list[dict[str, Any]] = []
        size = 0
        with self._zip.open(name) as file:
            for line in _rows(file, name):
                try:
                    row = json.loads(line)
                except ValueError:
                    raise ArchiveRefused(f"{name} is not as an export writes it") from None
                if not isinstance(row, dict) or set(row) != columns:
                    raise ArchiveRefused(f"{name} has other columns than this release exports")
                batch.append(row)
                size += len(line)
                if len(batch) == _ROWS or size > _BYTES:
                    yield batch
                    batch, size = [], 0
        if batch:
            yield batch


@contextmanager
def received(path: Path) -> Iterator[Received]:
    """Opens an archive and checks every file of it. Raises ArchiveRefused, and OSError when it cannot be read."""
    try:
        with zipfile.ZipFile(path) as content:
            yield Received(content, _checked(content))
    except zipfile.BadZipFile:
        raise ArchiveRefused(f"{path.name} is no zip archive") from None


def _checked(content: zipfile.ZipFile) -> pb.ExportManifest:
    names = content.namelist()
    if manifests.NAME not in names:
        raise ArchiveRefused(f"{manifests.NAME} is missing")
    if content.getinfo(manifests.NAME).file_size > _LARGEST_MANIFEST:
        raise ArchiveRefused(f"{manifests.NAME} is no manifest of an export")
    try:
        manifest = manifests.read(content.read(manifests.NAME))
    except (ValueError, *_DAMAGED):
        raise ArchiveRefused(f"{manifests.NAME} is damaged, or is no manifest of an export") from None
    if manifest.scope != pb.EXPORT_SCOPE_PORTABILITY:
        raise ArchiveRefused(f"{manifests.NAME}: only exports with the scope portability can be imported")
    twice = {name for name in names if names.count(name) > 1}
    for name in sorted({*names, *manifest.files} - {manifests.NAME}):
        if name not in manifest.files:
            raise ArchiveRefused(f"{name} is not in the manifest")
        if name not in names or name in twice:
            raise ArchiveRefused(f"{name} is missing, or there twice")
        if _sha256(content, name) != manifest.files[name]:
            raise ArchiveRefused(f"{name} is not what the manifest says: it is damaged or was changed")
    _check_tables(manifest)
    return manifest


def _check_tables(manifest: pb.ExportManifest) -> None:
    wanted = {table.name for table in tables_of(pb.EXPORT_SCOPE_PORTABILITY)}
    for name in sorted(wanted ^ set(manifest.tables)):
        raise ArchiveRefused(f"data/{name}.json: the archive has other tables than this release exports")
    for name, table in manifest.tables.items():
        if manifest.files.get(f"data/{name}.json") != table.sha256:
            raise ArchiveRefused(f"data/{name}.json is not what the manifest says of its table")
    if manifest.tables["users"].row_count != 1:
        raise ArchiveRefused("data/users.json: the archive is of one contact, and not of an account")


def _sha256(content: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    try:
        with content.open(name) as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except _DAMAGED:
        raise ArchiveRefused(f"{name} is damaged") from None
    return digest.hexdigest()


def _rows(file: IO[bytes], name: str) -> Iterator[bytes]:
    """The lines of a table's JSON that are rows."""
    first = next(file, b"")
    if first == b"[]\n":
        return
    if first != b"[\n":
        raise ArchiveRefused(f"{name} is not as an export writes it")
    for line in file:
        if line == b"]\n":
            return
        yield line.rstrip(b"\n").removesuffix(b",")
