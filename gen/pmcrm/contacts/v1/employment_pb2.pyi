import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pmcrm.type.v1 import contact_summary_pb2 as _contact_summary_pb2
from pmcrm.type.v1 import partial_date_pb2 as _partial_date_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Employment(_message.Message):
    __slots__ = ("id", "contact_id", "contact", "organization_id", "organization_name", "job_title", "department", "location", "start_date", "end_date", "current", "notes", "create_time", "update_time", "delete_time", "purge_time", "etag")
    ID_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_NAME_FIELD_NUMBER: _ClassVar[int]
    JOB_TITLE_FIELD_NUMBER: _ClassVar[int]
    DEPARTMENT_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    PURGE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    id: str
    contact_id: str
    contact: _contact_summary_pb2.ContactSummary
    organization_id: str
    organization_name: str
    job_title: str
    department: str
    location: str
    start_date: _partial_date_pb2.PartialDate
    end_date: _partial_date_pb2.PartialDate
    current: bool
    notes: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    delete_time: _timestamp_pb2.Timestamp
    purge_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, id: _Optional[str] = ..., contact_id: _Optional[str] = ..., contact: _Optional[_Union[_contact_summary_pb2.ContactSummary, _Mapping]] = ..., organization_id: _Optional[str] = ..., organization_name: _Optional[str] = ..., job_title: _Optional[str] = ..., department: _Optional[str] = ..., location: _Optional[str] = ..., start_date: _Optional[_Union[_partial_date_pb2.PartialDate, _Mapping]] = ..., end_date: _Optional[_Union[_partial_date_pb2.PartialDate, _Mapping]] = ..., current: _Optional[bool] = ..., notes: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., purge_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...
