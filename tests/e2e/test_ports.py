# SPDX-License-Identifier: GPL-2.0-or-later
"""Ports of a program that makes its guests' devices itself, as libvirt's QEMU driver does: virsh and Sys::Virt announce them, a veth plays the TAP."""
import os
import re
import subprocess

from lib import HERE, Namespace, check, contains, main, run, same, test, udhcpc, wait_for

UUID = "b4c95c15-3d9e-4fd0-8e5e-8a5f5e1f5a01"
MAC, TAP_MAC = "52:54:00:7b:35:93", "fe:54:00:7b:35:93"
LAB = f"""<network>
  <name>lab</name>
  <bridge name='br-lab'/>
  <ip address='10.44.0.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='10.44.0.10' end='10.44.0.20'/>
      <host mac='{MAC}' ip='10.44.0.99'/>
      <host name='vm2' ip='10.44.0.98'/>
    </dhcp>
  </ip>
  <portgroup name='fast' default='yes'>
  </portgroup>
</network>
"""
HEAD = """<networkport>
  <uuid>{uuid}</uuid>
  <owner>
    <name>{name}</name>
    <uuid>3d3db22f-b4aa-49a6-bd5f-d3f6ff4b5dd1</uuid>
  </owner>
  <mac address='{mac}'/>
"""
PLUG = "  <plug type='network' bridge='br-lab'/>\n</networkport>\n"


class Virsh:
    def __init__(self, host):
        self.dir = os.path.join(host.dir, "libvirt")
        self.netd = host.netd(options=["--libvirt-socket-dir", self.dir])
        self.env = {"HOME": host.dir, "XDG_CACHE_HOME": host.dir, "LC_ALL": "C"}

    def uri(self):
        return f"network:///system?socket={os.path.join(self.dir, 'virtnetworkd-sock')}"

    def run(self, words, **kw):
        return run("virsh", "-c", self.uri(), *words.split(), env=self.env, **kw)

    def says(self, words, text):
        same(self.run(words).stdout, text, f"virsh {words}")

    def fails(self, words, text):
        same(self.run(words, ok=False).stderr.strip(), text.strip(), f"virsh {words}")


def document(host, name="vm1", uuid=UUID, mac=MAC, more=""):
    path = os.path.join(host.dir, f"{name}.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(HEAD.format(uuid=uuid, name=name, mac=mac) + more + "</networkport>\n")
    return path


def plug(name, tap_mac, mac):
    """A guest with its own namespace; the other end of its wire is what libvirt would plug into the bridge."""
    guest = Namespace()
    run("ip", "link", "add", name, "address", tap_mac, "type", "veth", "peer", "name", "eth0", "address", mac, "netns", guest.pid)
    run("ip", "link", "set", name, "master", "br-lab", "up")
    guest.run("ip", "link", "set", "eth0", "up")
    return guest


def device(name):
    """All that the kernel says of it but how long it waits yet."""
    return re.sub(r'"\w+_timer":[0-9.]+', "", run("ip", "-d", "-j", "link", "show", name).stdout)


def port(netd, uuid=UUID):
    return next((p for p in netd.ports("lab") if p["uuid"] == uuid), None)


def attached(netd, name, uuid=UUID):
    return wait_for(f"port on {name}", lambda: (p := port(netd, uuid)) and p.get("interface") == name and p["state"] == "attached" and p)


@test
def virsh(host):
    v = Virsh(host)
    v.netd.define(LAB)
    file = document(host)
    v.fails(f"net-port-create lab {file}", f"error: Failed to create network from {file}\n"
            "error: Requested operation is not valid: network 'lab' is not active\n")
    v.netd.ctl("net-start", "lab")
    v.says(f"net-port-create lab {file} --validate", f"Network port {UUID} created from {file}\n\n")
    v.fails(f"net-port-create lab {file}", f"error: Failed to create network from {file}\n"
            f"error: network port Network port with UUID {UUID} already exists exists already\n")
    v.says(f"net-port-dumpxml lab {UUID}", HEAD.format(uuid=UUID, name="vm1", mac=MAC) + PLUG + "\n")
    same(v.run("net-port-list lab --uuid").stdout.strip(), UUID, "net-port-list")
    same(v.netd.ctl("net-port-dumpxml", "lab", "vm1").stdout, HEAD.format(uuid=UUID, name="vm1", mac=MAC) + PLUG + "\n",
         "netdctl's dump")
    same([port(v.netd)[k] for k in ("state", "external", "owner", "name")], ["expected", True, "vm1", "vm1"], "the port")
    contains(v.netd.ctl("port-list").stdout, ["expected", "vm1"], "port-list")

    guest = plug("vnet7", TAP_MAC, MAC)
    attached(v.netd, "vnet7")
    contains(run("nft", "list", "ruleset").stdout, '"vnet7"', "rules of the device")
    lease = udhcpc(guest.pid, os.path.join(host.dir, "guest"))
    same(lease["ip"], "10.44.0.99", "the reserved address")
    wait_for("the port's address", lambda: port(v.netd).get("address") == "10.44.0.99")
    was = device("vnet7")

    v.netd.kill()
    v.netd.start()
    attached(v.netd, "vnet7")
    v.says(f"net-port-dumpxml lab {UUID}", HEAD.format(uuid=UUID, name="vm1", mac=MAC) + PLUG + "\n")
    same(udhcpc(guest.pid, os.path.join(host.dir, "guest"))["ip"], "10.44.0.99", "the address after a restart")

    run("ip", "link", "set", "vnet7", "nomaster")
    wait_for("the port without its device", lambda: port(v.netd)["state"] == "expected")
    run("ip", "link", "set", "vnet7", "master", "br-lab")
    attached(v.netd, "vnet7")
    v.says(f"net-port-delete lab {UUID}", f"Network port {UUID} deleted\n\n")
    same(v.netd.ports("lab"), [], "ports")
    same(device("vnet7"), was, "the device, which netd has nothing to do with")
    check('"vnet7"' not in run("nft", "list", "ruleset").stdout, "rules of a port that was deleted")

    # The same guest starts again: libvirt gives it another port, and it keeps its address.
    other = UUID[:-1] + "2"
    v.netd.ctl("net-port-create", "lab", document(host, uuid=other))
    attached(v.netd, "vnet7", other)
    same(udhcpc(guest.pid, os.path.join(host.dir, "guest"))["ip"], "10.44.0.99", "the address of the guest's next port")
    v.says("net-destroy lab", "Network lab destroyed\n\n")
    v.netd.stop()


@test
def names(host):
    """A reservation by name is had by the guest that the program named."""
    netd = host.netd()
    netd.define(LAB)
    netd.ctl("net-start", "lab")
    mac = "52:54:00:00:00:02"
    netd.ctl("net-port-create", "lab", document(host, "vm2", mac=mac))
    guest = plug("vnet8", "fe:54:00:00:00:02", mac)
    attached(netd, "vnet8")
    same(udhcpc(guest.pid, os.path.join(host.dir, "guest"))["ip"], "10.44.0.98", "the address reserved for the name")
    contains(netd.ctl("net-destroy", "lab", ok=False).stderr, "1 live port: vm2", "net-destroy")
    netd.ctl("port-detach", "vm2")
    netd.ctl("net-destroy", "lab")
    netd.stop()


@test
def sys_virt(host):
    v = Virsh(host)
    v.netd.define(LAB.replace("</network>", "<netd:autostart xmlns:netd='urn:netd:network:1' mode='on-attach'/></network>"))
    done = subprocess.run(["perl", os.path.join(HERE, "ports.pl"), v.uri()], capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, **v.env})
    same(done.stdout, f"""create: {UUID}
inbound.average=1 inbound.burst=0 inbound.floor=0 inbound.peak=0
inbound.average=5 inbound.burst=7 inbound.floor=0 inbound.peak=6
dump: <inbound average='5' peak='6' burst='7'/>
again: 106 network port Network port with UUID {UUID} already exists exists already
floor: 84 Operation not supported: Invalid use of 'floor' on interface with MAC address {MAC} - network 'lab' has no inbound QoS set
reclaim without a plug: 8 invalid argument: Port reclaim requested but plug type is none
list: 1
deleted: 0
reclaim: <plug type='network' bridge='br-lab'/>
gone: 107 network port not found: Network port with UUID {UUID} does not exist
""", f"Sys::Virt\n{done.stderr}")
    v.netd.stop()


main()
