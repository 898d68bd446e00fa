"""The dialects there are, by name. A new one is a module here and a line in :data:`DIALECTS`."""

from haas_rpcd.drivers.switch.dialect import Dialect
from haas_rpcd.drivers.switch.dialects.cisco_ios import CiscoIos
from haas_rpcd.drivers.switch.dialects.linux_bridge import LinuxBridge

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (CiscoIos(), LinuxBridge())}
