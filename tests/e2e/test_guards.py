# SPDX-License-Identifier: GPL-2.0-or-later
"""Guards, egress policies and addresses as definitions say them, with real leases and guests that cheat with what ip(8) gives them."""
import socket
import time

from lib import Guest, check, contains, main, run, same, test, wait_for

NET = """<network xmlns:netd='urn:netd:network:1'><name>lab</name><forward mode='nat'/><bridge name='br-lab'/>{groups}
<ip address='10.77.0.1' prefix='24'>{dhcp}</ip>{more}</network>"""
DHCP = """<dhcp><range start='10.77.0.100' end='10.77.0.199'><lease expiry='10' unit='minutes'/></range>
<host mac='52:54:00:77:00:01' name='fixed' ip='10.77.0.50'/></dhcp>"""


def lab(host, more="", groups="", dhcp=DHCP):
    netd = host.netd()
    netd.define(NET.format(more=more, groups=groups, dhcp=dhcp))
    netd.ctl("net-start", "lab")
    return netd


def drops(netd, guest):
    info = netd.json("port-info", guest.port["uuid"])
    return {r["name"]: r["value"] for r in (info.get("port") or info).get("dropReasons") or []}


def lone_ping(guest, source, address, ok):
    done = guest.run("ping", "-n", "-c", "1", "-W", "1" if not ok else "3", "-I", source, address, ok=None)
    same(done.returncode == 0, ok, f"ping from {source} to {address}\n{done.stdout}{done.stderr}")


@test
def the_lease_is_the_permission(host):
    netd = lab(host)
    guest, other = Guest(netd, "lab"), Guest(netd, "lab")
    # Before there is a lease nothing but DHCP passes.
    guest.run("ip", "addr", "add", "10.77.0.9/24", "dev", "eth0")
    lone_ping(guest, "10.77.0.9", "10.77.0.1", False)
    check(drops(netd, guest).get("arp", 0) > 0, "no ARP was dropped", drops(netd, guest))
    guest.run("ip", "addr", "flush", "dev", "eth0")
    lease, second = guest.dhcp(), other.dhcp()
    guest.ping("10.77.0.1", count=1)  # at once
    guest.ping(second["ip"], count=1)
    before = drops(netd, guest)
    # Somebody else's address beside its own.
    guest.run("ip", "addr", "add", "10.77.0.77/24", "dev", "eth0")
    lone_ping(guest, "10.77.0.77", "10.77.0.1", False)
    now = drops(netd, guest)
    check(now.get("ip4", 0) + now.get("arp", 0) > before.get("ip4", 0) + before.get("arp", 0), "not counted", now)
    contains(netd.ctl("port-info", guest.port["uuid"]).stdout, "Drops, arp", "port-info")
    guest.ping("10.77.0.1", count=1)
    # Another's.
    guest.run("ip", "addr", "add", second["ip"] + "/24", "dev", "eth0")
    lone_ping(guest, second["ip"], "10.77.0.1", False)
    other.ping("10.77.0.1", count=1)
    same(drops(netd, other), {}, "the other's drops")
    # Released, the permission ends.
    guest.run("ip", "addr", "flush", "dev", "eth0")
    netd.ctl("lease-release", "lab", lease["ip"])
    guest.run("ip", "addr", "add", lease["ip"] + "/24", "dev", "eth0")
    lone_ping(guest, lease["ip"], "10.77.0.1", False)


@test
def restart(host):
    netd = lab(host)
    guest = Guest(netd, "lab")
    guest.dhcp()
    guest.ping("10.77.0.1", count=1)
    with guest.popen("ping", "-n", "-i", "0.05", "-c", "60", "10.77.0.1", stdout=-1, text=True) as ping:
        time.sleep(0.3)
        netd.kill()
        time.sleep(0.3)
        netd.start()
        out = ping.communicate(timeout=30)[0]
    contains(out, " 60 received", "no gap")
    same(sum(drops(netd, guest).values()), 0, "drops")
    guest.run("ip", "addr", "add", "10.77.0.9/24", "dev", "eth0")
    lone_ping(guest, "10.77.0.9", "10.77.0.1", False)
    guest.ping("10.77.0.1", count=1)


@test
def without_dhcp(host):
    netd = lab(host, dhcp="")
    guest = Guest(netd, "lab")
    guest.run("ip", "addr", "add", "10.77.0.9/24", "dev", "eth0")
    lone_ping(guest, "10.77.0.9", "10.77.0.1", True)
    same(drops(netd, guest), {}, "drops")
    guest.run("ip", "link", "set", "eth0", "address", "52:54:00:99:99:99")
    lone_ping(guest, "10.77.0.9", "10.77.0.1", False)
    check(drops(netd, guest).get("mac", 0) > 0, "no MAC drops", drops(netd, guest))


@test
def said_otherwise(host):
    netd = lab(host, "<netd:guards ip='no'/><netd:address guest='router' address='10.9.0.0/24'/>",
               "<portgroup name='strict'><netd:guards ip='yes'/></portgroup>")
    free = Guest(netd, "lab")
    free.run("ip", "addr", "add", "10.77.0.9/24", "dev", "eth0")
    lone_ping(free, "10.77.0.9", "10.77.0.1", True)
    same(drops(netd, free), {}, "drops")
    router = Guest(netd, "lab", ",name=router,portgroup=strict")
    router.dhcp()
    run("ip", "route", "add", "10.9.0.0/24", "dev", "br-lab")
    router.run("ip", "addr", "add", "10.9.0.7/32", "dev", "eth0")
    router.run("ip", "addr", "add", "10.9.1.7/32", "dev", "eth0")
    lone_ping(router, "10.9.0.7", "10.77.0.1", True)
    same(drops(netd, router), {}, "drops")
    run("ip", "route", "add", "10.9.1.0/24", "dev", "br-lab")
    lone_ping(router, "10.9.1.7", "10.77.0.1", False)
    check(drops(netd, router), "not counted")


@test
def reserved(host):
    netd = lab(host)
    guest = Guest(netd, "lab", ",mac=52:54:00:77:00:01")
    guest.run("ip", "addr", "add", "10.77.0.50/24", "dev", "eth0")
    lone_ping(guest, "10.77.0.50", "10.77.0.1", True)
    same(drops(netd, guest), {}, "drops")


def connects(guest, address, port, ok):
    code = (f"import socket,sys\ns=socket.socket();s.settimeout(3)\n"
            f"try:\n s.connect(('{address}',{port}))\nexcept ConnectionRefusedError:\n sys.exit(7)\nexcept OSError as e:\n print(e);sys.exit(8)")
    done = guest.run("/usr/bin/python3", "-c", code, ok=None)
    same(done.returncode == 0, ok, f"connect to {address}:{port}: {done.stdout}{done.stderr}")


@test
def egress(host):
    groups = ("<portgroup name='net'><netd:egress policy='internet-only'/></portgroup>"
              "<portgroup name='one'><netd:egress policy='list'><netd:allow address='198.51.100.1' protocol='tcp' port='7001'/></netd:egress></portgroup>"
              "<portgroup name='none'><netd:egress policy='none'/></portgroup>")
    netd, outside = lab(host, groups=groups), host.outside()
    outside.run("ip", "addr", "add", "10.200.0.1/32", "dev", "lo")
    run("ip", "route", "add", "10.200.0.1", "via", outside.address)
    servers = [outside.popen("/usr/bin/python3", "-c", f"import socket,time\ns=socket.create_server(('0.0.0.0',{p}),backlog=50)\ntime.sleep(100)")
               for p in (7001, 7002)]
    here = socket.create_server(("10.77.0.1", 7003), backlog=20)
    wait_for("server", lambda: outside.run("ss", "-Hltn", ok=None).stdout.count("700") >= 2)
    table = {
        "": {("198.51.100.1", 7001): True, ("10.200.0.1", 7001): True, ("10.77.0.1", 7003): True},
        "net": {("198.51.100.1", 7001): True, ("10.200.0.1", 7001): False, ("10.77.0.1", 7003): False},
        "one": {("198.51.100.1", 7001): True, ("198.51.100.1", 7002): False, ("10.200.0.1", 7001): False, ("10.77.0.1", 7003): False},
        "none": {("198.51.100.1", 7001): False, ("10.77.0.1", 7003): False},
    }
    for group, ways in table.items():
        guest = Guest(netd, "lab", f",portgroup={group}" if group else "")
        guest.dhcp()
        for (address, port), ok in ways.items():
            connects(guest, address, port, ok)
        refused = [ok for ok in ways.values()].count(False)
        check(drops(netd, guest).get("egress", 0) >= refused, "counted", group, drops(netd, guest))
    here.close()
    for server in servers:
        server.kill()
        server.wait()


main()
