# SPDX-License-Identifier: GPL-2.0-or-later
"""Bandwidth limits: how near to the rate that was set, and what an attach pays for them."""
import json
import os
import socket
import subprocess
import time

from lab import Netd, Netns, sh, spawn, wait_for
from report import row

HOST, GUEST, PORT = "10.9.0.1", "10.9.0.2", 5201
XML = """<network xmlns:netd='urn:netd:network:1'><name>bench</name><bridge name='br-bench'/><mtu size='9000'/><bandwidth><inbound average='{0}'/><outbound average='{0}'/></bandwidth>
<ip address='10.9.0.1' netmask='255.255.255.0'/><netd:hostAccess mode='all'/></network>"""
ATTACH_XML = """<network><name>{0}</name><bridge name='br-{0}'/><portgroup name='all' default='yes'>{1}</portgroup></network>"""
LIMITS = "<bandwidth><inbound average='1000'/><outbound average='1000'/></bandwidth>"
TCP_FRAME = 9014 / 8948 # bytes of frames for each byte of data, with timestamps
UDP_DATA = 8900         # with small datagrams two cores do not send 2 Gbit/s
UDP_FRAME = UDP_DATA + 42


def tcp(sender, receiver, address, mbits, seconds):
    """Mbit/s of frames that got through."""
    end = json.loads(sh("iperf3", "-J", "-c", address, "-p", PORT, "-O", "1", "-t", seconds, netns=sender))["end"]
    return end["sum_received"]["bits_per_second"] / 1e6 * TCP_FRAME


def datagrams(netns):
    """That came, also those the receiver was too slow for."""
    head, values = [line.split()[1:] for line in sh("cat", "/proc/net/snmp", netns=netns).splitlines() if line.startswith("Udp:")]
    counts = dict(zip(head, map(int, values)))
    return time.monotonic(), counts["InDatagrams"] + counts["RcvbufErrors"]


def udp(sender, receiver, address, mbits, seconds):
    flood = spawn("iperf3", "-c", address, "-p", PORT, "-u", "-l", UDP_DATA, "-b", f"{2 * mbits}M", "-t", seconds + 2, netns=sender,
                  stdout=subprocess.DEVNULL)
    time.sleep(1)
    begin, first = datagrams(receiver)
    time.sleep(seconds)
    end, last = datagrams(receiver)
    flood.wait()
    return (last - first) * UDP_FRAME * 8 / (end - begin) / 1e6


def listens(netns):
    return f":{PORT} " in sh("ss", "-ltn", netns=netns)


def bandwidth(lab):
    """A guest on a veth pair, and the host, on a network with the same limit in both directions."""
    host, guest = Netns(), Netns()
    netd = Netd(lab, netns=host).start()
    client = netd.client()
    rows = []
    client.call("CreateNetwork", xml=XML.format(125))
    host.ip("link", "add", "guest0", "mtu", "9000", "type", "veth", "peer", "name", "eth0", "mtu", "9000", "netns", str(guest.pid))
    host.ip("link", "set", "guest0", "master", "br-bench", "up")
    guest.ip("addr", "add", f"{GUEST}/24", "dev", "eth0")
    guest.ip("link", "set", "eth0", "up")
    for side in (host, guest):
        spawn("iperf3", "-s", "-p", PORT, netns=side, stdout=subprocess.DEVNULL)
        wait_for("the receiver", lambda s=side: listens(s))
    client.call("DefineNetwork", xml=XML.format(125))
    for mbits in lab.pick([10, 100, 1000], [10, 100]):
        client.call("ApplyNetwork", xml=XML.format(mbits * 125))
        for protocol, measure in (("TCP", tcp), ("UDP", udp)):
            for to, ends in (("to the guest", (host, guest, GUEST)), ("from the guest", (guest, host, HOST))):
                lab.settle()
                got = [measure(*ends, mbits, lab.pick(3, 1)) for _ in range(lab.pick(3, 1))]
                rows.append(row("bandwidth", f"{protocol} {to}, {mbits} Mbit/s", "Mbit/s", got, mbits, "what was set", "within 5 %",
                                lambda v, ratio: 0.95 <= ratio <= 1.05))
    return rows


def attach_us(path, network, count):
    """Times of attaches over one connection, with the descriptors taken as a client does."""
    sock, times, fds = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM), [], []
    sock.connect(str(path))
    for i in range(count):
        call = {"method": "io.netd.Attach", "parameters": {"network": network, "name": f"g{i}"}}
        t0 = time.perf_counter()
        sock.sendall(json.dumps(call).encode() + b"\0")
        data = b""
        while not data.endswith(b"\0"):
            more, got, _, _ = socket.recv_fds(sock, 1 << 16, 8)
            data, fds = data + more, fds + got
        times.append((time.perf_counter() - t0) * 1e6)
        reply = json.loads(data[:-1])
        if "error" in reply:
            raise RuntimeError(reply)
    for fd in fds:
        os.close(fd)
    return times


def attach_cost(lab):
    """Limits in both directions by the portgroup, beside a network without."""
    netd = Netd(lab).start()
    client = netd.client()
    for name, limits in (("plain", ""), ("limited", LIMITS)):
        client.call("CreateNetwork", xml=ATTACH_XML.format(name, limits))
    plain, limited = [], []
    for _ in range(lab.pick(5, 1)):
        lab.settle()
        plain += attach_us(netd.socket, "plain", lab.pick(40, 10))
        limited += attach_us(netd.socket, "limited", lab.pick(40, 10))
        wait_for("the end of the ports", lambda: not client.call("ListPorts")["ports"], 30)
    return [row("bandwidth", "attach with limits both ways", "µs", limited, plain, "without limits")]


BANDWIDTH = {"bandwidth": bandwidth, "bandwidth-attach": attach_cost}
