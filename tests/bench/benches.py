# SPDX-License-Identifier: GPL-2.0-or-later
"""The benches. Each is a function of the lab; it returns rows of the table. docs/bench.md says what each means."""
import json
import os
import pathlib
import re
import subprocess
import time

from admin import ADMIN
from bandwidth import BANDWIDTH
from forward import FORWARD
from lab import Failure, Libvirt, Netd, Netns, bridge_nf_off, cpu_s, definition, pss_kib, sh, spawn, wait_for
from report import at_most, interval, median, paired, row

# ---- starts and attaches ----

def net_start(lab):
    """A network's start, over one connection, beside the bare calls; with more and more networks there."""
    rows, there = [], 0
    netd = Netd(lab).start()
    for count in lab.pick([1, 1000, 4000], [1, 200]):
        netd.fill(there, count - 1 - there)
        there = count - 1
        got = json.loads(lab.calls("net-start", netd.socket, lab.pick(60, 8)))
        rows.append(row("net-start", f"{count} network{'s' * (count > 1)}", "µs", got["netd"], got["floor"], "bare kernel calls",
                        "≤ 3 ×", at_most(3)))
    return rows


def net_start_libvirt(lab):
    """The first networks of a host, netd's and libvirt's in turn."""
    count, ours, theirs = lab.pick(20, 4), [], []
    netd = Netd(lab).start()
    client, libvirt = netd.client(), Libvirt(lab)
    for i in range(count):
        xml = lab.work / "network.xml"
        client.call("DefineNetwork", xml=definition(f"ours{i}", f"10.{i}", f"ours{i}"))
        xml.write_text(definition(f"theirs{i}", f"10.{100 + i}", f"theirs{i}"))
        libvirt.command(f"net-define {xml}")
        t0 = time.perf_counter()
        client.call("StartNetwork", name=f"ours{i}")
        ours.append((time.perf_counter() - t0) * 1e3)
        theirs.append(libvirt.command(f"net-start theirs{i}"))
    version = sh("libvirtd", "--version").split()[-1]
    return [row("net-start", f"first {count} networks", "ms", ours, theirs, f"libvirtd {version}", "≤ 2 ms", lambda v, r: v <= 2)]


def attach(lab):
    """A port with its TAP, beside the bare calls."""
    rows = []
    netd = Netd(lab).start()
    client = netd.client()
    for ports in lab.pick([1, 500], [1, 50]):
        name = f"ports{ports}"
        client.call("CreateNetwork", xml=definition(name, f"10.{ports % 250}", f"br{ports}"))
        got = json.loads(lab.calls("attach", netd.socket, name, lab.pick(400, 40), ports, timeout=600))
        rows.append(row("attach", f"{ports} port{'s' * (ports > 1)} of the bridge", "µs", got["netd"], got["floor"],
                        "bare kernel calls", "≤ 1.3 ×", at_most(1.3)))
    return rows


def attach_helper(lab):
    """QEMU's way to a TAP, the whole program each time: ours and its own, each with a bridge for itself."""
    theirs = next((p for p in ("/usr/lib/qemu/qemu-bridge-helper", "/usr/libexec/qemu-bridge-helper") if os.path.exists(p)), None)
    if not theirs:
        raise Failure("qemu-bridge-helper is missing (package qemu-system-common)")
    netd = Netd(lab).start()
    netd.client().call("CreateNetwork", xml=definition("helper", "10.1", "br0"))
    pathlib.Path("/etc/qemu").mkdir(exist_ok=True)
    sh("mount", "-t", "tmpfs", "tmpfs", "/etc/qemu")
    pathlib.Path("/etc/qemu/bridge.conf").write_text("allow all\n")
    sh("ip", "link", "add", "br1", "type", "bridge")
    sh("ip", "link", "set", "br1", "up")
    got = json.loads(lab.calls("helper", lab.binary("cli/netd-bridge-helper"), "helper", lab.pick(200, 20), theirs, "br1",
                               env={**os.environ, "NETD_SOCKET": str(netd.socket)}))
    return [row("attach", "bridge helper, whole run", "µs", got["netd"], got["floor"], "qemu-bridge-helper", "< 1 ×",
                lambda v, r: r < 1)]


# ---- restart and memory ----

def links():
    keep = ("ifindex", "ifname", "address", "master", "ifalias", "group", "mtu")
    return [{k: link.get(k) for k in keep} for link in json.loads(sh("ip", "-j", "link"))]


def ruleset():
    """The rules and elements with their handles: what was taken out and put back has another one. Packet counters may go on."""
    return re.sub(r'"(packets|bytes)": \d+', "", sh("nft", "-j", "-a", "list", "ruleset"))


def restart(lab):
    """kill -9, start, and the time until the socket lists every port."""
    count, took = lab.pick(1000, 100), []
    netd = Netd(lab).start()
    netd.fill(0, count)
    calls = lab.binary("tests/bench/calls")
    holder = spawn(calls, "hold", netd.socket, count, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if holder.stdout.readline() != f"held {count}\n":
        raise Failure("not all ports could be held")
    time.sleep(1)
    links_before, rules_before = links(), ruleset()
    for _ in range(lab.pick(9, 3)):
        netd.kill()
        ready = spawn(calls, "ready", netd.socket, 30000, stdout=subprocess.PIPE, text=True)
        time.sleep(0.05)
        t0 = time.perf_counter()
        netd.launch()
        said = ready.stdout.readline()
        took.append((time.perf_counter() - t0) * 1e3)
        ready.wait()
        if said != f"ready {count}\n":
            raise Failure(f"after the restart: '{said.strip()}' of {count} ports")
        time.sleep(1)
    if links() != links_before:
        raise Failure("the restart changed links")
    if ruleset() != rules_before:
        raise Failure("the restart changed rules or elements")
    alive = holder.communicate("")[0].strip()
    if alive != f"alive {count}":
        raise Failure(f"the restart cost devices: {alive} of {count}")
    return [row("restart", f"{count} networks, {count} ports", "ms", took, goal="≤ 500 ms", met=at_most(500),
                note="links (index, name, MAC, bridge, alias, group) and nft rules and elements (handles) were the same afterwards")]


def memory(lab):
    """PSS of the daemon and of its worker, with more and more networks."""
    step = lab.pick(1000, 100)
    netd = Netd(lab).start()

    def pss():
        time.sleep(2)
        return [pss_kib(pid) for pid in netd.pids()]
    empty = pss()
    netd.fill(0, step)
    one = pss()
    netd.fill(step, step)
    two = pss()
    per = [(b - a) / step for a, b in zip(one, two)]
    first = [(b - a) / step for a, b in zip(empty, one)]
    note = f"netd {per[0]:.2f} KiB, its DHCP worker {per[1]:.2f} KiB each; the first {step}: {first[0]:.2f} and {first[1]:.2f}; " \
           f"with no network: {empty[0]} and {empty[1]} KiB in all"
    return [row("memory", f"per network, {step} → {2 * step}", "KiB", sum(per), goal="≤ 16 KiB", met=at_most(16), note=note)]


# ---- DHCP ----

def perfdhcp(guest, server, rate, seconds, clients):
    """Return: (exchanges completed, share of packets lost)."""
    done = subprocess.run(["nsenter", "-t", str(guest.pid), "-n", "--", "perfdhcp", "-4", "-l", "eth0", "-r", str(rate), "-R", str(clients),
                           "-p", str(seconds), "-W", "1000000", server], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=seconds + 60)
    sent = [int(x) for x in re.findall(r"sent packets: (\d+)", done.stdout)]
    received = [int(x) for x in re.findall(r"received packets: (\d+)", done.stdout)]
    if len(sent) != 2 or len(received) != 2:
        raise Failure(f"perfdhcp: status {done.returncode}: {(done.stderr or done.stdout).strip()[-400:]}")
    return received[1], 1 - sum(received) / max(1, sum(sent))


def dhcp(lab):
    """Four-way exchanges per second, each lease synced to disk before its ACK leaves."""
    seconds, clients = lab.pick(30, 5), 20000
    guest = Netns()
    netd = Netd(lab).start()
    netd.client().call("CreateNetwork", xml=definition("lease", "10.2", "br0", mask=0, first="1.0", last="250.255"))
    sh("ip", "link", "add", "guest0", "type", "veth", "peer", "name", "eth0", "netns", guest.pid)
    sh("ip", "link", "set", "guest0", "master", "br0", "up")
    guest.ip("link", "set", "eth0", "up")
    guest.ip("addr", "add", "10.2.0.2/16", "dev", "eth0")
    wait_for("lease", lambda: perfdhcp(guest, "10.2.0.1", 10, 1, 10)[0] > 0, 20)
    best, steps = None, []
    for rate in lab.pick([250, 500, 1000, 2000, 3000, 4000, 6000, 8000, 10000, 12000, 15000], [100, 500]):
        for _ in range(lab.pick(3, 1)): # a machine busy with others loses packets, too
            lab.settle()
            before = sum(cpu_s(p) for p in netd.pids())
            done, lost = perfdhcp(guest, "10.2.0.1", rate, seconds, clients)
            cpu_us = (sum(cpu_s(p) for p in netd.pids()) - before) * 1e6 / max(1, done)
            steps.append({"asked": rate, "per_second": done / seconds, "lost": lost, "cpu_us": cpu_us})
            if lost <= 0.001 and done >= 0.9 * rate * seconds:
                best = steps[-1]
                break
        if best is not steps[-1]:
            break
    told = "; ".join(f"{s['asked']}/s asked: {s['per_second']:.0f}/s, {100 * s['lost']:.2f} % lost, {s['cpu_us']:.0f} µs" for s in steps)
    if not best:
        raise Failure(f"more than 0.1 % was lost at every rate: {told}")
    return [row("dhcp", "exchanges, ≤ 0.1 % lost", "1/s", best["per_second"], note=told),
            row("dhcp", "CPU of netd and worker per exchange", "µs", best["cpu_us"])]


BENCHES = {
    "net-start": net_start,
    "net-start-libvirt": net_start_libvirt,
    "attach": attach,
    "attach-helper": attach_helper,
    "restart": restart,
    "memory": memory,
    "dhcp": dhcp,
    **FORWARD,
    **BANDWIDTH,
    **ADMIN,
}
