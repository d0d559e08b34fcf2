import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pmcrm.type.v1 import contact_summary_pb2 as _contact_summary_pb2
from pmcrm.type.v1 import partial_date_pb2 as _partial_date_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ContactLinkType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONTACT_LINK_TYPE_UNSPECIFIED: _ClassVar[ContactLinkType]
    CONTACT_LINK_TYPE_SPOUSE: _ClassVar[ContactLinkType]
    CONTACT_LINK_TYPE_PARTNER: _ClassVar[ContactLinkType]
    CONTACT_LINK_TYPE_SIBLING: _ClassVar[ContactLinkType]
    CONTACT_LINK_TYPE_RELATIVE: _ClassVar[ContactLinkType]
    CONTACT_LINK_TYPE_FRIEND: _ClassVar[ContactLinkType]
    CONTACT_LINK_TYPE_ACQUAINTANCE: _ClassVar[ContactLinkType]
    CONTACT_LINK_TYPE_COLLEAGUE: _ClassVar[ContactLinkType]
    CONTACT_LINK_TYPE_NEIGHBOR: _ClassVar[ContactLinkType]
    CONTACT_LINK_TYPE_OTHER: _ClassVar[ContactLinkType]
    CONTACT_LINK_TYPE_PARENT: _ClassVar[ContactLinkType]
    CONTACT_LINK_TYPE_CHILD: _ClassVar[ContactLinkType]
    CONTACT_LINK_TYPE_MANAGER: _ClassVar[ContactLinkType]
    CONTACT_LINK_TYPE_REPORT: _ClassVar[ContactLinkType]
    CONTACT_LINK_TYPE_INTRODUCED_BY: _ClassVar[ContactLinkType]
    CONTACT_LINK_TYPE_INTRODUCED: _ClassVar[ContactLinkType]
    CONTACT_LINK_TYPE_ASSISTANT: _ClassVar[ContactLinkType]
    CONTACT_LINK_TYPE_ASSISTED: _ClassVar[ContactLinkType]
CONTACT_LINK_TYPE_UNSPECIFIED: ContactLinkType
CONTACT_LINK_TYPE_SPOUSE: ContactLinkType
CONTACT_LINK_TYPE_PARTNER: ContactLinkType
CONTACT_LINK_TYPE_SIBLING: ContactLinkType
CONTACT_LINK_TYPE_RELATIVE: ContactLinkType
CONTACT_LINK_TYPE_FRIEND: ContactLinkType
CONTACT_LINK_TYPE_ACQUAINTANCE: ContactLinkType
CONTACT_LINK_TYPE_COLLEAGUE: ContactLinkType
CONTACT_LINK_TYPE_NEIGHBOR: ContactLinkType
CONTACT_LINK_TYPE_OTHER: ContactLinkType
CONTACT_LINK_TYPE_PARENT: ContactLinkType
CONTACT_LINK_TYPE_CHILD: ContactLinkType
CONTACT_LINK_TYPE_MANAGER: ContactLinkType
CONTACT_LINK_TYPE_REPORT: ContactLinkType
CONTACT_LINK_TYPE_INTRODUCED_BY: ContactLinkType
CONTACT_LINK_TYPE_INTRODUCED: ContactLinkType
CONTACT_LINK_TYPE_ASSISTANT: ContactLinkType
CONTACT_LINK_TYPE_ASSISTED: ContactLinkType

class ContactLink(_message.Message):
    __slots__ = ("id", "contact_id", "related_contact_id", "related_contact", "type", "label", "start_date", "notes", "create_time", "update_time", "delete_time", "purge_time", "etag")
    ID_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    RELATED_CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    RELATED_CONTACT_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    PURGE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    id: str
    contact_id: str
    related_contact_id: str
    related_contact: _contact_summary_pb2.ContactSummary
    type: ContactLinkType
    label: str
    start_date: _partial_date_pb2.PartialDate
    notes: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    delete_time: _timestamp_pb2.Timestamp
    purge_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, id: _Optional[str] = ..., contact_id: _Optional[str] = ..., related_contact_id: _Optional[str] = ..., related_contact: _Optional[_Union[_contact_summary_pb2.ContactSummary, _Mapping]] = ..., type: _Optional[_Union[ContactLinkType, str]] = ..., label: _Optional[str] = ..., start_date: _Optional[_Union[_partial_date_pb2.PartialDate, _Mapping]] = ..., notes: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., purge_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...
