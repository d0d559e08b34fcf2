"""Where a service may listen. Imports no grpc, so that a supervising process can ask before it starts workers."""

from __future__ import annotations

import ipaddress

from shared.settings import Settings


class CannotServe(Exception):
    """A service cannot start; the text says why and what to do."""


def check_edge(settings: Settings) -> None:
    """Raises CannotServe when callers beyond this machine could name any tenant they like."""
    if not settings.trust_tenant_header and not _is_loopback(settings.host):
        raise CannotServe(
            f"PMCRM_HOST is {settings.host}, which other machines can reach, and any caller there could name any "
            "tenant in x-tenant-id. Keep it on 127.0.0.1, or, in a network where every caller is trusted, set "
            "PMCRM_TRUST_TENANT_HEADER=true."
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
