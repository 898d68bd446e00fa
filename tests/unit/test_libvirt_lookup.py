"""Finding libvirt's objects, on a binding that loses errors now and then."""

from __future__ import annotations

import libvirt
import pytest

from haas_rpcd.drivers.hypervisor.lookup import lookup


class Names:
    """Fails some times without an error, as the binding does after another object was freed."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def find(self, name: str) -> str:
        """Return what has this name."""
        if self.failures:
            self.failures -= 1
            raise libvirt.libvirtError("lookup failed")
        return f"the domain {name}"


@pytest.fixture(autouse=True)
def no_error_of_before() -> None:
    """Clear this thread's last error of libvirt."""
    libvirt.virResetLastError()


def test_a_failure_without_an_error_is_tried_again() -> None:
    absent = (libvirt.VIR_ERR_NO_DOMAIN,)
    assert lookup(libvirt, absent, Names(failures=2).find, "h1") == "the domain h1"


def test_it_is_not_tried_for_ever() -> None:
    with pytest.raises(libvirt.libvirtError, match="lookup failed"):
        lookup(libvirt, (), Names(failures=1000).find, "h1")


def test_an_absent_object_is_none_and_any_other_error_is_raised() -> None:
    connection = libvirt.open("test:///default")
    find = connection.lookupByName
    assert lookup(libvirt, (libvirt.VIR_ERR_NO_DOMAIN,), find, "nobody") is None
    with pytest.raises(libvirt.libvirtError, match="not found"):
        lookup(libvirt, (), find, "nobody")
    connection.close()
