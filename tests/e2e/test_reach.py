# SPDX-License-Identifier: GPL-2.0-or-later
"""Who reaches whom."""
from lib import Guest, check, links, main, run, same, test

XML = """<network xmlns:netd='urn:netd:network:1'><name>{0}</name>{2}<ip address='10.{1}.0.1' prefix='24'>
<dhcp><range start='10.{1}.0.100' end='10.{1}.0.199'/></dhcp></ip></network>"""
NAT = "<forward mode='nat'/>"


def started(netd, name, number, forward=NAT):
    netd.define(XML.format(name, number, forward))
    netd.ctl("net-start", name)
    guest = Guest(netd, name)
    return guest, guest.dhcp()["ip"]


def default_route(guest, via):
    guest.run("ip", "route", "replace", "default", "via", via)


@test
def nat_networks(host):
    """Out through NAT; not into another network; guests of one network reach each other."""
    outside = host.outside()
    netd = host.netd()
    a, a_ip = started(netd, "a", 81)
    b, b_ip = started(netd, "b", 82)
    second = Guest(netd, "a")
    second_ip = second.dhcp()["ip"]
    a.ping(outside.address)
    a.ping(second_ip)
    same(a.ping(b_ip, ok=False), 0, "pings into another network")
    same(b.ping(a_ip, ok=False), 0, "pings back")
    same(outside.run("ping", "-n", "-c", 2, "-i", 0.2, "-W", 1, a_ip, ok=None).returncode != 0, True, "pings from outside fail")
    run("ping", "-n", "-c", 1, "-W", 2, a_ip)


@test
def isolated_network(host):
    """Guests and the host, nothing else."""
    outside = host.outside()
    netd = host.netd()
    a, a_ip = started(netd, "a", 83, "")
    b = Guest(netd, "a")
    b.dhcp()
    b.ping("10.83.0.1")
    b.ping(a_ip)
    default_route(a, "10.83.0.1")
    same(a.ping(outside.address, ok=False), 0, "pings to the outside")
    other, other_ip = started(netd, "b", 84)
    same(a.ping(other_ip, ok=False), 0, "pings into another network")
    same(other.ping(a_ip, ok=False), 0, "pings from another network")


@test
def mac_guard(host):
    """A guest sends from its own MAC only."""
    netd = host.netd()
    a, _ = started(netd, "a", 85)
    a.ping("10.85.0.1")
    a.run("ip", "link", "set", "eth0", "address", "52:54:00:de:ad:01")
    same(a.ping("10.85.0.1", ok=False), 0, "pings from a MAC that is not the guest's")
    check(int(netd.json("port-info", a.ifname)["port"]["drops"]) > 0, "no drop was counted")
    a.run("ip", "link", "set", "eth0", "address", a.mac)
    a.ping("10.85.0.1")


@test
def a_guest_cannot_lease_for_another(host):
    """chaddr and Ethernet source are both the guard's business: a request in another's name gets no answer."""
    netd = host.netd()
    a, _ = started(netd, "a", 86)
    a.run("ip", "link", "set", "eth0", "address", "52:54:00:de:ad:02")
    a.dhcp(ok=False, tries=2)
    same([r["mac"] for r in netd.leases("a")], [a.mac], "leases")


@test
def large_packets(host):
    """What exceeds a segment: checksums and sizes survive the way through the TAP."""
    outside = host.outside()
    netd = host.netd()
    a, _ = started(netd, "a", 87)
    a.run("ping", "-n", "-c", 3, "-i", 0.2, "-s", 20000, "-W", 2, outside.address)
    check("virbr0" in links(), "the bridge")


main()
