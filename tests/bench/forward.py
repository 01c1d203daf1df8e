# SPDX-License-Identifier: GPL-2.0-or-later
"""The data plane: what a forwarded packet pays for other networks, published ports, guards, and for libvirt's rules; and changes of published ports."""
import json
import os
import subprocess
import time

from lab import Failure, Libvirt, Netd, Netns, bridge_nf_off, definition, sh, spawn, wait_for
from report import interval, median, paired, row

OUTSIDE, UPLINK, GUEST, GATEWAY, PORT = "198.51.100.1", "198.51.100.2", "10.0.0.2", "10.0.0.1", 7007


class Host:
    """A host with netd, a guest behind NAT on bench0, and a machine outside; each a network namespace."""

    def __init__(self, lab, name):
        self.lab, self.host, self.guest, self.outside = lab, Netns(), Netns(), Netns()
        self.bridge_nf = bridge_nf_off(self.host)
        self.netd = None
        bridge = self.serve(name)
        self.veth("guest0", self.guest)
        self.veth("uplink", self.outside)
        self.host.ip("link", "set", "guest0", "master", bridge)
        self.host.ip("addr", "add", f"{UPLINK}/24", "dev", "uplink")
        self.guest.ip("addr", "add", f"{GUEST}/24", "dev", "eth0")
        self.guest.ip("route", "add", "default", "via", GATEWAY)
        self.outside.ip("addr", "add", f"{OUTSIDE}/24", "dev", "eth0")
        udp = lab.binary("tests/bench/udp")
        self.servers = [spawn("taskset", "-c", "0", udp, "echo", OUTSIDE, PORT, netns=self.outside),
                        spawn("iperf3", "-s", "-B", OUTSIDE, netns=self.outside, stdout=subprocess.DEVNULL)]
        wait_for("way from guest to outside", self.reachable)

    def serve(self, name):
        """Return: the bridge of the first network."""
        self.netd = Netd(self.lab, name, self.host).start()
        self.netd.fill(0, 1)
        return self.netd.client().call("GetNetwork", name="bench0")["network"]["bridge"]

    def veth(self, name, peer):
        self.host.ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(peer.pid))
        self.host.ip("link", "set", name, "up")
        peer.ip("link", "set", "eth0", "up")

    def reachable(self, guest=None):
        try:
            self.udp(1, guest)
            self.iperf(guest, "-n", "1K")
            return True
        except Failure:
            return False

    def udp(self, count, guest=None):
        """Round trips in µs. Both ends on one CPU, so that no wake-up of another one hides the way's cost."""
        return json.loads(sh("taskset", "-c", "0", self.lab.binary("tests/bench/udp"), "ping", OUTSIDE, PORT, count,
                             netns=guest or self.guest))

    def iperf(self, guest, *much):
        """Sender and receiver each on a CPU of its own."""
        return json.loads(sh("iperf3", "-J", "-c", OUTSIDE, *much, "-A", f"0,{os.cpu_count() - 1}", netns=guest or self.guest))

    def tcp(self, seconds, guest=None):
        """Gbit/s."""
        said = self.iperf(guest, "-t", seconds) # whole seconds: it cuts off the rest
        return said["end"]["sum_received"]["bits_per_second"] / 1e9


class Series:
    """Rounds of two cases in turn. Samples of a case: the medians of its rounds, and all round trips."""

    def __init__(self, lab):
        self.lab = lab
        self.udp_medians, self.udp_all, self.tcp = ([], []), ([], []), ([], [])

    def rounds(self, count, cases):
        """cases: two functions that make their case so and return the host to measure."""
        for i in range(count):
            for which in ((0, 1), (1, 0))[i % 2]:
                host = cases[which]()
                self.lab.settle()
                trips = host.udp(self.lab.pick(5000, 1000))
                self.udp_medians[which].append(median(trips))
                self.udp_all[which].extend(trips)
                self.lab.settle()
                self.tcp[which].append(host.tcp(1))
        return self


def said_interval(a, b):
    low, high = interval(a, b)
    return f"95 % interval of the ratio {low:.3f} to {high:.3f}"


def forward(lab):
    """What a forwarded packet pays for other networks, and for the DHCP server's packet socket."""
    rounds, many = lab.pick(15, 3), lab.pick(500, 50)
    few_host, many_host = Host(lab, "few"), Host(lab, "many")
    hosts = (lambda: few_host, lambda: many_host)
    same = Series(lab).rounds(rounds, hosts)
    many_host.netd.fill(1, many - 1)
    time.sleep(3)
    differ = Series(lab).rounds(rounds, hosts)
    # Two equal hosts differ a little, by where their memory lies: the change of the ratio is what the networks cost.
    rows = []
    for what, unit, pick, sign in (("UDP round trip", "µs", "udp_medians", 1), ("TCP throughput", "Gbit/s", "tcp", -1)):
        base, now = getattr(same, pick), getattr(differ, pick)
        skew = paired(base[1], base[0])
        few = [x * skew for x in now[0]]
        rows.append(row("forward", f"{what}, {many} networks", unit, now[1], few, "1 network", "within 5 %",
                        lambda v, ratio, s=sign: s * (ratio - 1) <= 0.05,
                        ratio=paired(now[1], few),
                        note=f"the hosts' ratio with 1 network each was {skew:.3f}, and the peer's figures are corrected by it; "
                             f"{said_interval(now[1], few)}"))
    rows.append(row("forward", f"UDP, all round trips, {many} networks", "µs", thin(differ.udp_all[1]), thin(differ.udp_all[0]),
                    "1 network", note="each host as it was: not corrected"))
    return rows + socket_cost(lab, few_host, rounds)


def thin(samples, most=5000):
    """Evenly taken ones: as many as a percentile needs."""
    return samples[::max(1, len(samples) // most)]


def socket_cost(lab, host, rounds):
    """netd with its worker and packet sockets, and the same host with all of them killed: bridges and rules stay."""
    running = True

    def turn(on):
        nonlocal running
        if on and not running:
            host.netd.start()
        elif running and not on:
            host.netd.kill()
        if running != on:
            time.sleep(0.5) # what a start and an end set going is over
        running = on
        return host
    got = Series(lab).rounds(rounds, (lambda: turn(False), lambda: turn(True)))
    turn(True)
    rows = []
    for what, unit, (without, with_) in (("UDP round trip", "µs", got.udp_medians), ("TCP throughput", "Gbit/s", got.tcp)):
        low, high = interval(with_, without)
        rows.append(row("forward", f"{what}, with the DHCP socket", unit, with_, without, "netd killed", "within noise",
                        lambda v, r, low=low, high=high: low <= 1 <= high, said_interval(with_, without), paired(with_, without)))
    return rows


# ---- modes ----

MODES = {mode: f"<forward mode='{mode}'/>" for mode in ("nat", "route", "open")}
FORWARDS = 100 # published ports of a network
WORST = 1.05


class View:
    """A host as one of its guests sees it."""

    def __init__(self, host, guest):
        self.udp, self.tcp = lambda count: host.udp(count, guest), lambda seconds: host.tcp(seconds, guest)


class ModesHost(Host):
    """The same with a network and a guest of each mode."""

    def __init__(self, lab, name):
        super().__init__(lab, name)
        self.views, client = {}, self.netd.client()
        self.outside.ip("route", "add", "10.0.0.0/8", "via", UPLINK)
        for number, (mode, forward) in enumerate(MODES.items()):
            prefix, guest = f"10.{240 + number}", Netns()
            client.call("CreateNetwork", xml=definition(mode, prefix, f"br-{mode}", forward))
            self.veth(f"guest-{mode}", guest)
            self.host.ip("link", "set", f"guest-{mode}", "master", f"br-{mode}")
            guest.ip("addr", "add", f"{prefix}.0.2/24", "dev", "eth0")
            guest.ip("route", "add", "default", "via", f"{prefix}.0.1")
            self.views[mode] = View(self, guest)
            wait_for(f"way out of {mode}", lambda g=guest: self.reachable(g))

    def publish(self, first, count):
        """count ports of the host, in networks of FORWARDS each."""
        publish_many(self.netd, first, count)


def publish_many(netd, first, count):
    client = netd.client()
    for number in range(first // FORWARDS, (first + count) // FORWARDS):
        prefix, port = f"10.{220 + number // 250}.{number % 250}", 20000 + number * FORWARDS
        forwards = "".join(f"<netd:forward port='{port + i}' guest='{prefix}.2' guestPort='80'/>" for i in range(FORWARDS))
        client.call("CreateNetwork", xml=f"""<network xmlns:netd='urn:netd:network:1'><name>published{number}</name><forward mode='nat'/>
<ip address='{prefix}.1' netmask='255.255.255.0'/>{forwards}</network>""")


def forward_modes(lab):
    """Each mode beside the same host with nothing but these networks: with more and more networks, then with published ports."""
    rounds = lab.pick(9, 2)
    few, many = ModesHost(lab, "few"), ModesHost(lab, "many")
    cases = {mode: (lambda m=mode: few.views[m], lambda m=mode: many.views[m]) for mode in MODES}
    same, rows, networks = {mode: Series(lab).rounds(rounds, both) for mode, both in cases.items()}, [], 1

    def measure(what):
        time.sleep(3)
        for mode, both in cases.items():
            rows.extend(compare(f"{mode}, {what}", same[mode], Series(lab).rounds(rounds, both)))
    for count in lab.pick([500, 4000], [20, 40]):
        many.netd.fill(networks, count - networks)
        networks = count
        measure(f"{count} networks")
    there = 0
    for count in lab.pick([1000, 10000], [100, 200]):
        many.publish(there, count - there)
        there = count
        measure(f"{count} published ports")
    return rows


def compare(what, same, differ):
    """Two equal hosts differ a little, by where their memory lies: the change of the ratio is what is told."""
    rows = []
    for unit_of, unit, pick, sign in (("UDP round trip", "µs", "udp_medians", 1), ("TCP throughput", "Gbit/s", "tcp", -1)):
        base, now = getattr(same, pick), getattr(differ, pick)
        skew = paired(base[1], base[0])
        peer = [x * skew for x in now[0]]
        rows.append(row("forward-modes", f"{unit_of}, {what}", unit, now[1], peer, "1 network", "within 5 %",
                        lambda v, ratio, s=sign: s * (ratio - 1) <= WORST - 1, ratio=paired(now[1], peer),
                        note=said_interval(now[1], peer)))
    return rows


# ---- libvirt's rules ----

LIBVIRT_XML = """<network><name>virt{0}</name><forward mode='nat'/><bridge name='virt{0}'/><dns enable='no'/>
<ip address='{1}.1' netmask='255.255.255.0'/></network>"""


class LibvirtHost(Host):
    """libvirt's networks in netd's place. Without DNS and DHCP there is no dnsmasq, and the rules are the same but for a few of INPUT."""

    def __init__(self, lab):
        self.there = 0
        super().__init__(lab, "libvirt")

    def serve(self, name):
        self.libvirt = Libvirt(self.lab, self.host)
        self.fill(1)
        return "virt0"

    def fill(self, count):
        path = self.lab.work / "virt.xml"
        for i in range(self.there, count):
            path.write_text(LIBVIRT_XML.format(i, f"10.{i // 250}.{i % 250}"))
            self.libvirt.command(f"net-create {path}")
        self.there = count


def forward_libvirt(lab):
    """The guest of the first network, which libvirt's rules come to last."""
    rows, rounds = [], lab.pick(9, 2)
    ours, theirs = Host(lab, "ours"), LibvirtHost(lab)
    for count in lab.pick([1, 500], [1, 10]):
        ours.netd.fill(1 if count > 1 else 0, count - 1)
        theirs.fill(count)
        time.sleep(3)
        got = Series(lab).rounds(rounds, (lambda: theirs, lambda: ours))
        for what, unit, (peer, netd) in (("UDP round trip", "µs", got.udp_medians), ("TCP throughput", "Gbit/s", got.tcp)):
            rows.append(row("forward-libvirt", f"{what}, {count} network{'s' * (count > 1)}", unit, netd, peer, "libvirt's rules",
                            note=said_interval(netd, peer), ratio=paired(netd, peer)))
    return rows


# ---- guards ----

GUARDED = """<network xmlns:netd='urn:netd:network:1'><name>guarded</name><forward mode='nat'/><bridge name='br-guarded'/>
<ip address='10.9.0.1' netmask='255.255.255.0'><dhcp><host mac='52:54:00:00:00:02' ip='10.9.0.2'/></dhcp></ip>
<netd:guards {0}/></network>"""
ALL_ON = "mac='yes' ip='yes' dhcp='yes' ra='yes' broadcast='1000' multicast='1000' connections='10000'"
ALL_OFF = "mac='no' ip='no' dhcp='no' ra='no'"


class TapGuest:
    """Behind a TAP of netd's, as a guest with virtio-net; see guest.c."""

    def __init__(self, lab, netd, network, mac):
        self.process = subprocess.Popen(
            ["nsenter", "-t", str(netd.netns.pid), "-n", "--", lab.binary("cli/netdctl"), "--socket", netd.socket, "exec", "--network",
             f"{network},mac={mac}", "--", lab.binary("tests/bench/guest"), "%{fd}", "%{mac}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        if self.process.stdout.readline() != "ready\n":
            raise Failure("the guest did not start")

    def ip(self, *words):
        return sh("ip", *words, netns=self)


def guards(lab):
    """All guards of a port, beside the same port with none: changed live between the rounds."""
    host = Host(lab, "guards")
    client = host.netd.client()
    client.call("CreateNetwork", xml=GUARDED.format(ALL_ON))
    guest = TapGuest(lab, host.netd, "guarded", "52:54:00:00:00:02")
    guest.ip("addr", "add", "10.9.0.2/24", "dev", "eth0")
    guest.ip("route", "add", "default", "via", "10.9.0.1")
    view = View(host, guest)
    wait_for("way out of a guarded port", lambda: host.reachable(guest))

    def turn(which):
        client.call("ApplyNetwork", xml=GUARDED.format(which))
        time.sleep(0.2)
        return view
    got = Series(lab).rounds(lab.pick(15, 2), (lambda: turn(ALL_OFF), lambda: turn(ALL_ON)))
    rows = []
    for what, unit, (off, on), worst in (("TCP throughput", "Gbit/s", got.tcp, lambda v, ratio: ratio >= 2 - WORST),
                                         ("UDP round trip", "µs", got.udp_medians, None)):
        rows.append(row("guards", f"{what}, all guards", unit, on, off, "no guards", "≤ 5 %" if worst else "", worst,
                        said_interval(on, off), paired(on, off)))
    return rows


# ---- published ports ----

def publish(lab):
    """One port more and one less, over one connection, among many."""
    count = lab.pick(10000, 500)
    netd = Netd(lab).start()
    publish_many(netd, 0, count)
    client, took = netd.client(), {"AddForward": [], "RemoveForward": []}
    for i in range(lab.pick(200, 20)):
        network = f"published{i % (count // FORWARDS)}"
        for method in took:
            extra = {"guest": f"10.220.{i % (count // FORWARDS)}.2"} if method == "AddForward" else {}
            t0 = time.perf_counter()
            client.call(method, network=network, protocol="tcp", port=9000, **extra)
            took[method].append((time.perf_counter() - t0) * 1e3)
    return [row("publish", f"{what} port among {count}", "ms", took[method], goal="≤ 2 ms", met=lambda v, r: v <= 2)
            for what, method in (("one more", "AddForward"), ("one less", "RemoveForward"))]


FORWARD = {
    "forward": forward,
    "forward-modes": forward_modes,
    "forward-libvirt": forward_libvirt,
    "guards": guards,
    "publish": publish,
}
