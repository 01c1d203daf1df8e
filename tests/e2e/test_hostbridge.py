# SPDX-License-Identifier: GPL-2.0-or-later
"""A NIC of the host becomes the port of a bridge, and nobody who talks with the host notices. What fails, is not confirmed or is killed leaves all as it was."""
import contextlib
import os
import re
import shutil
import socket
import subprocess
import threading
import time

from lib import Namespace, Netd, check, contains, links, main, run, same, test, wait_for

HOST, ROUTER = "198.51.100.2", "198.51.100.1"
OUTAGE_S = 0.5  # what a TCP stream may stand still, on a loaded machine with a sanitized netd; what it was is printed


def lan(host, router=True):
    """The host's uplink eth0, a router behind it, addresses and routes of both families, a rule."""
    other = Namespace()
    run("ip", "link", "add", "eth0", "address", "02:00:00:00:00:05", "type", "veth", "peer", "name", "lan0", "netns", other.pid)
    for name in ("all", "default", "eth0"):
        with open(f"/proc/sys/net/ipv6/conf/{name}/accept_dad", "w", encoding="ascii") as file:
            file.write("0")
    other.run("sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/lan0/accept_dad; ip link set lan0 up")
    if router:
        other.run("ip", "addr", "add", f"{ROUTER}/24", "dev", "lan0")
        other.run("ip", "addr", "add", "fe80::1/64", "dev", "lan0", "nodad")
        other.run("ip", "addr", "add", "2001:db8::1/64", "dev", "lan0", "nodad")
    run("ip", "link", "set", "eth0", "up")
    run("ip", "addr", "add", f"{HOST}/24", "brd", "+", "dev", "eth0")
    run("ip", "addr", "add", "2001:db8::2/64", "dev", "eth0", "nodad")
    run("ip", "route", "add", "default", "via", ROUTER, "proto", "static", "metric", "100")
    run("ip", "route", "add", "10.0.0.0/8", "via", ROUTER, "table", "100")
    run("ip", "-6", "route", "add", "default", "via", "fe80::1", "dev", "eth0", "proto", "ra", "metric", "1024", "expires", "1800")
    run("ip", "rule", "add", "iif", "eth0", "lookup", "100", "pref", "1000")
    wait_for("link-local address", lambda: "fe80::" in run("ip", "-6", "addr", "show", "dev", "eth0").stdout)
    time.sleep(0.1)
    return other


def state():
    """All that ip tells, without what passes."""
    text = "".join(run("ip", *words.split()).stdout for words in (
        "-d addr show dev eth0", "route show table all", "-6 route show table all", "rule", "-6 rule", "-br link show type bridge"))
    text = re.sub(r"(valid_lft|preferred_lft|expires) \d+sec|qlen \d+|promiscuity \d+|allmulti \d+|^multicast.*$|^anycast.*$", "", text, flags=re.M)
    return sorted(line for line in text.splitlines() if "virbr" not in line)


class Stream:
    """A TCP connection between router and host, with an echo each few milliseconds, and how long it stood still."""

    def __init__(self, other, address, family):
        self.worst, self.count, self.error, self.over = 0.0, 0, None, False
        server = socket.create_server((address, 7777), family=family)
        code = (f"import socket,time\ns=socket.create_connection(('{address}',7777))\n"
                "while True:\n d=s.recv(1)\n if not d: break\n s.sendall(d)\n")
        self.process = other.popen("python3", "-c", code)
        self.sock, _ = server.accept()
        server.close()
        self.sock.settimeout(20)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        try:
            while not self.over:
                begun = time.monotonic()
                self.sock.sendall(b"x")
                check(self.sock.recv(1) == b"x", "the stream ended")
                self.worst = max(self.worst, time.monotonic() - begun)
                self.count += 1
                time.sleep(0.002)
        except Exception as error:  # told by finish
            self.error = error

    def finish(self, what):
        seen = self.count
        wait_for("more echoes", lambda: self.error or self.count > seen + 20)
        self.over = True
        self.thread.join(5)
        self.sock.close()
        self.process.wait(5)
        check(self.error is None, f"{what}: the TCP stream broke: {self.error!r}")
        check(self.worst < OUTAGE_S, f"{what}: the TCP stream stood still for {self.worst:.3f} s")
        print(f"  {what}: {self.count} echoes, the slowest took {self.worst * 1000:.1f} ms")


class Pings:
    def __init__(self, other, address):
        self.process = other.popen("ping", "-n", "-i", "0.01", address, stdout=subprocess.PIPE, text=True)

    def finish(self, what):
        self.process.send_signal(2)
        out = self.process.communicate(timeout=10)[0]
        sent, received = (int(re.search(rf"(\d+) {word}", out).group(1)) for word in ("packets transmitted", "received"))
        print(f"  {what}: {received} of {sent} pings answered")
        check(sent - received <= 3, f"{what}: pings were lost", out[-300:])


@test
def connections_survive(host):
    other = lan(host)
    netd = host.netd()
    events = netd.events()
    before = state()
    streams = [Stream(other, HOST, socket.AF_INET), Stream(other, "2001:db8::2", socket.AF_INET6)]
    pings = [Pings(other, HOST), Pings(other, "2001:db8::2")]
    time.sleep(0.2)
    text = netd.ctl("host-bridge-create", "br0", "--port", "eth0", "--confirm", "60").stdout
    contains(text, ["Host bridge br0 created from eth0; the gateway answers", "host-bridge-confirm br0", "does not survive a reboot"], "the answer")
    events.wait("host-bridge-created", "eth0 is in br0")
    same(links()["eth0"]["master"], "br0", "the NIC's master")
    same(links()["br0"]["address"], "02:00:00:00:00:05", "the bridge's MAC")
    contains(run("ip", "route").stdout, f"default via {ROUTER} dev br0 proto static metric 100", "routes")
    contains(run("ip", "-6", "route").stdout, "default via fe80::1 dev br0 proto ra metric 1024", "routes")
    contains(run("ip", "rule").stdout, "iif br0 lookup 100", "rules")
    listed = netd.json("host-bridge-list")["hostBridges"]
    same([(b["name"], b["port"], b["state"], b["manager"]) for b in listed], [("br0", "eth0", "unconfirmed", "none")], "the list")
    check(50 <= listed[0]["left"] <= 60, "the time left", listed)
    contains(netd.ctl("host-bridge-confirm", "br0").stdout, "Host bridge br0 confirmed", "the answer")
    events.wait("host-bridge-confirmed", "br0")
    contains(netd.ctl("host-bridge-confirm", "br0", ok=False).stderr, "confirmed already", "the second")
    # a daemon that comes back leaves it alone
    netd.stop()
    netd.start()
    same([b["state"] for b in netd.json("host-bridge-list")["hostBridges"]], ["active"], "state after a restart")
    events = netd.events()
    # what a DHCP client sets on the NIC comes to the bridge
    run("ip", "addr", "add", "198.51.100.3/24", "dev", "eth0")
    wait_for("address on the bridge", lambda: "198.51.100.3" in run("ip", "addr", "show", "br0").stdout)
    events.wait("repaired", "moved to br0")
    run("ip", "addr", "del", "198.51.100.3/24", "dev", "br0")
    # others in it
    run("ip", "link", "add", "guest0", "type", "veth", "peer", "name", "guest1")
    run("ip", "link", "set", "guest0", "master", "br0")
    contains(netd.ctl("host-bridge-remove", "br0", ok=False).stderr, "guest0", "who is in it")
    run("ip", "link", "del", "guest0")
    contains(netd.ctl("host-bridge-remove", "br0").stdout, "Host bridge br0 removed", "the answer")
    events.wait("host-bridge-removed", "eth0")
    for stream, what in zip(streams, ("IPv4", "IPv6")):
        stream.finish(what)
    for ping, what in zip(pings, ("IPv4", "IPv6")):
        ping.finish(what)
    same(state(), before, "what the kernel has")
    same(os.listdir(os.path.join(netd.dirs["state"], "host-bridges")), [], "records")
    same(netd.json("host-bridge-list")["hostBridges"], [], "the list")


@test
def silent_gateway(host):
    lan(host, router=False)
    netd = host.netd()
    events = netd.events()
    before = state()
    contains(netd.ctl("host-bridge-create", "br0", "--port", "eth0", ok=False).stderr,
             ["Failed to create host bridge br0", ROUTER, "did not answer", "has what it had before"], "the error")
    _, event = events.wait("host-bridge-rolled-back", "did not answer")
    same(event["interface"], "br0", "what the event is about")
    wait_for("what was before", lambda: state() == before)
    wait_for("an empty list", lambda: not netd.json("host-bridge-list")["hostBridges"])
    # killed while it asks: the next one goes back
    asking = subprocess.Popen([*netd_ctl(netd), "host-bridge-create", "br0", "--port", "eth0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for("bridge", lambda: links().get("eth0", {}).get("master") == "br0")
    netd.kill()
    asking.wait(10)
    check(state() != before, "nothing was changed")
    netd.start()
    same(state(), before, "what the kernel has after a kill")
    contains(netd.log(), "netd ended in the middle of it", "the log")
    # stopped while it asks: it goes back itself
    asking = subprocess.Popen([*netd_ctl(netd), "host-bridge-create", "br0", "--port", "eth0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for("bridge", lambda: links().get("eth0", {}).get("master") == "br0")
    time.sleep(0.3)
    netd.stop()
    asking.wait(10)
    same(state(), before, "what the kernel has after a stop")


def netd_ctl(netd):
    import lib
    return [lib.NETDCTL, "--socket", netd.socket]


@test
def not_confirmed(host):
    lan(host)
    netd = host.netd()
    events = netd.events()
    before = state()
    netd.ctl("host-bridge-create", "br0", "--port", "eth0", "--confirm", "1")
    events.wait("host-bridge-rolled-back", "not confirmed in time", 5)
    wait_for("what was before", lambda: state() == before)
    # the clock goes on while netd is away
    netd.ctl("host-bridge-create", "br0", "--port", "eth0", "--confirm", "3")
    netd.kill()
    netd.start()
    left = netd.json("host-bridge-list")["hostBridges"]
    same([b["state"] for b in left], ["unconfirmed"], "after a restart")
    check(left[0]["left"] <= 3, "the time left", left)
    events = netd.events()
    events.wait("host-bridge-rolled-back", "not confirmed in time", 6)
    wait_for("what was before", lambda: state() == before)
    # and runs out
    netd.ctl("host-bridge-create", "br0", "--port", "eth0", "--confirm", "1")
    netd.kill()
    time.sleep(1.2)
    netd.start()
    same(state(), before, "what the kernel has when time ran out without netd")


@test
def refused(host):
    lan(host)
    netd = host.netd_default()
    netd.ctl("net-start", "default", ok=None)
    before = state()
    for port, word in (("lo", "loopback"), ("nope", "no interface 'nope'"), ("virbr0", "netd's own")):
        contains(netd.ctl("host-bridge-create", "br0", "--port", port, ok=False).stderr, word, port)
    contains(netd.ctl("host-bridge-create", "br0", ok=False).stderr, "--port is missing", "without --port")
    contains(netd.ctl("host-bridge-create", "eth0", "--port", "eth0", ok=False).stderr, "already", "a name that is taken")
    contains(netd.ctl("host-bridge-confirm", "br0", ok=False).stderr, "no such bridge", "no bridge")
    contains(netd.ctl("host-bridge-remove", "br0", ok=False).stderr, "no such bridge", "no bridge")
    text = netd.ctl("host-bridge-create", "br0", "--port", "eth0", "--dry-run").stdout
    contains(text, ["the NIC into the bridge", f"address {HOST}/24 on br0", f"route default via {ROUTER} off eth0", "does not survive"], "the plan")
    same(state(), before, "what the kernel has")
    same(os.path.exists(os.path.join(netd.dirs["state"], "host-bridges")), False, "records of a dry run")


def covered(host, path):
    """A folder of the machine's that is empty for this test: /etc is written to a layer of its own."""
    layer = os.path.join(host.dir, "layer")
    os.mkdir(layer)
    run("mount", "-t", "tmpfs", "tmpfs", layer)
    for name in ("upper", "work"):
        os.mkdir(os.path.join(layer, name))
    run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/etc,upperdir={layer}/upper,workdir={layer}/work", "/etc")
    os.makedirs(path, exist_ok=True)
    run("mount", "-t", "tmpfs", "tmpfs", path)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def tree(folder):
    return {os.path.join(top, name): read(os.path.join(top, name)) for top, _, names in os.walk(folder) for name in names}


def round_trip(netd, folder, manager, files):
    """Dry run shows what create writes; remove takes it back."""
    before, kernel = tree(folder), state()
    plan = netd.json("host-bridge-create", "br0", "--port", "eth0", "--dry-run")
    same(plan["hostBridge"]["manager"], manager, "the manager")
    same((tree(folder), state()), (before, kernel), "files and kernel after a dry run")
    netd.ctl("host-bridge-create", "br0", "--port", "eth0", "--confirm", "30")
    same(tree(folder), before, "files before the confirmation")
    # a removal that is refused changes nothing, neither what a confirmation does
    run("ip", "link", "add", "guest0", "master", "br0", "type", "veth", "peer", "name", "guest1")
    contains(netd.ctl("host-bridge-remove", "br0", ok=False).stderr, "guest0", "who is in it")
    run("ip", "link", "del", "guest0")
    netd.ctl("host-bridge-confirm", "br0")
    written = tree(folder)
    same({f["path"]: f["text"] for f in plan["files"]}, {path: text for path, text in written.items() if before.get(path) != text}, "what was planned")
    same({f["path"]: f.get("replaces") for f in plan["files"]}, {f["path"]: before.get(f["path"]) for f in plan["files"]}, "what is replaced")
    for path, words in files.items():
        contains(written[path], words, path)
    netd.ctl("host-bridge-remove", "br0")
    same((tree(folder), state()), (before, kernel), "files and kernel afterwards")
    # without files; and one that somebody has changed since stays
    netd.ctl("host-bridge-create", "br0", "--port", "eth0", "--no-persist")
    same(tree(folder), before, "files with --no-persist")
    netd.ctl("host-bridge-remove", "br0")
    netd.ctl("host-bridge-create", "br0", "--port", "eth0")
    mine = next(iter(files))
    write(mine, written[mine] + "# mine\n")
    contains(netd.ctl("host-bridge-remove", "br0").stdout, [mine, "changed since"], "the note")
    same({p: t for p, t in tree(folder).items() if before.get(p) != t}, {mine: written[mine] + "# mine\n"}, "what stays")
    return written


@test
def networkd(host):
    lan(host)
    covered(host, "/etc/systemd/network")
    index = links()["eth0"]["ifindex"]
    write("/run/systemd/network/10-netplan-eth0.network", "[Match]\nName=eth0\n\n[Link]\nMTUBytes=1500\n\n[Network]\nDHCP=ipv4\nDNS=192.0.2.53\n\n[DHCP]\nRouteMetric=100\n")
    write("/run/systemd/network/10-netplan-eth0.network.d/x.conf", "[Network]\nDomains=example.org\n")
    write(f"/run/systemd/netif/links/{index}", "ADMIN_STATE=configured\nNETWORK_FILE=/run/systemd/network/10-netplan-eth0.network\n"
          "NETWORK_FILE_DROPINS=\"/run/systemd/network/10-netplan-eth0.network.d/x.conf\"\n")
    write(f"/run/systemd/netif/leases/{index}", "ADDRESS=198.51.100.2\nCLIENTID=ffb6220feb00020000ab11\n")
    netd = host.netd()
    folder = "/etc/systemd/network/00-netd-"
    round_trip(netd, "/etc/systemd/network", "systemd-networkd", {
        folder + "br0.netdev": ["Name=br0", "Kind=bridge", "MACAddress=02:00:00:00:00:05", "STP=no"],
        folder + "eth0.network": ["[Match]\nName=eth0", "Bridge=br0", "LinkLocalAddressing=no"],
        folder + "br0.network": ["[Match]\nName=br0", "DHCP=ipv4", "DNS=192.0.2.53", "RouteMetric=100", "IAID=3055685611", "Domains=example.org"]})


@test
def network_manager(host):
    lan(host)
    covered(host, "/etc/NetworkManager")
    index = links()["eth0"]["ifindex"]
    folder = "/etc/NetworkManager/system-connections/"
    write(folder + "Wired.nmconnection", "[connection]\nid=Wired\nuuid=9c92fad9-6ecb-3e6c-eb4d-8a47c6f50c04\ntype=ethernet\n\n[ethernet]\n\n"
          "[ipv4]\nmethod=manual\naddress1=198.51.100.2/24,198.51.100.1\n\n[ipv6]\nmethod=auto\naddr-gen-mode=eui64\n")
    write(f"/run/NetworkManager/devices/{index}", "[device]\nmanaged=true\nconnection-uuid=9c92fad9-6ecb-3e6c-eb4d-8a47c6f50c04\n")
    netd = host.netd()
    written = round_trip(netd, "/etc/NetworkManager", "NetworkManager", {
        folder + "netd-br0.nmconnection": ["type=bridge", "interface-name=br0", "address1=198.51.100.2/24", "addr-gen-mode=eui64", "stp=false"],
        folder + "netd-eth0-port.nmconnection": ["type=ethernet", "interface-name=eth0", "slave-type=bridge", "autoconnect-priority=100"]})
    bridge = re.search(r"^uuid=(.*)$", written[folder + "netd-br0.nmconnection"], re.M).group(1)
    contains(written[folder + "netd-eth0-port.nmconnection"], f"master={bridge}", "the port")
    if shutil.which("nmcli"):
        for name in ("br0", "eth0-port"):
            run("nmcli", "--offline", "connection", "modify", "connection.autoconnect", "yes", stdin=written[f"{folder}netd-{name}.nmconnection"])


@test
def ifupdown(host):
    lan(host)
    covered(host, "/etc/network")
    write("/etc/network/interfaces", "source /etc/network/interfaces.d/*\nauto lo\niface lo inet loopback\n\nauto eth0 eth1\niface eth0 inet static\n"
          "    address 198.51.100.2/24\n    gateway 198.51.100.1\n# a comment\niface eth1 inet dhcp\n")
    write("/etc/network/interfaces.d/six", "iface eth0 inet6 auto\n")
    netd = host.netd()
    written = round_trip(netd, "/etc/network", "ifupdown", {
        "/etc/network/interfaces.d/netd-br0": ["auto br0", "iface br0 inet static", "gateway 198.51.100.1", "iface br0 inet6 auto", "iface eth0 inet manual",
                                               "pre-up ip link set dev eth0 master br0 up"],
        "/etc/network/interfaces": ["# netd: auto eth0 eth1\nauto eth1\n", "# netd: iface eth0 inet static", "iface eth1 inet dhcp"],
        "/etc/network/interfaces.d/six": ["# netd: iface eth0 inet6 auto"]})
    if shutil.which("ifquery"):
        for path, text in written.items():
            write(path, text)
        contains(run("ifquery", "br0").stdout, ["address: 198.51.100.2", "gateway: 198.51.100.1"], "ifquery")


main()
