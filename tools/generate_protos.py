"""Generates the Python code in `gen/` from the contracts in `protos/`.

    python tools/generate_protos.py            regenerate gen/
    python tools/generate_protos.py --check    exit 1 and name the files of gen/ that differ from what would be made

Per `.proto` file: the messages (`_pb2.py`), their types (`_pb2.pyi`), and for services the stubs (`_pb2_grpc.py`) with
their types (`_pb2_grpc.pyi`). protoc runs with `protos/` as its only root, so descriptors carry the file names that
they carry in every other language (`pmcrm/contacts/v1/contact.proto`). Folders in `gen/` are namespace packages.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from tools.servicer_types import servicer_types

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
GENERATED = ROOT / "gen"


def contracts() -> list[str]:
    """Paths of all `.proto` files, relative to `protos/`, sorted."""
    return sorted(path.relative_to(PROTOS).as_posix() for path in PROTOS.rglob("*.proto"))


def run_protoc(*outputs: str) -> None:
    """Runs protoc over all contracts. SystemExit when a contract does not compile; protoc has said why."""
    compiler = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}", *outputs, *contracts()]
    if code := subprocess.run(compiler, check=False).returncode:
        raise SystemExit(code)


def describe(scratch: Path) -> list[FileDescriptorProto]:
    """The descriptors of all contracts."""
    target = scratch / "contracts.binpb"
    run_protoc(f"--descriptor_set_out={target}")
    return list(FileDescriptorSet.FromString(target.read_bytes()).file)


def generate(target: Path) -> None:
    """Writes the generated code of all contracts into the empty folder `target`."""
    with tempfile.TemporaryDirectory() as scratch:
        files = describe(Path(scratch))
    run_protoc(f"--python_out={target}", f"--pyi_out={target}", f"--grpc_python_out={target}")
    for file in files:
        stem = target / file.name.removesuffix(".proto")
        if file.service:
            stem.with_name(stem.name + "_pb2_grpc.pyi").write_text(servicer_types(file, files), encoding="utf-8")
        else:
            # grpc_python_out writes an empty module for files without services.
            stem.with_name(stem.name + "_pb2_grpc.py").unlink()


def contents(folder: Path) -> dict[str, bytes]:
    """Relative path → bytes of every file in `folder`, without Python's caches."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def differing(made: Path, kept: Path) -> list[str]:
    """Relative paths of the files that are not the same in both folders, or only in one of them."""
    left, right = contents(made), contents(kept)
    return sorted(path for path in left.keys() | right.keys() if left.get(path) != right.get(path))


def replace(made: Path, kept: Path) -> None:
    """Makes `kept` equal to `made`, and touches only files that differ."""
    for path in differing(made, kept):
        if (made / path).exists():
            (kept / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(made / path, kept / path)
        else:
            (kept / path).unlink()


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 1 when `--check` finds a difference."""
    parser = argparse.ArgumentParser(description="Generates the Python code in gen/ from the contracts in protos/.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if gen/ would change")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch)
        generate(made)
        if not options.check:
            replace(made, GENERATED)
            return 0
        different = differing(made, GENERATED)
    for path in different:
        print(f"gen/{path} does not match protos/: run `make protos`", file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
