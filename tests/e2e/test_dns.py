# SPDX-License-Identifier: GPL-2.0-or-later
"""Names for guests, by the real dnsmasq and asked for with dig from inside guests."""
import contextlib
import os
import signal
import socket
import struct
import subprocess
import threading
import time

from lib import Guest, check, contains, main, run, same, test, wait_for

UPSTREAM, SECOND = "192.0.2.53", "192.0.2.54"


class Server:
    """A name server that knows one address for all names, and what it was asked."""

    def __init__(self, address, answer):
        self.asked, self.answer = [], answer
        run("ip", "address", "replace", f"{address}/32", "dev", "lo")
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                query, peer = self.sock.recvfrom(4096)
                at, labels = 12, []
                while query[at]:
                    labels.append(query[at + 1:at + 1 + query[at]].decode())
                    at += 1 + query[at]
                kind = struct.unpack(">H", query[at + 1:at + 3])[0]
                self.asked.append(".".join(labels))
                answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 1, 4) + socket.inet_aton(self.answer) if kind == 1 else b""
                self.sock.sendto(query[:2] + struct.pack(">HHHHH", 0x8180, 1, 1 if answer else 0, 0, 0) + query[12:at + 5] + answer, peer)


def network(name="lab", subnet="10.77.0", dns="", more="", domain="lab.example", attrs="", mode="<forward mode='nat'/>", dhcp="", bridge="", ip=""):
    return f"""
<network xmlns:netd='urn:netd:network:1' xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'>
  <name>{name}</name>{mode}{bridge}
  {f"<domain name='{domain}'{attrs}/>" if domain else ""}
  {dns}
  <ip address='{subnet}.1' netmask='255.255.255.0'{ip}>
    <dhcp><range start='{subnet}.100' end='{subnet}.199'/>{dhcp}</dhcp>
  </ip>{more}
  <netd:autostart mode='on-attach'/>
</network>
"""


def resolv_conf(host, *addresses):
    """The host's own, for this test."""
    path = os.path.join(host.dir, "resolv.conf")
    fresh = not os.path.exists(path)
    with open(path, "w", encoding="ascii") as file:
        file.write("".join(f"nameserver {a}\n" for a in addresses))
    if fresh:
        run("mount", "--bind", path, "/etc/resolv.conf")


def lab(host, conf="", **kw):
    netd = host.netd(conf=conf)
    netd.define(network(**kw))
    return netd


def dnsmasqs():
    """pid: what it was given, of all that live."""
    found = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, IndexError):
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
            with open(f"/proc/{entry}/stat", encoding="ascii") as file:
                dead = file.read().rpartition(")")[2].split()[0] in "ZX"
            if words[0].endswith(b"dnsmasq") and not dead:
                found[int(entry)] = words[1].decode()
    return found


def dig(who, *words, server="10.77.0.1"):
    """Lines of the answer; None: no answer at all."""
    done = who.run("dig", "+short", "+tries=1", "+time=2", f"@{server}", *words, ok=None)
    return None if done.returncode else done.stdout.split("\n")[:-1]


def answers(who, want, *words, **kw):
    """It takes a moment, and is the answer from then on."""
    got = []

    def asked():
        got[:] = [dig(who, *words, **kw)]
        return got[0] == want
    try:
        wait_for("answer", asked, 8, 0.05)
    except Exception:
        same(got[0], want, f"answer to {' '.join(words)}")


def serving(netd, events, name="lab", after=0):
    return events.wait("dns-started", name, 15, after)


def guest_named(netd, name, network_name="lab"):
    guest = Guest(netd, network_name, f",name={name}" if name else "")
    return guest


@test
def guests_have_names(host):
    netd = lab(host, dhcp="<host mac='52:54:00:77:00:01' name='fixed' ip='10.77.0.50'/>")
    events = netd.events()
    web = guest_named(netd, "web")
    serving(netd, events)
    lease = web.dhcp()
    same(lease["dns"], "10.77.0.1", "the name server that guests are told")
    answers(web, [lease["ip"]], "web.lab.example")
    answers(web, [lease["ip"]], "web")
    answers(web, ["web.lab.example."], "-x", lease["ip"])
    answers(web, ["10.77.0.50"], "fixed.lab.example")
    db = Guest(netd, "lab")
    other = db.dhcp("-x", "hostname:db")
    answers(web, [other["ip"]], "db.lab.example")
    answers(web, ["db.lab.example."], "-x", other["ip"])
    # Over TCP, too.
    same(dig(web, "+tcp", "db"), [other["ip"]], "answer over TCP")


@test
def a_name_has_one_holder(host):
    netd = lab(host, dns="<dns><host ip='10.77.0.9'><hostname>printer</hostname></host></dns>")
    events = netd.events()
    asks, first, second = guest_named(netd, "ask"), Guest(netd, "lab"), Guest(netd, "lab")
    serving(netd, events)
    asks.dhcp()
    a, b = first.dhcp("-x", "hostname:twin"), second.dhcp("-x", "hostname:twin")
    answers(asks, [a["ip"]], "twin.lab.example")
    check(dig(asks, "-x", b["ip"]) != ["twin.lab.example."], "the second is told by the name that it did not get")
    # A port's name goes before one that a guest gives itself; what the definition says, before both.
    owner = guest_named(netd, "twin")
    c = owner.dhcp("-x", "hostname:printer")
    answers(asks, [c["ip"]], "twin.lab.example")
    answers(asks, ["10.77.0.9"], "printer.lab.example")
    # Whoever has it no more leaves it to the next.
    owner.kill()
    answers(asks, [a["ip"]], "twin")
    for name in ("wpad", "localhost"):
        Guest(netd, "lab").dhcp("-x", f"hostname:{name}")
    time.sleep(0.5)
    same(dig(asks, "wpad.lab.example"), [], "a guest's claim to be the proxy of all")


@test
def records_of_the_definition(host):
    upstream, corp = Server(UPSTREAM, "198.51.100.7"), Server(SECOND, "198.51.100.8")
    resolv_conf(host, UPSTREAM)
    dns = f"""<dns forwardPlainNames='no'>
        <forwarder domain='corp.example' addr='{SECOND}'/>
        <txt name='note.lab.example' value='one, "two"'/>
        <srv service='ldap' protocol='tcp' domain='lab.example' target='ds.lab.example' port='389' priority='3' weight='4'/>
        <host ip='10.77.0.9'><hostname>ds</hostname><hostname>ds2.lab.example</hostname></host></dns>"""
    more = "<dnsmasq:options><dnsmasq:option value='host-record=extra.example,192.0.2.99'/></dnsmasq:options>"
    netd = lab(host, dns=dns, more=more, attrs=" localOnly='yes'", ip=" localPtr='yes'")
    events = netd.events()
    guest = guest_named(netd, "vm")
    serving(netd, events)
    guest.dhcp()
    same(dig(guest, "www.example.org"), ["198.51.100.7"], "what the host's resolver says")
    same(dig(guest, "a.corp.example"), ["198.51.100.8"], "what the domain's server says")
    same(dig(guest, "note.lab.example", "TXT"), ['"one, \\"two\\""'], "TXT")
    same(dig(guest, "_ldap._tcp.lab.example", "SRV"), ["3 4 389 ds.lab.example."], "SRV")
    same(dig(guest, "ds.lab.example"), ["10.77.0.9"], "a host's name")
    same(dig(guest, "ds2.lab.example"), ["10.77.0.9"], "a host's second name")
    same(dig(guest, "extra.example"), ["192.0.2.99"], "an option's record")
    for name in ("none.lab.example", "plain"):
        same(dig(guest, name), [], f"answer to {name}")
    same(dig(guest, "-x", "10.77.0.77"), [], "an address that nobody has")
    contains(",".join(upstream.asked), "www.example.org", "what the upstream was asked")
    check(not [n for n in upstream.asked if "lab.example" in n or n == "plain" or "arpa" in n], "what is nobody else's was asked for elsewhere",
          upstream.asked)
    same(set(corp.asked), {"a.corp.example"}, "what the domain's server was asked")
    # Plain names and the domain's are forwarded where nothing says that they are not.
    netd.define(network("open", "10.78.0", domain="open.example"))
    other = guest_named(netd, "", "open")
    serving(netd, events, "open")
    other.dhcp()
    for name in ("plain", "none.open.example"):
        same(dig(other, name, server="10.78.0.1"), ["198.51.100.7"], f"answer to {name}")
    # A change of the definition that runs.
    netd.ctl("net-update", "lab", "add", "dns-txt", "<txt name='late.lab.example' value='x'/>", "--live")
    answers(guest, ['"x"'], "late.lab.example", "TXT")


@test
def the_hosts_resolver_changes(host):
    Server(UPSTREAM, "198.51.100.7")
    Server(SECOND, "198.51.100.8")
    resolv_conf(host, UPSTREAM)
    netd = lab(host)
    netd.define(network("inner", "10.79.0", mode=""))
    events = netd.events()
    guest, inner = guest_named(netd, "vm"), guest_named(netd, "vm", "inner")
    serving(netd, events)
    serving(netd, events, "inner")
    inner_lease = inner.dhcp()
    same(inner_lease["dns"], "10.79.0.1", "the name server of an isolated network")
    guest.dhcp()
    same(dig(guest, "a.example"), ["198.51.100.7"], "what the resolver says")
    before = dnsmasqs()
    resolv_conf(host, SECOND)
    answers(guest, ["198.51.100.8"], "b.example")
    same(dnsmasqs(), before, "the processes: told, not started again")
    # An isolated network reaches nobody, by names either.
    answers(inner, [inner_lease["ip"]], "vm", server="10.79.0.1")
    same(dig(inner, "a.example", server="10.79.0.1"), [], "what an isolated guest learns")
    # systemd-resolved's stub: those behind it.
    os.makedirs("/run/systemd/resolve", exist_ok=True)
    with open("/run/systemd/resolve/resolv.conf", "w", encoding="ascii") as file:
        file.write(f"nameserver 10.77.0.1\nnameserver {UPSTREAM}\n")
    resolv_conf(host, "127.0.0.53")
    answers(guest, ["198.51.100.7"], "c.example")
    with open(os.path.join(netd.dirs["run"], "dns", "servers"), encoding="ascii") as file:
        same(file.read(), f"server={UPSTREAM}\n", "the servers")


@test
def options_that_are_not_passed_on(host):
    netd = host.netd()
    for option, words in (("dhcp-option=42,192.0.2.1", "'dhcp-option' is not passed on to dnsmasq: netd serves DHCP itself"),
                          ("conf-file=/etc/shadow", "'conf-file' is not passed on to dnsmasq"),
                          ("log-facility=/tmp/x", "'log-facility' is not among the options")):
        netd.define(network(more=f"<dnsmasq:options><dnsmasq:option value='{option}'/></dnsmasq:options>"))
        contains(netd.ctl("net-start", "lab", ok=False).stderr, words, "the refusal")
    netd.define(network(more="<dnsmasq:options><dnsmasq:option value='address=/x/nonsense'/></dnsmasq:options>"))
    events = netd.events()
    guest = guest_named(netd, "vm")
    _, event = events.wait("network-degraded", "lab")
    contains(event["text"], "dns: dnsmasq: ", "what dnsmasq says of its option")
    check(guest.dhcp()["dns"] != "10.77.0.1", "a name server is told that is none")


@test
def it_is_limited(host):
    netd = lab(host)
    events = netd.events()
    Guest(netd, "lab")
    serving(netd, events)
    (pid, conf), = dnsmasqs().items()
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    for field in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
        same(status[field], "0000000000000400", field)
    same((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), "no new privileges, and a filter")
    check("0" not in status["Uid"].split(), "it runs as root", status["Uid"])
    check(not [fd for fd in os.listdir(f"/proc/{pid}/fd") if "inotify" in os.readlink(f"/proc/{pid}/fd/{fd}")], "it has an inotify instance")
    sockets = run("ss", "-Hlnup").stdout + run("ss", "-Hlntp").stdout
    same({line.split()[3] for line in sockets.splitlines() if "dnsmasq" in line}, {"10.77.0.1:53"}, "where it listens")
    contains(conf, netd.dirs["run"], "its file")


@test
def nobody_else_is_served(host):
    """At the bridge's address, by another interface."""
    netd = lab(host)
    netd.define(network("other", "10.78.0"))
    events = netd.events()
    outside = host.outside()
    outside.run("ip", "route", "add", "10.77.0.0/24", "via", outside.sees)
    guest, other = guest_named(netd, "vm"), guest_named(netd, "vm", "other")
    serving(netd, events)
    serving(netd, events, "other")
    lease = guest.dhcp()
    other.dhcp()
    answers(guest, [lease["ip"]], "vm")
    same(run("dig", "+short", "@10.77.0.1", "vm").stdout.split(), [lease["ip"]], "what the host is told")
    for name, who in (("outside", outside), ("a guest of another network", other)):
        for words in (("vm",), ("+tcp", "vm")):
            check(not dig(who, *words), f"{name} is told", words)


@test
def it_dies_and_is_back(host):
    netd = lab(host)
    events = netd.events()
    guest = guest_named(netd, "vm")
    serving(netd, events)
    lease = guest.dhcp()
    answers(guest, [lease["ip"]], "vm")
    for _ in range(2):
        at, (pid,) = events.position(), dnsmasqs()
        os.kill(pid, signal.SIGKILL)
        events.wait("dns-died", "lab", after=at)
        serving(netd, events, after=at)
        answers(guest, [lease["ip"]], "vm")
    # The bridge goes, and comes back.
    at = events.position()
    run("ip", "link", "delete", netd.network("lab")["bridge"])
    events.wait("repaired", "bridge", after=at)
    answers(guest, [lease["ip"]], "vm")


@test
def the_port_is_taken(host):
    netd = lab(host)
    run("ip", "address", "add", "10.77.0.1/32", "dev", "lo")
    holder = subprocess.Popen(["python3", "-c", "import socket,time\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\ns.bind(('0.0.0.0',53))\n"
                               "print('up',flush=True)\ntime.sleep(60)"], stdout=subprocess.PIPE)
    holder.stdout.readline()
    run("ip", "address", "del", "10.77.0.1/32", "dev", "lo")
    events = netd.events()
    guest = guest_named(netd, "vm")
    _, event = events.wait("network-degraded", "lab")
    same(event["text"], f"dns: port 53 of 10.77.0.1 is taken by python3 (pid {holder.pid})", "the reason")
    same(netd.network("lab")["state"], "degraded", "the network's state")
    lease = guest.dhcp()  # never in the way of DHCP
    check(lease["dns"] != "10.77.0.1", "a name server is told that is not ours", lease)
    at = events.position()
    holder.kill()
    holder.wait()
    events.wait("network-recovered", "lab", after=at)
    same(netd.network("lab")["state"], "active", "the network's state afterwards")
    answers(guest, [lease["ip"]], "vm")
    same(guest.dhcp()["dns"], "10.77.0.1", "the name server that is told now")


@test
def there_is_no_dnsmasq(host):
    netd = lab(host, conf=f"dnsmasq = {host.dir}/dnsmasq\n")
    events = netd.events()
    guest = guest_named(netd, "vm")
    _, event = events.wait("network-degraded", "lab")
    same(event["text"], f"dns: there is no {host.dir}/dnsmasq: install dnsmasq, or name it in netd.conf", "the reason")
    lease = guest.dhcp()
    os.symlink("/usr/sbin/dnsmasq", f"{host.dir}/dnsmasq")
    events.wait("network-recovered", "lab")
    answers(guest, [lease["ip"]], "vm")


@test
def netd_comes_and_goes(host):
    netd = lab(host)
    events = netd.events()
    guest, second = guest_named(netd, "vm"), Guest(netd, "lab")
    serving(netd, events)
    lease, other = guest.dhcp(), second.dhcp("-x", "hostname:db")
    answers(guest, [lease["ip"]], "vm")
    answers(guest, [other["ip"]], "db")
    before = dnsmasqs()
    netd.kill()
    answers(guest, [other["ip"]], "db")
    netd.start()
    same(dnsmasqs(), before, "the processes after kill -9 and a start")
    same(guest.dhcp()["dns"], "10.77.0.1", "the name server after it")
    for name, who in (("vm", lease), ("db", other)):
        answers(guest, [who["ip"]], name)
    netd.stop()
    same(dnsmasqs(), before, "the processes after a stop")
    # Another configuration while it was away: the old server makes room.
    path = os.path.join(netd.dirs["run"], "dns", os.listdir(os.path.join(netd.dirs["run"], "dns"))[0])
    path = next(p for p in (os.path.join(netd.dirs["run"], "dns", d, "conf") for d in os.listdir(os.path.join(netd.dirs["run"], "dns"))) if os.path.exists(p))
    with open(path, "a", encoding="ascii") as file:
        file.write("# another\n")
    netd.start()
    wait_for("another process", lambda: dnsmasqs() and not set(dnsmasqs()) & set(before))
    answers(guest, [lease["ip"]], "vm")
    # The network goes with all that is its own, also while netd was away.
    netd.ctl("net-destroy", "lab", "--force")
    wait_for("end of the process", lambda: not dnsmasqs(), 5)
    same(os.listdir(os.path.join(netd.dirs["run"], "dns")), ["servers"], "what is left of it")


@test
def orphans_are_found(host):
    netd = lab(host)
    events = netd.events()
    guest = guest_named(netd, "vm")
    serving(netd, events)
    netd.kill()
    uuid = netd_uuid(netd)
    os.remove(os.path.join(netd.dirs["run"], "networks", uuid + ".xml"))
    guest.kill()
    netd.start()
    wait_for("end of the orphan", lambda: not dnsmasqs(), 5)
    check(not os.path.exists(os.path.join(netd.dirs["run"], "dns", uuid)), "its folder is left")


def netd_uuid(netd):
    return next(f[:-4] for f in os.listdir(os.path.join(netd.dirs["run"], "networks")) if f.endswith(".xml"))


@test
def it_ends_after_the_last_port(host):
    netd = lab(host, conf="dns_linger = 1\n")
    events = netd.events()
    netd.ctl("net-start", "lab")
    time.sleep(0.3)
    same(dnsmasqs(), {}, "processes of a network without ports")
    guest = guest_named(netd, "vm")
    serving(netd, events)
    guest.kill()
    at = events.position()
    again = guest_named(netd, "vm")  # within the time
    time.sleep(1.5)
    check(dnsmasqs() and not events.find("dns-stopped", after=at), "it ended while there was a port")
    again.kill()
    events.wait("dns-stopped", "lab", after=at)
    wait_for("end of the process", lambda: not dnsmasqs(), 5)
    # A port that somebody else made counts.
    at = events.position()
    stranger = host.stranger(netd.network("lab")["bridge"])
    serving(netd, events, after=at)
    stranger.run("ip", "addr", "add", "10.77.0.99/24", "dev", "eth0")
    answers(stranger, [], "nobody.lab.example", "TXT")


@test
def no_dns_is_no_dns(host):
    netd = lab(host, dns="<dns enable='no'/>")
    guest = guest_named(netd, "vm")
    check(not guest.dhcp()["dns"].startswith("10.77."), "a name server is told")
    time.sleep(0.3)
    same(dnsmasqs(), {}, "processes")


@test
def tftp(host):
    root = os.path.join(host.dir, "boot")
    os.mkdir(root)
    os.chmod(root, 0o755)
    with open(os.path.join(root, "pxe"), "w", encoding="ascii") as file:
        file.write("to be booted\n" * 100)
    for name, subnet, dns in (("both", "10.77.0", ""), ("alone", "10.78.0", "<dns enable='no'/>")):
        netd = host.netd(name=name) if not host.daemons else host.daemons[0]
        netd.define(network(name, subnet, dns=dns).replace("<dhcp>", f"<tftp root='{root}'/><dhcp>"))
        events = netd.events()
        guest = Guest(netd, name)
        serving(netd, events, name)
        guest.dhcp()
        guest.run("busybox", "tftp", "-g", "-r", "pxe", "-l", guest.log + ".pxe", subnet + ".1")
        with open(guest.log + ".pxe", encoding="ascii") as file:
            same(file.read(), "to be booted\n" * 100, "the file")
    check(dig(guest, "x", server="10.78.0.1") is None, "DNS answers where there is none")


BUS = """<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_type="method_return"/>
<allow send_type="error"/><allow send_type="signal"/><allow receive_type="signal"/><allow receive_type="method_call"/><allow receive_type="method_return"/><allow receive_type="error"/></policy></busconfig>"""
RESOLVED = """
import sys, dbus, dbus.service, dbus.mainloop.glib
from gi.repository import GLib
dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
NAME = 'org.freedesktop.resolve1'
class Manager(dbus.service.Object):
    def say(self, *what):
        print(*what, file=open(sys.argv[1], 'a'), flush=True)
    @dbus.service.method(NAME + '.Manager', in_signature='ia(iay)')
    def SetLinkDNS(self, link, servers):
        self.say('dns', link, *['.'.join(str(int(b)) for b in a) for _, a in servers])
    @dbus.service.method(NAME + '.Manager', in_signature='ia(sb)')
    def SetLinkDomains(self, link, domains):
        self.say('domains', link, *[('~' if only else '') + name for name, only in domains])
    @dbus.service.method(NAME + '.Manager', in_signature='ib')
    def SetLinkDefaultRoute(self, link, on):
        self.say('default', link, int(on))
    @dbus.service.method(NAME + '.Manager', in_signature='i')
    def RevertLink(self, link):
        self.say('revert', link)
bus = dbus.SystemBus()
name = dbus.service.BusName(NAME, bus)
manager = Manager(bus, '/org/freedesktop/resolve1')
GLib.MainLoop().run()
"""


@test
def systemd_resolved_is_told(host):
    """What it would be told: a stand-in writes down the calls."""
    calls, conf = os.path.join(host.dir, "calls"), os.path.join(host.dir, "bus.conf")
    os.makedirs("/run/dbus", exist_ok=True)
    with open(conf, "w", encoding="ascii") as file:
        file.write(BUS)

    def told():
        with contextlib.suppress(OSError), open(calls, encoding="ascii") as file:
            return file.read().splitlines()
        return []
    bus = subprocess.Popen(["dbus-daemon", f"--config-file={conf}", "--nofork", "--nopidfile"])
    wait_for("system bus", lambda: os.path.exists("/run/dbus/system_bus_socket"))
    netd = lab(host, conf="dns_linger = 0\n")
    netd.define(network("nameless", "10.78.0", domain=""))
    events = netd.events()
    guest, other = guest_named(netd, "vm"), guest_named(netd, "vm", "nameless")
    serving(netd, events)
    serving(netd, events, "nameless")
    # It comes later.
    resolved = subprocess.Popen(["/usr/bin/python3", "-c", RESOLVED, calls])
    wait_for("it on the bus", lambda: "resolve1" in run("busctl", "list", "--no-pager").stdout)
    os.makedirs("/run/systemd/resolve")
    with open("/run/systemd/resolve/resolv.conf", "w", encoding="ascii") as file:
        file.write("nameserver 10.77.0.1\n")
    index = netd.network("lab")["ifindex"] if "ifindex" in netd.network("lab") else socket.if_nametoindex(netd.network("lab")["bridge"])
    wait_for("three calls", lambda: len(told()) == 3)
    same(told(), [f"dns {index} 10.77.0.1", f"domains {index} ~lab.example ~0.77.10.in-addr.arpa", f"default {index} 0"], "what it is told")
    guest.kill()
    other.kill()
    wait_for("another call", lambda: len(told()) == 4)
    same(told()[3:], [f"revert {index}"], "what it is told in the end")
    resolved.kill()
    bus.kill()


@test
def two_hundred_networks(host):
    """More than there are inotify instances for a user."""
    count = 200
    with open("/proc/sys/fs/inotify/max_user_instances", encoding="ascii") as file:
        limit = int(file.read())
    netd = host.netd(options=["--log-level", "warning"])
    events = netd.events()
    for i in range(count):
        netd.define(network(f"n{i}", f"10.90.{i}", domain=f"n{i}.example", bridge=f"<bridge name='b{i}'/>").replace("on-attach", "no"))
        netd.ctl("net-start", f"n{i}")
    begin = time.monotonic()
    for i in range(count):
        run("ip", "link", "add", f"v{i}", "type", "veth", "peer", "name", f"w{i}")
        run("ip", "link", "set", f"v{i}", "master", f"b{i}", "up")
    wait_for(f"{count} servers (inotify limit {limit})", lambda: len({e["network"] for _, e in events.find("dns-started")}) == count, 90, 0.2)
    print(f"{count} name servers in {time.monotonic() - begin:.1f} s")
    for i in (0, count // 2, count - 1):
        done = run("dig", "+short", "+tries=1", "+time=5", f"@10.90.{i}.1", "x.example", "TXT", ok=None)
        same(done.returncode, 0, f"answer of network {i}")
    same(len(dnsmasqs()), count, "processes")
    same([e for _, e in events.find("network-degraded")], [], "degraded networks")


main()
