import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pmcrm.gdpr.v1 import erasure_pb2 as _erasure_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExportScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPORT_SCOPE_UNSPECIFIED: _ClassVar[ExportScope]
    EXPORT_SCOPE_ACCESS: _ClassVar[ExportScope]
    EXPORT_SCOPE_PORTABILITY: _ClassVar[ExportScope]

class RestrictionReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESTRICTION_REASON_UNSPECIFIED: _ClassVar[RestrictionReason]
    RESTRICTION_REASON_ACCURACY_CONTESTED: _ClassVar[RestrictionReason]
    RESTRICTION_REASON_UNLAWFUL_PROCESSING: _ClassVar[RestrictionReason]
    RESTRICTION_REASON_LEGAL_CLAIMS: _ClassVar[RestrictionReason]
    RESTRICTION_REASON_OBJECTION_PENDING: _ClassVar[RestrictionReason]
EXPORT_SCOPE_UNSPECIFIED: ExportScope
EXPORT_SCOPE_ACCESS: ExportScope
EXPORT_SCOPE_PORTABILITY: ExportScope
RESTRICTION_REASON_UNSPECIFIED: RestrictionReason
RESTRICTION_REASON_ACCURACY_CONTESTED: RestrictionReason
RESTRICTION_REASON_UNLAWFUL_PROCESSING: RestrictionReason
RESTRICTION_REASON_LEGAL_CLAIMS: RestrictionReason
RESTRICTION_REASON_OBJECTION_PENDING: RestrictionReason

class ExportDataRequest(_message.Message):
    __slots__ = ("scope", "contact_id")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    scope: ExportScope
    contact_id: str
    def __init__(self, scope: _Optional[_Union[ExportScope, str]] = ..., contact_id: _Optional[str] = ...) -> None: ...

class ExportDataResponse(_message.Message):
    __slots__ = ("chunk", "manifest")
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    manifest: ExportManifest
    def __init__(self, chunk: _Optional[bytes] = ..., manifest: _Optional[_Union[ExportManifest, _Mapping]] = ...) -> None: ...

class ExportManifest(_message.Message):
    __slots__ = ("scope", "snapshot_time", "tables", "files", "archive_sha256")
    class TablesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: ExportedTable
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[ExportedTable, _Mapping]] = ...) -> None: ...
    class FilesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_TIME_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    ARCHIVE_SHA256_FIELD_NUMBER: _ClassVar[int]
    scope: ExportScope
    snapshot_time: _timestamp_pb2.Timestamp
    tables: _containers.MessageMap[str, ExportedTable]
    files: _containers.ScalarMap[str, str]
    archive_sha256: str
    def __init__(self, scope: _Optional[_Union[ExportScope, str]] = ..., snapshot_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tables: _Optional[_Mapping[str, ExportedTable]] = ..., files: _Optional[_Mapping[str, str]] = ..., archive_sha256: _Optional[str] = ...) -> None: ...

class ExportedTable(_message.Message):
    __slots__ = ("row_count", "sha256")
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    row_count: int
    sha256: str
    def __init__(self, row_count: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class RequestErasureRequest(_message.Message):
    __slots__ = ("reason", "request_id")
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    reason: str
    request_id: str
    def __init__(self, reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class CancelErasureRequest(_message.Message):
    __slots__ = ("id", "request_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    request_id: str
    def __init__(self, id: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class GetErasureRequestRequest(_message.Message):
    __slots__ = ("id", "user_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    user_id: str
    def __init__(self, id: _Optional[str] = ..., user_id: _Optional[str] = ...) -> None: ...

class EraseContactRequest(_message.Message):
    __slots__ = ("contact_id", "request_id")
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    contact_id: str
    request_id: str
    def __init__(self, contact_id: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class RestrictProcessingRequest(_message.Message):
    __slots__ = ("contact_id", "reason", "note", "request_id")
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    contact_id: str
    reason: RestrictionReason
    note: str
    request_id: str
    def __init__(self, contact_id: _Optional[str] = ..., reason: _Optional[_Union[RestrictionReason, str]] = ..., note: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class LiftRestrictionRequest(_message.Message):
    __slots__ = ("contact_id", "note", "request_id")
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    contact_id: str
    note: str
    request_id: str
    def __init__(self, contact_id: _Optional[str] = ..., note: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ProcessingRestriction(_message.Message):
    __slots__ = ("contact_id", "restricted", "reason", "note", "restrict_time", "lift_time")
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    RESTRICTED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    RESTRICT_TIME_FIELD_NUMBER: _ClassVar[int]
    LIFT_TIME_FIELD_NUMBER: _ClassVar[int]
    contact_id: str
    restricted: bool
    reason: RestrictionReason
    note: str
    restrict_time: _timestamp_pb2.Timestamp
    lift_time: _timestamp_pb2.Timestamp
    def __init__(self, contact_id: _Optional[str] = ..., restricted: _Optional[bool] = ..., reason: _Optional[_Union[RestrictionReason, str]] = ..., note: _Optional[str] = ..., restrict_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lift_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RemoveSuppressionRequest(_message.Message):
    __slots__ = ("receipt_id", "email", "phone", "request_id")
    RECEIPT_ID_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    receipt_id: str
    email: str
    phone: str
    request_id: str
    def __init__(self, receipt_id: _Optional[str] = ..., email: _Optional[str] = ..., phone: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class RemoveSuppressionResponse(_message.Message):
    __slots__ = ("removed",)
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    removed: int
    def __init__(self, removed: _Optional[int] = ...) -> None: ...
