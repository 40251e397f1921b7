"""What an address is, and whose machine it means."""

import ipaddress


def is_web_address(text: str) -> bool:
    """Whether a text begins as an address of HTTP does; capitals count for nothing there."""
    return text.lower().startswith(("http://", "https://"))


def answering_address(host: str) -> str:
    """Where this machine answers that listens on `host`: loopback for all addresses, as nobody can ask "all"."""
    address = ipaddress.ip_address(host)
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"  # noqa: PLR2004 - the older protocol


def is_loopback(host: str) -> bool:
    """Whether a host of an address is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
