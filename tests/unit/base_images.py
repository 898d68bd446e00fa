"""Domain XML of base images as people define them, and the nics of a headnode."""

from __future__ import annotations

from haas_rpcd.model import HeadnodeNic

UUID = "0b7d8a3e-5f0c-4f0e-9a51-6a4f3f1d2c01"
NIC0 = HeadnodeNic("nic0", "52:54:00:AA:00:01", 104)
NIC1 = HeadnodeNic("nic1", "52:54:00:aa:00:02", 105)


UEFI = """
<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>base-headnode</name>
  <uuid>c7a5fdbd-cdaf-9455-926a-d65c16db1809</uuid>
  <genid>43dc0cf8-809b-4adb-9bea-a9abb5f3d90e</genid>
  <metadata>
    <libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">
      <libosinfo:os id="http://debian.org/debian/12"/>
    </libosinfo:libosinfo>
  </metadata>
  <memory unit='KiB'>2097152</memory>
  <vcpu placement='static'>2</vcpu>
  <sysinfo type='smbios'><system>
    <entry name='manufacturer'>Example</entry>
    <entry name='uuid'>c7a5fdbd-cdaf-9455-926a-d65c16db1809</entry>
  </system></sysinfo>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
    <loader readonly='yes' secure='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.ms.fd</loader>
    <nvram template='/usr/share/OVMF/OVMF_VARS_4M.ms.fd'>/nvram/base-headnode_VARS.fd</nvram>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='host-passthrough' check='none' migratable='on'/>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' discard='unmap'/>
      <source file='/images/base-headnode.qcow2'/>
      <target dev='vda' bus='virtio'/>
      <boot order='2'/>
      <address type='pci' domain='0x0000' bus='0x02' slot='0x00' function='0x0'/>
    </disk>
    <controller type='pci' index='0' model='pcie-root'/>
    <controller type='pci' index='1' model='pcie-root-port'/>
    <controller type='pci' index='2' model='pcie-root-port'/>
    <controller type='pci' index='3' model='pcie-root-port'/>
    <interface type='network'>
      <mac address='52:54:00:00:be:ef'/>
      <source network='default'/>
      <model type='e1000e'/>
      <boot order='1'/>
      <filterref filter='clean-traffic'/>
      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
    </interface>
    <channel type='unix'>
      <source mode='bind' path='/var/lib/libvirt/qemu/channel/target/base.org.qemu.agent.0'/>
      <target type='virtio' name='org.qemu.guest_agent.0'/>
    </channel>
    <tpm model='tpm-crb'><backend type='emulator' version='2.0'>
      <source type='dir' path='/tpm/base'/>
    </backend></tpm>
    <graphics type='spice' port='5901' tlsPort='5902' autoport='no' listen='127.0.0.1'>
      <listen type='address' address='127.0.0.1'/>
    </graphics>
    <filesystem type='mount'><source dir='/srv/all'/><target dir='all'/></filesystem>
    <filesystem type='mount'>
      <source dir='/srv/tools'/><target dir='tools'/><readonly/>
    </filesystem>
    <shmem name='everybody'><model type='ivshmem-plain'/></shmem>
  </devices>
  <seclabel type='static' model='dac' relabel='yes'><label>+1000:+1000</label></seclabel>
  <qemu:commandline><qemu:arg value='-no-hpet'/></qemu:commandline>
</domain>
"""

TWO_DISKS = """
<domain type='qemu'>
  <name>base-headnode</name>
  <uuid>c7a5fdbd-cdaf-9455-926a-d65c16db1810</uuid>
  <memory unit='MiB'>512</memory>
  <os><type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type><boot dev='hd'/></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/images/system.qcow2'/>
      <backingStore type='file'><format type='raw'/><source file='/images/factory.img'/>
      </backingStore>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='disk'>
      <source file='/images/data.img'/>
      <target dev='vdb' bus='virtio'/>
      <shareable/>
    </disk>
    <disk type='volume' device='disk'>
      <driver name='qemu' type='raw'/>
      <source pool='vg0' volume='scratch'/>
      <target dev='vdc' bus='virtio'/>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='/images/tools.img'/>
      <target dev='vdd' bus='virtio'/>
      <readonly/>
    </disk>
    <disk type='file' device='cdrom'>
      <driver name='qemu' type='raw'/>
      <source file='/images/install.iso'/>
      <target dev='hda' bus='ide'/>
    </disk>
    <disk type='file' device='cdrom'><target dev='hdb' bus='ide'/></disk>
    <interface type='bridge'>
      <mac address='52:54:00:00:be:01'/><source bridge='br-lan'/><model type='rtl8139'/>
    </interface>
    <interface type='bridge'>
      <mac address='52:54:00:00:be:02'/><source bridge='br-lan'/><model type='virtio'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x05' function='0x0'/>
    </interface>
    <serial type='tcp'>
      <source mode='bind' host='0.0.0.0' service='4555'/><protocol type='telnet'/>
      <log file='/var/log/base.log' append='on'/>
    </serial>
    <console type='pty' tty='/dev/pts/3'><source path='/dev/pts/3'/></console>
    <graphics type='vnc' port='5900' autoport='no' websocket='5700' listen='0.0.0.0'/>
  </devices>
  <seclabel type='none' model='apparmor'/>
</domain>
"""

NETWORK_BOOT = """
<domain type='qemu'>
  <name>base-headnode</name>
  <uuid>c7a5fdbd-cdaf-9455-926a-d65c16db1811</uuid>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><boot dev='network'/></os>
  <devices>
    <interface type='user'><mac address='52:54:00:00:be:ef'/></interface>
  </devices>
</domain>
"""
