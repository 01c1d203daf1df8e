# SPDX-License-Identifier: GPL-2.0-or-later
"""Subnets that collide with what the host uses."""
from lib import Guest, check, contains, main, run, same, test


def lab(subnet="10.55.0"):
    return f"<network><name>lab</name><forward mode='nat'/><ip address='{subnet}.1' netmask='255.255.255.0'/></network>"


def card(name, *addresses):
    run("ip", "link", "add", name, "type", "veth", "peer", "name", name + "-peer")
    run("ip", "link", "set", name, "up")
    run("ip", "link", "set", name + "-peer", "up")
    for address in addresses:
        run("ip", "addr", "add", address, "dev", name)


@test
def explicit_subnet_of_the_host(host):
    netd = host.netd()
    card("lan0", "10.55.0.7/24")
    netd.define(lab())
    done = netd.ctl("net-start", "lab", ok=None)
    same(done.returncode, 9, f"status: {done.stderr}")
    contains(done.stderr, ["lab", "10.55.0.0/24", "lan0", "10.55.0"], "the refusal")
    same(netd.network("lab")["state"], "inactive", "the network")
    run("ip", "addr", "flush", "dev", "lan0")
    netd.ctl("net-start", "lab")


@test
def explicit_subnet_that_contains_one(host):
    netd = host.netd()
    card("lan0", "10.55.0.129/28")
    netd.define(lab())
    done = netd.ctl("net-start", "lab", ok=None)
    same(done.returncode, 9, f"status: {done.stderr}")
    contains(done.stderr, ["lan0", "10.55.0.1"], "the refusal")


@test
def explicit_subnet_inside_a_wider_route(host):
    """Legal, and told."""
    netd = host.netd()
    card("vpn0", "172.31.0.1/24")
    run("ip", "route", "add", "10.0.0.0/8", "dev", "vpn0")
    events = netd.events()
    netd.define(lab())
    netd.ctl("net-start", "lab")
    _, event = events.wait("network-subnet", "10.0.0.0/8")
    contains(event["text"], ["10.55.0.0/24", "vpn0"], "the event")
    same(netd.network("lab")["state"], "active", "the network")


@test
def two_networks_of_one_subnet(host):
    netd = host.netd()
    netd.define(lab())
    netd.define(lab().replace("lab", "twin"))
    netd.ctl("net-start", "lab")
    done = netd.ctl("net-start", "twin", ok=None)
    same(done.returncode, 9, f"status: {done.stderr}")
    contains(done.stderr, "virbr0", "the refusal")


@test
def automatic_subnet(host):
    """The installed network takes the next free /24, says so, and keeps to it."""
    netd = host.netd_default()
    card("lan0", "192.168.122.7/24")
    events = netd.events()
    guest = Guest(netd)
    lease = guest.dhcp()
    contains(lease["ip"], "192.168.123.", "the lease")
    guest.ping("192.168.123.1")
    _, event = events.wait("network-subnet", "192.168.123.0/24")
    contains(event["text"], ["192.168.122", "lan0"], "the event")
    contains(netd.ctl("net-info", "default").stdout, "192.168.123.1/24 (192.168.122.1/24 is in use on this host)", "net-info")
    contains(netd.ctl("net-dumpxml", "default").stdout, "192.168.123.1", "the live XML")
    contains(netd.ctl("net-dumpxml", "default", "--inactive").stdout, ["192.168.122.1", "subnet='auto'"], "the inactive XML")
    guest.kill()
    netd.ctl("net-destroy", "default", "--force")
    run("ip", "addr", "flush", "dev", "lan0")
    netd.kill()
    netd.start()
    netd.ctl("net-start", "default")
    contains(netd.ctl("net-info", "default", "--details").stdout, "192.168.123.1/24", "the subnet after a restart")


@test
def automatic_subnet_avoids_routes(host):
    netd = host.netd_default()
    card("vpn0", "172.31.0.1/24")
    run("ip", "route", "add", "192.168.122.0/23", "dev", "vpn0")
    run("ip", "route", "add", "192.168.124.0/24", "dev", "vpn0", "table", "42")
    netd.ctl("net-start", "default")
    contains(netd.ctl("net-info", "default", "--details").stdout, "192.168.125.1/24", "net-info")


@test
def a_default_route_is_no_collision(host):
    host.outside()
    netd = host.netd_default()
    netd.ctl("net-start", "default")
    contains(netd.ctl("net-info", "default", "--details").stdout, "192.168.122.1/24", "net-info")


main()
