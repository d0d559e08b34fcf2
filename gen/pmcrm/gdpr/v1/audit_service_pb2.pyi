import datetime

from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pmcrm.gdpr.v1 import audit_log_pb2 as _audit_log_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AuditProblem(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUDIT_PROBLEM_UNSPECIFIED: _ClassVar[AuditProblem]
    AUDIT_PROBLEM_ENTRY_CHANGED: _ClassVar[AuditProblem]
    AUDIT_PROBLEM_ENTRY_MISSING: _ClassVar[AuditProblem]
    AUDIT_PROBLEM_ENTRY_INSERTED: _ClassVar[AuditProblem]
    AUDIT_PROBLEM_ENTRIES_REORDERED: _ClassVar[AuditProblem]
    AUDIT_PROBLEM_PAYLOAD_MISSING: _ClassVar[AuditProblem]
    AUDIT_PROBLEM_SEAL_INVALID: _ClassVar[AuditProblem]
    AUDIT_PROBLEM_SEAL_MISSING: _ClassVar[AuditProblem]
    AUDIT_PROBLEM_HEAD_MISSING: _ClassVar[AuditProblem]
    AUDIT_PROBLEM_KEY_UNKNOWN: _ClassVar[AuditProblem]
AUDIT_PROBLEM_UNSPECIFIED: AuditProblem
AUDIT_PROBLEM_ENTRY_CHANGED: AuditProblem
AUDIT_PROBLEM_ENTRY_MISSING: AuditProblem
AUDIT_PROBLEM_ENTRY_INSERTED: AuditProblem
AUDIT_PROBLEM_ENTRIES_REORDERED: AuditProblem
AUDIT_PROBLEM_PAYLOAD_MISSING: AuditProblem
AUDIT_PROBLEM_SEAL_INVALID: AuditProblem
AUDIT_PROBLEM_SEAL_MISSING: AuditProblem
AUDIT_PROBLEM_HEAD_MISSING: AuditProblem
AUDIT_PROBLEM_KEY_UNKNOWN: AuditProblem

class ListAuditLogsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "skip", "order_by", "read_mask", "include_total_size", "user_id", "entity_type", "entity_id", "subject_id", "actor", "operation", "log_after", "log_before", "logged_request_id", "show_archived")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SKIP_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ENTITY_TYPE_FIELD_NUMBER: _ClassVar[int]
    ENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    LOG_AFTER_FIELD_NUMBER: _ClassVar[int]
    LOG_BEFORE_FIELD_NUMBER: _ClassVar[int]
    LOGGED_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SHOW_ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    skip: int
    order_by: str
    read_mask: _field_mask_pb2.FieldMask
    include_total_size: bool
    user_id: str
    entity_type: str
    entity_id: str
    subject_id: str
    actor: str
    operation: _audit_log_pb2.AuditOperation
    log_after: _timestamp_pb2.Timestamp
    log_before: _timestamp_pb2.Timestamp
    logged_request_id: str
    show_archived: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., skip: _Optional[int] = ..., order_by: _Optional[str] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., include_total_size: _Optional[bool] = ..., user_id: _Optional[str] = ..., entity_type: _Optional[str] = ..., entity_id: _Optional[str] = ..., subject_id: _Optional[str] = ..., actor: _Optional[str] = ..., operation: _Optional[_Union[_audit_log_pb2.AuditOperation, str]] = ..., log_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., log_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., logged_request_id: _Optional[str] = ..., show_archived: _Optional[bool] = ...) -> None: ...

class ListAuditLogsResponse(_message.Message):
    __slots__ = ("audit_logs", "next_page_token", "total_size")
    AUDIT_LOGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    audit_logs: _containers.RepeatedCompositeFieldContainer[_audit_log_pb2.AuditLog]
    next_page_token: str
    total_size: int
    def __init__(self, audit_logs: _Optional[_Iterable[_Union[_audit_log_pb2.AuditLog, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_size: _Optional[int] = ...) -> None: ...

class VerifyAuditLogRequest(_message.Message):
    __slots__ = ("user_id", "expected_head")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_HEAD_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    expected_head: str
    def __init__(self, user_id: _Optional[str] = ..., expected_head: _Optional[str] = ...) -> None: ...

class VerifyAuditLogResponse(_message.Message):
    __slots__ = ("valid", "entries_checked", "unsealed_entries", "head", "first_invalid_entry_id", "problem", "problem_detail", "first_invalid_seal", "seals_checked", "erased_entries", "dropped_entries", "sealed_until_time")
    VALID_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_CHECKED_FIELD_NUMBER: _ClassVar[int]
    UNSEALED_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    FIRST_INVALID_ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_DETAIL_FIELD_NUMBER: _ClassVar[int]
    FIRST_INVALID_SEAL_FIELD_NUMBER: _ClassVar[int]
    SEALS_CHECKED_FIELD_NUMBER: _ClassVar[int]
    ERASED_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    DROPPED_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    SEALED_UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    valid: bool
    entries_checked: int
    unsealed_entries: int
    head: str
    first_invalid_entry_id: str
    problem: AuditProblem
    problem_detail: str
    first_invalid_seal: int
    seals_checked: int
    erased_entries: int
    dropped_entries: int
    sealed_until_time: _timestamp_pb2.Timestamp
    def __init__(self, valid: _Optional[bool] = ..., entries_checked: _Optional[int] = ..., unsealed_entries: _Optional[int] = ..., head: _Optional[str] = ..., first_invalid_entry_id: _Optional[str] = ..., problem: _Optional[_Union[AuditProblem, str]] = ..., problem_detail: _Optional[str] = ..., first_invalid_seal: _Optional[int] = ..., seals_checked: _Optional[int] = ..., erased_entries: _Optional[int] = ..., dropped_entries: _Optional[int] = ..., sealed_until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
