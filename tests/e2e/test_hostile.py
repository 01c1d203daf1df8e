# SPDX-License-Identifier: GPL-2.0-or-later
"""Administration under attack: changes that race with each other and with their clients' end, kills in the middle of everything, full disks, clients
without rights. The client of libvirt's protocol here is one that sends what it likes."""
import contextlib
import glob
import os
import random
import re
import select
import socket
import struct
import threading
import time
import xml.dom.minidom

from lib import Failed, Varlink, check, contains, main, run, same, test, wait_for

PROGRAM = 0x20008086
CREATE, CREATE_XML, DEFINE, DESTROY, DUMP, SET_AUTOSTART, BY_NAME, UNDEFINE, UPDATE = 39, 40, 41, 42, 43, 48, 46, 49, 291
REGISTER, LIST_PORTS, PORT_CREATE, PORT_GET, PORT_SET, PORT_DUMP, PORT_DELETE, SET_METADATA = 313, 404, 406, 407, 408, 409, 410, 444
DENIED, AUTH_FAILED = 29, 45
SEED = int(os.environ.get("NETD_TEST_SEED", random.SystemRandom().randrange(1 << 32)))


def text(value):
    data = value.encode()
    return struct.pack(">I", len(data)) + data + bytes(-len(data) % 4)


def uuid_of(number):
    return f"{number:08x}-1111-4111-8111-111111111111"


def network_ref(number, name=None):
    return text(name or f"net{number}") + bytes.fromhex(uuid_of(number).replace("-", ""))


def port_ref(number, port):
    return network_ref(number) + bytes.fromhex(uuid_of(port).replace("-", ""))


def definition(number, more=""):
    return (f"<network><name>net{number}</name><uuid>{uuid_of(number)}</uuid><forward mode='nat'/><bridge name='br{number}'/>"
            f"<ip address='10.{number}.0.1' netmask='255.255.255.0'><dhcp><range start='10.{number}.0.2' end='10.{number}.0.99'/></dhcp></ip>{more}</network>")


def port_definition(port, more=""):
    return (f"<networkport><uuid>{uuid_of(port)}</uuid><owner><name>guest{port}</name><uuid>{uuid_of(port)}</uuid></owner>"
            f"<mac address='52:54:00:00:{port >> 8 & 255:02x}:{port & 255:02x}'/>{more}</networkport>")


class Rpc:
    """Opened, unless it is not to be."""

    def __init__(self, name="virtnetworkd-sock", opened=True, flags=0):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(20)
        self.sock.connect(f"/run/libvirt/{name}")
        self.serial, self.rest = 0, b""
        if opened:
            same(self.call(66)[0], None, "authentication")
            same(self.call(1, struct.pack(">I", 1) + text("network:///system") + struct.pack(">I", flags))[0], None, "open")

    def send(self, proc, body=b"", raw=None):
        self.serial += 1
        self.sock.sendall(raw or struct.pack(">7I", 28 + len(body), PROGRAM, 1, proc, 0, self.serial, 0) + body)
        return self.serial

    def receive(self):
        """(serial, type, status, procedure, body); None: the connection ended."""
        while len(self.rest) < 4 or len(self.rest) < struct.unpack(">I", self.rest[:4])[0]:
            data = self.sock.recv(65536)
            if not data:
                return None
            self.rest += data
        size = struct.unpack(">I", self.rest[:4])[0]
        frame, self.rest = self.rest[:size], self.rest[size:]
        _, _, _, proc, kind, serial, status = struct.unpack(">7I", frame[:28])
        return serial, kind, status, proc, frame[28:]

    def answer(self, serial):
        """(None, body) or (code, message)."""
        while True:
            got = self.receive()
            check(got is not None, "netd closed the connection")
            if got[0] == serial and got[1] == 1:
                break
        if got[2] == 0:
            return None, got[4]
        size = struct.unpack(">I", got[4][12:16])[0] if got[4][8:12] == b"\0\0\0\1" else 0
        return struct.unpack(">I", got[4][:4])[0], got[4][16:16 + size].decode()

    def call(self, proc, body=b""):
        return self.answer(self.send(proc, body))

    def ask(self, proc, body=b""):
        code, got = self.call(proc, body)
        check(code is None, f"procedure {proc}: {code}", got)
        return got

    def close(self):
        self.sock.close()


def descriptors(netd):
    return len(os.listdir(f"/proc/{netd.process.pid}/fd"))


def still_there(netd):
    check(netd.process.poll() is None, f"netd ended with status {netd.process.poll()}", netd.log())
    netd.check_log()


# ---- races ----

def any_call(dice):
    """A change of one of three networks, or of one of their ports."""
    number, port = dice.randrange(1, 4), dice.randrange(100, 106)
    host = f"<host mac='52:54:00:11:22:{dice.randrange(10):02x}' ip='10.{number}.0.{dice.randrange(2, 12)}'/>"
    parameter = struct.pack(">I", 1) + text("inbound.average") + struct.pack(">II", 2, dice.randrange(1000))
    return dice.choice([
        (DEFINE, lambda: text(definition(number, dice.choice(["", "<mtu size='1400'/>", "<domain name='x'/>"])))),
        (DEFINE, lambda: text(definition(number))),
        (CREATE_XML, lambda: text(definition(number))),
        (CREATE, lambda: network_ref(number)),
        (CREATE, lambda: network_ref(number)),
        (DESTROY, lambda: network_ref(number)),
        (UNDEFINE, lambda: network_ref(number)),
        (SET_AUTOSTART, lambda: network_ref(number) + struct.pack(">I", dice.randrange(2))),
        (UPDATE, lambda: network_ref(number) + struct.pack(">IIi", dice.randrange(1, 5), 5, -1) + text(host) +
         struct.pack(">I", dice.randrange(4))),
        (SET_METADATA, lambda: network_ref(number) + struct.pack(">I", 0) + struct.pack(">I", 1) + text("words") + bytes(8) +
         struct.pack(">I", dice.randrange(4))),
        (PORT_CREATE, lambda: network_ref(number) + text(port_definition(port)) + struct.pack(">I", 0)),
        (PORT_CREATE, lambda: network_ref(number) + text(port_definition(port, "<bandwidth><inbound average='9' floor='1'/></bandwidth>")) +
         struct.pack(">I", 0)),
        (PORT_SET, lambda: port_ref(number, port) + parameter + struct.pack(">I", 0)),
        (PORT_GET, lambda: port_ref(number, port) + struct.pack(">II", 16, 0)),
        (PORT_DUMP, lambda: port_ref(number, port) + struct.pack(">I", 0)),
        (PORT_DELETE, lambda: port_ref(number, port) + struct.pack(">I", 0)),
        (LIST_PORTS, lambda: network_ref(number) + struct.pack(">II", 1, 0)),
        (DUMP, lambda: network_ref(number) + struct.pack(">I", 0)),
        (REGISTER, lambda: struct.pack(">II", 0, 0)),
    ])


def attack(dice, end, trouble):
    try:
        while time.monotonic() < end:
            link = Rpc()
            sent = 0
            for _ in range(dice.randrange(1, 60)):
                proc, body = any_call(dice)
                link.send(proc, body())
                sent += 1
            for _ in range(dice.randrange(sent + 1)):  # the rest is answered to nobody
                if link.receive() is None:
                    break
            link.close()
    except (OSError, Failed) as error:
        trouble.append(repr(error))


def whole(netd):
    """Every definition on disk is a document, and there is nothing else."""
    folder = os.path.join(netd.dirs["etc"], "networks")
    for name in os.listdir(folder):
        check(not name.startswith("."), f"{name} was left in {folder}")
        xml.dom.minidom.parse(os.path.join(folder, name))


@test
def changes_that_race(host):
    """Clients that pipeline changes of the same networks and ports, and hang up before they are answered."""
    print(f"seed {SEED}")
    netd = host.netd()
    before, trouble = descriptors(netd), []
    end = time.monotonic() + 4
    threads = [threading.Thread(target=attack, args=(random.Random(SEED + i), end, trouble)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    still_there(netd)
    same(trouble, [], "clients' trouble")
    for network in netd.networks():
        if network["active"]:
            netd.ctl("net-destroy", "--force", network["name"])
    for network in netd.networks():
        netd.ctl("net-undefine", network["name"])
    same(netd.networks(), [], "networks in the end")
    whole(netd)
    wait_for("descriptors as before", lambda: descriptors(netd) <= before, 10)


@test
def killed_at_any_moment(host):
    """What was answered is there afterwards, what was not is there whole or not at all, and nothing lies about."""
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    netd = host.netd()
    for turn in range(6):
        stop = threading.Event()

        def work(seed):
            own = random.Random(seed)
            with contextlib.suppress(OSError, Failed):
                link = Rpc()
                while not stop.is_set():
                    proc, body = any_call(own)
                    link.call(proc, body())

        threads = [threading.Thread(target=work, args=(SEED + 100 * turn + i,)) for i in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.05 + dice.random() / 2)
        netd.kill()
        stop.set()
        for thread in threads:
            thread.join()
        netd.start()
        still_there(netd)
        whole(netd)
        left = [name for name in glob.glob(netd.dirs["run"] + "/**/.*", recursive=True)]
        same(left, [], "half-written files")
        check("definition-broken" not in netd.log(), "a definition broke", netd.log())
    # A port that was announced outlives the kill.
    link = Rpc()
    link.call(DEFINE, text(definition(9)))
    link.call(CREATE, network_ref(9))
    link.ask(PORT_CREATE, network_ref(9) + text(port_definition(200)) + struct.pack(">I", 0))
    netd.kill()
    netd.start()
    same([p["owner"] for p in netd.ports("net9")], ["guest200"], "ports after the kill")


# ---- no space left ----

def mount_tiny(path, size="64k"):
    os.makedirs(path, exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path)


def fill(folder):
    path = os.path.join(folder, "ballast")
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return path


@test
def full_config_disk(host):
    """What cannot be written does not happen: neither live nor in the definition, and no half a file is left."""
    mount_tiny(os.path.join(host.dir, "netd", "etc"))
    netd = host.netd()
    netd.define(definition(1))
    netd.ctl("net-start", "net1")
    before = netd.ctl("net-dumpxml", "net1").stdout
    ballast = fill(netd.dirs["etc"])
    contains(netd.define(definition(2), ok=False).stderr, "ENOSPC", "net-define")
    host_xml = "<host mac='52:54:00:11:22:33' ip='10.1.0.50'/>"
    contains(netd.ctl("net-update", "net1", "add", "ip-dhcp-host", host_xml, "--live", "--config", ok=False).stderr, "ENOSPC", "net-update")
    same(netd.ctl("net-dumpxml", "net1").stdout, before, "what runs")
    netd.ctl("net-autostart", "net1", ok=False)
    whole_but = [n for n in os.listdir(os.path.join(netd.dirs["etc"], "networks")) if n != "net1.xml"]
    same(whole_but, [], "files")
    os.unlink(ballast)
    netd.define(definition(2))
    netd.ctl("net-update", "net1", "add", "ip-dhcp-host", host_xml, "--live", "--config")
    contains(netd.ctl("net-dumpxml", "net1", "--inactive").stdout, "52:54:00:11:22:33", "the definition")
    ballast = fill(netd.dirs["etc"])
    netd.ctl("net-undefine", "net2")  # to remove needs no room
    os.unlink(ballast)
    still_there(netd)


@test
def full_run_folder(host):
    """No start and no port without a record; with room again both work, and nothing was forgotten."""
    mount_tiny(os.path.join(host.dir, "netd", "run"), "128k")
    netd = host.netd()
    netd.define(definition(1))
    netd.define(definition(2))
    netd.ctl("net-start", "net1")
    link = Rpc()
    create = network_ref(1) + text(port_definition(100)) + struct.pack(">I", 0)
    link.ask(PORT_CREATE, create)
    ballast = fill(netd.dirs["run"])
    contains(netd.ctl("net-start", "net2", ok=False).stderr, "ENOSPC", "net-start")
    check("br2" not in run("ip", "link").stdout, "a network that did not start has a bridge")
    made, failures = [100], []
    for port in range(101, 400):  # the journal's last page has some room
        code, got = link.call(PORT_CREATE, network_ref(1) + text(port_definition(port)) + struct.pack(">I", 0))
        if code is None:
            made.append(port)
        else:
            failures.append(got)
            if len(failures) > 3:
                break
    check(failures and all("ENOSPC" in f or "No space" in f for f in failures), "ports on a full disk", failures)
    same(len(netd.ports("net1")), len(made), "ports")
    os.unlink(ballast)
    netd.ctl("net-start", "net2")
    link.ask(PORT_CREATE, network_ref(2) + text(port_definition(500)) + struct.pack(">I", 0))
    netd.kill()
    netd.start()
    same(sorted(p["owner"] for p in netd.ports()), sorted(f"guest{n}" for n in made + [500]), "ports after a kill")


@test
def full_state_folder(host):
    mount_tiny(os.path.join(host.dir, "netd", "state"), "256k")
    netd = host.netd()
    netd.define(definition(1))
    ballast = fill(netd.dirs["state"])
    netd.ctl("net-start", "net1")
    netd.ctl("net-dhcp-leases", "net1")
    netd.ctl("net-destroy", "net1")
    netd.ctl("net-undefine", "net1")
    os.unlink(ballast)
    netd.define(definition(1))
    netd.ctl("net-start", "net1")
    still_there(netd)


# ---- rights ----

def as_nobody(fn):
    """fn's result, in a process that is nobody."""
    receiving, sending = os.pipe()
    pid = os.fork()
    if pid == 0:
        words = "ok"
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            fn()
        except BaseException as error:  # whatever it is, the parent tells it
            words = f"{error!r}"
        os.write(sending, words.encode()[:60000])
        os._exit(0)
    os.close(sending)
    with os.fdopen(receiving) as file:
        words = file.read()
    os.waitpid(pid, 0)
    same(words, "ok", "as nobody")


def every_write():
    """Every procedure that changes something, with arguments that would do."""
    number = 1
    return [
        (CREATE, network_ref(number)), (CREATE_XML, text(definition(7))), (DEFINE, text(definition(7))), (DESTROY, network_ref(number)),
        (SET_AUTOSTART, network_ref(number) + struct.pack(">I", 1)), (UNDEFINE, network_ref(number)),
        (UPDATE, network_ref(number) + struct.pack(">IIi", 3, 5, -1) + text("<host mac='52:54:00:11:22:33' ip='10.1.0.50'/>") + bytes(4)),
        (432, text(definition(7)) + bytes(4)), (437, text(definition(7)) + bytes(4)),
        (SET_METADATA, network_ref(number) + bytes(4) + struct.pack(">I", 1) + text("words") + bytes(12)),
        (PORT_CREATE, network_ref(number) + text(port_definition(101)) + bytes(4)),
        (PORT_SET, port_ref(number, 100) + bytes(4) + bytes(4)), (PORT_DELETE, port_ref(number, 100) + bytes(4)),
    ]


@test
def no_rights(host):
    """Each way to change something is closed to who has no rights, and to who asked for a connection that only reads."""
    netd = host.netd()
    netd.define(definition(1))
    netd.ctl("net-start", "net1")
    link = Rpc()
    link.ask(PORT_CREATE, network_ref(1) + text(port_definition(100)) + bytes(4))
    before = netd.json("net-list", "--all"), netd.ctl("net-dumpxml", "net1").stdout, len(netd.ports())

    def all_denied(reader):
        for proc, body in every_write():
            code, words = reader.call(proc, body)
            same(code, DENIED, f"procedure {proc}: {words}")

    def unauthenticated():
        other = Rpc(opened=False)
        same(other.call(66)[0], AUTH_FAILED, "authentication")
        for proc, body in every_write() + [(1, bytes(8)), (DUMP, network_ref(1) + bytes(4)), (REGISTER, bytes(8))]:
            check(other.call(proc, body)[0] is not None, f"procedure {proc} was done without authentication")

    all_denied(Rpc("virtnetworkd-sock-ro"))
    all_denied(Rpc(flags=1))
    as_nobody(lambda: all_denied(Rpc("virtnetworkd-sock-ro")))
    as_nobody(unauthenticated)

    methods = re.findall(r"^method (\w+)\(", netd.varlink().ask("org.varlink.service.GetInterfaceDescription", {"interface": "io.netd"})["description"], re.M)
    check(len(methods) > 30, "methods", methods)

    def all_refused():
        for method in methods:
            other = Varlink(netd.socket)
            error, got = other.call(method, {})
            same(error, "io.netd.Denied", f"{method}: {got}")
            other.close()

    os.chmod(netd.dirs["run"], 0o755)
    as_nobody(all_refused)
    same((netd.json("net-list", "--all"), netd.ctl("net-dumpxml", "net1").stdout, len(netd.ports())), before, "networks and ports")
    still_there(netd)


# ---- resources ----

def memory_kib(netd):
    with open(f"/proc/{netd.process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))


@test
def readers_that_do_not_read(host):
    """Strangers who subscribe to all they can and read nothing do not slow down who changes networks, nor keep others from the socket."""
    netd = host.netd()
    crowd = []

    def subscribe():
        for _ in range(1000):
            try:
                link = Rpc("virtnetworkd-sock-ro")
                for _ in range(300):
                    link.send(REGISTER, bytes(8))
            except (OSError, Failed):
                break
            crowd.append(link)
        check(crowd, "no stranger was let in")
        os.write(ready[1], str(len(crowd)).encode())
        select.select([finish[0]], [], [], 60)

    ready, finish = os.pipe(), os.pipe()
    thread = threading.Thread(target=as_nobody, args=(subscribe,))
    thread.start()
    cnt = int(os.read(ready[0], 10))
    print(f"{cnt} connections of nobody")
    # Somebody else without rights is served still.
    other = os.fork()
    if other == 0:
        os.setgid(65533)
        os.setuid(65533)
        try:
            Rpc("virtnetworkd-sock-ro").ask(50)
            os._exit(0)
        except BaseException:
            os._exit(1)
    same(os.waitpid(other, 0)[1], 0, "another stranger's status")
    started = time.monotonic()
    for _ in range(20):
        netd.define(definition(1))
        netd.ctl("net-undefine", "net1")
    took = time.monotonic() - started
    print(f"40 changes in {took:.1f} s, {memory_kib(netd)} KiB")
    check(took < 20, f"40 changes took {took:.1f} s")
    os.write(finish[1], b"x")
    thread.join()
    still_there(netd)


main()
