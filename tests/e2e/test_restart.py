# SPDX-License-Identifier: GPL-2.0-or-later
"""Daemon and worker may die at any time: networks, ports and leases stay, and guests notice nothing."""
import os
import re
import signal
import subprocess
import time

from lib import Guest, check, ip_json, links, main, ruleset, run, same, test, wait_for


def pinging(guest, address, count):
    return guest.popen("ping", "-n", "-c", count, "-i", "0.02", "-W", "2", address, stdout=subprocess.PIPE, text=True)


def lost(ping):
    out, _ = ping.communicate(timeout=60)
    sent, received = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", out).groups())
    return sent - received


def running(netd):
    """What must survive: links of netd's with their numbers, ports, leases."""
    kept = {n: (i["ifindex"], i.get("address"), i.get("master"), i.get("ifalias")) for n, i in links().items() if n != "uplink"}
    ports = sorted((p["uuid"], p["mac"], p["interface"], p["ifindex"], p.get("address"), p["ownerPid"]) for p in netd.ports())
    leases = sorted((r["address"], r["mac"], r["expiry"], r.get("port")) for r in netd.leases("default"))
    return kept, ports, leases, sorted(n["name"] + " " + n["state"] for n in netd.networks())


@test
def killed_daemon(host):
    """kill -9, a while without a daemon, start: nothing is different, nothing was lost."""
    outside = host.outside()
    netd = host.netd_default()
    guests = [Guest(netd, "default", f",name=vm{i}") for i in range(2)]
    address = [g.dhcp()["ip"] for g in guests]
    before, rules = running(netd), ruleset()
    through_nat, between = pinging(guests[0], outside.address, 150), pinging(guests[1], address[0], 150)
    time.sleep(0.5)
    netd.kill()
    worker = wait_for("end of the worker", lambda: not netd.worker())
    check(worker, "the worker outlived the daemon")
    time.sleep(0.5)
    netd.start()
    same(running(netd), before, "what runs, after the restart")
    same(ruleset(), rules, "the ruleset after the restart")
    same((lost(through_nat), lost(between)), (0, 0), "pings lost, through NAT and between guests")
    for guest, had in zip(guests, address):
        same(guest.dhcp()["ip"], had, "the address after the restart")


@test
def stopped_daemon(host):
    """SIGTERM leaves all as it is."""
    netd = host.netd_default()
    guest = Guest(netd)
    address = guest.dhcp()["ip"]
    before = running(netd)
    ping = pinging(guest, "192.168.122.1", 100)
    netd.stop()
    check("virbr0" in links() and guest.ifname in links(), "links went with the daemon")
    netd.start()
    same(running(netd), before, "what runs, after the restart")
    same(lost(ping), 0, "pings of the gateway lost")
    same(guest.dhcp()["ip"], address, "the address after the restart")


@test
def what_happened_meanwhile(host):
    """A guest that ended and a bridge that was deleted without a daemon watching."""
    netd = host.netd_default()
    gone, stays = Guest(netd, "default", ",name=gone"), Guest(netd, "default", ",name=stays")
    stays.dhcp()
    netd.kill()
    gone.kill()
    run("ip", "link", "del", "virbr0")
    netd.start()
    same([p["name"] for p in netd.ports()], ["stays"], "the ports after the restart")
    same(links()[stays.ifname].get("master"), "virbr0", "the bridge of the port that stayed")
    stays.ping("192.168.122.1")


@test
def killed_worker(host):
    """Back within a second, with all it knew."""
    netd = host.netd_default()
    events = netd.events()
    guest = Guest(netd)
    address = guest.dhcp()["ip"]
    worker = wait_for("worker", netd.worker)
    since = events.position()
    started = time.monotonic()
    os.kill(worker, signal.SIGKILL)
    events.wait("worker-died", "", 2, since)
    at, _ = events.wait("worker-started", "", 2, since)
    check(at - started < 1, f"the worker took {at - started:.2f} s to come back")
    same(guest.dhcp()["ip"], address, "the address after the worker's death")
    check(netd.worker() not in (0, worker), "no new worker")


@test
def worker_dies_during_exchanges(host):
    netd = host.netd_default()
    guests = [Guest(netd) for _ in range(4)]
    for round_ in range(3):
        worker = wait_for("worker", netd.worker)
        os.kill(worker, signal.SIGKILL)
        same(len({g.dhcp()["ip"] for g in guests}), len(guests), f"addresses given out in round {round_}")


@test
def transient_network(host):
    """One that has no definition on disk, and a persistent one that was undefined while it ran."""
    netd = host.netd()
    xml = "<network><name>{}</name><bridge name='{}'/><ip address='10.{}.0.1' prefix='24'/></network>"
    netd.ctl("net-create", "-", stdin=xml.format("fleeting", "br-fleet", 91))
    netd.define(xml.format("undefined", "br-undef", 92))
    netd.ctl("net-start", "undefined")
    netd.ctl("net-undefine", "undefined")
    before = {n["name"]: (n["uuid"], n["persistent"], n["bridge"]) for n in netd.networks()}
    netd.kill()
    netd.start()
    same({n["name"]: (n["uuid"], n["persistent"], n["bridge"]) for n in netd.networks()}, before, "networks after the restart")
    for name in before:
        netd.ctl("net-destroy", name)
    same(netd.networks(), [], "networks at the end")
    same([n for n in links() if n.startswith("br-")], [], "bridges at the end")


@test
def detached_but_held(host):
    """Who still holds the TAP of a port that was detached, and came back with another one, does not get the port by a restart."""
    netd = host.netd_default()
    holder = netd.varlink()
    taps = []
    for _ in range(6):
        if taps:
            holder.ask("Detach", {"port": "vm"})
        taps.append(holder.ask("Attach", {"network": "default", "name": "vm"})["port"]["interface"])
    netd.kill()
    netd.start()
    same([p["interface"] for p in netd.ports()], taps[-1:], "the port's device")
    same([name for name in taps if links()[name].get("master")], taps[-1:], "what is in a bridge")
    holder.close()


@test
def leftovers_of_an_earlier_life(host):
    """Links with netd's mark that belong to no network are removed; those of others are not touched."""
    netd = host.netd_default()
    netd.ctl("net-start", "default")
    run("ip", "link", "add", "foreign0", "type", "bridge")
    netd.kill()
    os.unlink(os.path.join(netd.dirs["etc"], "networks", "default.xml"))
    for root, _, files in os.walk(netd.dirs["run"]):
        for file in files:
            os.unlink(os.path.join(root, file))
    netd.start()
    wait_for("removal of the stray bridge", lambda: "virbr0" not in links())
    check("foreign0" in links(), "another's bridge was removed")
    same(len(ip_json("link", "show", "type", "bridge")), 1, "bridges left")


main()
