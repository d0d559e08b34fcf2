"""How a transaction is bound to its tenant: the one message that begins it.

SET LOCAL and not set_config, because Citus hands it on to its workers; at the top level and in the same message as
BEGIN, because that costs no round trip. Nothing enters the text but UUIDs, IP addresses and hex, each written anew
from its parsed value.
"""

from __future__ import annotations

import ipaddress
import uuid

from shared.caller import Caller
from shared.errors import Unauthenticated


def bound_tenant(who: Caller) -> uuid.UUID:
    """The tenant that a transaction is bound to. Fails closed: a call without one never reaches the database."""
    if who.tenant is None:
        raise Unauthenticated("TENANT_MISSING", "the call names no tenant")
    return who.tenant


def begin_reading(tenant: uuid.UUID) -> str:
    """Begins a READ ONLY transaction of a tenant."""
    return f"BEGIN READ ONLY; SET LOCAL app.current_user_id = '{_uuid(tenant)}'"


def begin_snapshot(tenant: uuid.UUID) -> str:
    """Begins a READ ONLY transaction of a tenant whose statements all see the same moment."""
    return f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL app.current_user_id = '{_uuid(tenant)}'"


def begin_export(tenant: uuid.UUID) -> str:
    """`begin_snapshot` in which the database writes times in UTC and durations as ISO 8601 does, wherever it runs.

    Plans are made for the values of each page: a plan for any would not know that a page is a few rows of an index, and
    sort all that are left for every page.
    """
    return (
        f"{begin_snapshot(tenant)}; SET LOCAL TimeZone = 'UTC'; SET LOCAL IntervalStyle = 'iso_8601'; "
        "SET LOCAL plan_cache_mode = 'force_custom_plan'"
    )


def begin_writing(tenant: uuid.UUID, who: Caller) -> str:
    """Begins a transaction of a tenant that may write."""
    return f"BEGIN; SET LOCAL app.current_user_id = '{_uuid(tenant)}'{_audit_settings(who)}"


def begin_operating(who: Caller) -> str:
    """Begins a transaction that may write, of an operator, bound to no tenant."""
    return f"BEGIN{_audit_settings(who)}"


def bind(tenant: uuid.UUID) -> str:
    """Binds a transaction that has begun: one of a periodic task, which goes from tenant to tenant."""
    return f"SET LOCAL app.current_user_id = '{_uuid(tenant)}'"


def _audit_settings(who: Caller) -> str:
    """What the audit trigger writes down. Free text goes as hex: nothing typed by anybody enters SQL text."""
    settings = f"; SET LOCAL app.request_id = '{uuid.UUID(who.request_id)}'"
    if who.client_ip is not None:
        settings += f"; SET LOCAL app.client_ip = '{ipaddress.ip_address(who.client_ip)}'"
    if who.actor:
        settings += f"; SET LOCAL app.actor = '{who.actor.encode().hex()}'"
    if who.user_agent:
        settings += f"; SET LOCAL app.user_agent = '{who.user_agent.encode().hex()}'"
    return settings


def _uuid(value: uuid.UUID) -> uuid.UUID:
    if not isinstance(value, uuid.UUID):
        raise TypeError("a tenant is a UUID before it enters SQL text")
    return value
