"""Server reflection, v1 and v1alpha, that can resolve a method's symbol.

grpcio's servicer asks the descriptor pool for the file that contains a symbol, and the pool knows messages, enums and
services, but not the methods of services (grpc/grpc#34743); ghz and grpcurl ask for methods. The pool handed to that
servicer here answers for the parent when the symbol is one of its members. grpcio-reflection ships v1alpha alone; v1
has the same messages under another package name.
"""

from __future__ import annotations

import re
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection, reflection_pb2

V1ALPHA = reflection.SERVICE_NAME
V1 = "grpc.reflection.v1.ServerReflection"


class DescribedFile:
    """A file's descriptor that says its fields' JSON names, as every other language's does: clients print by them."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.name = file.name

    @property
    def dependencies(self) -> list[DescribedFile]:
        """The files that this one imports."""
        return [DescribedFile(file) for file in self._file.dependencies]

    def CopyToProto(self, proto: descriptor_pb2.FileDescriptorProto) -> None:
        """Writes the file into `proto`."""
        self._file.CopyToProto(proto)
        for message in proto.message_type:
            _name_fields_for_json(message)


class MemberResolvingPool:
    """A descriptor pool that also finds the file of a service's method or a message's field."""

    def __init__(self, pool: descriptor_pool.DescriptorPool) -> None:
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def FindFileByName(self, name: str) -> DescribedFile:
        """The file's descriptor. Raises KeyError when there is none."""
        return DescribedFile(self._pool.FindFileByName(name))

    def FindFileContainingSymbol(self, symbol: str) -> DescribedFile:
        """The file's descriptor. Raises KeyError when nothing has this name."""
        try:
            return DescribedFile(self._pool.FindFileContainingSymbol(symbol))
        except KeyError:
            parent, _, member = symbol.rpartition(".")
            if not parent:
                raise
            return self._file_of_member(parent, member)

    def _file_of_member(self, parent: str, member: str) -> DescribedFile:
        finders = (
            (self._pool.FindServiceByName, ("methods_by_name",)),
            (self._pool.FindMessageTypeByName, ("fields_by_name", "oneofs_by_name")),
            (self._pool.FindEnumTypeByName, ("values_by_name",)),
        )
        for find, collections in finders:
            try:
                found = find(parent)
            except KeyError:
                continue
            if any(member in getattr(found, collection) for collection in collections):
                return DescribedFile(found.file)
        raise KeyError(f"no symbol {parent}.{member}")


def reflection_handlers(service_names: list[str]) -> list[grpc.GenericRpcHandler]:
    """Handlers of both versions, which list the given services and themselves."""
    pool = descriptor_pool.Default()
    _describe_v1(pool)
    servicer = reflection.aio.ReflectionServicer([*service_names, V1, V1ALPHA], MemberResolvingPool(pool))
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    methods = {"ServerReflectionInfo": handler}
    return [grpc.method_handlers_generic_handler(name, methods) for name in (V1, V1ALPHA)]


def _name_fields_for_json(message: descriptor_pb2.DescriptorProto) -> None:
    for field in message.field:
        # As protoc does it: each underscore goes, and the letter behind it becomes a capital.
        field.json_name = re.sub(r"_(.)", lambda match: match[1].upper(), field.name)
    for nested in message.nested_type:
        _name_fields_for_json(nested)


def _describe_v1(pool: descriptor_pool.DescriptorPool) -> None:
    """Puts v1's own descriptor into the pool, so that it can be asked for like any other service's."""
    try:
        pool.FindServiceByName(V1)
    except KeyError:
        v1alpha, v1 = V1ALPHA.rpartition(".")[0], V1.rpartition(".")[0]
        text = reflection_pb2.DESCRIPTOR.serialized_pb
        file = descriptor_pb2.FileDescriptorProto.FromString(text)
        file.name = "grpc/reflection/v1/reflection.proto"
        file.package = v1
        file.ClearField("options")
        for message in file.message_type:
            for field in message.field:
                if field.type_name:
                    field.type_name = field.type_name.replace(f".{v1alpha}.", f".{v1}.")
        for method in file.service[0].method:
            method.input_type = method.input_type.replace(f".{v1alpha}.", f".{v1}.")
            method.output_type = method.output_type.replace(f".{v1alpha}.", f".{v1}.")
        pool.AddSerializedFile(file.SerializeToString())
