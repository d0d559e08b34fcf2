"""The contracts as protoc describes them, with their comments, for the tests beside this file."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)

ROOT = Path(__file__).resolve().parents[2]
PROTOS = ROOT / "protos"

# `- NOT_FOUND CONTACT_NOT_FOUND: when`, or several reasons of one code: `- UNAVAILABLE A, B: when`.
FAILURE = re.compile(r"^- ([A-Z_]+) ([A-Z_]+(?:, [A-Z_]+)*): \S", re.MULTILINE)

# Numbers of fields in descriptor.proto, of which the paths of source locations are made.
MESSAGES, ENUMS, SERVICES = 4, 5, 6
METHODS, VALUES = 2, 2

READING = re.compile(
    r"(Get|List|BatchGet|Search|Find|Check|Verify|Export|Preview|Explain|Suggest)[A-Z]|(Semantic|Hybrid)Search$"
)


@dataclass(frozen=True)
class Rpc:
    """One RPC: the service's full name, the method, its comment without the slashes."""

    service: str
    method: MethodDescriptorProto
    comment: str

    @property
    def name(self) -> str:
        return self.method.name

    @property
    def reads(self) -> bool:
        """Whether the call leaves everything as it is."""
        return READING.match(self.name) is not None

    def failures(self) -> list[tuple[str, str]]:
        """The (code, reason) pairs that the comment promises."""
        return failures(self.comment)

    def __str__(self) -> str:
        return f"{self.service.rsplit('.', 1)[1]}.{self.name}"


def failures(comment: str) -> list[tuple[str, str]]:
    """The (code, reason) pairs of a comment's `- CODE REASON: when` lines."""
    return [(code, reason) for code, reasons in FAILURE.findall(comment) for reason in reasons.split(", ")]


@cache
def files() -> tuple[FileDescriptorProto, ...]:
    """All contracts, with source locations."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "contracts.binpb"
        names = sorted(path.relative_to(PROTOS).as_posix() for path in PROTOS.rglob("*.proto"))
        compiler = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}", "--include_source_info"]
        subprocess.run([*compiler, f"--descriptor_set_out={target}", *names], check=True)
        return tuple(FileDescriptorSet.FromString(target.read_bytes()).file)


def comments(file: FileDescriptorProto) -> dict[tuple[int, ...], str]:
    """Path of a declaration in its file → its leading comment, without leading spaces."""
    return {
        tuple(location.path): re.sub(r"^ ", "", location.leading_comments, flags=re.MULTILINE)
        for location in file.source_code_info.location
        if location.leading_comments
    }


@cache
def rpcs() -> tuple[Rpc, ...]:
    """Every RPC of every service."""
    found: list[Rpc] = []
    for file in files():
        said = comments(file)
        for s, service in enumerate(file.service):
            for m, method in enumerate(service.method):
                comment = said.get((SERVICES, s, METHODS, m), "")
                found.append(Rpc(f"{file.package}.{service.name}", method, comment))
    return tuple(found)


def service_comments() -> dict[str, str]:
    """Full name of a service → its comment."""
    return {
        f"{file.package}.{service.name}": comments(file).get((SERVICES, s), "")
        for file in files()
        for s, service in enumerate(file.service)
    }


@cache
def messages() -> dict[str, DescriptorProto]:
    """`.package.Name` → message, for every top-level message."""
    return {f".{file.package}.{message.name}": message for file in files() for message in file.message_type}


def field_types(message: DescriptorProto) -> dict[str, str]:
    """Field name → type of the message or enum it holds, or ''."""
    return {field.name: field.type_name for field in message.field}


def enum(name: str) -> tuple[EnumDescriptorProto, dict[str, str]]:
    """A top-level enum by its full name, and its values' comments."""
    for file in files():
        said = comments(file)
        for e, candidate in enumerate(file.enum_type):
            if f"{file.package}.{candidate.name}" == name:
                values = {value.name: said.get((ENUMS, e, VALUES, v), "") for v, value in enumerate(candidate.value)}
                return candidate, values
    raise LookupError(name)


@cache
def reasons() -> dict[str, tuple[str, str]]:
    """Reason without prefix → (gRPC code, comment), for every value of ErrorReason but the first."""
    _, values = enum("pmcrm.type.v1.ErrorReason")
    found: dict[str, tuple[str, str]] = {}
    for name, comment in list(values.items())[1:]:
        code = re.search(r"^Code: ([A-Z_]+)\.$", comment, re.MULTILINE)
        found[name.removeprefix("ERROR_REASON_")] = (code[1] if code else "", comment)
    return found
