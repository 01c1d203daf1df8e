# SPDX-License-Identifier: GPL-2.0-or-later
"""What the end-to-end tests share. Standard library only.

A test file decorates functions with @test and ends with main(). Each function runs as the first process of network, mount and process namespaces of
its own, so whatever it leaves behind ends with it. It gets a Host: a folder, the namespace's own network, and the daemons, guests and clients it
starts. Every wait is bounded. A daemon that the sanitizers complained about, or that does not end with status 0, fails its test.
"""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("NETD_BUILD") or os.path.join(SOURCE, "build")
NETD = os.path.join(BUILD, "netd", "netd")
NETDCTL = os.path.join(BUILD, "cli", "netdctl")
HELPER = os.path.join(BUILD, "cli", "netd-bridge-helper")
HOLDER = os.path.join(BUILD, "tests", "e2e", "holder")
GUEST = os.path.join(SOURCE, "scripts", "guest")
TEST_S = 120  # one test function, at most

tests = {}


def test(fn):
    tests[fn.__name__] = fn
    return fn


class Failed(Exception):
    pass


def check(condition, what, *about):
    if not condition:
        raise Failed(what + "".join(f"\n    {a!r}" if not isinstance(a, str) else f"\n    {a}" for a in about))


def same(have, want, what):
    check(have == want, f"{what}:\n    have {have!r}\n    want {want!r}")


def contains(text, words, what):
    for word in [words] if isinstance(words, str) else words:
        check(word in text, f"{what}: '{word}' is missing in:", text)


def wait_for(what, fn, seconds=10.0, step=0.01):
    """Calls fn until it gives something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        got = fn()
        if got:
            return got
        check(time.monotonic() < end, f"no {what} within {seconds} s")
        time.sleep(step)


def run(*command, ok=True, timeout=30, ns=None, env=None, stdin=None):
    """Runs a command to its end. ok=True: status 0 is required; None: any."""
    words = [str(w) for w in command]
    if ns:
        words = ["nsenter", "-t", str(ns), "-n", "--"] + words
    done = subprocess.run(words, capture_output=True, text=True, timeout=timeout, env={**os.environ, **(env or {})},
                          input=stdin if stdin is not None else "")
    if ok is not None:
        check((done.returncode == 0) == ok, f"{' '.join(words)}: exit status {done.returncode}", done.stdout, done.stderr)
    return done


def ip_json(*words, ns=None):
    return json.loads(run("ip", "-j", *words, ns=ns).stdout or "[]")


def links(ns=None):
    return {link["ifname"]: link for link in ip_json("-d", "link", ns=ns)}


def ruleset():
    """As text, without who owns a table, and the tables in the order of their names: the kernel lists them by age."""
    text = re.sub(r" # progname .*$|^\tflags .*\n", "", run("nft", "list", "ruleset").stdout, flags=re.M)
    return "".join(sorted(re.findall(r"^table .*?^\}\n", text, re.M | re.S)))


def comparable_links():
    """Links without what differs from one moment to the next."""
    return sorted((n, i["link_type"], i.get("address"), i.get("master")) for n, i in links().items())


class Namespace:
    """Another network namespace, for as long as the test."""

    def __init__(self):
        self.process = subprocess.Popen(["unshare", "-n", "--", "sleep", "infinity"])
        self.pid = self.process.pid
        own = os.readlink("/proc/self/ns/net")
        wait_for("namespace", lambda: os.readlink(f"/proc/{self.pid}/ns/net") != own)
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *command, **kw):
        return run(*command, ns=self.pid, **kw)

    def popen(self, *command, **kw):
        return subprocess.Popen(["nsenter", "-t", str(self.pid), "-n", "--"] + [str(w) for w in command], **kw)


class Varlink:
    """A client in what the protocol needs and no more: one object, a NUL, descriptors beside the reply."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(path)
        self.sock.settimeout(20)
        self.rest, self.fds = b"", []

    def send(self, method, parameters=None, **flags):
        call = {"method": method if "." in method else "io.netd." + method, **flags}
        if parameters is not None:
            call["parameters"] = parameters
        self.sock.sendall(json.dumps(call).encode() + b"\0")

    def receive(self):
        while b"\0" not in self.rest:
            data, fds, _, _ = socket.recv_fds(self.sock, 65536, 253)
            if not data:
                raise ConnectionError("netd closed the connection")
            self.rest += data
            self.fds += fds
        frame, _, self.rest = self.rest.partition(b"\0")
        return json.loads(frame)

    def call(self, method, parameters=None):
        """Return: (error name or None, parameters)."""
        self.send(method, parameters)
        reply = self.receive()
        return reply.get("error"), reply.get("parameters") or {}

    def ask(self, method, parameters=None):
        error, got = self.call(method, parameters)
        check(error is None, f"{method}: {error}", got)
        return got

    def close(self):
        self.sock.close()
        for fd in self.fds:
            os.close(fd)
        self.fds = []


class Events:
    """What netd says, as it says it."""

    def __init__(self, path):
        self.link = Varlink(path)
        self.seen = []  # (monotonic time, event)
        self.link.send("Monitor", {}, more=True)
        self.link.receive()  # the first reply says where the stream begins
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with contextlib.suppress(OSError, ConnectionError, ValueError):
            while True:
                event = self.link.receive()["parameters"].get("event")
                if event:
                    self.seen.append((time.monotonic(), event))

    def find(self, kind, word="", after=0):
        return [(t, e) for t, e in list(self.seen)[after:] if e["kind"] == kind and word in json.dumps(e)]

    def wait(self, kind, word="", seconds=10.0, after=0):
        """The first such event since position `after`: (time, event)."""
        try:
            return wait_for(f"event {kind} with '{word}'", lambda: self.find(kind, word, after), seconds)[0]
        except Failed as error:
            raise Failed(f"{error}; seen: " + "; ".join(f"{e['kind']}: {e.get('text', '')}" for _, e in self.seen[after:])) from None

    def position(self):
        return len(self.seen)


class Netd:
    """A daemon with folders of its own below the host's."""

    def __init__(self, host, name="netd", options=(), env=None, conf=None, wait=True):
        self.host, self.name, self.options, self.env = host, name, list(options), env or {}
        self.dirs = {d: os.path.join(host.dir, name, d) for d in ("etc", "state", "run")}
        for path in self.dirs.values():
            os.makedirs(path, exist_ok=True)
        os.makedirs(os.path.join(self.dirs["etc"], "networks"), exist_ok=True)
        if conf is not None:
            self.write("netd.conf", conf)
        self.log_path = os.path.join(host.dir, name, "log")
        self.socket = os.path.join(self.dirs["run"], "netd.sock")
        self.process = None
        self.start(wait)

    def write(self, path, text):
        with open(os.path.join(self.dirs["etc"], path), "w", encoding="utf-8") as file:
            file.write(text)

    def command(self):
        d = self.dirs
        return [NETD, "--config-dir", d["etc"], "--state-dir", d["state"], "--run-dir", d["run"], *self.options]

    def start(self, wait=True):
        with open(self.log_path, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **self.env}, start_new_session=True)
        if wait:
            wait_for("answer from netd", self.answers, 20, 0.02)

    def answers(self):
        check(self.process.poll() is None, f"netd ended with status {self.process.poll()}", self.log())
        try:
            link = Varlink(self.socket)
            link.ask("GetVersion")
            link.close()
            return True
        except OSError:
            return False

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def ctl(self, *words, ok=True, **kw):
        return run(NETDCTL, "--socket", self.socket, *words, ok=ok, **kw)

    def json(self, *words):
        return json.loads(self.ctl("--json", *words).stdout)

    def varlink(self):
        return Varlink(self.socket)

    def events(self):
        return Events(self.socket)

    def network(self, name):
        link = self.varlink()
        try:
            return link.ask("GetNetwork", {"name": name})["network"]
        finally:
            link.close()

    def networks(self):
        link = self.varlink()
        try:
            return link.ask("ListNetworks")["networks"]
        finally:
            link.close()

    def ports(self, network=None):
        link = self.varlink()
        try:
            return link.ask("ListPorts", {"network": network} if network else {})["ports"]
        finally:
            link.close()

    def leases(self, network):
        link = self.varlink()
        try:
            return link.ask("ListLeases", {"name": network})["leases"]
        finally:
            link.close()

    def define(self, xml, ok=True):
        return self.ctl("net-define", "-", stdin=xml, ok=ok)

    def worker(self):
        """The DHCP worker's pid, 0 when there is none."""
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError, IndexError):
                with open(f"/proc/{entry}/stat", encoding="utf-8") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    if parent == self.process.pid and b"--worker" in file.read():
                        return int(entry)
        return 0

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self):
        """SIGTERM; the status must be 0 and the sanitizers silent."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise Failed(f"netd did not end on SIGTERM\n{self.log()}") from None
        self.process.poll()
        same(self.process.returncode in (0, -signal.SIGKILL), True, f"netd's exit status {self.process.returncode}")
        self.check_log()

    def check_log(self):
        found = re.search(r"AddressSanitizer|LeakSanitizer|runtime error:", self.log())
        check(not found, "the sanitizers found something", self.log())


class Guest:
    """A process that holds a TAP of netd's, with a network namespace as its guest; see holder.c."""

    def __init__(self, netd, network="default", options="", ok=True):
        self.netd = netd
        self.log = os.path.join(netd.host.dir, f"guest{len(netd.host.guests)}")
        netd.host.guests.append(self)
        self.process = subprocess.Popen(
            [NETDCTL, "--socket", netd.socket, "exec", "--network", network + options, "--", HOLDER, "%{fd}", "%{mac}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1)
        self.pid = self.process.pid
        line = self.process.stdout.readline()
        if ok:
            check(line == "ready\n", "the holder did not start", line + self.process.stderr.read() if line != "ready\n" else "")
            self.port = next(p for p in netd.ports() if p["ownerPid"] == self.pid)
            self.mac, self.ifname, self.ifindex = self.port["mac"], self.port["interface"], self.port["ifindex"]

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        check(answer == "ok", f"holder: {line}: {answer}")

    def leave(self):
        """It makes its device persistent and somebody's, and exits before anybody can put that back."""
        self.process.stdin.write("leave 65534\n")
        self.process.stdin.flush()
        same(self.process.wait(10), 0, "the holder's status")

    def run(self, *command, **kw):
        return run(*command, ns=self.pid, **kw)

    def popen(self, *command, **kw):
        return subprocess.Popen(["nsenter", "-t", str(self.pid), "-n", "--"] + [str(w) for w in command], **kw)

    def dhcp(self, *options, ok=True, tries=6):
        """One exchange by udhcpc; return: the lease's fields, or None."""
        return udhcpc(self.pid, self.log, *options, ok=ok, tries=tries)

    def ping(self, address, count=3, interval=0.2, ok=True):
        done = self.run("ping", "-n", "-c", count, "-i", interval, "-W", 2, address, ok=None)
        received = int(re.search(r"(\d+) received", done.stdout + " 0 received").group(1))
        if ok:
            same(received, count, f"pings of {address} answered\n{done.stdout}{done.stderr}")
        return received

    def address(self):
        return next((a["local"] for i in ip_json("-4", "addr", "show", "dev", "eth0", ns=self.pid) for a in i["addr_info"]), None)

    def kill(self, sig=signal.SIGKILL):
        self.process.send_signal(sig)
        self.process.wait(10)


def udhcpc(ns, log, *options, ok=True, tries=6, ifname="eth0"):
    path = log + ".leases"
    before = len(lease_lines(path))
    done = run("busybox", "udhcpc", "-i", ifname, "-s", os.path.join(HERE, "on-lease"), "-f", "-q", "-n", "-t", tries, "-T", 1, *options, ns=ns,
               ok=None, timeout=60, env={"LEASE_LOG": path})
    bound = [line for line in lease_lines(path)[before:] if line["what"] in ("bound", "renew")]
    if ok is True:
        check(bound, "udhcpc got no lease", done.stdout + done.stderr)
    elif ok is False:
        check(not bound, "udhcpc got a lease", bound)
    return bound[-1] if bound else None


def lease_lines(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [dict(word.partition("=")[::2] for word in line.split()) for line in file]


class Host:
    """The network namespace of one test."""

    def __init__(self, folder):
        self.dir, self.daemons, self.guests = folder, [], []
        run("ip", "link", "set", "lo", "up")
        self.set_brnf()

    @staticmethod
    def set_brnf():
        value = os.environ.get("NETD_TEST_BRNF")
        if value:
            for key in ("iptables", "ip6tables", "arptables"):
                with open(f"/proc/sys/net/bridge/bridge-nf-call-{key}", "w", encoding="ascii") as file:
                    file.write(value)

    def netd(self, **kw):
        daemon = Netd(self, **kw)
        self.daemons.append(daemon)
        return daemon

    def netd_default(self, **kw):
        """A daemon with the network that is installed."""
        networks = os.path.join(self.dir, kw.get("name", "netd"), "etc", "networks")
        os.makedirs(networks, exist_ok=True)
        shutil.copy(os.path.join(SOURCE, "netd", "default.xml"), networks)
        return self.netd(**kw)

    def outside(self, host_ip="198.51.100.2", outside_ip="198.51.100.1"):
        """A machine elsewhere, reached by the default route, that knows no way back to guests."""
        other = Namespace()
        run("ip", "link", "add", "uplink", "type", "veth", "peer", "name", "eth0", "netns", other.pid)
        run("ip", "addr", "add", f"{host_ip}/24", "dev", "uplink")
        run("ip", "link", "set", "uplink", "up")
        run("ip", "route", "add", "default", "via", outside_ip)
        other.run("ip", "addr", "add", f"{outside_ip}/24", "dev", "eth0")
        other.run("ip", "link", "set", "eth0", "up")
        other.address, other.sees = outside_ip, host_ip
        return other

    def stranger(self, bridge, ifname="eth0"):
        """A namespace with a veth whose other end somebody put into a bridge: a port that netd did not make."""
        other = Namespace()
        name = f"veth{other.pid}"
        run("ip", "link", "add", name, "type", "veth", "peer", "name", ifname, "netns", other.pid)
        run("ip", "link", "set", name, "master", bridge, "up")
        other.run("ip", "link", "set", ifname, "up")
        other.log, other.host_end = os.path.join(self.dir, name), name
        return other

    def finish(self):
        for daemon in self.daemons:
            daemon.stop()


def inside(name):
    folder = os.environ["NETD_TEST_DIR"]
    run("mount", "-t", "sysfs", "sysfs", "/sys")
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(Failed(f"not done after {TEST_S} s")))
    signal.alarm(TEST_S)
    host = Host(folder)
    try:
        tests[name](host)
        host.finish()
        return 0
    except Exception as error:  # whatever it is, it is the test's result
        print(traceback.format_exc() if not isinstance(error, Failed) else f"{name}: {error}")
        if isinstance(error, Failed):
            frame = next((f for f in traceback.extract_tb(error.__traceback__)[::-1] if f.filename != __file__), None)
            print(f"at {os.path.basename(frame.filename)}:{frame.lineno}: {frame.line}" if frame else "")
        for daemon in host.daemons:
            print(f"--- log of {daemon.name}\n" + "\n".join(daemon.log().splitlines()[-30:]))
        return 1


def outer(name):
    folder = tempfile.mkdtemp(prefix="netd-e2e.")
    os.chmod(folder, 0o755)
    started = time.monotonic()
    try:
        done = subprocess.run(
            ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", sys.executable,
             os.path.abspath(sys.argv[0]), "--inside", name],
            env={**os.environ, "NETD_TEST_DIR": folder}, stdin=subprocess.DEVNULL, check=False)
        print(f"{'ok' if done.returncode == 0 else 'FAILED'} {name} ({time.monotonic() - started:.1f} s)", flush=True)
        return done.returncode == 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    os.environ.setdefault("ASAN_OPTIONS", "abort_on_error=0:detect_leaks=1")
    os.environ.setdefault("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1")
    if sys.argv[1:2] == ["--inside"]:
        status = inside(sys.argv[2])
        sys.stdout.flush()
        os._exit(status)
    wanted = sys.argv[1:] or list(tests)
    failed = [name for name in wanted if not outer(name)]
    sys.exit(1 if failed else 0)
