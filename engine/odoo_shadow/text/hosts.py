"""Which hosts are this machine: what travels to them needs no encryption, and nobody else can answer there."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address

_LOOPBACK_NAMES = ("localhost", "localhost.")
_LOOPBACK_IPV4 = IPv4Network("127.0.0.0/8")
_LOOPBACK_IPV6 = IPv6Address("::1")


def is_loopback(hostname: str) -> bool:
    """Say whether a host is this machine; ambiguous spellings (`127.1`, `::ffff:127.0.0.1`) are not."""
    if hostname in _LOOPBACK_NAMES:
        return True
    try:
        if ":" in hostname:
            return IPv6Address(hostname) == _LOOPBACK_IPV6
        return IPv4Address(hostname) in _LOOPBACK_IPV4
    except AddressValueError:
        return False
