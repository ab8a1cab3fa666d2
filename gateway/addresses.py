"""Whose address counts: the one at the other end, or the one a trusted proxy vouches for.

Invariant: a header that no trusted proxy wrote is never believed.
"""

import asyncio


def peer_address(transport: asyncio.BaseTransport) -> str:
    """Return the address at the other end, or "" if the transport does not know."""
    name = transport.get_extra_info("peername")
    return str(name[0]) if isinstance(name, tuple) and name else ""


def client_address(address: str, forwarded_for: str | None, trusted: frozenset[str]) -> str:
    """Return the last address in `X-Forwarded-For` that is no trusted proxy, if `address` is one; else `address`."""
    if address not in trusted or not forwarded_for:
        return address
    for hop in reversed([part.strip() for part in forwarded_for.split(",")]):
        if hop not in trusted:
            return hop
    return address
