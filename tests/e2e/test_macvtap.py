# SPDX-License-Identifier: GPL-2.0-or-later
"""Networks of macvtaps: guests on a NIC of the host's, whose other end is the LAN."""
from lib import *


class Lan:
    """NICs of the host's, each with a machine on its other end."""

    def __init__(self, *names):
        self.machines = {}
        for i, name in enumerate(names):
            other = self.machines[name] = Namespace()
            run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", other.pid)
            run("ip", "link", "set", name, "up")
            other.run("ip", "link", "set", "eth0", "up")
            other.run("ip", "addr", "add", f"10.77.0.{100 + i}/24", "dev", "eth0")


def definition(mode, *devs, name="lan", more=""):
    pool = "".join(f"<interface dev='{d}'/>" for d in devs)
    return f"<network><name>{name}</name><forward mode='{mode}'>{pool}</forward>{more}</network>"


def guest(netd, number, options=""):
    g = Guest(netd, "lan", options)
    g.run("ip", "addr", "add", f"10.77.0.{number}/24", "dev", "eth0")
    return g


def gone(ifname):
    wait_for(f"end of {ifname}", lambda: ifname not in links())


@test
def bridge_mode_reaches_lan_and_guests(host):
    Lan("nic0")
    netd = host.netd()
    netd.define(definition("bridge", "nic0"))
    netd.ctl("net-start", "lan")
    before = comparable_links()
    a, b = guest(netd, 1), guest(netd, 2)
    link = links()[a.ifname]
    same((link["linkinfo"]["info_kind"], link["linkinfo"]["info_data"]["mode"], link["link"], link["address"]),
         ("macvtap", "bridge", "nic0", a.mac), "the device")
    same(a.port["lowerDevice"], "nic0", "lowerDevice")
    check(not ip_json("-6", "addr", "show", "dev", a.ifname), "the host has no address on it")
    a.ping("10.77.0.2")
    a.ping("10.77.0.100")
    a.kill()
    b.kill()
    gone(a.ifname)
    gone(b.ifname)
    same(netd.ports(), [], "ports")
    same(comparable_links(), before, "links")


@test
def private_mode_keeps_guests_apart(host):
    Lan("nic0")
    netd = host.netd()
    netd.define("<network><name>lan</name><forward dev='nic0' mode='private'/></network>")
    netd.ctl("net-start", "lan")
    a = guest(netd, 1)
    guest(netd, 2)
    a.ping("10.77.0.100")
    same(a.ping("10.77.0.2", count=1, ok=False), 0, "pings of the other guest")


@test
def pool_is_balanced_and_degrades(host):
    Lan("nic0", "nic1")
    netd = host.netd()
    events = netd.events()
    netd.define(definition("bridge", "nic0", "nic1"))
    netd.ctl("net-start", "lan")
    guests = [guest(netd, i) for i in range(1, 5)]
    same(sorted(p["lowerDevice"] for p in netd.ports()), ["nic0", "nic0", "nic1", "nic1"], "use of the pool")
    guests[0].kill()
    gone(guests[0].ifname)
    same(guest(netd, 5).port["lowerDevice"], "nic0", "the least used")

    run("ip", "link", "set", "nic0", "mtu", 1400)
    wait_for("MTU", lambda: links()[guests[2].ifname]["mtu"] == 1400)
    run("ip", "link", "set", "nic0", "mtu", 1500)
    wait_for("MTU", lambda: links()[guests[2].ifname]["mtu"] == 1500)

    run("ip", "link", "del", "nic1")
    events.wait("network-degraded", "nic1")
    wait_for("end of nic1's ports", lambda: len(netd.ports()) == 2)
    same({guest(netd, 6).port["lowerDevice"] for _ in range(1)}, {"nic0"}, "what is left")
    run("ip", "link", "add", "nic1", "type", "veth", "peer", "name", "other1")
    events.wait("network-recovered")
    netd.ctl("net-destroy", "lan", "--force")
    netd.ctl("net-start", "lan")
    netd.ctl("net-destroy", "lan", "--force")
    run("ip", "link", "del", "nic0")
    run("ip", "link", "del", "nic1")
    contains(netd.ctl("net-start", "lan", ok=False).stderr, "none of its interfaces (nic0, nic1) is there", "no interface")


@test
def passthrough_is_exclusive(host):
    Lan("nic0")
    netd = host.netd()
    mac = links()["nic0"]["address"]
    netd.define(definition("passthrough", "nic0"))
    netd.ctl("net-start", "lan")
    a = guest(netd, 1)
    same(links()["nic0"]["address"], a.mac, "the interface has the guest's address")
    a.ping("10.77.0.100")
    refused = netd.ctl("exec", "--network", "lan", "--", "true", ok=False)
    contains(refused.stderr, ["requires exclusive access to interfaces, but none are available", "nic0"], "a second guest")
    a.kill()
    b = guest(netd, 2)
    b.ping("10.77.0.100")
    b.kill()
    gone(b.ifname)
    same(links()["nic0"]["address"], mac, "the interface's own address")


@test
def tampering_is_put_back(host):
    Lan("nic0")
    netd = host.netd()
    events = netd.events()
    netd.define(definition("bridge", "nic0"))
    netd.ctl("net-start", "lan")
    a = guest(netd, 1)
    a.tell("mac 52:54:00:00:00:99")
    events.wait("port-tampered", "MAC address")
    wait_for("MAC", lambda: links()[a.ifname]["address"] == a.mac)
    run("ip", "link", "set", a.ifname, "down")
    wait_for("up", lambda: "UP" in links()[a.ifname]["flags"])
    a.ping("10.77.0.100")


@test
def detached_is_set_down_until_its_holder_ends(host):
    Lan("nic0")
    netd = host.netd()
    netd.define(definition("bridge", "nic0"))
    netd.ctl("net-start", "lan")
    a = guest(netd, 1)
    netd.ctl("port-detach", a.mac)
    same(netd.ports(), [], "ports")
    check("UP" not in links()[a.ifname]["flags"], "it is down")
    netd.kill()
    netd.start()
    check(a.ifname in links(), "it stays as long as somebody holds it")
    a.kill()
    gone(a.ifname)


@test
def several_queues_end_with_the_last(host):
    Lan("nic0")
    netd = host.netd()
    netd.define(definition("bridge", "nic0"))
    netd.ctl("net-start", "lan")
    script = "set -- $(echo $0 | tr : ' '); eval \"exec $1>&-\"; echo one; read line"
    process = subprocess.Popen([NETDCTL, "--socket", netd.socket, "exec", "--network", "lan,queues=2", "--", "bash", "-c", script, "%{fds:}"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    same(process.stdout.readline(), "one\n", "the first queue is closed")
    port = netd.ports()[0]
    check(port["interface"] in links(), "the other keeps the device")
    process.communicate("\n", timeout=10)
    gone(port["interface"])
    same(netd.ports(), [], "ports")


@test
def restart_adopts_and_ends(host):
    Lan("nic0")
    netd = host.netd()
    netd.define(definition("bridge", "nic0"))
    netd.ctl("net-start", "lan")
    a, b = guest(netd, 1), guest(netd, 2)
    netd.kill()
    a.ping("10.77.0.100")
    b.kill()
    netd.start()
    same([(p["uuid"], p["lowerDevice"]) for p in netd.ports() if p["mac"] == a.mac], [(a.port["uuid"], "nic0")], "adopted")
    gone(b.ifname)
    same(len(netd.ports()), 1, "ports")
    a.ping("10.77.0.100")
    a.kill()
    gone(a.ifname)
    wait_for("end of the port", lambda: not netd.ports())


@test
def virsh_shows_connections(host):
    Lan("nic0", "nic1")
    sockets = os.path.join(host.dir, "libvirt")
    netd = host.netd(options=["--libvirt-socket-dir", sockets])
    netd.define(definition("bridge", "nic0", "nic1"))
    netd.ctl("net-start", "lan")
    guest(netd, 1)
    words = ["virsh", "-c", f"network:///system?socket={sockets}/virtnetworkd-sock", "net-dumpxml", "lan"]
    env = {"HOME": host.dir, "XDG_CACHE_HOME": host.dir, "LC_ALL": "C"}
    contains(run(*words, env=env).stdout, ["<network connections='1'>", "<interface dev='nic0' connections='1'/>", "<interface dev='nic1'/>"],
             "the live definition")
    contains(run(*words, "--inactive", env=env).stdout, "<interface dev='nic0'/>", "the persistent one")


@test
def refused_by_name(host):
    Lan("nic0")
    netd = host.netd()
    for xml, words in (
            (definition("bridge"), "has no forward dev and no interface pool"),
            (definition("passthrough", "nic0", more="<vlan><tag id='5'/></vlan>"), "<vlan> with <forward mode='passthrough'>"),
            (definition("bridge", "nic0", more="<port isolated='yes'/>"), "<port isolated='yes'>")):
        netd.define(xml)
        contains(netd.ctl("net-start", "lan", ok=False).stderr, words, "refusal")


main()
