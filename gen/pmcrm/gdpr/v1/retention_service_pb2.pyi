import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PurgeDeletedRequest(_message.Message):
    __slots__ = ("days", "dry_run", "max_rows", "request_id")
    DAYS_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    MAX_ROWS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    days: int
    dry_run: bool
    max_rows: int
    request_id: str
    def __init__(self, days: _Optional[int] = ..., dry_run: _Optional[bool] = ..., max_rows: _Optional[int] = ..., request_id: _Optional[str] = ...) -> None: ...

class PurgeDeletedResponse(_message.Message):
    __slots__ = ("row_counts", "users_erased", "held", "more")
    class RowCountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    ROW_COUNTS_FIELD_NUMBER: _ClassVar[int]
    USERS_ERASED_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    row_counts: _containers.ScalarMap[str, int]
    users_erased: int
    held: int
    more: bool
    def __init__(self, row_counts: _Optional[_Mapping[str, int]] = ..., users_erased: _Optional[int] = ..., held: _Optional[int] = ..., more: _Optional[bool] = ...) -> None: ...

class ArchiveAuditLogsRequest(_message.Message):
    __slots__ = ("years", "dry_run", "request_id")
    YEARS_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    years: int
    dry_run: bool
    request_id: str
    def __init__(self, years: _Optional[int] = ..., dry_run: _Optional[bool] = ..., request_id: _Optional[str] = ...) -> None: ...

class ArchiveAuditLogsResponse(_message.Message):
    __slots__ = ("months", "entry_count")
    MONTHS_FIELD_NUMBER: _ClassVar[int]
    ENTRY_COUNT_FIELD_NUMBER: _ClassVar[int]
    months: _containers.RepeatedScalarFieldContainer[str]
    entry_count: int
    def __init__(self, months: _Optional[_Iterable[str]] = ..., entry_count: _Optional[int] = ...) -> None: ...

class PurgeExpiredAuditLogsRequest(_message.Message):
    __slots__ = ("years", "dry_run", "request_id")
    YEARS_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    years: int
    dry_run: bool
    request_id: str
    def __init__(self, years: _Optional[int] = ..., dry_run: _Optional[bool] = ..., request_id: _Optional[str] = ...) -> None: ...

class PurgeExpiredAuditLogsResponse(_message.Message):
    __slots__ = ("months", "entry_count", "held_months")
    MONTHS_FIELD_NUMBER: _ClassVar[int]
    ENTRY_COUNT_FIELD_NUMBER: _ClassVar[int]
    HELD_MONTHS_FIELD_NUMBER: _ClassVar[int]
    months: _containers.RepeatedScalarFieldContainer[str]
    entry_count: int
    held_months: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, months: _Optional[_Iterable[str]] = ..., entry_count: _Optional[int] = ..., held_months: _Optional[_Iterable[str]] = ...) -> None: ...

class PlaceLegalHoldRequest(_message.Message):
    __slots__ = ("user_id", "contact_id", "reason", "request_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    contact_id: str
    reason: str
    request_id: str
    def __init__(self, user_id: _Optional[str] = ..., contact_id: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ReleaseLegalHoldRequest(_message.Message):
    __slots__ = ("id", "request_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    request_id: str
    def __init__(self, id: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class LegalHold(_message.Message):
    __slots__ = ("id", "user_id", "contact_id", "reason", "place_time", "release_time")
    ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PLACE_TIME_FIELD_NUMBER: _ClassVar[int]
    RELEASE_TIME_FIELD_NUMBER: _ClassVar[int]
    id: str
    user_id: str
    contact_id: str
    reason: str
    place_time: _timestamp_pb2.Timestamp
    release_time: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., user_id: _Optional[str] = ..., contact_id: _Optional[str] = ..., reason: _Optional[str] = ..., place_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., release_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
