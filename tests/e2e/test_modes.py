# SPDX-License-Identifier: GPL-2.0-or-later
"""Forward mode × family × direction: real pings, TCP and UDP between guests, networks, the host and what is outside.

The outside is a host that has a route back to every network, as its router would give it: what does not come through there is netd's doing. The
table that is compared is printed.
"""
import json
import os
import re
import subprocess
import sys

from lib import HERE, Failed, Guest, check, contains, ip_json, links, main, run, same, test, wait_for

AGENT = os.path.join(HERE, "reach.py")
PROTOCOLS = ("ping", "tcp", "udp")
OUTSIDE = {4: "198.51.100.1", 6: "2001:db8:f::1"}
HOST = {4: "198.51.100.2", 6: "2001:db8:f::2"}
# name: (number, <forward>)
MODES = {
    "isolated": (1, ""),
    "nat": (2, "<forward mode='nat'/>"),
    "nat66": (3, "<forward mode='nat'><nat ipv6='yes'/></forward>"),
    "route": (4, "<forward mode='route'/>"),
    "open": (5, "<forward mode='open'/>"),
}
XML = """<network xmlns:netd='urn:netd:network:1' ipv6='yes'><name>{name}</name>{forward}<bridge name='br-{name}'/>
<ip address='10.60.{number}.1' prefix='24'/><ip family='ipv6' address='fd60:{number}::1' prefix='64'/>{more}</network>"""


def address(family, number, host):
    return f"10.60.{number}.{host}" if family == 4 else f"fd60:{number}::{host}"


def treated(mode, family):
    """What a mode is for a family: nat routes IPv6 unless it is told otherwise."""
    if mode in ("nat", "nat66"):
        return "nat" if family == 4 or mode == "nat66" else "route"
    return mode


class Place:
    """A namespace that asks and answers."""

    def __init__(self, pid, name):
        self.pid, self.name = pid, name
        self.server = subprocess.Popen(self.command("serve"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        check(self.server.stdout.readline() == "ready\n", f"no server in {name}")

    def command(self, verb):
        return ["nsenter", "-t", str(self.pid), "-n", "--", sys.executable, AGENT, verb]

    def ask(self, questions):
        """Starts asking; answers() gives what came."""
        self.asking = subprocess.Popen(self.command("probe"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.asking.stdin.write(json.dumps(questions))
        self.asking.stdin.close()

    def answers(self):
        return json.loads(self.asking.stdout.read())


def make_outside(host):
    outside = host.outside()
    for where, ip, ifname in ((run, HOST[6], "uplink"), (outside.run, OUTSIDE[6], "eth0")):
        where("ip", "addr", "add", f"{ip}/64", "dev", ifname, "nodad")
    run("ip", "route", "add", "default", "via", OUTSIDE[6])
    outside.run("ip", "route", "add", "10.60.0.0/16", "via", HOST[4])
    outside.run("ip", "route", "add", "fd60::/16", "via", HOST[6])
    return outside


def make_guest(netd, name, number, host):
    guest = Guest(netd, name)
    for family, length in ((4, 24), (6, 64)):
        extra = ["nodad"] if family == 6 else []
        guest.run("ip", "addr", "add", f"{address(family, number, host)}/{length}", "dev", "eth0", *extra)
        guest.run("ip", "route", "add", "default", "via", address(family, number, 1))
    return guest


def make_network(netd, name, number, forward="", more=""):
    netd.define(XML.format(name=name, number=number, forward=forward, more=more))
    netd.ctl("net-start", name)


def may_reach(source, target):
    """Between networks, by how each treats the family: without <netd:accept> only where one of them is open, which netd has no rule on."""
    if "isolated" in (source, target):
        return False
    return target == "open" or (source, target) == ("open", "route")


def expected(mode, family):
    """direction: protocols that get through."""
    kind = treated(mode, family)
    every, none = set(PROTOCOLS), set()
    table = {
        "guest → outside": none if kind == "isolated" else every,
        "outside → guest": every if kind in ("route", "open") else none,
        "guest → guest": every,
        "guest → host": {"ping"} if kind == "isolated" else every,
        "host → guest": every,
    }
    for other in MODES:
        if other != mode:
            table[f"guest → {other}"] = every if may_reach(kind, treated(other, family)) else none
    return table


def questions_of(mode, number, family):
    """Who asks what: [(place, direction, address)]."""
    asked = [(mode, "guest → outside", OUTSIDE[family]), ("outside", "outside → guest", address(family, number, 11)),
             (mode, "guest → guest", address(family, number, 12)), (mode, "guest → host", address(family, number, 1)),
             ("host", "host → guest", address(family, number, 11))]
    for other, (other_number, _) in MODES.items():
        if other != mode:
            asked.append((mode, f"guest → {other}", address(family, other_number, 11)))
    return asked


def ask_all(places, asked):
    """asked: [(place, key, protocol, address)]. Return: {key: answer}."""
    for name, place in places.items():
        place.ask([[key, protocol, to] for where, key, protocol, to in asked if where == name])
    answers = {}
    for place in places.values():
        answers.update(place.answers())
    return answers


def print_table(results):
    """results: {(mode, family): {direction: protocols}}"""
    for (mode, family), table in results.items():
        for direction, got in table.items():
            print(f"  {mode:9} IPv{family} {direction:18} {' '.join(p for p in PROTOCOLS if p in got) or '-'}")


@test
def table(host):
    outside = make_outside(host)
    netd = host.netd()
    places = {"host": Place(os.getpid(), "host"), "outside": Place(outside.pid, "outside")}
    for mode, (number, forward) in MODES.items():
        make_network(netd, mode, number, forward)
        places[mode] = Place(make_guest(netd, mode, number, 11).pid, mode)
        places[mode + "2"] = Place(make_guest(netd, mode, number, 12).pid, mode + "2")
    asked = []
    for mode, (number, _) in MODES.items():
        for family in (4, 6):
            for place, direction, to in questions_of(mode, number, family):
                asked += [(place, f"{mode} {family} {direction} {p}", p, to) for p in PROTOCOLS]
    answers = ask_all(places, asked)
    results, wanted = {}, {}
    for mode in MODES:
        for family in (4, 6):
            want = wanted[mode, family] = expected(mode, family)
            results[mode, family] = {d: {p for p in PROTOCOLS if answers[f"{mode} {family} {d} {p}"]} for d in want}
    print_table(results)
    wrong = [f"{mode} IPv{family} {d}: {sorted(results[mode, family][d])}, expected {sorted(want)}"
             for (mode, family), table in wanted.items() for d, want in table.items() if results[mode, family][d] != want]
    if wrong:
        raise Failed("\n    ".join([f"{len(wrong)} rows differ:"] + wrong))
    # Whose address the outside sees.
    for mode, (number, _) in MODES.items():
        for family in (4, 6):
            if treated(mode, family) != "isolated":
                own = address(family, number, 11) if treated(mode, family) != "nat" else HOST[family]
                same(answers[f"{mode} {family} guest → outside tcp"], own, f"{mode} IPv{family}: source seen outside")


def apply(host, netd, name, number, forward="", more=""):
    """A live change."""
    path = os.path.join(host.dir, name + ".xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(XML.format(name=name, number=number, forward=forward, more=more))
    netd.ctl("net-apply", path)


def once(place, questions):
    """One place's answers to {key: (protocol, address)}."""
    place.ask([[key, *question] for key, question in questions.items()])
    return place.answers()


@test
def uplinks(host):
    """Forwarded through the interfaces that are named, and no others; changed while it runs."""
    outside = make_outside(host)
    run("ip", "link", "add", "second", "type", "veth", "peer", "name", "eth1", "netns", outside.pid)
    run("ip", "addr", "add", "203.0.113.2/24", "dev", "second")
    run("ip", "link", "set", "second", "up")
    outside.run("ip", "addr", "add", "203.0.113.1/24", "dev", "eth1")
    outside.run("ip", "link", "set", "eth1", "up")
    netd = host.netd()
    server = Place(outside.pid, "outside")
    make_network(netd, "up", 30, "<forward mode='nat' dev='uplink'/>")
    guest = Place(make_guest(netd, "up", 30, 11).pid, "guest")
    both = {"first": ("tcp", OUTSIDE[4]), "second": ("tcp", "203.0.113.1")}
    same(once(guest, both), {"first": HOST[4], "second": None}, "through uplink alone")
    apply(host, netd, "up", 30, "<forward mode='nat' dev='second'/>")
    same(once(guest, both), {"first": None, "second": "203.0.113.2"}, "through second alone")
    apply(host, netd, "up", 30, "<forward mode='nat'/>")
    same(once(guest, both), {"first": HOST[4], "second": "203.0.113.2"}, "through both")
    check(server.server.poll() is None, "the outside's server")


@test
def source(host):
    """The address that guests get outside; a range; changed while it runs."""
    outside = make_outside(host)
    server = Place(outside.pid, "outside")
    for ip in ("198.51.100.77", "198.51.100.78"):
        run("ip", "addr", "add", ip + "/24", "dev", "uplink")
    netd = host.netd()
    make_network(netd, "src", 31, "<forward mode='nat'/>", "<netd:source address='198.51.100.77'/>")
    guest = Place(make_guest(netd, "src", 31, 11).pid, "guest")
    question = {"tcp": ("tcp", OUTSIDE[4]), "udp": ("udp", OUTSIDE[4])}
    same(once(guest, question), {"tcp": "198.51.100.77", "udp": "198.51.100.77"}, "the source")
    apply(host, netd, "src", 31,
          "<forward mode='nat'><nat><address start='198.51.100.78' end='198.51.100.78'/></nat></forward>")
    same(once(guest, question)["tcp"], "198.51.100.78", "the source, of a range")
    apply(host, netd, "src", 31, "<forward mode='nat'/>")
    same(once(guest, question)["tcp"], HOST[4], "the source, masqueraded")
    check(server.server.poll() is None, "the outside's server")


@test
def accept(host):
    """Guests of one network reach those of another that lets them in, with their own addresses; also after it was away."""
    netd = host.netd()
    make_network(netd, "inner", 32, "<forward mode='nat'/>", "<netd:accept network='office'/>")
    make_network(netd, "office", 33, "<forward mode='nat'/>")
    inner, office = Place(make_guest(netd, "inner", 32, 11).pid, "inner"), Place(make_guest(netd, "office", 33, 11).pid, "office")
    there, back = {p: (p, "10.60.32.11") for p in PROTOCOLS}, {"tcp": ("tcp", "10.60.33.11")}
    want = {"ping": "pong", "tcp": "10.60.33.11", "udp": "10.60.33.11"}
    same(once(office, there), want, "into the network that accepts")
    same(once(inner, back), {"tcp": None}, "the other way")
    netd.ctl("net-destroy", "office", "--force")
    netd.ctl("net-start", "office")
    office = Place(make_guest(netd, "office", 33, 11).pid, "office again")
    same(once(office, there), want, "after the other network was away")
    apply(host, netd, "inner", 32, "<forward mode='nat'/>")
    same(once(office, there), dict.fromkeys(PROTOCOLS), "no more accepted")


@test
def host_access(host):
    """All, services or nothing of the host."""
    netd = host.netd()
    server = Place(os.getpid(), "host")
    make_network(netd, "some", 34, more="<netd:hostAccess mode='all'/>")
    guest = Place(make_guest(netd, "some", 34, 11).pid, "guest")
    question = {p: (p, "10.60.34.1") for p in PROTOCOLS}
    same(set(filter(None, once(guest, question).values())), {"pong", "10.60.34.11"}, "all of the host")
    apply(host, netd, "some", 34, more="<netd:hostAccess mode='services'/>")
    same(once(guest, question), {"ping": "pong", "tcp": None, "udp": None}, "services of the host")
    make_network(netd, "none", 35, more="<netd:hostAccess mode='none'/>")
    a, b = make_guest(netd, "none", 35, 11), make_guest(netd, "none", 35, 12)
    same([i["addr_info"] for i in ip_json("addr", "show", "dev", "br-none")], [[]], "the bridge's addresses")
    a.ping("10.60.35.12", count=1)
    same(a.ping("10.60.35.1", count=1, ok=False), 0, "pings of the host")
    check(b.ifname in links() and server.server.poll() is None, "the others are there")


def bridge_state():
    return re.sub(r'"gc_timer":[0-9.]+', "", run("ip", "-d", "-j", "addr", "show", "br0").stdout)


@test
def bridge(host):
    """A bridge of the host's: a guest is a machine of the LAN; nothing of the bridge is touched."""
    netd = host.netd()
    xml = "<network><name>lan</name><forward mode='bridge'/><bridge name='br0'/></network>"
    netd.define(xml)
    contains(netd.ctl("net-start", "lan", ok=False).stderr, "bridge 'br0' is not there", "the refusal")
    run("ip", "link", "add", "br0", "type", "bridge")
    run("ip", "link", "set", "br0", "up")
    lan = host.stranger("br0")
    lan.run("ip", "addr", "add", "203.0.113.9/24", "dev", "eth0")
    before = bridge_state()
    netd.ctl("net-start", "lan")
    same(bridge_state(), before, "the bridge")
    guests = [Guest(netd, "lan"), Guest(netd, "lan")]
    for i, guest in enumerate(guests):
        guest.run("ip", "addr", "add", f"203.0.113.{20 + i}/24", "dev", "eth0")
    guests[0].ping("203.0.113.9")
    guests[0].ping("203.0.113.21")
    same(netd.network("lan")["foreignPorts"], 1, "foreign ports")
    guests[0].run("ip", "link", "set", "eth0", "address", "52:54:00:de:ad:05")
    same(guests[0].ping("203.0.113.9", count=1, ok=False), 0, "pings from a MAC that is not the guest's")
    events = netd.events()
    run("ip", "link", "del", "br0")
    events.wait("network-degraded", "bridge 'br0' is not there")
    run("ip", "link", "add", "br0", "type", "bridge")
    run("ip", "link", "set", "br0", "up")
    events.wait("network-recovered")
    run("ip", "link", "set", lan.host_end, "master", "br0", "up")
    wait_for("the guest in its bridge", lambda: links()[guests[1].ifname].get("master") == "br0")
    guests[1].ping("203.0.113.9")
    netd.kill()
    netd.start()
    guests[1].ping("203.0.113.9")
    netd.ctl("net-destroy", "lan", "--force")
    check("br0" in links(), "the bridge is still there")


@test
def isolated_ports(host):
    """Guests that do not reach each other, and guests that the bridge does not learn."""
    netd = host.netd()
    make_network(netd, "apart", 20, more="<port isolated='yes'/>")
    a, b = make_guest(netd, "apart", 20, 11), make_guest(netd, "apart", 20, 12)
    a.ping("10.60.20.1")
    same(a.ping("10.60.20.12", count=1, ok=False), 0, "pings of a neighbour")
    apply(host, netd, "apart", 20)
    wait_for("a reachable neighbour", lambda: a.ping("10.60.20.12", count=1, ok=False))
    netd.define("<network><name>fixed</name><bridge name='br-fixed' macTableManager='libvirt'/><ip address='10.60.21.1' prefix='24'/></network>")
    netd.ctl("net-start", "fixed")
    c = make_guest(netd, "fixed", 21, 11)
    c.ping("10.60.21.1")
    fdb = run("bridge", "-j", "fdb", "show", "dev", c.ifname).stdout
    check(any(f["mac"] == c.mac and "static" in json.dumps(f) for f in json.loads(fdb)), "no static entry for the guest", fdb)
    check(b.ifname in links(), "the other guest is still there")


@test
def static_routes(host):
    """Through a guest that is a router, in both families; put back, and gone with the network."""
    netd = host.netd()
    routes = "<route address='10.61.0.0' prefix='16' gateway='10.60.22.11'/>" \
             "<route family='ipv6' address='fd61::' prefix='32' gateway='fd60:22::11'/>"
    make_network(netd, "routed", 22, "<forward mode='route'/>", routes)
    router = make_guest(netd, "routed", 22, 11)
    router.run("ip", "addr", "add", "10.61.0.1/32", "dev", "lo")
    router.run("ip", "addr", "add", "fd61::1/128", "dev", "lo")
    run("ping", "-n", "-c", 1, "-W", 2, "10.61.0.1")
    run("ping", "-n", "-c", 1, "-W", 2, "fd61::1")
    contains(json.dumps(netd.network("routed")), "10.60.22.0/24, fd60:22::/64", "routes that the outside needs")
    events = netd.events()
    run("ip", "route", "del", "10.61.0.0/16")
    events.wait("repaired", "routes")
    same([r["protocol"] for r in ip_json("route", "show", "10.61.0.0/16")], ["110"], "the route's protocol")
    netd.kill()
    netd.start()
    run("ping", "-n", "-c", 1, "-W", 2, "10.61.0.1")
    netd.ctl("net-destroy", "routed", "--force")
    same(ip_json("route", "show", "10.61.0.0/16"), [], "routes left")
    run("ip", "link", "add", "other", "type", "veth", "peer", "name", "peer")
    run("ip", "link", "set", "other", "up")
    run("ip", "route", "add", "10.61.0.0/16", "dev", "other", "metric", 1)
    contains(netd.ctl("net-start", "routed", ok=False).stderr, "route 10.61.0.0/16 is already in use by interface other", "the refusal")
    check("br-routed" not in links() and "other" in links(), "no bridge is left")


def sysctl(key, value=None):
    path = "/proc/sys/" + key
    if value is not None:
        with open(path, "w", encoding="ascii") as file:
            file.write(value)
    with open(path, encoding="ascii") as file:
        return file.read().strip()


@test
def forwarding(host):
    """The host keeps a way out that it has from router advertisements; forwarding stays on."""
    outside = make_outside(host)
    run("ip", "-6", "route", "del", "default")
    run("ip", "-6", "route", "add", "default", "via", OUTSIDE[6], "proto", "ra", "dev", "uplink")
    same((sysctl("net/ipv4/ip_forward"), sysctl("net/ipv6/conf/all/forwarding")), ("0", "0"), "forwarding before")
    netd = host.netd()
    events = netd.events()
    make_network(netd, "fwd", 23, "<forward mode='nat'/>")
    same((sysctl("net/ipv4/ip_forward"), sysctl("net/ipv6/conf/all/forwarding")), ("1", "1"), "forwarding")
    same(sysctl("net/ipv6/conf/uplink/accept_ra"), "2", "the uplink's accept_ra")
    events.wait("sysctl-set", "accept_ra set to 2")
    same(len(ip_json("-6", "route", "show", "default")), 1, "default routes")
    for key in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
        sysctl(key, "0")
        events.wait("sysctl-set", key + " set to 1 again")
        wait_for(key, lambda k=key: sysctl(k) == "1")
    same(sysctl("net/ipv6/conf/br-fwd/accept_ra"), "0", "the bridge's accept_ra")
    same(sysctl("net/ipv4/conf/br-fwd/arp_ignore"), "1", "the bridge's arp_ignore")
    check(outside.address, "the outside")


@test
def mtu(host):
    """That of the way out, also when it changes."""
    make_outside(host)
    run("ip", "link", "set", "uplink", "mtu", 1400)
    netd = host.netd()
    make_network(netd, "small", 24, "<forward mode='nat'/>")
    guest = make_guest(netd, "small", 24, 11)
    same(links()["br-small"]["mtu"], 1400, "the bridge's MTU")
    same(links()[guest.ifname]["mtu"], 1500, "the port's MTU")
    same(netd.network("small")["mtu"], 1400, "the MTU told")
    run("ip", "link", "set", "uplink", "mtu", 9000)
    wait_for("a larger MTU", lambda: links()["br-small"]["mtu"] == 9000 and links()[guest.ifname]["mtu"] == 9000)
    run("ip", "link", "set", "uplink", "mtu", 1500)
    wait_for("the old MTU", lambda: links()["br-small"]["mtu"] == 1500 and links()[guest.ifname]["mtu"] == 1500)


@test
def vlan(host):
    """Where the kernel does not filter VLANs, that is said, and nothing is left."""
    netd = host.netd()
    netd.define(XML.format(name="tagged", number=25, forward="", more="<vlan><tag id='42'/></vlan>"))
    filters = run("ip", "link", "add", "trial", "type", "bridge", "vlan_filtering", "1", ok=None).returncode == 0
    if not filters:
        contains(netd.ctl("net-start", "tagged", ok=False).stderr, ["<vlan>", "CONFIG_BRIDGE_VLAN_FILTERING"], "the refusal")
        check("br-tagged" not in links(), "no bridge is left")
        return
    netd.ctl("net-start", "tagged")
    guest = make_guest(netd, "tagged", 25, 11)
    contains(run("bridge", "vlan", "show", "dev", guest.ifname).stdout, "42 PVID Egress Untagged", "the port's VLAN")


main()
