from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ProviderOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROVIDER_OUTCOME_UNSPECIFIED: _ClassVar[ProviderOutcome]
    PROVIDER_OUTCOME_NOT_ASKED: _ClassVar[ProviderOutcome]
    PROVIDER_OUTCOME_ANSWERED: _ClassVar[ProviderOutcome]
    PROVIDER_OUTCOME_UNAVAILABLE: _ClassVar[ProviderOutcome]
    PROVIDER_OUTCOME_ANSWER_INVALID: _ClassVar[ProviderOutcome]
PROVIDER_OUTCOME_UNSPECIFIED: ProviderOutcome
PROVIDER_OUTCOME_NOT_ASKED: ProviderOutcome
PROVIDER_OUTCOME_ANSWERED: ProviderOutcome
PROVIDER_OUTCOME_UNAVAILABLE: ProviderOutcome
PROVIDER_OUTCOME_ANSWER_INVALID: ProviderOutcome
