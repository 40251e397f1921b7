"""What an address is, and whose machine it means."""

import ipaddress


def is_web_address(text: str) -> bool:
    """Whether a text begins as an address of HTTP does; capitals count for nothing there."""
    return text.partition("://")[0].lower() in {"http", "https"}


def is_loopback(host: str) -> bool:
    """Whether a host of an address is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
