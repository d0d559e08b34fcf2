"""Every language can generate from protos/ alone, and what was generated for Python is what it says."""

from __future__ import annotations

import importlib
import json
import keyword
import shutil
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from tests.contracts.described import PROTOS, ROOT, files, messages, rpcs
from tools.generate_protos import GENERATED, differing, generate, main


def by_name(file: FileDescriptorProto) -> str:
    return file.name


@pytest.mark.parametrize("file", files(), ids=by_name)
def test_files_import_only_each_other_and_what_every_protoc_carries(file: FileDescriptorProto):
    for imported in file.dependency:
        assert imported.startswith("google/protobuf/") or (PROTOS / imported).is_file()


@pytest.mark.parametrize("file", files(), ids=by_name)
def test_files_say_where_go_and_java_put_them(file: FileDescriptorProto):
    _, package, version = file.package.split(".")
    assert file.options.go_package == f"pmcrm/gen/go/{package}/{version};{package}{version}"
    assert file.options.java_package == f"dev.{file.package}"
    assert file.options.java_multiple_files
    stem = Path(file.name).stem
    assert file.options.java_outer_classname == "".join(word.title() for word in stem.split("_")) + "Proto"


@pytest.mark.parametrize("file", files(), ids=by_name)
def test_descriptors_carry_the_names_that_they_carry_in_every_language(file: FileDescriptorProto):
    assert file.name.startswith(file.package.replace(".", "/") + "/")
    module = importlib.import_module(file.name.removesuffix(".proto").replace("/", ".") + "_pb2")
    assert module.DESCRIPTOR.name == file.name


@pytest.mark.parametrize("name", messages())
def test_no_field_is_a_keyword_of_python(name: str):
    assert not [field.name for field in messages()[name].field if keyword.iskeyword(field.name)]


def test_generated_code_matches_the_contracts():
    assert main(["--check"]) == 0


def test_generated_code_that_was_edited_is_found(tmp_path: Path):
    kept = tmp_path / "kept"
    shutil.copytree(GENERATED, kept, ignore=shutil.ignore_patterns("__pycache__"))
    (kept / "pmcrm/contacts/v1/contact_pb2.py").write_text("# edited\n", encoding="utf-8")
    (kept / "pmcrm/contacts/v1/tag_pb2.pyi").unlink()
    (kept / "pmcrm/contacts/v1/stray_pb2.py").touch()
    made = tmp_path / "made"
    made.mkdir()
    generate(made)
    assert differing(made, kept) == [
        "pmcrm/contacts/v1/contact_pb2.py",
        "pmcrm/contacts/v1/stray_pb2.py",
        "pmcrm/contacts/v1/tag_pb2.pyi",
    ]


def service_config(name: str) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((PROTOS / "pmcrm" / name).read_text(encoding="utf-8"))
    return config


def retried(config: dict[str, Any]) -> set[tuple[str, str]]:
    """The (service, method) pairs that a service config retries."""
    return {
        (name["service"], name["method"])
        for method in config["methodConfig"]
        if "retryPolicy" in method
        for name in method["name"]
    }


def test_the_service_config_retries_exactly_the_reads():
    assert retried(service_config("service_config.json")) == {(rpc.service, rpc.name) for rpc in rpcs() if rpc.reads}


def test_the_service_config_for_callers_with_request_ids_retries_mutations_too():
    assert retried(service_config("service_config_with_request_ids.json")) == {
        (rpc.service, rpc.name) for rpc in rpcs() if not rpc.method.client_streaming
    }


@pytest.mark.parametrize("name", ["service_config.json", "service_config_with_request_ids.json"])
def test_service_configs_retry_only_unavailable(name: str):
    for method in service_config(name)["methodConfig"]:
        assert method["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]


def test_contracts_name_no_host_and_no_path_of_a_machine():
    for path in [*PROTOS.rglob("*.proto"), *PROTOS.rglob("*.json"), ROOT / "buf.yaml"]:
        text = path.read_text(encoding="utf-8")
        assert "://" not in text, path
        assert "/home/" not in text, path
