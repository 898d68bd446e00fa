"""What tenants read about devices: whole sentences of ours, without the device's words.

Addresses, prompts and answers of devices are for admins. So this knows the sentences that hold
none, and those that begin with something that a tenant may know; of any other, a tenant learns only
that there is one.
"""

from __future__ import annotations

import re

_OWN = re.compile(
    r"not needed: something uses it now"
    r"|cancelled before it was (sent|finished)"
    r"|the daemon stopped; the job was planned again"
    r"|what is behind \S+ .{1,100} has changed hands since this was planned"
    r"|the node behind \S+ .{1,100} was released since this was planned"
    r"|the network of VLAN \d+ was deleted or taken back since this was planned"
    r"|headnode \S+ (was deleted since this was planned|is gone already)"
    r"|(VLAN|br-vlan)\s?\d+ is gone( from \S+)? already"
    r"|Cancelled[ ;][^\"()]{1,100}"
    r"|The release command for node \S+ has not succeeded, so the node stays held: an admin sees"
    r" its output with  job show \d+"
    r"|The plan has changed since it was shown .{1,2000}"
    r"|The node is not free before \S+: .{1,400}"
    r"|The plan \S{1,40} is not the plan any more[^\"()]{1,200}"
    r"|[a-z0-9][a-z0-9.-]{0,62}'s BMC accepted power (on|off), but the node is still (on|off) after"
    r" [0-9.]{1,8} s\."
    r"|power (on|off) is staged for \S+ no more"
    r"|Node \S+ has no BMC that HaaS knows: .{1,200}"
    r"|The power of node \S+ is its holder's own affair now: .{1,400}"
    r"|The daemon failed; its log has the details\. Apply again\."
    r"|haas\.toml has no \[master\] table, [^\"]{1,200}",
    re.DOTALL,
)
"""Sentences that tenants get unchanged."""

_PREFIX = re.compile(r"(not (sent|finished): |sent, but not confirmed: )")

_NAMED = r"(?P<device>(?:bmc:)?[a-z0-9][a-z0-9.-]{0,62}(?:'s BMC)?)"
"""A switch, or the BMC of a node."""

_DEVICE = re.compile(r"(?P<device>(?:bmc:)?[a-z0-9][a-z0-9.-]{0,62}): ")

_HEADS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"{_NAMED} {head}"), told)
    for head, told in (
        (r"(does not answer on|can't be reached on) ", "cannot be reached"),
        (r"(refused the login|wants a new password|refused privileged mode|asks for an enable"
         r"|can't be logged in to|is registered with (SSH|telnet))", "cannot be logged in to"),
        (r"has no (SSH )?session free", "has no session free: apply again later"),
        (r"shows (the host key|a host certificate)", "is not trusted: it shows another host key"),
        (r"refused \"", "refused a line of it"),
        (r"refused to ", "refused the request"),
        (r"shows a certificate", "is not trusted: it shows another certificate"),
        (r"does not show which of its systems", "does not show which of its systems is the node"),
        (r"did not answer", "did not answer in time"),
        (r"closed the connection", "closed the connection: apply again"),
        (r"printed more than", "printed too much"),
        (r"accepted that ports are shut, but ", "did not shut a port"),
        (r"accepted the change, but ", "accepted the change, but reads back otherwise"),
        (r"did not say that it saved", "did not say that it saved its configuration"),
        (r"(answered|does not show)", "cannot be read"),
    )
)  # fmt: skip

_RETIRED = re.compile(r"Switch (?P<device>[a-z0-9][a-z0-9.-]{0,62}) is retired: ")

_HIDDEN = "it did not succeed"
_ASK = "; an admin sees why"


def for_tenant(text: str | None) -> str | None:
    """Return what a tenant reads in place of a step's message or a job's error."""
    if text is None or _OWN.fullmatch(text):
        return text
    if prefix := _PREFIX.match(text):
        return prefix[0] + _of_device(text[prefix.end() :])
    return _of_device(text)


def line_for_tenant(line: str | None) -> str | None:
    """Return what a tenant reads about a line that is sent: no remarks about the device."""
    return None if line is not None and line.startswith("# ") else line


def _of_device(text: str) -> str:
    if _OWN.fullmatch(text):
        return text
    if found := _DEVICE.match(text):
        rest = _of_device(re.sub(r" \(and \d+ more failed\)\Z", "", text[found.end() :]))
        return f"{found['device']}: {rest}"
    for head, told in (*_HEADS, (_RETIRED, "is out of service")):
        if found := head.match(text):
            return f"{found['device']} {told}{_ASK}"
    return _HIDDEN + _ASK
