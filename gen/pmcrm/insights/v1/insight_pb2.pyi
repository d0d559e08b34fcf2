import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pmcrm.type.v1 import contact_summary_pb2 as _contact_summary_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class InsightType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INSIGHT_TYPE_UNSPECIFIED: _ClassVar[InsightType]
    INSIGHT_TYPE_OVERDUE: _ClassVar[InsightType]
    INSIGHT_TYPE_LOSING_TOUCH: _ClassVar[InsightType]
    INSIGHT_TYPE_BIRTHDAY: _ClassVar[InsightType]
    INSIGHT_TYPE_FOLLOW_UP: _ClassVar[InsightType]
    INSIGHT_TYPE_JOB_CHANGE: _ClassVar[InsightType]
    INSIGHT_TYPE_DUPLICATE: _ClassVar[InsightType]
    INSIGHT_TYPE_INTRODUCTION: _ClassVar[InsightType]

class InsightStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INSIGHT_STATUS_UNSPECIFIED: _ClassVar[InsightStatus]
    INSIGHT_STATUS_PENDING: _ClassVar[InsightStatus]
    INSIGHT_STATUS_ACTIONED: _ClassVar[InsightStatus]
    INSIGHT_STATUS_DISMISSED: _ClassVar[InsightStatus]
    INSIGHT_STATUS_SUPERSEDED: _ClassVar[InsightStatus]

class InsightWording(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INSIGHT_WORDING_UNSPECIFIED: _ClassVar[InsightWording]
    INSIGHT_WORDING_RULE: _ClassVar[InsightWording]
    INSIGHT_WORDING_PROVIDER: _ClassVar[InsightWording]

class EvidenceType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVIDENCE_TYPE_UNSPECIFIED: _ClassVar[EvidenceType]
    EVIDENCE_TYPE_CONTACT: _ClassVar[EvidenceType]
    EVIDENCE_TYPE_INTERACTION: _ClassVar[EvidenceType]
    EVIDENCE_TYPE_EMPLOYMENT: _ClassVar[EvidenceType]
    EVIDENCE_TYPE_ORGANIZATION: _ClassVar[EvidenceType]
    EVIDENCE_TYPE_LINK: _ClassVar[EvidenceType]
    EVIDENCE_TYPE_TAG: _ClassVar[EvidenceType]
INSIGHT_TYPE_UNSPECIFIED: InsightType
INSIGHT_TYPE_OVERDUE: InsightType
INSIGHT_TYPE_LOSING_TOUCH: InsightType
INSIGHT_TYPE_BIRTHDAY: InsightType
INSIGHT_TYPE_FOLLOW_UP: InsightType
INSIGHT_TYPE_JOB_CHANGE: InsightType
INSIGHT_TYPE_DUPLICATE: InsightType
INSIGHT_TYPE_INTRODUCTION: InsightType
INSIGHT_STATUS_UNSPECIFIED: InsightStatus
INSIGHT_STATUS_PENDING: InsightStatus
INSIGHT_STATUS_ACTIONED: InsightStatus
INSIGHT_STATUS_DISMISSED: InsightStatus
INSIGHT_STATUS_SUPERSEDED: InsightStatus
INSIGHT_WORDING_UNSPECIFIED: InsightWording
INSIGHT_WORDING_RULE: InsightWording
INSIGHT_WORDING_PROVIDER: InsightWording
EVIDENCE_TYPE_UNSPECIFIED: EvidenceType
EVIDENCE_TYPE_CONTACT: EvidenceType
EVIDENCE_TYPE_INTERACTION: EvidenceType
EVIDENCE_TYPE_EMPLOYMENT: EvidenceType
EVIDENCE_TYPE_ORGANIZATION: EvidenceType
EVIDENCE_TYPE_LINK: EvidenceType
EVIDENCE_TYPE_TAG: EvidenceType

class Insight(_message.Message):
    __slots__ = ("id", "type", "title", "body", "confidence", "status", "contacts", "evidence", "rule", "rule_version", "wording", "model", "as_of_time", "expire_time", "resolve_time", "resolve_note", "resolve_actor", "superseded_by_id", "create_time", "update_time", "delete_time", "purge_time", "etag")
    ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    RULE_VERSION_FIELD_NUMBER: _ClassVar[int]
    WORDING_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    AS_OF_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    RESOLVE_TIME_FIELD_NUMBER: _ClassVar[int]
    RESOLVE_NOTE_FIELD_NUMBER: _ClassVar[int]
    RESOLVE_ACTOR_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_BY_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    PURGE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    id: str
    type: InsightType
    title: str
    body: str
    confidence: float
    status: InsightStatus
    contacts: _containers.RepeatedCompositeFieldContainer[_contact_summary_pb2.ContactSummary]
    evidence: _containers.RepeatedCompositeFieldContainer[InsightEvidence]
    rule: str
    rule_version: str
    wording: InsightWording
    model: str
    as_of_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    resolve_time: _timestamp_pb2.Timestamp
    resolve_note: str
    resolve_actor: str
    superseded_by_id: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    delete_time: _timestamp_pb2.Timestamp
    purge_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, id: _Optional[str] = ..., type: _Optional[_Union[InsightType, str]] = ..., title: _Optional[str] = ..., body: _Optional[str] = ..., confidence: _Optional[float] = ..., status: _Optional[_Union[InsightStatus, str]] = ..., contacts: _Optional[_Iterable[_Union[_contact_summary_pb2.ContactSummary, _Mapping]]] = ..., evidence: _Optional[_Iterable[_Union[InsightEvidence, _Mapping]]] = ..., rule: _Optional[str] = ..., rule_version: _Optional[str] = ..., wording: _Optional[_Union[InsightWording, str]] = ..., model: _Optional[str] = ..., as_of_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resolve_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resolve_note: _Optional[str] = ..., resolve_actor: _Optional[str] = ..., superseded_by_id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., purge_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class InsightEvidence(_message.Message):
    __slots__ = ("type", "id", "detail")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    type: EvidenceType
    id: str
    detail: str
    def __init__(self, type: _Optional[_Union[EvidenceType, str]] = ..., id: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...
