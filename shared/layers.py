"""What surrounds a handler: errors → telemetry → load shedding → tenant, composed once for each method at start-up.

Every method, unary or streaming, becomes one coroutine `(request, context) -> answer or None`, of bytes (`shared.wire`
reads and writes them); a layer is a function that takes such a coroutine and returns one that does something before
and after it. grpcio's own interceptors would
build the same chain anew for every call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

import grpc.aio

Context = grpc.aio.ServicerContext[Any, Any]
Handler = Callable[[Any, Context], Awaitable[Any]]


class Access(Enum):
    """Who may call an RPC: a tenant, an operator (for no tenant), either (an operator for any tenant), or an operator
    for the tenant that it names."""

    TENANT = "tenant"
    OPERATOR = "operator"
    EITHER = "either"
    OPERATOR_FOR_TENANT = "operator for a tenant"


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC as its layers see it.

    name: `/pmcrm.contacts.v1.ContactService/GetContact`.
    open_when_closed: a tenant that closed its account may still call it.
    """

    name: str
    access: Access = Access.TENANT
    open_when_closed: bool = False


Layer = Callable[[Handler, Method], Handler]

Servicing = Callable[..., Any]
S = TypeVar("S", bound=Servicing)


def callable_by(access: Access, *, open_when_closed: bool = False) -> Callable[[S], S]:
    """Marks a servicer's method with who may call it; one that is not marked is for active tenants."""

    def mark(handler: S) -> S:
        handler.access = access  # type: ignore[attr-defined]  # read back by method_of
        handler.open_when_closed = open_when_closed  # type: ignore[attr-defined]
        return handler

    return mark


def method_of(name: str, handler: Servicing) -> Method:
    """What the mark on a servicer's method says."""
    return Method(name, getattr(handler, "access", Access.TENANT), getattr(handler, "open_when_closed", False))


def surround(handler: Handler, method: Method, layers: list[Layer]) -> Handler:
    """The handler inside its layers; the first layer is the outermost."""
    for layer in reversed(layers):
        handler = layer(handler, method)
    return handler
