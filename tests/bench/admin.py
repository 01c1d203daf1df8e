# SPDX-License-Identifier: GPL-2.0-or-later
"""The benches of administration: programs' whole runs, long lists, lives of networks, crowds of clients."""
import json
import os
import select
import socket
import struct
import time

from lab import Failure, Libvirt, Netd, Varlink, definition, pss_kib, sh, wait_for
from report import at_most, median, row

# Of libvirt's RPC: program and version, and the procedures that are used.
PROGRAM, VERSION, AUTH_LIST, OPEN, LIST_NETWORKS, REGISTER, LIFECYCLE = 0x20008086, 1, 66, 1, 283, 313, 315


class Rpc:
    """A connection of libvirt's RPC, in what the benches need: whole messages, one call after the other."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(path))
        self.sock.settimeout(120)
        self.call(AUTH_LIST)
        uri = b"network:///system"
        self.call(OPEN, struct.pack(">II", 1, len(uri)) + uri + b"\0" * (-len(uri) % 4) + struct.pack(">I", 0))

    @staticmethod
    def request(proc, body=b""):
        return struct.pack(">7I", 28 + len(body), PROGRAM, VERSION, proc, 0, 1, 0) + body

    def receive(self):
        """Return: (procedure, body)"""
        head = self.exactly(28)
        length, _, _, proc, _, _, status = struct.unpack(">7I", head)
        body = self.exactly(length - 28)
        if status != 0:
            raise Failure(f"procedure {proc}: {body!r}")
        return proc, body

    def exactly(self, count):
        data = bytearray()
        while len(data) < count:
            more = self.sock.recv(min(1 << 20, count - len(data)))
            if not more:
                raise Failure("netd closed the connection")
            data += more
        return bytes(data)

    def call(self, proc, body=b""):
        self.sock.sendall(self.request(proc, body))
        return self.receive()[1]


LIST_ARGS = struct.pack(">II", 1, 0)
REGISTER_ARGS = struct.pack(">iI", 0, 0) # lifecycle, of any network


def rpc_path(netd):
    return netd.run_dir / "libvirt" / "virtnetworkd-sock"


def rpc_uri(netd):
    return f"network:///system?socket={rpc_path(netd)}"


def timed_run(*argv):
    """A program's whole run: spawn, exec, until its exit. Return: milliseconds."""
    null = os.open("/dev/null", os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, null, 1)]
    t0 = time.perf_counter()
    pid = os.posix_spawnp(argv[0], [str(a) for a in argv], os.environ, file_actions=actions)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    took = (time.perf_counter() - t0) * 1e3
    os.close(null)
    if status != 0:
        raise Failure(f"{' '.join(map(str, argv))}: status {status}")
    return took


def virsh_start(lab):
    """net-start as typed, the whole program each time: against netd and libvirtd in turn, and what virsh takes without any daemon."""
    count, ours, theirs, own = lab.pick(20, 4), [], [], []
    bare, inside = [], []
    netd = Netd(lab).start()
    client, libvirt = netd.client(), Libvirt(lab)
    for i in range(count):
        xml = lab.work / "network.xml"
        client.call("DefineNetwork", xml=definition(f"ours{i}", f"10.{i}", f"ours{i}"))
        client.call("DefineNetwork", xml=definition(f"own{i}", f"10.{50 + i}", f"own{i}"))
        xml.write_text(definition(f"theirs{i}", f"10.{100 + i}", f"theirs{i}"))
        libvirt.command(f"net-define {xml}")
        ours.append(timed_run("virsh", "-q", "-c", rpc_uri(netd), "net-start", f"ours{i}"))
        theirs.append(timed_run("virsh", "-q", "-c", libvirt.uri, "net-start", f"theirs{i}"))
        own.append(timed_run(lab.binary("cli/netdctl"), "--socket", netd.socket, "net-start", f"own{i}"))
        bare.append(timed_run("virsh", "--version"))
        inside.append(timed_run("virsh", "-q", "-c", "test:///default", "net-uuid", "default"))
    peer = f"virsh, libvirtd {sh('libvirtd', '--version').split()[-1]}"
    less = [max(0.0, x - median(bare)) for x in ours], [x - median(bare) for x in theirs]
    return [row("admin", "virsh net-start, whole run", "ms", ours, theirs, peer, "≤ 1/10", at_most(0.1),
                note=f"virsh's own part: --version {median(bare):.1f} ms, a question to a driver inside of it {median(inside):.1f} ms"),
            row("admin", "the same, less virsh --version", "ms", *less, peer, "≤ 1/10", at_most(0.1)),
            row("admin", "netdctl net-start, whole run", "ms", own, theirs, peer, "≤ 1/10", at_most(0.1))]


def define_files(netd, count):
    """count definitions on disk, for a start of the daemon to read."""
    for i in range(count):
        a, b = divmod(i, 250)
        (netd.dir / f"etc/networks/many{i}.xml").write_text(
            f"<network><name>many{i}</name><forward mode='nat'/><bridge name='many{i}'/><ip address='10.{a}.{b}.1' prefix='24'><dhcp>"
            f"<range start='10.{a}.{b}.2' end='10.{a}.{b}.254'/></dhcp></ip></network>")


def varlink_list(sock):
    """Return: bytes of the reply."""
    sock.sendall(json.dumps({"method": "io.netd.ListNetworks", "parameters": {}}).encode() + b"\0")
    length = 0
    while True:
        data = sock.recv(1 << 20)
        length += len(data)
        if data.endswith(b"\0"):
            return length
        if not data:
            raise Failure("netd closed the connection")


def run_ms(pid):
    """Milliseconds that its first thread has run: finer than the ticks of /proc/PID/stat."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1e6


def timed_ms(fn):
    t0 = time.perf_counter()
    fn()
    return (time.perf_counter() - t0) * 1e3


def net_list(lab):
    """4,000 defined networks listed: one call of each surface, from the request to the reply's last byte; and a whole virsh net-list --all."""
    count, times = lab.pick(4000, 400), lab.pick(30, 5)
    netd = Netd(lab)
    define_files(netd, count)
    netd.start()
    varlink, rpc = netd.client(), Rpc(rpc_path(netd))
    listed = struct.unpack(">I", rpc.call(LIST_NETWORKS, LIST_ARGS)[:4])[0]
    if listed != count or len(varlink.call("ListNetworks")["networks"]) != count:
        raise Failure(f"{listed} of {count} networks are listed")
    by_varlink = [timed_ms(lambda: varlink_list(varlink.sock)) for _ in range(times)]
    by_rpc = [timed_ms(lambda: rpc.call(LIST_NETWORKS, LIST_ARGS)) for _ in range(times)]
    before = run_ms(netd.process.pid)
    whole = [timed_run("virsh", "-q", "-c", rpc_uri(netd), "net-list", "--all") for _ in range(lab.pick(10, 2))]
    cpu_ms = (run_ms(netd.process.pid) - before) / len(whole)
    own = [timed_run(lab.binary("cli/netdctl"), "--socket", netd.socket, "net-list", "--all") for _ in range(lab.pick(10, 2))]
    what = f"{count} networks"
    return [row("admin", f"list of {what}, Varlink", "ms", by_varlink, goal="≤ 50 ms", met=at_most(50)),
            row("admin", f"list of {what}, RPC", "ms", by_rpc, goal="≤ 50 ms", met=at_most(50)),
            row("admin", f"netdctl net-list --all, {what}", "ms", own),
            row("admin", f"virsh net-list --all, {what}", "ms", whole,
                note=f"{3 * count} more calls, three about each network, one after the other; netd's part is {cpu_ms:.0f} ms of CPU")]


def lives(lab):
    """Define, start, destroy and undefine, one network after the other over one connection: netd's and, fewer, libvirt's."""
    count, few = lab.pick(1000, 50), lab.pick(20, 3)
    ours, theirs = [], []
    netd = Netd(lab).start()
    client, libvirt = netd.client(), Libvirt(lab)
    xml = lab.work / "network.xml"
    parts = {m: [] for m in ("DefineNetwork", "StartNetwork", "DestroyNetwork", "UndefineNetwork")}
    begin = time.perf_counter()
    for i in range(count):
        document = definition(f"ours{i}", f"10.{i % 100}", f"ours{i}")
        t0 = time.perf_counter()
        for method, took in parts.items():
            t1 = time.perf_counter()
            client.call(method, **({"xml": document} if method == "DefineNetwork" else {"name": f"ours{i}"}))
            took.append((time.perf_counter() - t1) * 1e3)
        ours.append((time.perf_counter() - t0) * 1e3)
    wait_for("end of the last bridge", lambda: not any(n.startswith("ours") for n in os.listdir("/sys/class/net")), 300)
    each = (time.perf_counter() - begin) * 1e3 / count
    for i in range(few):
        xml.write_text(definition(f"theirs{i}", f"10.{100 + i}", f"theirs{i}"))
        theirs.append(sum(libvirt.command(words) for words in (f"net-define {xml}", f"net-start theirs{i}", f"net-destroy theirs{i}",
                                                               f"net-undefine theirs{i}")))
    note = ", ".join(f"{m} {median(took):.2f} ms" for m, took in parts.items())
    return [row("admin", f"life of a network, {count} in turn", "ms", ours, theirs, f"libvirtd {sh('libvirtd', '--version').split()[-1]}",
                note=note),
            row("admin", "the same, mean until the kernel's last bridge is gone", "ms", each)]


class VarlinkClient:
    """One of the crowd: its connection, and what it has heard."""

    list_request = json.dumps({"method": "io.netd.ListNetworks", "parameters": {}}).encode() + b"\0"
    watch_request = json.dumps({"method": "io.netd.Monitor", "parameters": {}, "more": True}).encode() + b"\0"

    def __init__(self, netd):
        self.sock, self.data = Varlink(netd.socket).sock, bytearray()

    def messages(self):
        """What is complete, taken out."""
        *whole, rest = bytes(self.data).split(b"\0")
        self.data = bytearray(rest)
        return whole

    @staticmethod
    def is_list(message):
        return b'"networks"' in message

    @staticmethod
    def is_watching(message):
        return b'"epoch"' in message

    @staticmethod
    def is_started(message):
        return b'"network-started"' in message


class RpcClient:
    list_request = Rpc.request(LIST_NETWORKS, LIST_ARGS)
    watch_request = Rpc.request(REGISTER, REGISTER_ARGS)

    def __init__(self, netd):
        self.sock, self.data = Rpc(rpc_path(netd)).sock, bytearray()

    def messages(self):
        whole = []
        while len(self.data) >= 28 and len(self.data) >= struct.unpack(">I", self.data[:4])[0]:
            length = struct.unpack(">I", self.data[:4])[0]
            whole.append(bytes(self.data[:length]))
            del self.data[:length]
        return whole

    @staticmethod
    def is_list(message):
        return message[12:16] == struct.pack(">I", LIST_NETWORKS)

    @staticmethod
    def is_watching(message):
        return message[12:16] == struct.pack(">I", REGISTER)

    @staticmethod
    def is_started(message):
        return message[12:16] == struct.pack(">I", LIFECYCLE) and message[-8:-4] == struct.pack(">I", 2)


class Crowd:
    """Many clients of one surface at the same time."""

    def __init__(self, netd, kind, count):
        self.clients = {}
        self.poll = select.epoll()
        for _ in range(count):
            client = kind(netd)
            self.clients[client.sock.fileno()] = client
            self.poll.register(client.sock.fileno(), select.EPOLLIN)

    def wait_all(self, is_it, t0, seconds=60):
        """Until each has heard it. Return: milliseconds since t0, of each."""
        waiting, took = set(self.clients), []
        while waiting:
            ready = self.poll.poll(seconds)
            if not ready:
                raise Failure(f"{len(waiting)} of {len(self.clients)} clients have heard nothing for {seconds} s")
            for fd, _ in ready:
                client = self.clients[fd]
                data = client.sock.recv(1 << 18)
                if not data:
                    raise Failure("netd closed one of the connections")
                client.data += data
                if fd in waiting and any([is_it(m) for m in client.messages()]):
                    waiting.discard(fd)
                    took.append((time.perf_counter() - t0) * 1e3)
        return took

    def ask_all(self, request, is_it):
        t0 = time.perf_counter()
        for client in self.clients.values():
            client.sock.sendall(request)
        return self.wait_all(is_it, t0)


def crowd(lab):
    """Many clients that list at once, then all listen: how long the last one waits, and what an idle one costs."""
    count, rows = lab.pick(1000, 100), []
    for kind, surface in ((VarlinkClient, "Varlink"), (RpcClient, "RPC")):
        netd = Netd(lab, f"netd-{surface}") # another one: memory that clients left is not taken for the next ones'
        define_files(netd, 10)
        client = netd.start().client()
        client.call("DefineNetwork", xml=definition("event", "10.240", "event"))
        time.sleep(1)
        before = pss_kib(netd.process.pid)
        clients = Crowd(netd, kind, count)
        lists = clients.ask_all(kind.list_request, kind.is_list)
        clients.ask_all(kind.watch_request, kind.is_watching)
        time.sleep(1)
        idle = (pss_kib(netd.process.pid) - before) / count
        t0 = time.perf_counter()
        client.call("StartNetwork", name="event")
        answered = (time.perf_counter() - t0) * 1e3
        heard = clients.wait_all(kind.is_started, t0)
        client.call("DestroyNetwork", name="event")
        time.sleep(0.5)
        rows += [row("admin", f"{count} clients list at once, {surface}", "ms", lists, note=f"the last has its list after {max(lists):.0f} ms"),
                 row("admin", f"{count} clients hear of a start, {surface}", "ms", heard,
                     note=f"the last after {max(heard):.0f} ms; who started it had the answer after {answered:.1f} ms"),
                 row("admin", f"memory of an idle client, {surface}", "KiB", max(idle, 0.01), goal="≤ 16 KiB", met=at_most(16))]
        netd.stop()
    return rows


ADMIN = {
    "admin-start": virsh_start,
    "admin-list": net_list,
    "admin-lives": lives,
    "admin-crowd": crowd,
}
