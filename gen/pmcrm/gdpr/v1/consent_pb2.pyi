import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pmcrm.type.v1 import consent_status_pb2 as _consent_status_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ConsentType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONSENT_TYPE_UNSPECIFIED: _ClassVar[ConsentType]
    CONSENT_TYPE_CONSENT: _ClassVar[ConsentType]
    CONSENT_TYPE_EXPLICIT_CONSENT: _ClassVar[ConsentType]
    CONSENT_TYPE_PARENTAL_CONSENT: _ClassVar[ConsentType]
    CONSENT_TYPE_OBJECTION: _ClassVar[ConsentType]
    CONSENT_TYPE_WITHDRAWAL: _ClassVar[ConsentType]

class LegalBasis(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LEGAL_BASIS_UNSPECIFIED: _ClassVar[LegalBasis]
    LEGAL_BASIS_CONSENT: _ClassVar[LegalBasis]
    LEGAL_BASIS_CONTRACT: _ClassVar[LegalBasis]
    LEGAL_BASIS_LEGAL_OBLIGATION: _ClassVar[LegalBasis]
    LEGAL_BASIS_VITAL_INTERESTS: _ClassVar[LegalBasis]
    LEGAL_BASIS_PUBLIC_TASK: _ClassVar[LegalBasis]
    LEGAL_BASIS_LEGITIMATE_INTERESTS: _ClassVar[LegalBasis]
CONSENT_TYPE_UNSPECIFIED: ConsentType
CONSENT_TYPE_CONSENT: ConsentType
CONSENT_TYPE_EXPLICIT_CONSENT: ConsentType
CONSENT_TYPE_PARENTAL_CONSENT: ConsentType
CONSENT_TYPE_OBJECTION: ConsentType
CONSENT_TYPE_WITHDRAWAL: ConsentType
LEGAL_BASIS_UNSPECIFIED: LegalBasis
LEGAL_BASIS_CONSENT: LegalBasis
LEGAL_BASIS_CONTRACT: LegalBasis
LEGAL_BASIS_LEGAL_OBLIGATION: LegalBasis
LEGAL_BASIS_VITAL_INTERESTS: LegalBasis
LEGAL_BASIS_PUBLIC_TASK: LegalBasis
LEGAL_BASIS_LEGITIMATE_INTERESTS: LegalBasis

class Consent(_message.Message):
    __slots__ = ("id", "contact_id", "type", "purpose", "legal_basis", "text_version", "text_hash", "source", "ip_address", "user_agent", "note", "expire_time", "withdrawn_consent_id", "status", "create_time")
    ID_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    TEXT_VERSION_FIELD_NUMBER: _ClassVar[int]
    TEXT_HASH_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    IP_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    USER_AGENT_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWN_CONSENT_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    id: str
    contact_id: str
    type: ConsentType
    purpose: str
    legal_basis: LegalBasis
    text_version: str
    text_hash: str
    source: str
    ip_address: str
    user_agent: str
    note: str
    expire_time: _timestamp_pb2.Timestamp
    withdrawn_consent_id: str
    status: _consent_status_pb2.ConsentStatus
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., contact_id: _Optional[str] = ..., type: _Optional[_Union[ConsentType, str]] = ..., purpose: _Optional[str] = ..., legal_basis: _Optional[_Union[LegalBasis, str]] = ..., text_version: _Optional[str] = ..., text_hash: _Optional[str] = ..., source: _Optional[str] = ..., ip_address: _Optional[str] = ..., user_agent: _Optional[str] = ..., note: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., withdrawn_consent_id: _Optional[str] = ..., status: _Optional[_Union[_consent_status_pb2.ConsentStatus, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
