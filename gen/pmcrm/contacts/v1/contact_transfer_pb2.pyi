from pmcrm.type.v1 import error_reason_pb2 as _error_reason_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ImportFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMPORT_FORMAT_UNSPECIFIED: _ClassVar[ImportFormat]
    IMPORT_FORMAT_VCARD: _ClassVar[ImportFormat]
    IMPORT_FORMAT_CSV: _ClassVar[ImportFormat]

class ExportFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPORT_FORMAT_UNSPECIFIED: _ClassVar[ExportFormat]
    EXPORT_FORMAT_VCARD_3: _ClassVar[ExportFormat]
    EXPORT_FORMAT_VCARD_4: _ClassVar[ExportFormat]
    EXPORT_FORMAT_CSV: _ClassVar[ExportFormat]
IMPORT_FORMAT_UNSPECIFIED: ImportFormat
IMPORT_FORMAT_VCARD: ImportFormat
IMPORT_FORMAT_CSV: ImportFormat
EXPORT_FORMAT_UNSPECIFIED: ExportFormat
EXPORT_FORMAT_VCARD_3: ExportFormat
EXPORT_FORMAT_VCARD_4: ExportFormat
EXPORT_FORMAT_CSV: ExportFormat

class ImportContactsRequest(_message.Message):
    __slots__ = ("options", "chunk")
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    options: ImportOptions
    chunk: bytes
    def __init__(self, options: _Optional[_Union[ImportOptions, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class ImportOptions(_message.Message):
    __slots__ = ("format", "csv_mapping", "default_region", "charset", "dry_run", "label", "request_id")
    class CsvMappingEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    CSV_MAPPING_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_REGION_FIELD_NUMBER: _ClassVar[int]
    CHARSET_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    format: ImportFormat
    csv_mapping: _containers.ScalarMap[str, str]
    default_region: str
    charset: str
    dry_run: bool
    label: str
    request_id: str
    def __init__(self, format: _Optional[_Union[ImportFormat, str]] = ..., csv_mapping: _Optional[_Mapping[str, str]] = ..., default_region: _Optional[str] = ..., charset: _Optional[str] = ..., dry_run: _Optional[bool] = ..., label: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ImportContactsResponse(_message.Message):
    __slots__ = ("progress", "failure", "summary", "notice")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    progress: ImportProgress
    failure: ImportFailure
    summary: ImportSummary
    notice: ImportNotice
    def __init__(self, progress: _Optional[_Union[ImportProgress, _Mapping]] = ..., failure: _Optional[_Union[ImportFailure, _Mapping]] = ..., summary: _Optional[_Union[ImportSummary, _Mapping]] = ..., notice: _Optional[_Union[ImportNotice, _Mapping]] = ...) -> None: ...

class ImportProgress(_message.Message):
    __slots__ = ("processed", "bytes_read")
    PROCESSED_FIELD_NUMBER: _ClassVar[int]
    BYTES_READ_FIELD_NUMBER: _ClassVar[int]
    processed: int
    bytes_read: int
    def __init__(self, processed: _Optional[int] = ..., bytes_read: _Optional[int] = ...) -> None: ...

class ImportFailure(_message.Message):
    __slots__ = ("position", "reason", "code", "record", "field")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    position: int
    reason: str
    code: _error_reason_pb2.ErrorReason
    record: int
    field: str
    def __init__(self, position: _Optional[int] = ..., reason: _Optional[str] = ..., code: _Optional[_Union[_error_reason_pb2.ErrorReason, str]] = ..., record: _Optional[int] = ..., field: _Optional[str] = ...) -> None: ...

class ImportNotice(_message.Message):
    __slots__ = ("position", "reason", "code", "record", "field", "contact_id")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    position: int
    reason: str
    code: _error_reason_pb2.ErrorReason
    record: int
    field: str
    contact_id: str
    def __init__(self, position: _Optional[int] = ..., reason: _Optional[str] = ..., code: _Optional[_Union[_error_reason_pb2.ErrorReason, str]] = ..., record: _Optional[int] = ..., field: _Optional[str] = ..., contact_id: _Optional[str] = ...) -> None: ...

class ImportSummary(_message.Message):
    __slots__ = ("created", "updated", "unchanged", "suppressed", "failed", "notices", "format", "dialect", "charset")
    CREATED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    SUPPRESSED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    DIALECT_FIELD_NUMBER: _ClassVar[int]
    CHARSET_FIELD_NUMBER: _ClassVar[int]
    created: int
    updated: int
    unchanged: int
    suppressed: int
    failed: int
    notices: int
    format: ImportFormat
    dialect: str
    charset: str
    def __init__(self, created: _Optional[int] = ..., updated: _Optional[int] = ..., unchanged: _Optional[int] = ..., suppressed: _Optional[int] = ..., failed: _Optional[int] = ..., notices: _Optional[int] = ..., format: _Optional[_Union[ImportFormat, str]] = ..., dialect: _Optional[str] = ..., charset: _Optional[str] = ...) -> None: ...

class ExportContactsRequest(_message.Message):
    __slots__ = ("format", "ids", "tag_ids_all", "tag_ids_any", "organization_id", "show_deleted")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    TAG_IDS_ALL_FIELD_NUMBER: _ClassVar[int]
    TAG_IDS_ANY_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    SHOW_DELETED_FIELD_NUMBER: _ClassVar[int]
    format: ExportFormat
    ids: _containers.RepeatedScalarFieldContainer[str]
    tag_ids_all: _containers.RepeatedScalarFieldContainer[str]
    tag_ids_any: _containers.RepeatedScalarFieldContainer[str]
    organization_id: str
    show_deleted: bool
    def __init__(self, format: _Optional[_Union[ExportFormat, str]] = ..., ids: _Optional[_Iterable[str]] = ..., tag_ids_all: _Optional[_Iterable[str]] = ..., tag_ids_any: _Optional[_Iterable[str]] = ..., organization_id: _Optional[str] = ..., show_deleted: _Optional[bool] = ...) -> None: ...

class ExportContactsResponse(_message.Message):
    __slots__ = ("chunk", "summary")
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    summary: ExportSummary
    def __init__(self, chunk: _Optional[bytes] = ..., summary: _Optional[_Union[ExportSummary, _Mapping]] = ...) -> None: ...

class ExportSummary(_message.Message):
    __slots__ = ("contacts", "left_out", "sha256")
    class LeftOutEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    contacts: int
    left_out: _containers.ScalarMap[str, int]
    sha256: str
    def __init__(self, contacts: _Optional[int] = ..., left_out: _Optional[_Mapping[str, int]] = ..., sha256: _Optional[str] = ...) -> None: ...
