"""The bridge between the machine and its Pods: made, and taken away.

No packet leaves the machine through it: it has no route, no masquerading, and nothing is switched
on for forwarding. Called by the node's machine.py, and by cleanup.py.
"""

from pathlib import Path

from dev.host import external
from dev.host.places import API_SERVICE, BRIDGE, GATEWAY, PREFIX

_LINK = Path("/sys/class/net", BRIDGE)


def up() -> None:
    """Create the bridge, or restore missing addresses of it."""
    if not exists():
        external.run("ip", "link", "add", BRIDGE, "type", "bridge")
    for address in (f"{GATEWAY}/{PREFIX}", f"{API_SERVICE}/32"):
        external.run("ip", "address", "replace", address, "dev", BRIDGE)
    external.run("ip", "link", "set", BRIDGE, "up")


def down() -> None:
    """Remove the bridge, with the machine's ends of the Pods' links."""
    for port in ports():
        external.succeeds("ip", "link", "delete", port)  # it may have been removed meanwhile
    if exists():
        external.run("ip", "link", "delete", BRIDGE)


def exists() -> bool:
    """Say whether there is a bridge of that name."""
    return _LINK.exists()


def ports() -> list[str]:
    """Return the machine's ends of the Pods' links."""
    return [port.name for port in (_LINK / "brif").glob("*")]
