# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad clients: none of them delays another one."""
import json
import os
import socket
import subprocess
import sys
import time

from lib import Varlink, check, main, run, same, test, wait_for

PROMPT_S = 0.5  # for an answer of a few hundred bytes, on a loaded machine with a sanitized build


def raw(netd):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(netd.socket)  # blocking: it waits while the backlog is full
    sock.settimeout(10)
    return sock


def prompt(netd, what):
    worst = 0
    for _ in range(5):
        started = time.monotonic()
        link = netd.varlink()
        link.ask("GetVersion")
        link.close()
        worst = max(worst, time.monotonic() - started)
    check(worst < PROMPT_S, f"with {what}, an answer took {worst:.2f} s")


def closed(sock):
    try:
        while sock.recv(65536):
            pass
        return True
    except ConnectionError:
        return True


@test
def a_thousand_idle_clients(host):
    netd = host.netd()
    idle = [raw(netd) for _ in range(1000)]
    prompt(netd, "1,000 idle clients")
    idle[0].sendall(json.dumps({"method": "io.netd.GetVersion"}).encode() + b"\0")
    check(b"version" in idle[0].recv(4096), "an idle client is not answered any more")
    for sock in idle:
        sock.close()
    prompt(netd, "1,000 clients gone")


@test
def half_a_frame(host):
    netd = host.netd()
    halves = [raw(netd) for _ in range(50)]
    for sock in halves:
        sock.sendall(b'{"method": "io.netd.GetVer')
    prompt(netd, "half a frame from 50 clients")
    for sock in halves:
        sock.sendall(b'sion"}\0')
        check(b"version" in sock.recv(4096), "the other half is not answered")


@test
def a_frame_that_is_too_long(host):
    netd = host.netd()
    sock = raw(netd)
    try:
        for _ in range(64):
            sock.sendall(b"x" * 65536)
    except (BrokenPipeError, ConnectionResetError):
        pass
    check(closed(sock), "the connection is still open")
    prompt(netd, "a frame that is too long")


@test
def half_calls_of_others(host):
    """Who has no rights cannot make netd keep a megabyte for each connection."""
    netd = host.netd()
    before = rss(netd)
    client = subprocess.Popen([sys.executable, "-c", HALF_CALLS, netd.socket], user=65534, group=65534, extra_groups=[],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    same(client.stdout.readline(), "sent\n", "the client")
    prompt(netd, "half calls of another user")
    grown = rss(netd) - before
    client.communicate("")
    check(grown < 64 * 1024, f"netd grew by {grown} KiB")


HALF_CALLS = """
import contextlib, socket, sys
socks = []
for i in range(400):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(sys.argv[1])
    sock.settimeout(2)
    socks.append(sock)
    with contextlib.suppress(OSError):
        sock.sendall(b"y" * 1000000)
print("sent", flush=True)
sys.stdin.read()
"""


@test
def rubbish(host):
    netd = host.netd()
    for frame in (b"\0", b"{\0", b"[]\0", b'{"method":5}\0', b'{"method":"x"}\0', b'{"parameters":{}}\0', b"\xff\xfe\0", b'{"method":"io.netd."}\0',
                  b'{"method":"io.netd.GetNetwork","parameters":' + b"[" * 100000 + b"\0"):
        sock = raw(netd)
        sock.sendall(frame)
        sock.shutdown(socket.SHUT_WR)
        closed(sock)
        sock.close()
    prompt(netd, "rubbish")


@test
def a_client_that_reads_nothing(host):
    """It asks and asks: what netd keeps for it is bounded, and so is the time it costs."""
    netd = host.netd()
    for i in range(40):
        netd.define(f"<network><name>n{i}</name></network>")
    deaf = raw(netd)
    deaf.setblocking(False)
    call = json.dumps({"method": "io.netd.ListNetworks"}).encode() + b"\0"
    before, sent, end = rss(netd), 0, time.monotonic() + 5
    while sent < 20000 and time.monotonic() < end:
        try:
            sent += deaf.send(call * 10) // len(call)
        except BlockingIOError:
            break
        except (BrokenPipeError, ConnectionResetError):
            break
    prompt(netd, f"{sent} calls of a client that reads nothing")
    grown = rss(netd) - before
    check(grown < 64 * 1024, f"netd grew by {grown} KiB")


@test
def a_subscriber_that_reads_nothing(host):
    netd = host.netd()
    deaf = Varlink(netd.socket)
    deaf.send("Monitor", {}, more=True)
    link = netd.varlink()
    xml = "<network><name>n</name></network>"
    for _ in range(1500):
        link.ask("DefineNetwork", {"xml": xml})
    prompt(netd, "a subscriber that reads nothing")
    events = netd.events()
    link.ask("DefineNetwork", {"xml": xml})
    events.wait("network-defined", "", 2)


@test
def no_descriptor_left(host):
    """Clients wait then, and netd does not spin meanwhile."""
    netd = host.netd()
    run("prlimit", "--pid", netd.process.pid, f"--nofile={descriptors(netd) + 4}")
    waiting = [raw(netd) for _ in range(20)]
    time.sleep(0.5)
    before = cpu_s(netd)
    time.sleep(1)
    used = cpu_s(netd) - before
    check(used < 0.2, f"netd used {used:.2f} s of CPU in a second of waiting")
    for sock in waiting:
        sock.close()
    prompt(netd, "descriptors again")


@test
def clients_that_come_and_go(host):
    netd = host.netd_default()
    before = descriptors(netd)
    for _ in range(200):
        sock = raw(netd)
        sock.sendall(b'{"method":"io.netd.Attach","parameters":{"network":"default"}}\0')
        sock.close()  # without waiting for the answer, and so for the descriptor
    wait_for("end of all ports", lambda: not netd.ports(), 30)
    wait_for("descriptors as before", lambda: descriptors(netd) <= before + 2)


def rss(netd):
    with open(f"/proc/{netd.process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4


def cpu_s(netd):
    with open(f"/proc/{netd.process.pid}/stat", encoding="ascii") as file:
        ticks = file.read().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def descriptors(netd):
    return len(os.listdir(f"/proc/{netd.process.pid}/fd"))


main()
