"""Exports as tests ask for them and read them."""

from __future__ import annotations

import hashlib
import io
import json
import uuid
import zipfile
from typing import Any

from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb

from tests.suite import Metadata

ACCESS, PORTABILITY = pb.EXPORT_SCOPE_ACCESS, pb.EXPORT_SCOPE_PORTABILITY


class Export:
    """An archive that was received with its manifest."""

    def __init__(self, content: bytes, manifest: pb.ExportManifest) -> None:
        self.content = content
        self.manifest = manifest
        self.zip = zipfile.ZipFile(io.BytesIO(content))

    def file(self, name: str) -> bytes:
        return self.zip.read(name)

    def rows(self, table: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.file(f"data/{table}.json"))
        return found

    def everything(self) -> bytes:
        """All bytes of all files, unpacked."""
        return b"\n".join(self.file(name) for name in self.zip.namelist())


async def export(
    subjects: Any, tenant: Metadata, scope: pb.ExportScope = ACCESS, contact_id: str | uuid.UUID = ""
) -> Export:
    """Exports, and checks that the stream is chunks and then the manifest of just these."""
    request = pb.ExportDataRequest(scope=scope, contact_id=str(contact_id))
    parts = [part async for part in subjects.ExportData(request, metadata=tenant)]
    assert [part.WhichOneof("part") for part in parts] == ["chunk"] * (len(parts) - 1) + ["manifest"]
    content = b"".join(part.chunk for part in parts)
    manifest = parts[-1].manifest
    assert hashlib.sha256(content).hexdigest() == manifest.archive_sha256
    return Export(content, manifest)
