"""A hypervisor over SSH: the connection, the shell, and iproute2 in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers.hostnet.filters import Filter
from haas_rpcd.drivers.hostnet.network import HostName
from haas_rpcd.drivers.remote.host import RemoteHost
from haas_rpcd.drivers.remote.iproute2 import PREPARE, Iproute2
from haas_rpcd.drivers.remote.network import RemoteNetwork
from haas_rpcd.drivers.remote.tcfilters import holding, read_filters
from haas_rpcd.drivers.switch.transport.known_hosts import KnownHosts
from haas_rpcd.errors import DeviceError
from haas_rpcd.registered import RegisteredHypervisor
from tests.unit.remote_host import Server, remote_host, ssh_server


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with ssh_server() as running:
        yield running


@pytest.fixture
async def host(server: Server, tmp_path: Path) -> AsyncIterator[RemoteHost]:
    made = remote_host(server, tmp_path)
    yield made
    await made.close()


async def test_commands_share_a_session_and_each_gets_its_own_answer(host: RemoteHost) -> None:
    async with host.shell() as shell:
        ran = await asyncio.gather(*(shell.run(f"echo {n}; echo {n} >&2") for n in range(20)))
        assert [(one.output, one.errors) for one in ran] == [
            (f"{n}\n", f"{n}\n") for n in range(20)
        ]
        assert (await shell.run("(exit 3)")).status == 3
        assert (await shell.run("cat", "a 'quoted' $HOME")).output == "a 'quoted' $HOME\n"
        assert (await shell.run("printf 'no end of line'")).output == "no end of line"


async def test_a_host_is_waited_for_until_its_disks_have_everything(
    host: RemoteHost, server: Server, tmp_path: Path
) -> None:
    await host.sync()
    await host.close()
    nobody = remote_host(server, tmp_path, password="other")
    with pytest.raises(DeviceError):
        await nobody.sync()


async def test_a_host_that_nobody_trusts_gets_no_password(server: Server, tmp_path: Path) -> None:
    stranger = remote_host(server, tmp_path, trusted=False)
    with pytest.raises(DeviceError, match="see  hypervisor trust hv2") as refusal:
        await stranger.connection()
    assert refusal.value.reason == "host_key"
    shown = await stranger.address().trust(None)
    assert shown.key.fingerprint == server.fingerprint
    assert "hypervisor trust hv2 --fingerprint" in (
        shown.advice("hv2", tmp_path / "known_hosts", "hypervisor") or ""
    )
    await stranger.address().trust(server.fingerprint)
    await stranger.connection()
    await stranger.close()


async def test_a_wrong_password_names_the_credentials(server: Server, tmp_path: Path) -> None:
    wrong = remote_host(server, tmp_path, password="other")
    with pytest.raises(DeviceError, match="refused the login of haas") as refusal:
        await wrong.connection()
    assert "other" not in refusal.value.message


async def test_all_who_wait_for_a_silent_host_share_one_time_out(tmp_path: Path) -> None:
    accepted = 0

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    hypervisor = RegisteredHypervisor("hv2", f"qemu+ssh://haas@127.0.0.1:{port}/system", "eth0")
    settings = SwitchSettings(connect_timeout=1.0, login_timeout=0.5)
    known = {"hv2": Credential(password="x")}
    host = RemoteHost(hypervisor, KnownHosts(tmp_path / "known"), settings, lambda: known, "file")
    ended = await asyncio.gather(*(host.connection() for _ in range(5)), return_exceptions=True)
    assert [isinstance(one, DeviceError) for one in ended] == [True] * 5
    assert accepted == 1
    silent.close()


async def test_a_connection_that_is_lost_is_opened_again(host: RemoteHost) -> None:
    async with host.shell() as shell:
        (await host.connection()).abort()
        with pytest.raises(DeviceError, match="The connection to hv2 was lost"):
            await shell.run("echo")
    async with host.shell() as shell:
        assert (await shell.run("echo again")).output == "again\n"


async def test_a_command_that_is_given_up_spoils_no_other(host: RemoteHost) -> None:
    async with host.shell() as shell:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await shell.run("sleep 1; echo late")
    async with host.shell() as shell:
        assert (await shell.run("echo right")).output == "right\n"


async def test_this_machine_s_own_links_are_read(host: RemoteHost) -> None:
    async with RemoteNetwork(host).session() as session:
        lo = await session.find("lo")
        assert lo is not None
        assert (lo.index, lo.up, lo.kind, lo.alias) == (1, True, None, None)
        assert "127.0.0.1/8" in (await session.addresses())[lo.index]
        assert await session.find("there is none") is None
        assert await session.ports(lo) == []
        assert await session.filters(lo) == []
        ipv6 = Path("/proc/sys/net/ipv6").is_dir()
        assert await session.has_ipv6() == ipv6
        forwarding = Path("/proc/sys/net/ipv4/conf/lo/forwarding").read_text().strip()
        other = {"ipv4/conf/{}/forwarding": "9"}
        found = await session.wrong_sysctls("lo", other)
        assert found == [("ipv4/conf/{}/forwarding", forwarding)]
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert await RemoteNetwork(host).boot_id() == boot


async def test_what_the_kernel_refuses_is_said_with_its_line(host: RemoteHost) -> None:
    async with RemoteNetwork(host).session() as session:
        with pytest.raises(DeviceError, match='"ip link set none0 up" was refused on hypervisor'):
            await session.change("ip link set none0 up", "set")
        with pytest.raises(DeviceError, match="signs that HaaS does not send"):
            await session.change("ip link set eth0;reboot up", "set")


async def test_what_is_printed_but_not_understood_is_an_error(host: RemoteHost) -> None:
    async with host.shell() as shell:
        await shell.run(PREPARE)
        await shell.run('ip() { echo \'[{"ifname": "x"}]\'; }')
        with pytest.raises(DeviceError, match="is not understood") as unreadable:
            await Iproute2(shell, HostName("hypervisor hv2", "")).find("x")
        assert unreadable.value.reason == "unreadable"
        shell.close()


async def test_events_begin_at_once_and_leave_nothing_behind(host: RemoteHost) -> None:
    events = RemoteNetwork(host).events("trunk0", lambda: None)
    assert await anext(events) == ""
    await events.aclose()

    async def monitors() -> str:
        async with host.shell() as shell:
            return (await shell.run("pgrep -P $PPID -x ip || true")).output

    assert await monitors() == ""


async def test_libvirt_s_socket_is_reached_through_the_connection(
    server: Server, tmp_path: Path
) -> None:
    """Over the connection whose host key was checked; and only this user may use it."""
    path = tmp_path / "libvirt-sock"
    served = await asyncio.start_unix_server(_greet, path)
    host = remote_host(server, tmp_path)
    host.registered = _at(host, path)
    uri = await host.libvirt_uri()
    local = Path(uri.partition("socket=")[2])
    assert uri.startswith("qemu+unix:///system?socket=")
    assert local.parent.stat().st_mode & 0o077 == 0
    reader, writer = await asyncio.open_unix_connection(local)
    assert await reader.readline() == b"libvirt\n"
    writer.close()
    assert await host.libvirt_uri() == uri
    await host.close()
    assert not local.exists()
    served.close()


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"libvirt\n")
    writer.close()


def _at(host: RemoteHost, path: Path):  # type: ignore[no-untyped-def]
    import msgspec

    return msgspec.structs.replace(host.registered, uri=f"{host.registered.uri}?socket={path}")


TC = r"""
tc() {
  echo "$*" >>$calls
  case "$*" in
    "qdisc show")
      echo "qdisc mq 0: dev eth0 root "
      echo "qdisc clsact ffff: dev br-vlan1 parent ffff:fff1 "
      echo "qdisc ingress ffff: dev tap;0 parent ffff:fff1 ---------------- " ;;
    "-force -batch -")
      while read -r line; do case $line in
        "qdisc show dev br-vlan1")
          echo "qdisc mqprio 8001: root tc 4 map 0 1 2 3"
          echo "             queues:(0:1) (2:3)"
          $gone || echo "qdisc clsact ffff: parent ffff:fff1 " ;;
        "filter show dev br-vlan1 egress") filter ;;
      esac; done ;;
    "filter show dev br-vlan1 egress") filter ;;
    "filter show dev tap;0 ingress") filter ;;
  esac
}
filter() {
  echo "filter protocol all pref 7 matchall chain 0 "
  echo "filter protocol all pref 7 matchall chain 0 handle 0x1 "
  echo "  not_in_hw"
  echo "	action order 1: gact action drop"
}
"""
"""Prints as tc of iproute2 6.1 does; ``gone``: the qdisc vanishes before it is looked at."""


@pytest.mark.parametrize(("gone", "commands"), [("false", 4), ("true", 6)])
async def test_filters_of_many_links_are_read_together(
    host: RemoteHost, tmp_path: Path, gone: str, commands: int
) -> None:
    calls = tmp_path / "calls"
    async with host.shell() as shell:
        await shell.run(PREPARE)
        await shell.run(f"calls={calls}; gone={gone}\n{TC}")
        found = await read_filters(
            ["br-vlan1", "tap;0", "eth0"],
            holding((await shell.run("tc qdisc show")).output),
            shell.run,
        )
    drop = {hook: Filter(hook, 7, "all", action="drop") for hook in ("ingress", "egress")}
    assert found == {"br-vlan1": [drop["egress"]], "tap;0": [drop["ingress"]], "eth0": []}
    assert len(calls.read_text().splitlines()) == commands
