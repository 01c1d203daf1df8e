# SPDX-License-Identifier: GPL-2.0-or-later
"""virsh, unmodified, against netd: every command on networks that its version has, its texts to the byte where they are libvirt's."""
import os
import re
import socket
import stat
import subprocess
import time

from lib import NETD, Failed, Guest, check, contains, links, main, run, same, test, wait_for

LAB_UUID = "6f1a2a5e-0c8b-4d55-9c2e-5a2f0f1b7c11"
LAB = f"""<network>
  <name>lab</name>
  <uuid>{LAB_UUID}</uuid>
  <bridge name='br-lab' stp='off' delay='0'/>
  <mac address='52:54:00:11:22:33'/>
  <ip address='10.44.0.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='10.44.0.10' end='10.44.0.20'/>
    </dhcp>
  </ip>
</network>
"""
TEMP = """<network>
  <name>temp</name>
  <bridge name='br-temp'/>
  <ip address='10.45.0.1' netmask='255.255.255.0'/>
</network>
"""
NO_NETWORK = "error: failed to get network 'lab'\nerror: Network not found: no network with matching name 'lab'\n"


class Virsh:
    def __init__(self, host, **kw):
        self.dir = os.path.join(host.dir, "libvirt")
        self.netd = host.netd(options=["--libvirt-socket-dir", self.dir], **kw)
        self.host = host
        self.env = {"HOME": host.dir, "XDG_CACHE_HOME": host.dir, "LC_ALL": "C", "TZ": "UTC"}

    def uri(self, name="virtnetworkd-sock", scheme="network"):
        return f"{scheme}:///system?socket={os.path.join(self.dir, name)}"

    def run(self, *words, sock="virtnetworkd-sock", scheme="network", options=(), **kw):
        kw.setdefault("env", self.env)
        return run("virsh", *options, "-c", self.uri(sock, scheme), *words, **kw)

    def says(self, words, text, **kw):
        """The command succeeds and prints exactly this."""
        same(self.run(*words.split(), **kw).stdout, text, f"virsh {words}")

    def fails(self, words, text, **kw):
        """The command fails and prints exactly this."""
        done = self.run(*words.split(), ok=False, **kw)
        same((done.returncode, re.sub(r"\n\n$", "\n", done.stderr)), (1, text), f"virsh {words}")

    def table(self, *words, **kw):
        """Rows of a table, each a list of its columns."""
        lines = self.run(*words, **kw).stdout.splitlines()
        check(len(lines) >= 2 and set(lines[1]) == {"-"}, f"virsh {' '.join(words)}: no table", "\n".join(lines))
        return [re.split(r" {2,}", line.strip()) for line in lines[2:] if line.strip()]

    def file(self, name, text):
        path = os.path.join(self.host.dir, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


@test
def life_of_a_network(host):
    v = Virsh(host)
    lab = v.file("lab.xml", LAB)
    v.says("net-list --all", " Name   State   Autostart   Persistent\n----------------------------------------\n\n")
    v.says(f"net-define {lab}", f"Network lab defined from {lab}\n\n")
    v.says("net-list --all", " Name   State      Autostart   Persistent\n-------------------------------------------\n"
                             " lab    inactive   no          yes\n\n")
    v.says("net-list", " Name   State   Autostart   Persistent\n----------------------------------------\n\n")
    v.says("net-list --all --name", "lab\n\n")
    v.says("net-list --all --uuid", f"{LAB_UUID}\n\n")
    v.says("net-uuid lab", f"{LAB_UUID}\n\n")
    v.says(f"net-name {LAB_UUID}", "lab\n\n")
    v.says("net-info lab", f"Name:           lab\nUUID:           {LAB_UUID}\nActive:         no\nPersistent:     yes\n"
                           "Autostart:      no\nBridge:         br-lab\n\n")
    v.says("net-dumpxml lab", LAB + "\n")
    v.says("net-start lab", "Network lab started\n\n")
    same(links()["br-lab"]["address"], "52:54:00:11:22:33", "the bridge's MAC")
    v.says("net-list", " Name   State    Autostart   Persistent\n-----------------------------------------\n"
                       " lab    active   no          yes\n\n")
    v.fails("net-start lab", "error: Failed to start network lab\n"
                             "error: Requested operation is not valid: network is already active\n")
    v.says("net-dhcp-leases lab", " Expiry Time   MAC address   Protocol   IP address   Hostname   Client ID or DUID\n"
                                  "-----------------------------------------------------------------------------------\n\n")
    v.says("net-destroy lab", "Network lab destroyed\n\n")
    check("br-lab" not in links(), "the bridge is still there")
    v.fails("net-destroy lab", "error: Failed to destroy network lab\n"
                               "error: Requested operation is not valid: network 'lab' is not active\n")
    v.says("net-undefine lab", "Network lab has been undefined\n\n")
    for command in ("net-info", "net-start", "net-destroy", "net-undefine", "net-dumpxml", "net-autostart", "net-dhcp-leases"):
        v.fails(f"{command} lab", NO_NETWORK)


@test
def transient(host):
    v = Virsh(host)
    temp, lab = v.file("temp.xml", TEMP), v.file("lab.xml", LAB)
    v.says(f"net-create {temp}", f"Network temp created from {temp}\n\n")
    same(v.table("net-list", "--transient"), [["temp", "active", "no", "no"]], "net-list --transient")
    same(v.table("net-list", "--persistent"), [], "net-list --persistent")
    v.fails("net-undefine temp", "error: Failed to undefine network temp\n"
                                 "error: Requested operation is not valid: can't undefine transient network\n")
    v.fails("net-autostart temp", "error: failed to mark network temp as autostarted\n"
                                  "error: Requested operation is not valid: cannot set autostart for transient network\n")
    v.says("net-destroy temp", "Network temp destroyed\n\n")
    same(v.table("net-list", "--all"), [], "net-list --all")
    v.run("net-define", lab)
    v.run("net-start", "lab")
    v.says("net-undefine lab", "Network lab has been undefined\n\n")
    same(v.table("net-list", "--all"), [["lab", "active", "no", "no"]], "an undefined network goes on")
    v.run("net-define", lab)
    same(v.table("net-list", "--all"), [["lab", "active", "no", "yes"]], "and is persistent again")
    v.run("net-destroy", "lab")


@test
def autostart(host):
    v = Virsh(host)
    v.run("net-define", v.file("lab.xml", LAB))
    v.says("net-autostart lab", "Network lab marked as autostarted\n\n")
    same(v.table("net-list", "--all", "--autostart"), [["lab", "inactive", "yes", "yes"]], "--autostart")
    same(v.netd.network("lab")["autostart"], "boot", "netd's own word")
    v.says("net-autostart lab --disable", "Network lab unmarked as autostarted\n\n")
    same(v.table("net-list", "--all", "--no-autostart"), [["lab", "inactive", "no", "yes"]], "--no-autostart")
    v.netd.ctl("net-autostart", "lab", "--on-attach")
    v.says("net-autostart lab", "Network lab marked as autostarted\n\n")
    same(v.netd.network("lab")["autostart"], "on-attach", "on-attach is autostart already")
    contains(v.run("net-info", "lab").stdout, "Autostart:      yes\n", "net-info")
    v.run("net-autostart", "lab", "--disable")
    same(v.netd.network("lab")["autostart"], "no", "disabled")


@test
def bad_definitions(host):
    v = Virsh(host)
    for name, xml, text in (
            ("no-ip", "<network><name>bad</name><forward mode='nat'/></network>",
             "XML error: nat forwarding requested, but no IP address provided for network 'bad'"),
            ("cut", "<network>", "Premature end of data in tag network line 1"),
            ("not-xml", "hello", "Start tag expected, '<' not found")):
        path = v.file(name, xml)
        done = v.run("net-define", path, ok=False)
        check(done.stderr.startswith(f"error: Failed to define network from {path}\nerror: "), "net-define", done.stderr)
        contains(done.stderr, text, "net-define")
        same(v.run("net-create", path, ok=False).stderr.splitlines()[0], f"error: Failed to create network from {path}", "net-create")
    v.run("net-define", v.file("lab.xml", LAB))
    other = v.file("other.xml", LAB.replace(LAB_UUID, "11111111-2222-4333-8444-555555555555").replace("br-lab", "br-other"))
    v.fails(f"net-define {other}", f"error: Failed to define network from {other}\n"
                                   f"error: operation failed: network 'lab' already exists with uuid {LAB_UUID}\n")
    nameless = v.file("nameless.xml", LAB.replace(f"  <uuid>{LAB_UUID}</uuid>\n", ""))
    v.fails(f"net-define {nameless}", f"error: Failed to define network from {nameless}\n"
                                      f"error: operation failed: network 'lab' already exists with uuid {LAB_UUID}\n")
    renamed = v.file("renamed.xml", LAB.replace("<name>lab", "<name>other"))
    v.fails(f"net-define {renamed}", f"error: Failed to define network from {renamed}\n"
                                     f"error: operation failed: network 'lab' is already defined with uuid {LAB_UUID}\n")
    bridge = v.file("bridge.xml", TEMP.replace("br-temp", "br-lab"))
    v.fails(f"net-define {bridge}", f"error: Failed to define network from {bridge}\n"
                                    "error: internal error: bridge name 'br-lab' already in use.\n")
    unknown = v.file("unknown.xml", TEMP.replace("<bridge", "<nonsense/><bridge"))
    contains(v.run("net-define", unknown, "--validate", ok=False).stderr, "XML document failed to validate against schema: ", "--validate")
    v.run("net-define", unknown)


@test
def edit(host):
    v = Virsh(host)
    v.run("net-define", v.file("lab.xml", LAB))
    v.says("net-edit lab", "Network lab XML configuration not changed.\n\n", env={**v.env, "EDITOR": "true"})
    v.says("net-edit lab", "Network lab XML configuration edited.\n\n", env={**v.env, "EDITOR": "sed -i s/10.44.0.20/10.44.0.30/"})
    contains(v.run("net-dumpxml", "lab").stdout, "end='10.44.0.30'", "the edited definition")
    # Without a terminal virsh does not say why.
    done = v.run("net-edit", "lab", ok=None, env={**v.env, "EDITOR": "sed -i s/10.44.0.30/10.99.0.30/"})
    contains(done.stderr, "error: Failed.", "an edit that is wrong")
    contains(v.run("net-dumpxml", "lab").stdout, "end='10.44.0.30'", "the definition stays")


OWN = """  <portgroup name='guests'>
    <netd:guards/>
    <netd:egress policy='internet-only'/>
  </portgroup>
  <netd:hostAccess mode='services'/>
  <netd:accept network='office'/>
  <netd:guards ip='no' broadcast='100' connections='5000'/>
  <netd:egress policy='list'>
    <netd:allow address='10.1.0.0/16' protocol='tcp' port='443' end='444'/>
  </netd:egress>
  <netd:address guest='web' address='10.9.0.0/16'/>
  <netd:forward protocol='tcp' address='192.0.2.1' port='8080' end='8089' guest='web' guestPort='80'/>
  <netd:autostart mode='on-attach'/>
"""


@test
def elements_of_netds(host):
    """A virsh that knows nothing of them edits and updates a network without losing them."""
    v = Virsh(host)
    xml = LAB.replace("<network>", "<network xmlns:netd='urn:netd:network:1'>").replace("</network>", OWN + "</network>")
    v.run("net-define", "--validate", v.file("lab.xml", xml))
    v.says("net-dumpxml lab", xml + "\n")
    v.says("net-edit lab", "Network lab XML configuration edited.\n\n", env={**v.env, "EDITOR": "sed -i s/10.44.0.20/10.44.0.30/"})
    edited = xml.replace("10.44.0.20", "10.44.0.30")
    v.says("net-dumpxml lab", edited + "\n")
    v.run("net-update", "lab", "add", "portgroup", "<portgroup name='others'/>", "--config")
    v.says("net-dumpxml lab", edited.replace("  </portgroup>\n", "  </portgroup>\n  <portgroup name='others'>\n  </portgroup>\n") + "\n")


HOST = "<host mac='52:54:00:00:00:{0:02x}' name='h{0}' ip='10.44.0.{0}'/>"


@test
def update(host):
    """Each section, live and config; what libvirt refuses is refused in its words."""
    v = Virsh(host)
    v.run("net-define", v.file("lab.xml", LAB))

    def dump(*words):
        return v.run("net-dumpxml", "lab", *words).stdout

    def did(command, section, xml, what, *flags):
        same(v.run("net-update", "lab", command, section, xml, *flags).stdout, f"Updated network lab {what}\n", f"{command} {section}")

    def refused(text, *words):
        done = v.run("net-update", "lab", *words, ok=False)
        same(done.stderr, f"error: Failed to update network lab\nerror: {text}\n", " ".join(words))

    did("add", "ip-dhcp-host", HOST.format(5), "persistent config")
    contains(dump("--inactive"), "<host mac='52:54:00:00:00:05' name='h5' ip='10.44.0.5'/>", "the reservation")
    v.run("net-start", "lab")
    did("add", "ip-dhcp-host", HOST.format(6), "live state")
    check("h6" not in dump("--inactive"), "a live change is in the persistent definition")
    contains(dump(), HOST.format(6), "the live definition")
    did("add", "ip-dhcp-host", HOST.format(7), "persistent config and live state", "--live", "--config")
    contains(dump(), HOST.format(7), "both")
    contains(dump("--inactive"), HOST.format(7), "both")
    did("modify", "ip-dhcp-host", HOST.format(7).replace(".0.7", ".0.8"), "live state", "--live")
    did("delete", "ip-dhcp-host", "<host mac='52:54:00:00:00:06'/>", "live state")
    check("h6" not in dump(), "the reservation is still there")
    did("add", "portgroup", "<portgroup name='more'/>", "persistent config", "--config")
    contains(dump("--inactive"), "<portgroup name='more'", "the port group")
    v.fails("net-update lab foo ip-dhcp-host x", "error: unrecognized command name 'foo'\n")
    v.fails("net-update lab add foo x", "error: unrecognized section name 'foo'\n")
    refused("Operation not supported: can't update 'domain' section of network 'lab'", "add", "domain", "<domain name='x'/>")
    refused("Operation not supported: can't update 'bridge' section of network 'lab'", "add", "bridge", "<bridge name='x'/>")
    v.run("net-destroy", "lab")
    refused("Requested operation is not valid: network is not running", "add", "ip-dhcp-host", HOST.format(9), "--live")
    v.run("net-create", v.file("temp.xml", TEMP))
    done = v.run("net-update", "temp", "add", "ip-dhcp-host", HOST.format(9), "--config", ok=False)
    contains(done.stderr, "Requested operation is not valid: cannot change persistent config of a transient network", "a transient network")
    v.run("net-destroy", "temp")


@test
def leases(host):
    v = Virsh(host)
    v.run("net-define", v.file("lab.xml", LAB))
    v.run("net-start", "lab")
    guest = Guest(v.netd, "lab")
    lease = guest.dhcp("-x", "hostname:myguest")
    rows = v.table("net-dhcp-leases", "lab")
    same(len(rows), 1, "leases")
    expiry, mac, protocol, address, hostname, client = rows[0]
    seconds = time.mktime(time.strptime(expiry, "%Y-%m-%d %H:%M:%S")) - time.time()
    check(0 < seconds <= 24 * 3600, f"expiry {expiry} is {seconds:.0f} s away")
    same((mac, protocol, address, hostname), (guest.mac, "ipv4", lease["ip"] + "/24", "myguest"), "the lease")
    same(client, "01:" + guest.mac, "the client identifier")
    same(v.table("net-dhcp-leases", "lab", guest.mac), rows, "leases of its MAC")
    same(v.table("net-dhcp-leases", "lab", "52:54:00:00:00:00"), [], "leases of another MAC")
    v.fails("net-dhcp-leases lab nonsense", "error: Failed to get leases info for lab\nerror: invalid MAC address: nonsense\n")
    ports = v.table("net-port-list", "lab")
    same(ports, [[guest.port["uuid"]]], "net-port-list")
    v.says("net-destroy lab", "Network lab destroyed\n\n")
    check("br-lab" not in links(), "the bridge is still there: net-destroy does not ask")


@test
def events(host):
    v = Virsh(host)
    lab, temp = v.file("lab.xml", LAB), v.file("temp.xml", TEMP)

    def watch(*words):
        process = subprocess.Popen(["virsh", "-c", v.uri("virtnetworkd-sock-ro"), "net-event", *words], env={**os.environ, **v.env},
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return process

    v.run("net-define", lab)
    every, one = watch("--event", "lifecycle", "--loop", "--timeout", "4"), watch("lab", "--event", "lifecycle", "--loop", "--timeout", "4")
    time.sleep(1)
    v.run("net-create", temp)
    v.run("net-start", "lab")
    v.run("net-destroy", "temp")
    v.run("net-destroy", "lab")
    v.run("net-define", lab)
    v.run("net-undefine", "lab")
    of_lab = "".join(f"event 'lifecycle' for network lab: {word}\n" for word in ("Started", "Stopped", "Defined", "Undefined"))
    got = every.communicate(timeout=20)[0]
    same([line for line in got.splitlines() if "network lab" in line], of_lab.splitlines(), "events of lab")
    same([line for line in got.splitlines() if "network temp" in line],
         ["event 'lifecycle' for network temp: Started", "event 'lifecycle' for network temp: Stopped"], "events of temp")
    same(one.communicate(timeout=20)[0], of_lab + "event loop timed out\nevents received: 4\n\n", "events of one network")
    same(every.wait(), one.wait(), "exit status")


@test
def read_only(host):
    v = Virsh(host)
    lab = v.file("lab.xml", LAB)
    v.run("net-define", lab)
    for how in ({"sock": "virtnetworkd-sock-ro"}, {"options": ["-r"]}):
        same(v.table("net-list", "--all", **how), [["lab", "inactive", "no", "yes"]], "net-list")
        v.says("net-dumpxml lab", LAB + "\n", **how)
        for command, first, function in (
                ("net-start lab", "Failed to start network lab", "virNetworkCreate"),
                ("net-undefine lab", "Failed to undefine network lab", "virNetworkUndefine"),
                (f"net-define {lab}", f"Failed to define network from {lab}", "virNetworkDefineXML"),
                (f"net-create {lab}", f"Failed to create network from {lab}", "virNetworkCreateXML"),
                ("net-autostart lab", "failed to mark network lab as autostarted", "virNetworkSetAutostart")):
            v.fails(command, f"error: {first}\nerror: operation forbidden: read only access prevents {function}\n", **how)


@test
def strangers(host):
    """Peer credentials decide: root and the group change, others look."""
    v = Virsh(host)
    v.run("net-define", v.file("lab.xml", LAB))
    as_nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "env", "HOME=/", "XDG_CACHE_HOME=/nowhere", "virsh"]
    done = run(*as_nobody, "-c", v.uri(), "net-list", ok=False)
    contains(done.stderr, ["error: authentication failed: uid 65534 may not change networks", "usermod -aG netd"], "the rw socket")
    same(run(*as_nobody, "-c", v.uri("virtnetworkd-sock-ro"), "net-list", "--all", "--name").stdout, "lab\n\n", "the ro socket")
    for name, mode in (("virtnetworkd-sock", 0o666), ("virtnetworkd-sock-ro", 0o666), ("virtnetworkd-admin-sock", 0o600)):
        same(stat.S_IMODE(os.stat(os.path.join(v.dir, name)).st_mode), mode, f"mode of {name}")


@test
def connections(host):
    v = Virsh(host)
    v.run("net-define", v.file("lab.xml", LAB))
    same(v.table("net-list", "--all", scheme="qemu"), [["lab", "inactive", "no", "yes"]], "qemu:///system")
    same(v.run("list", "--all", "--name").stdout, "\n", "domains")
    same(v.run("pool-list", "--all", "--name").stdout, "\n", "pools")
    contains(v.run("nwfilter-list", ok=False).stderr, "this function is not supported by the connection driver", "filters")
    contains(v.run("version", ok=None).stdout, "Using API: network 9.0.0", "version")
    # One connection for several commands, with keepalive on both sides.
    out = v.run("net-list --name; net-start lab; net-list --name; net-destroy lab", options=["-k", "1", "-K", "3"]).stdout
    same(out, "\nNetwork lab started\n\nlab\n\nNetwork lab destroyed\n\n", "several commands")
    admin = run("virt-admin", "-c", f"libvirtd:///system?socket={os.path.join(v.dir, 'virtnetworkd-admin-sock')}", "srv-list", ok=False, env=v.env)
    contains(admin.stderr, "netd has no administration protocol for virt-admin", "virt-admin")


@test
def by_default(host):
    """Without an option and without a URI's help, virsh finds netd; what netd left at its end is nothing."""
    netd = host.netd()
    env = {"HOME": host.dir, "LC_ALL": "C"}
    contains(run("virsh", "-c", "network:///system", "net-list", "--all", env=env).stdout, "Persistent", "network:///system")
    netd.stop()
    same(os.listdir("/run/libvirt"), [], "what is left in /run/libvirt")


@test
def none(host):
    netd = host.netd(options=["--libvirt-socket-dir", "none"])
    check(not os.path.exists("/run/libvirt"), "/run/libvirt was made")
    netd.stop()


@test
def another_daemon(host):
    """A living daemon keeps its sockets, and is not even connected to; one that died leaves files that do not matter."""
    os.makedirs("/run/libvirt")
    path = "/run/libvirt/virtnetworkd-sock"
    owner = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    owner.bind(path)
    owner.listen(5)
    owner.setblocking(False)
    before = os.stat(path).st_ino
    netd = host.netd()
    contains(netd.log(), ["libvirt's clients are not served", path], "netd's log")
    try:
        owner.accept()
        raise Failed("netd connected to the other daemon's socket")
    except BlockingIOError:
        pass
    netd.stop()
    same(os.stat(path).st_ino, before, "the socket's file")
    owner.close()
    netd.start()
    wait_for("answer", lambda: run("virsh", "-c", "network:///system", "net-list", ok=None).returncode == 0)


@test
def socket_activation(host):
    """systemd's sockets are served and stay."""
    v = Virsh(host)
    v.netd.stop()
    paths = [os.path.join(v.dir, name) for name in ("virtnetworkd-sock", "virtnetworkd-sock-ro")]
    listeners = []
    for path in paths:
        listeners.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        listeners[-1].bind(path)
        listeners[-1].listen(5)
        listeners[-1].setblocking(False)

    # The pid must be the daemon's own: a shell puts it in and becomes netd.
    def command():
        d = v.netd.dirs
        redirect = " ".join(f"{3 + i}<&{s.fileno()}" for i, s in enumerate(listeners))
        words = [NETD, "--config-dir", d["etc"], "--state-dir", d["state"], "--run-dir", d["run"]]
        return ["bash", "-c", f"export LISTEN_PID=$$ LISTEN_FDS=2; exec {redirect} {' '.join(words)}"]

    with open(v.netd.log_path, "a", encoding="utf-8") as log:
        v.netd.process = subprocess.Popen(command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                          pass_fds=[s.fileno() for s in listeners])
    v.run("net-define", v.file("lab.xml", LAB))
    same(v.table("net-list", "--all", sock="virtnetworkd-sock-ro"), [["lab", "inactive", "no", "yes"]], "the ro socket")
    v.netd.stop()
    same([os.path.exists(path) for path in paths], [True, True], "systemd's files")


main()
