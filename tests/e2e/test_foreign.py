# SPDX-License-Identifier: GPL-2.0-or-later
"""Living with the host's other firewalls: what is reported is what happens, and what is added goes again.

Docker's rules are made with iptables as dockerd does. ufw and firewalld are the real programs, in the test's own namespaces, with copies of their
folders.
"""
import difflib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from lib import SOURCE, Guest, check, contains, main, run, same, test, wait_for

XML = """<network xmlns:netd='urn:netd:network:1'><name>{0}</name><forward mode='nat'/><bridge name='br-{0}'{2}/>
<ip address='10.{1}.0.1' prefix='24'><dhcp><range start='10.{1}.0.100' end='10.{1}.0.199'/></dhcp></ip></network>"""
DOCKER = """
iptables -P FORWARD DROP
iptables -N DOCKER
iptables -N DOCKER-ISOLATION-STAGE-1
iptables -N DOCKER-ISOLATION-STAGE-2
iptables -N DOCKER-USER
iptables -A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
iptables -A DOCKER-ISOLATION-STAGE-1 -j RETURN
iptables -A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
iptables -A DOCKER-ISOLATION-STAGE-2 -j RETURN
iptables -A DOCKER-USER -j RETURN
iptables -A FORWARD -j DOCKER-USER
iptables -A FORWARD -j DOCKER-ISOLATION-STAGE-1
iptables -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A FORWARD -o docker0 -j DOCKER
iptables -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
iptables -A FORWARD -i docker0 -o docker0 -j ACCEPT
iptables -t nat -N DOCKER
iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
iptables -t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
iptables -t nat -A DOCKER -i docker0 -j RETURN
"""


def started(netd, name="a", number=91, zone=""):
    netd.define(XML.format(name, number, zone))
    netd.ctl("net-start", name)
    guest = Guest(netd, name)
    guest.dhcp()
    return guest


def others(tool="iptables"):
    """Their rules, without counters and netd's tables."""
    text = run("nft", "list", "ruleset").stdout
    text = "".join(t for t in re.findall(r"^table .*?^\}\n", text, re.M | re.S) if not re.match(r"table \S+ netd ", t))
    return re.sub(r"packets \d+ bytes \d+", "", text) + re.sub(r"\[\d+:\d+\]|^#.*$", "", run(tool + "-save").stdout, flags=re.M)


def unchanged(have, want, what):
    check(have == want, f"{what} differ:", "\n".join(difflib.unified_diff(want.splitlines(), have.splitlines(), lineterm="", n=0)))


def served(host):
    """The outside, with somebody who takes connections."""
    outside = host.outside()
    outside.server = outside.popen(sys.executable, "-c", "import socket\ns = socket.create_server(('', 443))\nwhile True: s.accept()[0].close()")
    return outside


def connects(guest, outside):
    """ufw lets pings through in any case."""
    code = f"import socket; socket.create_connection(('{outside.address}', 443), 1)"
    return guest.run(sys.executable, "-c", code, ok=None).returncode == 0


def blocked(guest, outside):
    same(connects(guest, outside), False, "a connection that a firewall drops")


def find(netd, name):
    return next(n for n in netd.networks() if n["name"] == name).get("foreignFirewall", "")


def reported(netd, name, *words):
    text = wait_for("report", lambda: find(netd, name), 5)
    contains(text, words, "the report")


def passes(netd, name, guest, outside):
    wait_for("end of the report", lambda: not find(netd, name), 5)
    same(connects(guest, outside), True, "a connection")


def docker(host, tool):
    outside = served(host)
    run("sh", "-ec", DOCKER.replace("iptables", tool))
    before = others(tool)
    netd = host.netd(conf="")
    events = netd.events()
    guest = started(netd)
    blocked(guest, outside)
    reported(netd, "a", "table" if tool == "iptables-legacy" else "table ip filter", "chain FORWARD: policy drop", "Docker", "DOCKER-USER -i br-a")
    contains(events.wait("foreign-drop")[1]["text"], "policy drop", "the event")
    unchanged(others(tool), before, f"{tool}'s rules under report")
    contains(netd.ctl("net-info", "a").stdout, "policy drop", "net-info")

    netd.stop()
    netd.write("netd.conf", "foreign_firewall = auto\n")
    netd.start()
    wait_for("our accept", lambda: "netd: a" in others(tool), 5)
    passes(netd, "a", guest, outside)
    contains(others(tool), ["netd: a", "DOCKER-USER"], "our accept")
    run(tool, "-F", "DOCKER-USER")
    if tool == "iptables":  # of legacy's changes nobody tells
        wait_for("our accept again", lambda: "netd: a" in others(tool), 5)
        same(connects(guest, outside), True, "a connection")
    run(tool, "-A", "DOCKER-USER", "-j", "RETURN")
    guest.kill()
    netd.ctl("net-destroy", "--force", "a", ok=None)
    wait_for("our accept to go", lambda: "netd:" not in others(tool), 5)
    unchanged(others(tool), before, f"{tool}'s rules after the network's end")


@test
def docker_iptables(host):
    """Docker's policy drop: named, and passed by its own chain for such rules; the chain is as before at the end."""
    docker(host, "iptables")


@test
def docker_legacy(host):
    """The same by legacy iptables, which nfnetlink does not show."""
    docker(host, "iptables-legacy")


@test
def auto_then_off(host):
    """What auto added goes when the setting does."""
    outside = served(host)
    run("sh", "-ec", DOCKER)
    before = others()
    netd = host.netd(conf="foreign_firewall = auto\n")
    guest = started(netd)
    wait_for("our accept", lambda: "netd: a" in others(), 5)
    passes(netd, "a", guest, outside)
    netd.stop()
    same(connects(guest, outside), True, "a connection")  # networks run on without the daemon
    netd.write("netd.conf", "foreign_firewall = off\n")
    netd.start()
    wait_for("our accept to go", lambda: others() == before, 5)
    blocked(guest, outside)
    time.sleep(0.5)
    same(find(netd, "a"), "", "what off reports")


@test
def administrators_drop(host):
    """A drop that is nobody's but the administrator's is named and left alone; a flush of the ruleset takes it and not ours."""
    outside = served(host)
    netd = host.netd(conf="foreign_firewall = auto\n")
    guest = started(netd)
    same(connects(guest, outside), True, "a connection")
    run("nft", "-f", "-", stdin="""table inet filter {
        set guests { type ipv4_addr; flags interval; elements = { 10.91.0.0/24 } }
        chain forward { type filter hook forward priority 0; policy accept;
            ip saddr @guests ct state new counter reject comment "no guests here"; }
    }""")
    reported(netd, "a", "table inet filter, chain forward, rule 1", 'comment "no guests here"', "ip saddr @guests", "rejected",
             "nft insert rule inet filter forward iifname \"br-a\" accept")
    blocked(guest, outside)
    check("netd:" not in others(), "netd changed an administrator's table")
    run("nft", "flush", "ruleset")
    passes(netd, "a", guest, outside)



@test
def ufw(host):
    """ufw as it is installed: denies what is forwarded, until auto; its own files and rules are as before at the end."""
    outside = served(host)
    for folder in ("/etc/ufw", "/etc/default", "/var/lib"):  # its state is ours alone
        copy = os.path.join(host.dir, "ufw" + folder.replace("/", "-"))
        shutil.copytree(folder, copy, symlinks=True, ignore=lambda d, names: [] if d.startswith("/etc") else [n for n in names if n != "ufw"])
        run("mount", "--bind", copy, folder)
    run("ufw", "--force", "enable")
    run("ufw", "reload")  # which leaves other rules than the first start does
    before, files = others(), run("sh", "-c", "cat /etc/ufw/*.rules").stdout
    netd = host.netd(conf="")
    guest = started(netd)
    reported(netd, "a", "ufw", "chain FORWARD", "ufw route allow in on br-a")
    blocked(guest, outside)
    same(netd.ctl("explain", "--from", guest.ifname, "--to", outside.address + ":443", ok=None).returncode, 18, "explain's status")

    netd.stop()
    netd.write("netd.conf", "foreign_firewall = auto\n")
    netd.start()
    wait_for("our accept", lambda: "netd: a" in others(), 5)
    passes(netd, "a", guest, outside)
    run("ufw", "reload")
    wait_for("our accept again", lambda: "netd: a" in others(), 8)
    same(connects(guest, outside), True, "a connection")
    guest.kill()
    netd.ctl("net-destroy", "--force", "a", ok=None)
    wait_for("our accept to go", lambda: "netd:" not in others(), 5)
    unchanged(others(), before, "ufw's rules after the network's end")
    unchanged(run("sh", "-c", "cat /etc/ufw/*.rules").stdout, files, "ufw's files")


class Firewalld:
    """A system bus and firewalld, with folders of their own."""

    def __init__(self, host):
        os.makedirs("/run/dbus")
        for folder in ("/etc/firewalld", "/usr/lib/firewalld"):
            copy = os.path.join(host.dir, "fw" + folder.replace("/", "-"))
            shutil.copytree(folder, copy)
            run("mount", "--bind", copy, folder)
        shutil.copy(os.path.join(SOURCE, "dist", "firewalld-zone.xml"), "/usr/lib/firewalld/zones/netd.xml")
        shutil.copy(os.path.join(SOURCE, "dist", "firewalld-policy.xml"), "/usr/lib/firewalld/policies/netd-routed-in.xml")
        self.bus = subprocess.Popen(["dbus-daemon", "--system", "--nofork", "--nopidfile"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("system bus", lambda: os.path.exists("/run/dbus/system_bus_socket"))
        self.start()

    def start(self):
        self.process = subprocess.Popen(["firewalld", "--nofork", "--nopid"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("firewalld", lambda: run("firewall-cmd", "--state", ok=None).returncode == 0, 20, 0.2)

    def restart(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self.start()

    @staticmethod
    def zone(ifname):
        return run("firewall-cmd", f"--get-zone-of-interface={ifname}", ok=None).stdout.strip()

    def stop(self):
        for process in (self.process, self.bus):
            process.send_signal(signal.SIGTERM)
            process.wait(10)


@test
def firewalld(host):
    """firewalld's default zone rejects guests; auto binds the bridge to netd's zone, again after a restart, and lets go of it."""
    outside = served(host)
    wall = Firewalld(host)
    netd = host.netd(conf="")
    guest = started(netd)
    reported(netd, "a", "firewalld's table inet firewalld", "reject", "firewall-cmd --zone=netd --change-interface=br-a")
    blocked(guest, outside)
    same(wall.zone("br-a"), "", "the zone under report")
    netd.stop()
    netd.write("netd.conf", "foreign_firewall = auto\n")
    netd.start()
    wait_for("the zone", lambda: wall.zone("br-a") == "netd", 8, 0.2)
    passes(netd, "a", guest, outside)
    run("firewall-cmd", "--reload")
    wait_for("the zone after a reload", lambda: wall.zone("br-a") == "netd", 8, 0.2)
    wall.restart()
    wait_for("the zone after a restart", lambda: wall.zone("br-a") == "netd", 8, 0.2)
    same(connects(guest, outside), True, "a connection")
    netd.stop()
    same(wall.zone("br-a"), "netd", "the zone without a daemon")
    netd.write("netd.conf", "foreign_firewall = report\n")
    netd.start()
    wait_for("the end of the binding", lambda: wall.zone("br-a") != "netd", 8, 0.2)
    reported(netd, "a", "firewalld")
    blocked(guest, outside)
    netd.stop()
    netd.write("netd.conf", "foreign_firewall = auto\n")
    netd.start()
    wait_for("the zone", lambda: wall.zone("br-a") == "netd", 8, 0.2)
    netd.stop()
    netd.start()  # what an earlier daemon bound is let go, too
    time.sleep(0.5)
    guest.kill()
    netd.ctl("net-destroy", "--force", "a", ok=None)
    wait_for("the end of the binding", lambda: wall.zone("br-a") != "netd", 8, 0.2)
    netd.stop()
    wall.stop()


@test
def zone_of_a_definition(host):
    """<bridge zone=> is put in force in any mode, and said where it cannot be."""
    netd = host.netd(conf="foreign_firewall = off\n")
    netd.define(XML.format("a", 91, " zone='trusted'"))
    netd.ctl("net-start", "a")
    reported(netd, "a", "zone 'trusted' for br-a", "system bus")
    wall = Firewalld(host)
    wait_for("the zone", lambda: wall.zone("br-a") == "trusted", 8, 0.2)
    wait_for("end of the report", lambda: not find(netd, "a"), 5)
    netd.define(XML.format("b", 92, " zone='nosuch'"))
    netd.ctl("net-start", "b")
    reported(netd, "b", "no zone 'nosuch'")
    netd.ctl("net-destroy", "a")
    wait_for("the end of the binding", lambda: wall.zone("br-a") != "trusted", 8, 0.2)
    netd.stop()
    wall.stop()


def checks(netd, *words):
    done = netd.ctl("--json", "doctor", *words, ok=None)
    return done.returncode, {c["name"]: c for c in json.loads(done.stdout)["checks"]}


@test
def doctor(host):
    """It finds what was broken, says what mends it, and mends what is netd's own."""
    host.outside()
    netd = host.netd()
    started(netd)
    leases = netd.leases("a")
    status, found = checks(netd)
    same((status, [c["name"] for c in found.values() if c["result"] == "failed"]), (0, []), "a sound host")
    contains(found["dhcp"]["text"], "answered with an offer of 10.91.0.", "dhcp")
    same(netd.leases("a"), leases, "leases: nothing was leased to doctor")

    run("ip", "route", "del", "default")
    run("ip", "route", "add", "10.91.0.0/25", "dev", "uplink")
    run("nft", "-f", "-", stdin="table ip x { chain f { type filter hook forward priority 0; policy drop; }; }")
    status, found = checks(netd, "a")
    same(status, 18, "doctor's status")
    contains(found["uplink"]["text"], "no default route", "uplink")
    contains(found["subnet"]["text"], ["10.91.0.0/25", "uplink"], "subnet")
    same([found[n]["result"] for n in ("uplink", "subnet")], ["failed"] * 2, "results")
    run("ip", "route", "add", "default", "dev", "uplink")
    status, found = checks(netd, "--fix")
    same(found["forwarding"]["result"], "ok", "forwarding after --fix")
    contains(found["firewall"]["text"], "table ip x, chain f: policy drop", "firewall")
    contains(netd.ctl("doctor", "a", ok=None).stdout, ["failed", "-> nft insert rule ip x f"], "the table")
    netd.ctl("doctor", "nosuch", ok=False)


def verdict(netd, start, end, *words):
    done = netd.ctl("--json", "explain", "--from", start, "--to", end, *words, ok=None)
    got = json.loads(done.stdout)
    same(done.returncode == 0, got["verdict"] == "pass", f"the status of '{got['text']}'")
    return got["verdict"], got["text"], {s["stage"] for s in got["stages"]}


@test
def explain(host):
    """What it says is what happens."""
    outside = host.outside()
    netd = host.netd()
    a, b = started(netd, "a", 91), started(netd, "b", 92)
    second = Guest(netd, "a")
    second.dhcp()

    def agrees(start, end, target, want):
        got, text, _ = verdict(netd, start.ifname, end)
        same((got == "pass", start.ping(target, count=1, ok=False) == 1), (want, want), f"{text}; pings")
        return text

    contains(agrees(a, outside.address, outside.address, True), "leaves by uplink", "to the outside")
    contains(agrees(a, second.ifname, second.address(), True), "stays within the bridge br-a", "to a guest of the network")
    contains(agrees(a, b.ifname, b.address(), False), ["netd's table inet netd", "comment"], "to another network")
    agrees(a, "host", "10.91.0.1", True)
    got, text, stages = verdict(netd, "outside", a.ifname + ":80")
    same(got, "reject", text)
    check({"prerouting", "routing", "forward"} <= stages, "the stages", stages)
    run("nft", "-f", "-", stdin="table ip x { chain f { type filter hook forward priority 10; ip daddr " + outside.address +
        " icmp type echo-reply accept; ip saddr " + outside.address + " drop; }; }")
    contains(agrees(a, outside.address, outside.address, False), "chain f, rule 2", "answers that are dropped")
    netd.ctl("explain", "--from", "nosuch", "--to", "outside", ok=False)
    netd.ctl("explain", "--from", a.ifname, "--to", "fd00::1", ok=False)


@test
def explain_policies(host):
    """Ports with an egress policy and limits: what is decided is said for sure, a limit's refusal only as possible."""
    outside = host.outside()
    netd = host.netd()
    for name, number, policy in (
            ("net", 93, "<netd:egress policy='internet-only'/>"), ("some", 94, "<netd:guards connections='5'/>"),
            ("list", 95, f"<netd:egress policy='list'><netd:allow address='{outside.address}/32' protocol='tcp' port='80'/></netd:egress>")):
        netd.define(XML.format(name, number, "").replace("</network>", policy + "</network>"))
        netd.ctl("net-start", name)
    net, some, only = (Guest(netd, name) for name in ("net", "some", "list"))
    for guest in (net, some, only):
        guest.dhcp()
    for guest, to, want, rule in (
            (net, outside.address + ":80", "pass", "leaves by uplink"), (net, "10.94.0.9:80", "reject", "refuse"),
            (only, outside.address + ":80", "pass", "leaves by uplink"), (only, outside.address + ":443", "reject", "refuse"),
            (some, outside.address + ":80", "unsure", "too many connections")):
        got, text, _ = verdict(netd, guest.ifname, to)
        same(got, want, text)
        contains(netd.ctl("explain", "--from", guest.ifname, "--to", to, ok=None).stdout, rule, f"to {to}")



main()
