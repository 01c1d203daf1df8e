# SPDX-License-Identifier: GPL-2.0-or-later
"""Tracked connections end with the port or the address that they were a guest's by, and no others."""
from lib import Guest, check, main, run, same, test, wait_for

XML = """<network><name>lab</name><forward mode='nat'/><bridge name='br-lab'/><ip address='10.9.0.1' prefix='24'>
<dhcp><range start='10.9.0.2' end='10.9.0.99'/></dhcp></ip><ip family='ipv6' address='fd09::1' prefix='64'/></network>"""
PORTS = (7001, 7002)


def tracked(address):
    """Destination ports of what is tracked from that address."""
    family = "ipv6" if ":" in address else "ipv4"
    lines = run("conntrack", "-L", "-f", family, "-p", "udp", "-s", address, ok=None).stdout.splitlines()
    return sorted({int(word[6:]) for line in lines for word in line.split()[:8] if word.startswith("dport=")} & set(PORTS))


def send(who, to):
    """A datagram to each port makes an entry that stays for half a minute."""
    for port in PORTS:
        who("bash", "-c", f"echo who >/dev/udp/{to}/{port}")


def make(netd):
    guest = Guest(netd, "lab")
    guest.dhcp()
    guest.run("ip", "route", "replace", "default", "via", "10.9.0.1")
    return guest


@test
def detach(host):
    """A guest's go with it; its neighbour's and the host's stay."""
    outside = host.outside()
    netd = host.netd()
    netd.define(XML)
    netd.ctl("net-start", "lab")
    one, two = make(netd), make(netd)
    for guest in (one, two):
        send(guest.run, outside.address)
    send(run, outside.address)
    first, second = one.address(), two.address()
    for address in (first, second, host_address := outside.sees):
        same(tracked(address), list(PORTS), f"connections of {address}")
    one.kill()
    wait_for("the end of the guest's connections", lambda: not tracked(first))
    same((tracked(second), tracked(host_address)), (list(PORTS), list(PORTS)), "connections of others")


@test
def address(host):
    """A guest that gets another address loses those of its old one alone."""
    outside = host.outside()
    netd = host.netd()
    netd.define(XML)
    netd.ctl("net-start", "lab")
    one, two = make(netd), make(netd)
    first, second = one.address(), two.address()
    for guest in (one, two):
        send(guest.run, outside.address)
    netd.ctl("net-update", "lab", "add", "ip-dhcp-host", f"<host mac='{one.mac}' ip='10.9.0.50'/>", "--live")
    one.dhcp()
    same(one.address(), "10.9.0.50", "the new address")
    send(one.run, outside.address)
    wait_for("the end of the old address's connections", lambda: not tracked(first))
    same((tracked("10.9.0.50"), tracked(second)), (list(PORTS), list(PORTS)), "connections of the new address and of the neighbour")
    netd.kill()
    netd.start()
    wait_for("the guest again", lambda: any(p["mac"] == one.mac for p in netd.ports()))
    same((tracked("10.9.0.50"), tracked(second)), (list(PORTS), list(PORTS)), "connections after a restart")
    check(one.process.poll() is None, "the guest is there")


main()
