"""The manifest: what an archive holds, in it and behind it."""

from __future__ import annotations

import json
from datetime import datetime

from google.protobuf import json_format
from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb

NAME = "manifest.json"


def started(scope: pb.ExportScope, moment: datetime) -> pb.ExportManifest:
    """A manifest of nothing yet. moment: which the archive shows."""
    manifest = pb.ExportManifest(scope=scope)
    manifest.snapshot_time.FromDatetime(moment)
    return manifest


def written(manifest: pb.ExportManifest) -> bytes:
    """The manifest as it stands in the archive: JSON under the names of its fields, without the archive's own hash."""
    inside = pb.ExportManifest()
    inside.CopyFrom(manifest)
    inside.ClearField("archive_sha256")
    said = json_format.MessageToDict(inside, preserving_proto_field_name=True)
    # protobuf writes 64 bits as text and leaves out zeros; both are a stumbling block to who reads the file by hand.
    for name, table in inside.tables.items():
        said["tables"][name] = {"row_count": table.row_count, "sha256": table.sha256}
    return json.dumps(said, indent=2, sort_keys=True).encode() + b"\n"


def read(content: bytes) -> pb.ExportManifest:
    """The manifest that `written` wrote. Raises ValueError for anything else."""
    try:
        return json_format.Parse(content, pb.ExportManifest())
    except json_format.ParseError as problem:
        raise ValueError("it is no manifest of an export") from problem
