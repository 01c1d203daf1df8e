# SPDX-License-Identifier: GPL-2.0-or-later
"""What the benches run in: hosts and guests as network namespaces, the daemon, its clients.

Only used inside the namespaces that run made: processes end with them.
"""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

BRIDGE_NF = pathlib.Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
PATIENCE_S = 120
IDLE_SHARE = 0.9


class Failure(Exception):
    """A bench cannot say anything; the text says why."""


def sh(*argv, netns=None, **kw):
    """Runs a command to its end. Return: its standard output."""
    argv = nsenter(netns) + [str(a) for a in argv]
    kw.setdefault("timeout", PATIENCE_S)
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kw)
    except subprocess.TimeoutExpired:
        raise Failure(f"{' '.join(argv)}: not done in {kw['timeout']} s") from None
    if done.returncode != 0:
        raise Failure(f"{' '.join(argv)}: status {done.returncode}: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout


def spawn(*argv, netns=None, **kw):
    kw.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen(nsenter(netns) + [str(a) for a in argv], **kw)


def nsenter(netns):
    return ["nsenter", "-t", str(netns.pid), "-n", "--"] if netns else []


def wait_for(what, test, seconds=10.0, step=0.02):
    until = time.monotonic() + seconds
    while True:
        got = test()
        if got:
            return got
        if time.monotonic() > until:
            raise Failure(f"no {what} in {seconds:g} s")
        time.sleep(step)


NETWORK = """<network><name>{name}</name>{forward}<bridge name='{bridge}'/><ip address='{prefix}.0.1' netmask='255.255.{mask}.0'>
<dhcp><range start='{prefix}.{first}' end='{prefix}.{last}'/></dhcp></ip></network>"""


def definition(name, prefix, bridge, forward="<forward mode='nat'/>", mask=255, first="0.2", last="0.254"):
    return NETWORK.format(**locals())


class Netns:
    """A network namespace, held by a process that sleeps."""

    def __init__(self):
        self.process = spawn("unshare", "-n", "--", "sleep", "infinity")
        self.pid = self.process.pid
        own = os.readlink("/proc/self/ns/net")
        wait_for("namespace", lambda: os.readlink(f"/proc/{self.pid}/ns/net") != own)
        self.ip("link", "set", "lo", "up")

    def ip(self, *words):
        return sh("ip", *words, netns=self)


def bridge_nf_off(netns=None):
    """Bridged frames must not pass the IP hooks: that is what is measured. Return: what it is, for the record."""
    if not BRIDGE_NF.exists():
        return "absent"
    sh("sh", "-c", f"echo 0 >{BRIDGE_NF}", netns=netns)
    return sh("cat", BRIDGE_NF, netns=netns).strip()


class Varlink:
    """One connection."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(path))
        self.sock.settimeout(PATIENCE_S)

    def call(self, method, **parameters):
        self.sock.sendall(json.dumps({"method": "io.netd." + method, "parameters": parameters}).encode() + b"\0")
        data = b""
        while not data.endswith(b"\0"):
            more = self.sock.recv(1 << 20)
            if not more:
                raise Failure(f"{method}: netd closed the connection")
            data += more
        reply = json.loads(data[:-1])
        if "error" in reply:
            raise Failure(f"{method}: {reply['parameters'].get('message', reply['error'])}")
        return reply.get("parameters", {})


class Netd:
    """The daemon under test, in this namespace or the one given."""

    def __init__(self, lab, name="netd", netns=None):
        self.lab, self.netns, self.dir = lab, netns, lab.work / name
        self.run_dir = pathlib.Path("/run") / name
        self.socket = self.run_dir / "netd.sock"
        self.log = self.dir / "netd.log"
        self.process = None
        (self.dir / "etc/networks").mkdir(parents=True, exist_ok=True)

    def configure(self, text):
        (self.dir / "etc/netd.conf").write_text(text)

    def launch(self):
        """Starts it and does not wait."""
        with open(self.log, "ab") as log:
            self.process = spawn(self.lab.binary("netd/netd"), "--config-dir", self.dir / "etc", "--state-dir", self.dir / "state",
                                 "--run-dir", self.run_dir, "--libvirt-socket-dir", self.run_dir / "libvirt",
                                 "--log-level", "warning", netns=self.netns, stdout=log, stderr=log)

    def start(self):
        self.launch()
        wait_for("answer from netd", self.answers)
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise Failure(f"netd ended: {self.log.read_text()[-400:]}")
        try:
            return Varlink(self.socket).call("GetVersion")
        except OSError:
            return None

    def client(self):
        return Varlink(self.socket)

    def kill(self):
        """As a crash would; its worker dies with it."""
        workers = self.workers()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for worker in workers: # ours now: we are the namespace's first process
            os.waitpid(worker, 0)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=PATIENCE_S)

    def workers(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(w) for w in text.split()]

    def pids(self):
        return [self.process.pid] + self.workers()

    def fill(self, first, count):
        """count active NAT + DHCP networks, named bench<first>…"""
        if count > 0:
            self.lab.calls("fill", self.socket, first, count)


LIBVIRTD_CONF = 'auth_unix_rw = "none"\nauth_unix_ro = "none"\nunix_sock_group = "root"\n'


class Libvirt:
    """libvirtd with a private /run, /var/lib and /etc/libvirt, and a virsh over one connection."""

    def __init__(self, lab, netns=None):
        self.log = lab.work / "libvirtd.log"
        for d in ("/etc/libvirt", "/var/cache/libvirt", "/var/log/libvirt"):
            pathlib.Path(d).mkdir(parents=True, exist_ok=True)
            sh("mount", "-t", "tmpfs", "tmpfs", d)
        for d in ("/run/libvirt", "/var/lib/libvirt", "/var/lib/libvirt/dnsmasq", "/etc/libvirt/qemu/networks/autostart"):
            pathlib.Path(d).mkdir(parents=True, exist_ok=True)
        pathlib.Path("/etc/libvirt/libvirtd.conf").write_text(LIBVIRTD_CONF)
        with open(self.log, "wb") as log:
            self.daemon = spawn("libvirtd", netns=netns, stdout=log, stderr=log)
        self.uri = "network:///system?socket=/run/libvirt/libvirt-sock"
        wait_for("answer from libvirtd", self.answers, 30, 0.2)
        self.virsh = spawn("virsh", "-q", "-t", "-c", self.uri, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, bufsize=1)

    def answers(self):
        if self.daemon.poll() is not None:
            raise Failure(f"libvirtd ended: {self.log.read_text()[-400:]}")
        return subprocess.run(["virsh", "-c", self.uri, "net-list"], stdin=subprocess.DEVNULL, capture_output=True).returncode == 0

    def command(self, words):
        """Return: the milliseconds virsh says it took."""
        self.virsh.stdin.write(words + "\n")
        self.virsh.stdin.flush()
        said = ""
        for line in self.virsh.stdout:
            said += line
            took = re.search(r"\(Time: ([0-9.]+) ms\)", line)
            if took:
                if "error:" in said:
                    break
                return float(took.group(1))
        raise Failure(f"virsh {words}: {said.strip()}")


def cpu_times():
    """The machine's jiffies since its start: all, idle ones."""
    fields = [int(x) for x in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(fields), fields[3] + fields[4]


def idle_share(seconds=1.0):
    total, idle = cpu_times()
    time.sleep(seconds)
    now_total, now_idle = cpu_times()
    return (now_idle - idle) / max(1, now_total - total)


def wait_until_idle(seconds, sample=1.0):
    """At most so long. Return: the share of idle time seen last."""
    until = time.monotonic() + seconds
    while True:
        share = idle_share(sample)
        if share >= IDLE_SHARE or time.monotonic() > until:
            return share


class Lab:
    """A bench's folder and binaries, and what it may still wait for a machine that is busy with others."""

    def __init__(self, build, work, quick, wait):
        self.build, self.work, self.quick, self.patience = pathlib.Path(build), pathlib.Path(work), quick, wait

    def settle(self):
        """Before a sample that takes a second or more: once the patience of the whole bench is used up, samples are taken as they come."""
        t0 = time.monotonic()
        if self.patience > 0:
            wait_until_idle(self.patience, 0.2)
        self.patience -= time.monotonic() - t0

    def binary(self, name):
        return self.build / name

    def calls(self, *args, **kw):
        return sh(self.binary("tests/bench/calls"), *args, **kw)

    def pick(self, full, quick):
        return quick if self.quick else full


def pss_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise Failure(f"process {pid}: no Pss in smaps_rollup")


def cpu_s(pid):
    """User and system time of all threads of a process, ended ones too."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
