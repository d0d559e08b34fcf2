import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pmcrm.type.v1 import consent_status_pb2 as _consent_status_pb2
from pmcrm.type.v1 import partial_date_pb2 as _partial_date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Contact(_message.Message):
    __slots__ = ("id", "given_name", "family_name", "additional_names", "honorific_prefixes", "honorific_suffixes", "phonetic_given_name", "phonetic_family_name", "nickname", "display_name", "emails", "phones", "addresses", "urls", "im_handles", "birthday", "anniversary", "organization_name", "job_title", "notes", "custom_fields", "tags", "current_organization", "relationship_strength", "relationship_strength_pinned", "last_contact_time", "next_contact_time", "keep_in_touch_days", "processing_restricted", "consent_state", "source_uid", "source_create_time", "source_update_time", "photo_uri", "extra_properties", "merged_into_id", "merge_id", "create_time", "update_time", "delete_time", "purge_time", "etag")
    class ConsentStateEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _consent_status_pb2.ConsentStatus
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_consent_status_pb2.ConsentStatus, str]] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    GIVEN_NAME_FIELD_NUMBER: _ClassVar[int]
    FAMILY_NAME_FIELD_NUMBER: _ClassVar[int]
    ADDITIONAL_NAMES_FIELD_NUMBER: _ClassVar[int]
    HONORIFIC_PREFIXES_FIELD_NUMBER: _ClassVar[int]
    HONORIFIC_SUFFIXES_FIELD_NUMBER: _ClassVar[int]
    PHONETIC_GIVEN_NAME_FIELD_NUMBER: _ClassVar[int]
    PHONETIC_FAMILY_NAME_FIELD_NUMBER: _ClassVar[int]
    NICKNAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    EMAILS_FIELD_NUMBER: _ClassVar[int]
    PHONES_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    URLS_FIELD_NUMBER: _ClassVar[int]
    IM_HANDLES_FIELD_NUMBER: _ClassVar[int]
    BIRTHDAY_FIELD_NUMBER: _ClassVar[int]
    ANNIVERSARY_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_NAME_FIELD_NUMBER: _ClassVar[int]
    JOB_TITLE_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    CUSTOM_FIELDS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    CURRENT_ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    RELATIONSHIP_STRENGTH_FIELD_NUMBER: _ClassVar[int]
    RELATIONSHIP_STRENGTH_PINNED_FIELD_NUMBER: _ClassVar[int]
    LAST_CONTACT_TIME_FIELD_NUMBER: _ClassVar[int]
    NEXT_CONTACT_TIME_FIELD_NUMBER: _ClassVar[int]
    KEEP_IN_TOUCH_DAYS_FIELD_NUMBER: _ClassVar[int]
    PROCESSING_RESTRICTED_FIELD_NUMBER: _ClassVar[int]
    CONSENT_STATE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_UID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    PHOTO_URI_FIELD_NUMBER: _ClassVar[int]
    EXTRA_PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    MERGED_INTO_ID_FIELD_NUMBER: _ClassVar[int]
    MERGE_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    PURGE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    id: str
    given_name: str
    family_name: str
    additional_names: str
    honorific_prefixes: str
    honorific_suffixes: str
    phonetic_given_name: str
    phonetic_family_name: str
    nickname: str
    display_name: str
    emails: _containers.RepeatedCompositeFieldContainer[Email]
    phones: _containers.RepeatedCompositeFieldContainer[Phone]
    addresses: _containers.RepeatedCompositeFieldContainer[Address]
    urls: _containers.RepeatedCompositeFieldContainer[Url]
    im_handles: _containers.RepeatedCompositeFieldContainer[ImHandle]
    birthday: _partial_date_pb2.PartialDate
    anniversary: _partial_date_pb2.PartialDate
    organization_name: str
    job_title: str
    notes: str
    custom_fields: _struct_pb2.Struct
    tags: _containers.RepeatedCompositeFieldContainer[ContactTag]
    current_organization: CurrentOrganization
    relationship_strength: int
    relationship_strength_pinned: bool
    last_contact_time: _timestamp_pb2.Timestamp
    next_contact_time: _timestamp_pb2.Timestamp
    keep_in_touch_days: int
    processing_restricted: bool
    consent_state: _containers.ScalarMap[str, _consent_status_pb2.ConsentStatus]
    source_uid: str
    source_create_time: _timestamp_pb2.Timestamp
    source_update_time: _timestamp_pb2.Timestamp
    photo_uri: str
    extra_properties: _containers.RepeatedScalarFieldContainer[str]
    merged_into_id: str
    merge_id: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    delete_time: _timestamp_pb2.Timestamp
    purge_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, id: _Optional[str] = ..., given_name: _Optional[str] = ..., family_name: _Optional[str] = ..., additional_names: _Optional[str] = ..., honorific_prefixes: _Optional[str] = ..., honorific_suffixes: _Optional[str] = ..., phonetic_given_name: _Optional[str] = ..., phonetic_family_name: _Optional[str] = ..., nickname: _Optional[str] = ..., display_name: _Optional[str] = ..., emails: _Optional[_Iterable[_Union[Email, _Mapping]]] = ..., phones: _Optional[_Iterable[_Union[Phone, _Mapping]]] = ..., addresses: _Optional[_Iterable[_Union[Address, _Mapping]]] = ..., urls: _Optional[_Iterable[_Union[Url, _Mapping]]] = ..., im_handles: _Optional[_Iterable[_Union[ImHandle, _Mapping]]] = ..., birthday: _Optional[_Union[_partial_date_pb2.PartialDate, _Mapping]] = ..., anniversary: _Optional[_Union[_partial_date_pb2.PartialDate, _Mapping]] = ..., organization_name: _Optional[str] = ..., job_title: _Optional[str] = ..., notes: _Optional[str] = ..., custom_fields: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., tags: _Optional[_Iterable[_Union[ContactTag, _Mapping]]] = ..., current_organization: _Optional[_Union[CurrentOrganization, _Mapping]] = ..., relationship_strength: _Optional[int] = ..., relationship_strength_pinned: _Optional[bool] = ..., last_contact_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_contact_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., keep_in_touch_days: _Optional[int] = ..., processing_restricted: _Optional[bool] = ..., consent_state: _Optional[_Mapping[str, _consent_status_pb2.ConsentStatus]] = ..., source_uid: _Optional[str] = ..., source_create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., source_update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., photo_uri: _Optional[str] = ..., extra_properties: _Optional[_Iterable[str]] = ..., merged_into_id: _Optional[str] = ..., merge_id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., purge_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class Email(_message.Message):
    __slots__ = ("value", "label", "primary")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_FIELD_NUMBER: _ClassVar[int]
    value: str
    label: str
    primary: bool
    def __init__(self, value: _Optional[str] = ..., label: _Optional[str] = ..., primary: _Optional[bool] = ...) -> None: ...

class Phone(_message.Message):
    __slots__ = ("value", "label", "primary", "region", "e164", "extension")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    E164_FIELD_NUMBER: _ClassVar[int]
    EXTENSION_FIELD_NUMBER: _ClassVar[int]
    value: str
    label: str
    primary: bool
    region: str
    e164: str
    extension: str
    def __init__(self, value: _Optional[str] = ..., label: _Optional[str] = ..., primary: _Optional[bool] = ..., region: _Optional[str] = ..., e164: _Optional[str] = ..., extension: _Optional[str] = ...) -> None: ...

class Address(_message.Message):
    __slots__ = ("value", "label", "primary", "street", "extended_address", "po_box", "locality", "region", "postal_code", "country", "country_code")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_FIELD_NUMBER: _ClassVar[int]
    STREET_FIELD_NUMBER: _ClassVar[int]
    EXTENDED_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PO_BOX_FIELD_NUMBER: _ClassVar[int]
    LOCALITY_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    POSTAL_CODE_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_CODE_FIELD_NUMBER: _ClassVar[int]
    value: str
    label: str
    primary: bool
    street: str
    extended_address: str
    po_box: str
    locality: str
    region: str
    postal_code: str
    country: str
    country_code: str
    def __init__(self, value: _Optional[str] = ..., label: _Optional[str] = ..., primary: _Optional[bool] = ..., street: _Optional[str] = ..., extended_address: _Optional[str] = ..., po_box: _Optional[str] = ..., locality: _Optional[str] = ..., region: _Optional[str] = ..., postal_code: _Optional[str] = ..., country: _Optional[str] = ..., country_code: _Optional[str] = ...) -> None: ...

class Url(_message.Message):
    __slots__ = ("value", "label", "primary")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_FIELD_NUMBER: _ClassVar[int]
    value: str
    label: str
    primary: bool
    def __init__(self, value: _Optional[str] = ..., label: _Optional[str] = ..., primary: _Optional[bool] = ...) -> None: ...

class ImHandle(_message.Message):
    __slots__ = ("value", "label", "primary")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_FIELD_NUMBER: _ClassVar[int]
    value: str
    label: str
    primary: bool
    def __init__(self, value: _Optional[str] = ..., label: _Optional[str] = ..., primary: _Optional[bool] = ...) -> None: ...

class ContactTag(_message.Message):
    __slots__ = ("id", "name", "color")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    COLOR_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    color: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., color: _Optional[str] = ...) -> None: ...

class CurrentOrganization(_message.Message):
    __slots__ = ("id", "name", "job_title")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    JOB_TITLE_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    job_title: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., job_title: _Optional[str] = ...) -> None: ...
