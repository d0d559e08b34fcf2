import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pmcrm.type.v1 import contact_summary_pb2 as _contact_summary_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReminderKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REMINDER_KIND_UNSPECIFIED: _ClassVar[ReminderKind]
    REMINDER_KIND_GENERAL: _ClassVar[ReminderKind]
    REMINDER_KIND_KEEP_IN_TOUCH: _ClassVar[ReminderKind]
    REMINDER_KIND_BIRTHDAY: _ClassVar[ReminderKind]

class ReminderPriority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REMINDER_PRIORITY_UNSPECIFIED: _ClassVar[ReminderPriority]
    REMINDER_PRIORITY_LOW: _ClassVar[ReminderPriority]
    REMINDER_PRIORITY_NORMAL: _ClassVar[ReminderPriority]
    REMINDER_PRIORITY_HIGH: _ClassVar[ReminderPriority]
    REMINDER_PRIORITY_URGENT: _ClassVar[ReminderPriority]

class ReminderStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REMINDER_STATUS_UNSPECIFIED: _ClassVar[ReminderStatus]
    REMINDER_STATUS_ACTIVE: _ClassVar[ReminderStatus]
    REMINDER_STATUS_COMPLETED: _ClassVar[ReminderStatus]

class NotificationChannel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOTIFICATION_CHANNEL_UNSPECIFIED: _ClassVar[NotificationChannel]
    NOTIFICATION_CHANNEL_EMAIL: _ClassVar[NotificationChannel]
    NOTIFICATION_CHANNEL_PUSH: _ClassVar[NotificationChannel]
    NOTIFICATION_CHANNEL_SMS: _ClassVar[NotificationChannel]
    NOTIFICATION_CHANNEL_IN_APP: _ClassVar[NotificationChannel]
REMINDER_KIND_UNSPECIFIED: ReminderKind
REMINDER_KIND_GENERAL: ReminderKind
REMINDER_KIND_KEEP_IN_TOUCH: ReminderKind
REMINDER_KIND_BIRTHDAY: ReminderKind
REMINDER_PRIORITY_UNSPECIFIED: ReminderPriority
REMINDER_PRIORITY_LOW: ReminderPriority
REMINDER_PRIORITY_NORMAL: ReminderPriority
REMINDER_PRIORITY_HIGH: ReminderPriority
REMINDER_PRIORITY_URGENT: ReminderPriority
REMINDER_STATUS_UNSPECIFIED: ReminderStatus
REMINDER_STATUS_ACTIVE: ReminderStatus
REMINDER_STATUS_COMPLETED: ReminderStatus
NOTIFICATION_CHANNEL_UNSPECIFIED: NotificationChannel
NOTIFICATION_CHANNEL_EMAIL: NotificationChannel
NOTIFICATION_CHANNEL_PUSH: NotificationChannel
NOTIFICATION_CHANNEL_SMS: NotificationChannel
NOTIFICATION_CHANNEL_IN_APP: NotificationChannel

class Reminder(_message.Message):
    __slots__ = ("id", "title", "notes", "kind", "due_local", "time_zone", "rrule", "priority", "contact_ids", "contacts", "notification", "status", "next_due_time", "next_due_local", "snooze_time", "next_notify_time", "last_complete_time", "completed_count", "create_time", "update_time", "delete_time", "purge_time", "etag")
    ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DUE_LOCAL_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    RRULE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    CONTACT_IDS_FIELD_NUMBER: _ClassVar[int]
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    NOTIFICATION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    NEXT_DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    NEXT_DUE_LOCAL_FIELD_NUMBER: _ClassVar[int]
    SNOOZE_TIME_FIELD_NUMBER: _ClassVar[int]
    NEXT_NOTIFY_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_COMPLETE_TIME_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    PURGE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    id: str
    title: str
    notes: str
    kind: ReminderKind
    due_local: str
    time_zone: str
    rrule: str
    priority: ReminderPriority
    contact_ids: _containers.RepeatedScalarFieldContainer[str]
    contacts: _containers.RepeatedCompositeFieldContainer[_contact_summary_pb2.ContactSummary]
    notification: NotificationPreferences
    status: ReminderStatus
    next_due_time: _timestamp_pb2.Timestamp
    next_due_local: str
    snooze_time: _timestamp_pb2.Timestamp
    next_notify_time: _timestamp_pb2.Timestamp
    last_complete_time: _timestamp_pb2.Timestamp
    completed_count: int
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    delete_time: _timestamp_pb2.Timestamp
    purge_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ..., notes: _Optional[str] = ..., kind: _Optional[_Union[ReminderKind, str]] = ..., due_local: _Optional[str] = ..., time_zone: _Optional[str] = ..., rrule: _Optional[str] = ..., priority: _Optional[_Union[ReminderPriority, str]] = ..., contact_ids: _Optional[_Iterable[str]] = ..., contacts: _Optional[_Iterable[_Union[_contact_summary_pb2.ContactSummary, _Mapping]]] = ..., notification: _Optional[_Union[NotificationPreferences, _Mapping]] = ..., status: _Optional[_Union[ReminderStatus, str]] = ..., next_due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_due_local: _Optional[str] = ..., snooze_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_notify_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_complete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., completed_count: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., purge_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class NotificationPreferences(_message.Message):
    __slots__ = ("channels", "lead_times", "muted")
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    LEAD_TIMES_FIELD_NUMBER: _ClassVar[int]
    MUTED_FIELD_NUMBER: _ClassVar[int]
    channels: _containers.RepeatedScalarFieldContainer[NotificationChannel]
    lead_times: _containers.RepeatedCompositeFieldContainer[_duration_pb2.Duration]
    muted: bool
    def __init__(self, channels: _Optional[_Iterable[_Union[NotificationChannel, str]]] = ..., lead_times: _Optional[_Iterable[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]]] = ..., muted: _Optional[bool] = ...) -> None: ...
