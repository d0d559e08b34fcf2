import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AuditOperation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUDIT_OPERATION_UNSPECIFIED: _ClassVar[AuditOperation]
    AUDIT_OPERATION_INSERT: _ClassVar[AuditOperation]
    AUDIT_OPERATION_UPDATE: _ClassVar[AuditOperation]
    AUDIT_OPERATION_DELETE: _ClassVar[AuditOperation]
    AUDIT_OPERATION_READ: _ClassVar[AuditOperation]
    AUDIT_OPERATION_EXPORT: _ClassVar[AuditOperation]
    AUDIT_OPERATION_ERASE: _ClassVar[AuditOperation]
    AUDIT_OPERATION_ARCHIVE: _ClassVar[AuditOperation]
    AUDIT_OPERATION_DROP: _ClassVar[AuditOperation]
    AUDIT_OPERATION_IMPORT: _ClassVar[AuditOperation]
AUDIT_OPERATION_UNSPECIFIED: AuditOperation
AUDIT_OPERATION_INSERT: AuditOperation
AUDIT_OPERATION_UPDATE: AuditOperation
AUDIT_OPERATION_DELETE: AuditOperation
AUDIT_OPERATION_READ: AuditOperation
AUDIT_OPERATION_EXPORT: AuditOperation
AUDIT_OPERATION_ERASE: AuditOperation
AUDIT_OPERATION_ARCHIVE: AuditOperation
AUDIT_OPERATION_DROP: AuditOperation
AUDIT_OPERATION_IMPORT: AuditOperation

class AuditLog(_message.Message):
    __slots__ = ("id", "user_id", "log_time", "operation", "entity_type", "entity_id", "subject_id", "changed_fields", "old_values", "new_values", "actor", "operator_scope", "client_ip", "user_agent", "request_id", "seal", "erased_by_receipt_id", "archived")
    ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    LOG_TIME_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    ENTITY_TYPE_FIELD_NUMBER: _ClassVar[int]
    ENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELDS_FIELD_NUMBER: _ClassVar[int]
    OLD_VALUES_FIELD_NUMBER: _ClassVar[int]
    NEW_VALUES_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_SCOPE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_IP_FIELD_NUMBER: _ClassVar[int]
    USER_AGENT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SEAL_FIELD_NUMBER: _ClassVar[int]
    ERASED_BY_RECEIPT_ID_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    id: str
    user_id: str
    log_time: _timestamp_pb2.Timestamp
    operation: AuditOperation
    entity_type: str
    entity_id: str
    subject_id: str
    changed_fields: _containers.RepeatedScalarFieldContainer[str]
    old_values: _struct_pb2.Struct
    new_values: _struct_pb2.Struct
    actor: str
    operator_scope: bool
    client_ip: str
    user_agent: str
    request_id: str
    seal: int
    erased_by_receipt_id: str
    archived: bool
    def __init__(self, id: _Optional[str] = ..., user_id: _Optional[str] = ..., log_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., operation: _Optional[_Union[AuditOperation, str]] = ..., entity_type: _Optional[str] = ..., entity_id: _Optional[str] = ..., subject_id: _Optional[str] = ..., changed_fields: _Optional[_Iterable[str]] = ..., old_values: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., new_values: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., actor: _Optional[str] = ..., operator_scope: _Optional[bool] = ..., client_ip: _Optional[str] = ..., user_agent: _Optional[str] = ..., request_id: _Optional[str] = ..., seal: _Optional[int] = ..., erased_by_receipt_id: _Optional[str] = ..., archived: _Optional[bool] = ...) -> None: ...
