"""Reflection of both versions finds whatever a tool asks for, methods among them, with every file that it needs."""

from __future__ import annotations

import asyncio
import json
import shutil

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection_pb2

from shared.server import RunningService
from tests.runtime.acting import PATIENCE
from tests.runtime.raw import reflect
from tests.suite import OPERATOR_KEY, Client

VERSIONS = ["v1", "v1alpha"]
NOT_FOUND = 5
INVALID_ARGUMENT = 3

SYMBOLS = {
    "pmcrm.contacts.v1.ContactService": "pmcrm/contacts/v1/contact_service.proto",
    "pmcrm.contacts.v1.ContactService.GetContact": "pmcrm/contacts/v1/contact_service.proto",
    "pmcrm.contacts.v1.UserService.CreateUser": "pmcrm/contacts/v1/user_service.proto",
    "pmcrm.contacts.v1.TagService.CreateTag": "pmcrm/contacts/v1/tag_service.proto",
    "pmcrm.contacts.v1.Contact": "pmcrm/contacts/v1/contact.proto",
    "pmcrm.contacts.v1.Contact.given_name": "pmcrm/contacts/v1/contact.proto",
    "pmcrm.contacts.v1.GetContactRequest.id": "pmcrm/contacts/v1/contact_service.proto",
    "pmcrm.contacts.v1.ImportContactsRequest.chunk": "pmcrm/contacts/v1/contact_transfer.proto",
    "pmcrm.type.v1.PartialDate": "pmcrm/type/v1/partial_date.proto",
    "pmcrm.type.v1.ErrorReason": "pmcrm/type/v1/error_reason.proto",
    "pmcrm.type.v1.ERROR_REASON_INTERNAL": "pmcrm/type/v1/error_reason.proto",
    "google.protobuf.Timestamp": "google/protobuf/timestamp.proto",
    "grpc.health.v1.Health.Check": "grpc_health/v1/health.proto",
    "grpc.reflection.v1.ServerReflection": "grpc/reflection/v1/reflection.proto",
    "grpc.reflection.v1alpha.ServerReflection.ServerReflectionInfo": "grpc_reflection/v1alpha/reflection.proto",
}

UNKNOWN = [
    "",
    ".",
    "..",
    "nothing",
    "pmcrm.contacts.v1",
    "pmcrm.contacts.v1.",
    ".pmcrm.contacts.v1.Contact.",
    "pmcrm.contacts.v1.ContactService.NoSuchMethod",
    "pmcrm.contacts.v1.Contact.no_such_field",
    "pmcrm.contacts.v1.ContactService.GetContact.deeper",
    "pmcrm.gdpr.v2.AuditService",
    "Zoë",
    "x" * 10_000,
]


def asking(**question: str) -> reflection_pb2.ServerReflectionRequest:
    return reflection_pb2.ServerReflectionRequest(**question)  # type: ignore[arg-type]  # one of its string fields


def files_of(answer: reflection_pb2.ServerReflectionResponse) -> dict[str, descriptor_pb2.FileDescriptorProto]:
    assert answer.WhichOneof("message_response") == "file_descriptor_response", answer
    found = [
        descriptor_pb2.FileDescriptorProto.FromString(data)
        for data in answer.file_descriptor_response.file_descriptor_proto
    ]
    return {file.name: file for file in found}


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_service_is_listed(client: Client, version: str) -> None:
    [answer] = await reflect(client.channel, version, asking(list_services=""))
    assert {service.name for service in answer.list_services_response.service} == {
        "pmcrm.contacts.v1.ContactService",
        "pmcrm.contacts.v1.OrganizationService",
        "pmcrm.contacts.v1.TagService",
        "pmcrm.contacts.v1.UserService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    }


@pytest.mark.parametrize("version", VERSIONS)
async def test_symbols_are_found_with_all_the_files_that_they_need(client: Client, version: str) -> None:
    answers = await reflect(client.channel, version, *(asking(file_containing_symbol=name) for name in SYMBOLS))
    for answer, (symbol, file) in zip(answers, SYMBOLS.items(), strict=True):
        files = files_of(answer)
        assert answer.original_request.file_containing_symbol == symbol
        assert next(iter(files)) == file, f"{symbol} is in the first file"
        pool = descriptor_pool.DescriptorPool()
        _add(pool, files, file)
        assert pool.FindFileByName(file).name == file


def _add(pool: descriptor_pool.DescriptorPool, files: dict[str, descriptor_pb2.FileDescriptorProto], name: str) -> None:
    """As a tool does that has nothing but the answer: each file after those that it imports."""
    for dependency in files[name].dependency:
        _add(pool, files, dependency)
    pool.AddSerializedFile(files[name].SerializeToString())


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_is_unknown_is_not_found_and_the_stream_goes_on(client: Client, version: str) -> None:
    questions = [asking(file_containing_symbol=name) for name in UNKNOWN]
    questions += [asking(file_by_filename=name) for name in UNKNOWN]
    questions += [
        reflection_pb2.ServerReflectionRequest(
            file_containing_extension={"containing_type": name, "extension_number": 1}
        )
        for name in (*UNKNOWN, "pmcrm.contacts.v1.Contact")
    ]
    *answers, last = await reflect(client.channel, version, *questions, asking(list_services=""))
    assert [answer.error_response.error_code for answer in answers] == [NOT_FOUND] * len(questions)
    assert last.list_services_response.service


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_question_that_is_none_is_invalid(client: Client, version: str) -> None:
    [answer] = await reflect(client.channel, version, reflection_pb2.ServerReflectionRequest())
    assert answer.error_response.error_code == INVALID_ARGUMENT


async def test_fields_say_their_json_names(client: Client) -> None:
    [answer] = await reflect(client.channel, "v1", asking(file_containing_symbol="pmcrm.contacts.v1.Contact"))
    files = files_of(answer)
    [contact] = [m for m in files["pmcrm/contacts/v1/contact.proto"].message_type if m.name == "Contact"]
    assert {"givenName", "keepInTouchDays", "id"} <= {field.json_name for field in contact.field}


@pytest.mark.parametrize("version", VERSIONS)
async def test_files_are_found_by_name(client: Client, version: str) -> None:
    name = "pmcrm/contacts/v1/contact_service.proto"
    [answer] = await reflect(client.channel, version, asking(file_by_filename=name))
    assert next(iter(files_of(answer))) == name


async def test_the_service_of_each_version_describes_itself(client: Client) -> None:
    for version in VERSIONS:
        [answer] = await reflect(
            client.channel, version, asking(file_containing_symbol=f"grpc.reflection.{version}.ServerReflection")
        )
        [file] = files_of(answer).values()
        assert file.package == f"grpc.reflection.{version}"
        assert all(f".{version}." in method.input_type for method in file.service[0].method)


async def grpcurl(*arguments: str) -> str:
    """What grpcurl says; skipped where it is not installed."""
    program = shutil.which("grpcurl")
    if program is None:
        pytest.skip("grpcurl is not installed (go install github.com/fullstorydev/grpcurl/cmd/grpcurl@latest)")
    process = await asyncio.create_subprocess_exec(
        program, "-plaintext", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(PATIENCE):
        said, _ = await process.communicate()
    return said.decode()


async def test_grpcurl_calls_and_describes_without_proto_files(service: RunningService) -> None:
    address = f"127.0.0.1:{service.port}"
    assert "pmcrm.contacts.v1.UserService" in await grpcurl(address, "list")
    described = await grpcurl(address, "describe", "pmcrm.contacts.v1.ContactService.GetContact")
    assert "returns ( .pmcrm.contacts.v1.Contact )" in described
    made = await grpcurl(
        *("-H", f"x-operator-key: {OPERATOR_KEY}", "-d", '{"user": {"display_name": "Ada"}}'),
        *(address, "pmcrm.contacts.v1.UserService/CreateUser"),
    )
    assert json.loads(made)["displayName"] == "Ada"
    refused = await grpcurl(address, "pmcrm.contacts.v1.ContactService/ListContacts")
    assert "Code: Unauthenticated" in refused
    assert "TENANT_MISSING" in refused
