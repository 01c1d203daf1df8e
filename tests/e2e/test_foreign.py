# SPDX-License-Identifier: GPL-2.0-or-later
"""Living with the host's other firewalls: what is reported is what happens, and what is added goes again.

Docker's rules are made with iptables as dockerd does. ufw and firewalld are the real programs, in the test's own namespaces, with copies of their
folders.
"""
import os
import re
import shutil
import signal
import subprocess
import time

from lib import Guest, check, contains, main, run, same, test, wait_for

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


def blocked(guest, outside):
    same(guest.ping(outside.address, count=1, ok=False), 0, "pings that a firewall drops")


def find(netd, name):
    return next(n for n in netd.networks() if n["name"] == name).get("foreignFirewall", "")


def reported(netd, name, *words):
    text = wait_for("report", lambda: find(netd, name), 5)
    contains(text, words, "the report")


def passes(netd, name, guest, outside):
    wait_for("end of the report", lambda: not find(netd, name), 5)
    guest.ping(outside.address, count=1)


def docker(host, tool):
    outside = host.outside()
    run("sh", "-ec", DOCKER.replace("iptables", tool))
    before = others(tool)
    netd = host.netd(conf="")
    events = netd.events()
    guest = started(netd)
    blocked(guest, outside)
    reported(netd, "a", "table" if tool == "iptables-legacy" else "table ip filter", "chain FORWARD: policy drop", "Docker", "DOCKER-USER -i br-a")
    contains(events.wait("foreign-drop")[1]["text"], "policy drop", "the event")
    same(others(tool), before, f"{tool}'s rules under report")
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
        guest.ping(outside.address, count=1)
    run(tool, "-A", "DOCKER-USER", "-j", "RETURN")
    guest.kill()
    netd.ctl("net-destroy", "--force", "a", ok=None)
    wait_for("our accept to go", lambda: "netd:" not in others(tool), 5)
    same(others(tool), before, f"{tool}'s rules after the network's end")


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
    outside = host.outside()
    run("sh", "-ec", DOCKER)
    before = others()
    netd = host.netd(conf="foreign_firewall = auto\n")
    guest = started(netd)
    wait_for("our accept", lambda: "netd: a" in others(), 5)
    passes(netd, "a", guest, outside)
    netd.stop()
    guest.ping(outside.address, count=1)  # networks run on without the daemon
    netd.write("netd.conf", "foreign_firewall = off\n")
    netd.start()
    wait_for("our accept to go", lambda: others() == before, 5)
    blocked(guest, outside)
    time.sleep(0.5)
    same(find(netd, "a"), "", "what off reports")


@test
def administrators_drop(host):
    """A drop that is nobody's but the administrator's is named and left alone; a flush of the ruleset takes it and not ours."""
    outside = host.outside()
    netd = host.netd(conf="foreign_firewall = auto\n")
    guest = started(netd)
    guest.ping(outside.address, count=1)
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


main()
