import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pmcrm.contacts.v1 import contact_pb2 as _contact_pb2
from pmcrm.type.v1 import contact_summary_pb2 as _contact_summary_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class InteractionType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INTERACTION_TYPE_UNSPECIFIED: _ClassVar[InteractionType]
    INTERACTION_TYPE_EMAIL: _ClassVar[InteractionType]
    INTERACTION_TYPE_MEETING: _ClassVar[InteractionType]
    INTERACTION_TYPE_CALL: _ClassVar[InteractionType]
    INTERACTION_TYPE_MESSAGE: _ClassVar[InteractionType]
    INTERACTION_TYPE_NOTE: _ClassVar[InteractionType]
    INTERACTION_TYPE_GIFT: _ClassVar[InteractionType]
    INTERACTION_TYPE_EVENT: _ClassVar[InteractionType]
    INTERACTION_TYPE_OTHER: _ClassVar[InteractionType]

class InteractionDirection(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INTERACTION_DIRECTION_UNSPECIFIED: _ClassVar[InteractionDirection]
    INTERACTION_DIRECTION_INBOUND: _ClassVar[InteractionDirection]
    INTERACTION_DIRECTION_OUTBOUND: _ClassVar[InteractionDirection]
    INTERACTION_DIRECTION_MUTUAL: _ClassVar[InteractionDirection]

class ParticipantRole(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PARTICIPANT_ROLE_UNSPECIFIED: _ClassVar[ParticipantRole]
    PARTICIPANT_ROLE_SENDER: _ClassVar[ParticipantRole]
    PARTICIPANT_ROLE_RECIPIENT: _ClassVar[ParticipantRole]
    PARTICIPANT_ROLE_COPIED: _ClassVar[ParticipantRole]
    PARTICIPANT_ROLE_ORGANIZER: _ClassVar[ParticipantRole]
    PARTICIPANT_ROLE_ATTENDEE: _ClassVar[ParticipantRole]
    PARTICIPANT_ROLE_MENTIONED: _ClassVar[ParticipantRole]

class SentimentLabel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SENTIMENT_LABEL_UNSPECIFIED: _ClassVar[SentimentLabel]
    SENTIMENT_LABEL_NEGATIVE: _ClassVar[SentimentLabel]
    SENTIMENT_LABEL_NEUTRAL: _ClassVar[SentimentLabel]
    SENTIMENT_LABEL_POSITIVE: _ClassVar[SentimentLabel]

class AnalysisSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ANALYSIS_SOURCE_UNSPECIFIED: _ClassVar[AnalysisSource]
    ANALYSIS_SOURCE_GIVEN: _ClassVar[AnalysisSource]
    ANALYSIS_SOURCE_LOCAL: _ClassVar[AnalysisSource]
    ANALYSIS_SOURCE_PROVIDER: _ClassVar[AnalysisSource]
INTERACTION_TYPE_UNSPECIFIED: InteractionType
INTERACTION_TYPE_EMAIL: InteractionType
INTERACTION_TYPE_MEETING: InteractionType
INTERACTION_TYPE_CALL: InteractionType
INTERACTION_TYPE_MESSAGE: InteractionType
INTERACTION_TYPE_NOTE: InteractionType
INTERACTION_TYPE_GIFT: InteractionType
INTERACTION_TYPE_EVENT: InteractionType
INTERACTION_TYPE_OTHER: InteractionType
INTERACTION_DIRECTION_UNSPECIFIED: InteractionDirection
INTERACTION_DIRECTION_INBOUND: InteractionDirection
INTERACTION_DIRECTION_OUTBOUND: InteractionDirection
INTERACTION_DIRECTION_MUTUAL: InteractionDirection
PARTICIPANT_ROLE_UNSPECIFIED: ParticipantRole
PARTICIPANT_ROLE_SENDER: ParticipantRole
PARTICIPANT_ROLE_RECIPIENT: ParticipantRole
PARTICIPANT_ROLE_COPIED: ParticipantRole
PARTICIPANT_ROLE_ORGANIZER: ParticipantRole
PARTICIPANT_ROLE_ATTENDEE: ParticipantRole
PARTICIPANT_ROLE_MENTIONED: ParticipantRole
SENTIMENT_LABEL_UNSPECIFIED: SentimentLabel
SENTIMENT_LABEL_NEGATIVE: SentimentLabel
SENTIMENT_LABEL_NEUTRAL: SentimentLabel
SENTIMENT_LABEL_POSITIVE: SentimentLabel
ANALYSIS_SOURCE_UNSPECIFIED: AnalysisSource
ANALYSIS_SOURCE_GIVEN: AnalysisSource
ANALYSIS_SOURCE_LOCAL: AnalysisSource
ANALYSIS_SOURCE_PROVIDER: AnalysisSource

class Interaction(_message.Message):
    __slots__ = ("id", "type", "direction", "occur_time", "duration", "subject", "body", "location", "channel", "participants", "sentiment", "topics", "topics_source", "language", "custom_fields", "source_uid", "thread_uid", "integration_id", "create_time", "update_time", "delete_time", "purge_time", "etag")
    ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    OCCUR_TIME_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANTS_FIELD_NUMBER: _ClassVar[int]
    SENTIMENT_FIELD_NUMBER: _ClassVar[int]
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    TOPICS_SOURCE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    CUSTOM_FIELDS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_UID_FIELD_NUMBER: _ClassVar[int]
    THREAD_UID_FIELD_NUMBER: _ClassVar[int]
    INTEGRATION_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    PURGE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    id: str
    type: InteractionType
    direction: InteractionDirection
    occur_time: _timestamp_pb2.Timestamp
    duration: _duration_pb2.Duration
    subject: str
    body: str
    location: str
    channel: str
    participants: _containers.RepeatedCompositeFieldContainer[Participant]
    sentiment: Sentiment
    topics: _containers.RepeatedScalarFieldContainer[str]
    topics_source: AnalysisSource
    language: str
    custom_fields: _struct_pb2.Struct
    source_uid: str
    thread_uid: str
    integration_id: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    delete_time: _timestamp_pb2.Timestamp
    purge_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, id: _Optional[str] = ..., type: _Optional[_Union[InteractionType, str]] = ..., direction: _Optional[_Union[InteractionDirection, str]] = ..., occur_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., subject: _Optional[str] = ..., body: _Optional[str] = ..., location: _Optional[str] = ..., channel: _Optional[str] = ..., participants: _Optional[_Iterable[_Union[Participant, _Mapping]]] = ..., sentiment: _Optional[_Union[Sentiment, _Mapping]] = ..., topics: _Optional[_Iterable[str]] = ..., topics_source: _Optional[_Union[AnalysisSource, str]] = ..., language: _Optional[str] = ..., custom_fields: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., source_uid: _Optional[str] = ..., thread_uid: _Optional[str] = ..., integration_id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., purge_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class Participant(_message.Message):
    __slots__ = ("contact_id", "new_contact", "role", "contact")
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    NEW_CONTACT_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    contact_id: str
    new_contact: _contact_pb2.Contact
    role: ParticipantRole
    contact: _contact_summary_pb2.ContactSummary
    def __init__(self, contact_id: _Optional[str] = ..., new_contact: _Optional[_Union[_contact_pb2.Contact, _Mapping]] = ..., role: _Optional[_Union[ParticipantRole, str]] = ..., contact: _Optional[_Union[_contact_summary_pb2.ContactSummary, _Mapping]] = ...) -> None: ...

class Sentiment(_message.Message):
    __slots__ = ("score", "label", "source")
    SCORE_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    score: float
    label: SentimentLabel
    source: AnalysisSource
    def __init__(self, score: _Optional[float] = ..., label: _Optional[_Union[SentimentLabel, str]] = ..., source: _Optional[_Union[AnalysisSource, str]] = ...) -> None: ...
