import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pmcrm.interactions.v1 import reminder_pb2 as _reminder_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReminderDelivery(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REMINDER_DELIVERY_UNSPECIFIED: _ClassVar[ReminderDelivery]
    REMINDER_DELIVERY_SENT: _ClassVar[ReminderDelivery]
    REMINDER_DELIVERY_RETRY: _ClassVar[ReminderDelivery]
    REMINDER_DELIVERY_FAILED: _ClassVar[ReminderDelivery]

class ReminderAckOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REMINDER_ACK_OUTCOME_UNSPECIFIED: _ClassVar[ReminderAckOutcome]
    REMINDER_ACK_OUTCOME_ACCEPTED: _ClassVar[ReminderAckOutcome]
    REMINDER_ACK_OUTCOME_LEASE_LOST: _ClassVar[ReminderAckOutcome]
    REMINDER_ACK_OUTCOME_ALREADY_ACKNOWLEDGED: _ClassVar[ReminderAckOutcome]
    REMINDER_ACK_OUTCOME_LEASE_UNKNOWN: _ClassVar[ReminderAckOutcome]
REMINDER_DELIVERY_UNSPECIFIED: ReminderDelivery
REMINDER_DELIVERY_SENT: ReminderDelivery
REMINDER_DELIVERY_RETRY: ReminderDelivery
REMINDER_DELIVERY_FAILED: ReminderDelivery
REMINDER_ACK_OUTCOME_UNSPECIFIED: ReminderAckOutcome
REMINDER_ACK_OUTCOME_ACCEPTED: ReminderAckOutcome
REMINDER_ACK_OUTCOME_LEASE_LOST: ReminderAckOutcome
REMINDER_ACK_OUTCOME_ALREADY_ACKNOWLEDGED: ReminderAckOutcome
REMINDER_ACK_OUTCOME_LEASE_UNKNOWN: ReminderAckOutcome

class CreateReminderRequest(_message.Message):
    __slots__ = ("reminder", "request_id")
    REMINDER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    reminder: _reminder_pb2.Reminder
    request_id: str
    def __init__(self, reminder: _Optional[_Union[_reminder_pb2.Reminder, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class GetReminderRequest(_message.Message):
    __slots__ = ("id", "read_mask")
    ID_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    id: str
    read_mask: _field_mask_pb2.FieldMask
    def __init__(self, id: _Optional[str] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class ListRemindersRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "skip", "order_by", "show_deleted", "read_mask", "include_total_size", "contact_id", "status", "kinds", "min_priority", "due_after", "due_before")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SKIP_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    SHOW_DELETED_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    MIN_PRIORITY_FIELD_NUMBER: _ClassVar[int]
    DUE_AFTER_FIELD_NUMBER: _ClassVar[int]
    DUE_BEFORE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    skip: int
    order_by: str
    show_deleted: bool
    read_mask: _field_mask_pb2.FieldMask
    include_total_size: bool
    contact_id: str
    status: _reminder_pb2.ReminderStatus
    kinds: _containers.RepeatedScalarFieldContainer[_reminder_pb2.ReminderKind]
    min_priority: _reminder_pb2.ReminderPriority
    due_after: _timestamp_pb2.Timestamp
    due_before: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., skip: _Optional[int] = ..., order_by: _Optional[str] = ..., show_deleted: _Optional[bool] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., include_total_size: _Optional[bool] = ..., contact_id: _Optional[str] = ..., status: _Optional[_Union[_reminder_pb2.ReminderStatus, str]] = ..., kinds: _Optional[_Iterable[_Union[_reminder_pb2.ReminderKind, str]]] = ..., min_priority: _Optional[_Union[_reminder_pb2.ReminderPriority, str]] = ..., due_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListRemindersResponse(_message.Message):
    __slots__ = ("reminders", "next_page_token", "total_size")
    REMINDERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    reminders: _containers.RepeatedCompositeFieldContainer[_reminder_pb2.Reminder]
    next_page_token: str
    total_size: int
    def __init__(self, reminders: _Optional[_Iterable[_Union[_reminder_pb2.Reminder, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_size: _Optional[int] = ...) -> None: ...

class UpdateReminderRequest(_message.Message):
    __slots__ = ("reminder", "update_mask", "request_id")
    REMINDER_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    reminder: _reminder_pb2.Reminder
    update_mask: _field_mask_pb2.FieldMask
    request_id: str
    def __init__(self, reminder: _Optional[_Union[_reminder_pb2.Reminder, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteReminderRequest(_message.Message):
    __slots__ = ("id", "etag", "allow_missing", "request_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MISSING_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    etag: str
    allow_missing: bool
    request_id: str
    def __init__(self, id: _Optional[str] = ..., etag: _Optional[str] = ..., allow_missing: _Optional[bool] = ..., request_id: _Optional[str] = ...) -> None: ...

class CompleteReminderRequest(_message.Message):
    __slots__ = ("id", "occurrence_time", "etag", "request_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    OCCURRENCE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    occurrence_time: _timestamp_pb2.Timestamp
    etag: str
    request_id: str
    def __init__(self, id: _Optional[str] = ..., occurrence_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class SnoozeReminderRequest(_message.Message):
    __slots__ = ("id", "snooze_time", "snooze_duration", "occurrence_time", "etag", "request_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    SNOOZE_TIME_FIELD_NUMBER: _ClassVar[int]
    SNOOZE_DURATION_FIELD_NUMBER: _ClassVar[int]
    OCCURRENCE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    snooze_time: _timestamp_pb2.Timestamp
    snooze_duration: _duration_pb2.Duration
    occurrence_time: _timestamp_pb2.Timestamp
    etag: str
    request_id: str
    def __init__(self, id: _Optional[str] = ..., snooze_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., snooze_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., occurrence_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class PreviewOccurrencesRequest(_message.Message):
    __slots__ = ("due_local", "time_zone", "rrule", "max_occurrences", "after_time")
    DUE_LOCAL_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    RRULE_FIELD_NUMBER: _ClassVar[int]
    MAX_OCCURRENCES_FIELD_NUMBER: _ClassVar[int]
    AFTER_TIME_FIELD_NUMBER: _ClassVar[int]
    due_local: str
    time_zone: str
    rrule: str
    max_occurrences: int
    after_time: _timestamp_pb2.Timestamp
    def __init__(self, due_local: _Optional[str] = ..., time_zone: _Optional[str] = ..., rrule: _Optional[str] = ..., max_occurrences: _Optional[int] = ..., after_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PreviewOccurrencesResponse(_message.Message):
    __slots__ = ("occurrences", "local_occurrences", "more")
    OCCURRENCES_FIELD_NUMBER: _ClassVar[int]
    LOCAL_OCCURRENCES_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    occurrences: _containers.RepeatedCompositeFieldContainer[_timestamp_pb2.Timestamp]
    local_occurrences: _containers.RepeatedScalarFieldContainer[str]
    more: bool
    def __init__(self, occurrences: _Optional[_Iterable[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]]] = ..., local_occurrences: _Optional[_Iterable[str]] = ..., more: _Optional[bool] = ...) -> None: ...

class ExportCalendarRequest(_message.Message):
    __slots__ = ("contact_id", "include_birthdays", "include_completed")
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_BIRTHDAYS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_COMPLETED_FIELD_NUMBER: _ClassVar[int]
    contact_id: str
    include_birthdays: bool
    include_completed: bool
    def __init__(self, contact_id: _Optional[str] = ..., include_birthdays: _Optional[bool] = ..., include_completed: _Optional[bool] = ...) -> None: ...

class ExportCalendarResponse(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...

class ClaimDueRemindersRequest(_message.Message):
    __slots__ = ("batch_size", "lease_seconds", "claimer", "request_id")
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    LEASE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CLAIMER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    batch_size: int
    lease_seconds: int
    claimer: str
    request_id: str
    def __init__(self, batch_size: _Optional[int] = ..., lease_seconds: _Optional[int] = ..., claimer: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ClaimDueRemindersResponse(_message.Message):
    __slots__ = ("due_reminders",)
    DUE_REMINDERS_FIELD_NUMBER: _ClassVar[int]
    due_reminders: _containers.RepeatedCompositeFieldContainer[DueReminder]
    def __init__(self, due_reminders: _Optional[_Iterable[_Union[DueReminder, _Mapping]]] = ...) -> None: ...

class DueReminder(_message.Message):
    __slots__ = ("lease_id", "user_id", "reminder", "occurrence_time", "notify_time", "lease_expire_time", "attempt")
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    REMINDER_FIELD_NUMBER: _ClassVar[int]
    OCCURRENCE_TIME_FIELD_NUMBER: _ClassVar[int]
    NOTIFY_TIME_FIELD_NUMBER: _ClassVar[int]
    LEASE_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    lease_id: str
    user_id: str
    reminder: _reminder_pb2.Reminder
    occurrence_time: _timestamp_pb2.Timestamp
    notify_time: _timestamp_pb2.Timestamp
    lease_expire_time: _timestamp_pb2.Timestamp
    attempt: int
    def __init__(self, lease_id: _Optional[str] = ..., user_id: _Optional[str] = ..., reminder: _Optional[_Union[_reminder_pb2.Reminder, _Mapping]] = ..., occurrence_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., notify_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lease_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attempt: _Optional[int] = ...) -> None: ...

class AckRemindersRequest(_message.Message):
    __slots__ = ("acks", "request_id")
    ACKS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    acks: _containers.RepeatedCompositeFieldContainer[ReminderAck]
    request_id: str
    def __init__(self, acks: _Optional[_Iterable[_Union[ReminderAck, _Mapping]]] = ..., request_id: _Optional[str] = ...) -> None: ...

class ReminderAck(_message.Message):
    __slots__ = ("lease_id", "delivery")
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    lease_id: str
    delivery: ReminderDelivery
    def __init__(self, lease_id: _Optional[str] = ..., delivery: _Optional[_Union[ReminderDelivery, str]] = ...) -> None: ...

class AckRemindersResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[ReminderAckResult]
    def __init__(self, results: _Optional[_Iterable[_Union[ReminderAckResult, _Mapping]]] = ...) -> None: ...

class ReminderAckResult(_message.Message):
    __slots__ = ("lease_id", "outcome")
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    lease_id: str
    outcome: ReminderAckOutcome
    def __init__(self, lease_id: _Optional[str] = ..., outcome: _Optional[_Union[ReminderAckOutcome, str]] = ...) -> None: ...
