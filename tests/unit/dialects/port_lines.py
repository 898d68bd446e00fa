"""Regular expressions for the lines that are sent for ports, by families that share them."""

from __future__ import annotations

CISCO_LINES = (
    "^shutdown$",
    "^switchport mode access$",
    "^switchport mode trunk$",
    "^switchport access vlan",
    "native vlan",
    "^switchport trunk allowed",
    "^no shutdown$",
    "^exit$",
)
DELL_LINES = (
    "^interface range",
    "^interface [Gg]i",
    *CISCO_LINES[:4],
    "allowed vlan (?:remove|none)",
    r"allowed vlan (?:add|\d)",
    "native vlan",
    "^no shutdown",
)
BY_VLAN_LINES = (
    r"^(?:shutdown|disable)$",
    "^no (?:un)?tagged",
    "^untagged",
    "^tagged",
    r"^(?:no shutdown|enable)$",
    "^interface (?!vlan)",
    r"^(?:interface )?vlan 10[12]\b",
    "^exit$",
)
DUAL_MODE_LINES = (*BY_VLAN_LINES, "^no dual-mode", "^dual-mode")
COMWARE_LINES = (
    "^interface",
    "^shutdown",
    "^port link-type access",
    "^port link-type trunk",
    "^undo port trunk permit vlan all",
    r"^undo port trunk permit vlan \d",
    "^port trunk permit",
    "port trunk pvid",
    "^port access vlan",
    "^undo port access vlan",
    "^quit",
    "^undo shutdown",
)
PROCURVE_LINES = (
    "disable$",
    "^vlan 1 untagged",
    r"^vlan \d\d\d untagged",
    r"^vlan \d\d\d tagged",
    r"^no vlan \d\d\d tagged",
    "enable$",
)
