# SPDX-License-Identifier: GPL-2.0-or-later
"""The same virsh commands against netd and against an unmodified libvirtd, compared line by line.

Only what cannot be the same twice is normalized: uuids and MACs that nobody gave, times, and names of temporary files. Everything else that differs
must stand in DIFFERENCES with its reason; one that is not met any more fails as well, so that the list stays true. What a definition asks for that
netd refuses to start yet is no difference here: docs/libvirt-xml.md, which is made from netd's table of elements, has it.

The table of virsh's commands in docs/libvirt.md is made from the same lists and compared here: NETD_UPDATE_DOCS=1 writes it.

libvirtd is Debian's, as installed (scripts/deps --test), in network, mount and process namespaces of its own with an empty configuration.
"""
import itertools
import os
import re
import shutil
import shlex
import signal
import subprocess
import sys
import threading
import time

from lib import SOURCE, Namespace, check, main, run, same, test, wait_for

CONF = 'auth_unix_rw = "none"\nauth_unix_ro = "none"\nunix_sock_group = "root"\nunix_sock_rw_perms = "0700"\nunix_sock_dir = "{dir}"\n'


class Libvirtd:
    """Its network namespace is net; its sockets are in dir, which both sides see."""

    def __init__(self, host):
        check(shutil.which("libvirtd"), "libvirtd is not installed (package libvirt-daemon): scripts/deps --test")
        self.dir, self.net = os.path.join(host.dir, "libvirtd"), Namespace()
        self.log_path = os.path.join(host.dir, "libvirtd.log")
        os.makedirs(self.dir)
        empty = " ".join(("/etc/libvirt", "/var/cache/libvirt", "/var/log/libvirt", "/var/lib/libvirt"))
        script = f"""set -e
            mount -t sysfs sysfs /sys
            for d in {empty}; do mkdir -p $d; mount -t tmpfs tmpfs $d; done
            mount -t tmpfs tmpfs /run
            mkdir -p /run/libvirt /var/lib/libvirt/dnsmasq /etc/libvirt/qemu/networks/autostart
            echo '{CONF.format(dir=self.dir)}' >/etc/libvirt/libvirtd.conf
            exec libvirtd"""
        with open(self.log_path, "wb") as log:
            self.process = self.net.popen("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", "sh", "-c", script,
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.socket = os.path.join(self.dir, "libvirt-sock")
        wait_for("answer from libvirtd", self.answers, 30, 0.1)

    def answers(self):
        with open(self.log_path, encoding="utf-8") as log:
            check(self.process.poll() is None, "libvirtd ended", log.read())
        return run("virsh", "-c", f"network:///system?socket={self.socket}", "net-list", ok=None).returncode == 0


class Side:
    def __init__(self, name, socket, host, ns):
        self.name, self.dir, self.ns = name, host.dir, ns
        self.uri = f"network:///system?socket={socket}"
        self.env = {**os.environ, "HOME": host.dir, "XDG_CACHE_HOME": os.path.join(host.dir, name), "LC_ALL": "C", "TZ": "UTC"}
        self.said, self.watching, self.guest, self.error = [], [], None, None

    def virsh(self, words, env):
        done = subprocess.run(["virsh", "-c", self.uri, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=self.dir,
                              env={**self.env, **env}, timeout=30, check=False)
        return f"{done.stdout}{done.stderr}status {done.returncode}"

    def step(self, line):
        """Does one line of the script. Return: what it says."""
        if line.startswith("! "):
            run(*shlex.split(line[2:]), ns=self.ns)
            return ""
        words = shlex.split(line)
        if words[0] == "$":
            return getattr(self, "do_" + words[1].replace("-", "_"))(*words[2:]) or ""
        env = dict(word.split("=", 1) for word in itertools.takewhile(lambda word: word.startswith("EDITOR="), words))
        return self.virsh(words[len(env):], env)

    def play(self, script):
        try:
            for line in script:
                self.said.append(self.step(line))
        except Exception as error:  # the other side runs in another thread
            self.error = error

    def do_watch(self, *words):
        """net-event, from now to the end of the script."""
        command = ["virsh", "-c", self.uri, "net-event", *words, "--event", "lifecycle", "--loop"]
        self.watching.append(subprocess.Popen(command, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                              text=True))
        time.sleep(1)

    def do_watched(self):
        time.sleep(0.5)
        for process in self.watching:
            process.send_signal(signal.SIGINT)
        return "".join(process.communicate(timeout=20)[0] for process in self.watching)

    def do_guest(self, bridge):
        """Somebody's veth in the bridge, with a DHCP client."""
        self.guest = Namespace()
        run("ip", "link", "add", "veth-g", "type", "veth", "peer", "name", "eth0", "netns", self.guest.pid, ns=self.ns)
        run("ip", "link", "set", "veth-g", "master", bridge, "up", ns=self.ns)
        self.guest.run("ip", "link", "set", "eth0", "address", "52:54:00:00:00:aa", "up")
        done = self.guest.run("busybox", "udhcpc", "-i", "eth0", "-s", "/bin/true", "-f", "-q", "-n", "-t", "8", "-T", "1", "-x", "hostname:myguest", ok=None)
        check("lease of" in done.stdout + done.stderr, "udhcpc got no lease", done.stdout + done.stderr)

    def do_guest_gone(self):
        self.guest.process.kill()


# ---- what is defined ----

UUID = "6f1a2a5e-0c8b-4d55-9c2e-5a2f0f1b7c{:02x}"


def network(name, number, body="", attributes="", uuid=True):
    of_uuid = f"<uuid>{UUID.format(number)}</uuid>" if uuid else ""
    return f"<network{attributes}><name>{name}</name>{of_uuid}{body}</network>"


MAC = "<mac address='52:54:00:11:22:{:02x}'/>"
IP = "<ip address='10.{0}.0.1' netmask='255.255.255.0'>{1}</ip>"
RANGE = "<range start='10.{0}.0.10' end='10.{0}.0.99'/>"

FILES = {
    "lab": network("lab", 1, "<bridge name='br-lab' stp='off'/>" + MAC.format(1) + IP.format(71, f"<dhcp>{RANGE.format(71)}</dhcp>")),
    "lab-more": network("lab", 1, "<bridge name='br-lab' stp='off'/>" + MAC.format(1) + IP.format(71, "<dhcp>" + RANGE.format(71) +
                        "<host mac='52:54:00:00:00:02' name='two' ip='10.71.0.2'/></dhcp>")),
    "lab-other-uuid": network("lab", 99, "<bridge name='br-x'/>"),
    "lab-no-uuid": network("lab", 0, "<bridge name='br-x'/>", uuid=False),
    "lab-other-name": network("renamed", 1, "<bridge name='br-x'/>"),
    "lab-other-bridge": network("thief", 98, "<bridge name='br-lab'/>"),
    "nat": network("nat", 2, "<forward mode='nat'/>" + MAC.format(2) + IP.format(72, f"<dhcp>{RANGE.format(72)}</dhcp>")),
    "bare": "<network><name>bare</name><forward/><ip address='10.73.0.1' prefix='24'/></network>",
    "isolated": network("isolated", 4, "<bridge stp='off' delay='3'/><domain name='lab.test' localOnly='yes'/>" + MAC.format(4) + IP.format(74, "")),
    "empty": network("empty", 5),
    "foo": network("foo", 6, "<bridge name='foo%d' stp='off'/>" + MAC.format(6)),
    "route": network("route", 7, "<forward mode='route'/><bridge stp='off'/>" + MAC.format(7) + IP.format(77, "")),
    "open": network("open", 8, "<forward mode='open'/><bridge stp='off'/>" + MAC.format(8) + IP.format(78, "")),
    "bridged": network("bridged", 9, "<forward mode='bridge'/><bridge name='br-host'/>"),
    "unbridged": network("unbridged", 17, "<forward mode='bridge'/><bridge name='br-none'/>"),
    "macvtap": network("macvtap", 10, "<forward mode='bridge'><interface dev='eth7'/><interface dev='eth8'/></forward>"),
    "temp": network("temp", 11, "<bridge name='br-temp' stp='off'/>" + MAC.format(11) + IP.format(81, "")),
    "same-subnet": network("same-subnet", 12, "<bridge name='br-same' stp='off'/>" + MAC.format(12) + IP.format(71, "")),
    "taken": network("taken", 13, "<bridge name='somebody' stp='off'/>" + MAC.format(13)),
    "full": network("full", 14, """
        <metadata><app:tag xmlns:app='http://example.org/app'>x</app:tag></metadata>
        <forward mode='nat'><nat><port start='2000' end='3000'/></nat></forward>
        <bridge name='br-full' stp='off' delay='0'/><mtu size='1400'/>""" + MAC.format(14) + """<domain name='full.test'/>
        <dns enable='yes' forwardPlainNames='yes'><forwarder addr='10.9.9.9'/><txt name='t' value='v'/>
        <srv service='s' protocol='tcp' target='h' port='1' priority='2' weight='3'/>
        <host ip='10.84.0.9'><hostname>nine</hostname></host></dns>
        <ip address='10.84.0.1' prefix='24' localPtr='yes'><dhcp><range start='10.84.0.10' end='10.84.0.20'>
        <lease expiry='2' unit='hours'/></range><host mac='52:54:00:00:00:05' name='five' ip='10.84.0.5'/><bootp file='pxe' server='10.84.0.3'/></dhcp></ip>
        <ip family='ipv6' address='fd00:84::1' prefix='64'/><route address='10.85.0.0' prefix='24' gateway='10.84.0.2'/>
        <portgroup name='a' default='yes'/><portgroup name='b'/>""", " ipv6='yes'"),
    "unknown": network("unknown", 15, "<nonsense/>"),
    "not-xml": "hello",
    "cut": "<network>",
    "not-network": "<domain/>",
    "no-name": "<network/>",
    "bad-uuid": "<network><name>x</name><uuid>x</uuid></network>",
    "slash": "<network><name>a/b</name></network>",
    "no-ip": "<network><name>x</name><forward mode='nat'/></network>",
    "bad-mode": "<network><name>x</name><forward mode='x'/></network>",
    "bad-ip": "<network><name>x</name><ip address='300.1.1.1'/></network>",
    "bad-range": network("x", 97, IP.format(99, "<dhcp><range start='10.1.0.5' end='10.1.0.9'/></dhcp>")),
    "bad-mac": network("x", 97, "<mac address='hello'/>"),
    "group-mac": network("x", 97, "<mac address='01:00:00:00:00:01'/>"),
    "long-bridge": network("long-bridge", 96, "<bridge name='a-name-longer-than-15'/>"),
    "ported": network("ported", 16, "<bridge name='br-ported' stp='off'/>" + MAC.format(16)),
    "host": "<host mac='52:54:00:00:00:06' name='six' ip='10.71.0.6'/>",
    "port": f"<networkport><uuid>{UUID.format(200)}</uuid><owner><name>guest</name><uuid>{UUID.format(201)}</uuid></owner>"
            "<mac address='52:54:00:00:00:c8'/></networkport>",
}
HOST = "<host mac='52:54:00:00:00:{0:02x}' name='h{0}' ip='10.71.0.{0}'/>"
NO_UUID = "00000000-1111-4222-8333-444444444444"


def update(*words):
    return "net-update lab " + shlex.join(words)


# A line is a virsh command; "! …" is run in the side's network namespace, "$ …" on neither: it is an instruction of Side.step's.
SCRIPT = [
    # nothing there
    "net-list", "net-list --all", "net-list --inactive", "net-list --all --name", "net-list --all --uuid", "net-list --all --table",
    *(f"{c} nosuch" for c in ("net-info", "net-start", "net-destroy", "net-undefine", "net-autostart", "net-dumpxml", "net-uuid", "net-dhcp-leases",
                              "net-port-list", "net-edit", "net-name")),
    f"net-name {NO_UUID}", f"net-dumpxml {NO_UUID}", "net-update nosuch add ip-dhcp-host x", "net-event --network nosuch --event lifecycle --timeout 1", "net-event --list",
    "net-event", "net-event --event nosuch", "net-define", "net-define nosuch.xml", "net-create nosuch.xml",
    # definitions that are wrong
    *(f"{c} {f}" for f in ("not-xml", "cut", "not-network", "no-name", "bad-uuid", "slash", "no-ip", "bad-mode", "bad-ip", "bad-range", "bad-mac",
                           "group-mac") for c in ("net-define", "net-create")),
    "net-define unknown --validate", "net-create unknown --validate", "net-define not-network --validate", "net-list --all",
    # the life of a network
    "$ watch",
    "net-define lab", "net-list --all", "net-info lab", "net-dumpxml lab", "net-dumpxml lab --inactive", "net-dumpxml lab --xpath //range",
    "net-dumpxml lab --xpath //ip/@address --wrap", "net-dumpxml lab --xpath //nosuch", f"net-name {UUID.format(1)}", "net-uuid lab",
    f"net-info {UUID.format(1)}", "net-destroy lab", "net-dhcp-leases lab", "net-port-list lab", "net-define lab", "net-define lab --validate",
    "net-define lab-other-uuid", "net-define lab-no-uuid", "net-define lab-other-name", "net-define lab-other-bridge",
    "net-create lab-other-uuid", "net-create lab-no-uuid", "net-create lab-other-name", "net-create lab-other-bridge",
    "net-autostart lab", "net-autostart lab", "net-list --all --autostart", "net-list --all --no-autostart", "net-info lab", "net-dumpxml lab",
    "net-autostart lab --disable", "net-autostart lab --disable", "net-list --all --autostart",
    "net-start lab", "net-start lab", "net-list", "net-list --inactive", "net-list --all --persistent", "net-list --all --transient", "net-info lab",
    "net-dumpxml lab", "net-dumpxml lab --inactive", "net-dhcp-leases lab", "net-dhcp-leases lab 52:54:00:00:00:01", "net-dhcp-leases lab nonsense",
    "net-create lab", "net-create lab-other-name", "net-create lab-other-uuid", "net-define lab-more", "net-dumpxml lab", "net-dumpxml lab --inactive",
    "net-autostart lab", "net-undefine lab", "net-list --all", "net-info lab", "net-autostart lab", "net-undefine lab", "net-dumpxml lab",
    "net-dumpxml lab --inactive", "net-define lab", "net-list --all", "net-dumpxml lab", "net-dumpxml lab --inactive",
    "net-destroy lab", "net-destroy lab", "net-list --all", "net-create lab-more", "net-list --all", "net-dumpxml lab", "net-dumpxml lab --inactive",
    "net-destroy lab", "net-dumpxml lab",
    # transient
    "net-create temp", "$ watch --network temp", "net-create temp", "net-list --all", "net-list --transient", "net-list --persistent", "net-info temp", "net-autostart temp",
    "net-autostart temp --disable", "net-undefine temp", "net-start temp", "net-dumpxml temp", "net-dumpxml temp --inactive",
    "net-update temp add portgroup <portgroup\\ name='x'/> --config", "net-destroy temp", "net-list --all", "net-info temp",
    # parts of a network, inactive then active
    update("foo", "ip-dhcp-host", "x"), update("add", "foo", "x"), update("add", "ip-dhcp-host", "nosuch.xml"), update("add", "ip-dhcp-host", "not-xml"),
    update("add", "ip-dhcp-host", HOST.format(5)), update("add", "ip-dhcp-host", "host"), update("add-first", "ip-dhcp-host", HOST.format(4)),
    update("add-last", "ip-dhcp-host", HOST.format(7)), update("add", "ip-dhcp-host", HOST.format(5)), "net-dumpxml lab",
    update("modify", "ip-dhcp-host", HOST.format(5).replace("h5", "other")), update("modify", "ip-dhcp-host", HOST.format(40)),
    update("delete", "ip-dhcp-host", "<host mac='52:54:00:00:00:04'/>"), update("delete", "ip-dhcp-host", "<host mac='52:54:00:00:00:04'/>"),
    update("add", "ip-dhcp-host", HOST.format(9), "--live"), update("add", "ip-dhcp-host", HOST.format(9), "--live", "--config"),
    update("add", "ip-dhcp-host", HOST.format(9), "--current"), update("add", "ip-dhcp-host", HOST.format(9), "--current", "--live"),
    update("add", "ip-dhcp-host", HOST.format(9), "--config", "--parent-index", "1"), update("add", "ip-dhcp-host", "<range/>"),
    update("add", "ip-dhcp-range", "<range start='10.71.0.100' end='10.71.0.110'/>"),
    update("add", "ip-dhcp-range", "<range start='10.71.0.100' end='10.71.0.110'/>"),
    update("modify", "ip-dhcp-range", "<range start='10.71.0.100' end='10.71.0.111'/>"),
    update("delete", "ip-dhcp-range", "<range start='10.71.0.100' end='10.71.0.110'/>"),
    update("delete", "ip-dhcp-range", "<range start='10.71.0.100' end='10.71.0.110'/>"),
    update("add", "portgroup", "<portgroup name='a'/>"), update("add", "portgroup", "<portgroup name='a'/>"),
    update("modify", "portgroup", "<portgroup name='a' default='yes'/>"), update("add", "portgroup", "<portgroup name='b' default='yes'/>"),
    update("delete", "portgroup", "<portgroup name='a'/>"), update("delete", "portgroup", "<portgroup name='a'/>"),
    update("add", "dns-host", "<host ip='10.71.0.77'><hostname>x</hostname></host>"), update("add", "dns-host", "<host ip='10.71.0.77'><hostname>x</hostname></host>"),
    update("modify", "dns-host", "<host ip='10.71.0.77'><hostname>x</hostname></host>"), update("delete", "dns-host", "<host ip='10.71.0.77'/>"),
    update("delete", "dns-host", "<host ip='10.71.0.77'/>"),
    update("add", "dns-txt", "<txt name='a' value='b'/>"), update("add", "dns-txt", "<txt name='a' value='b'/>"),
    update("modify", "dns-txt", "<txt name='a' value='b'/>"), update("delete", "dns-txt", "<txt name='a'/>"), update("delete", "dns-txt", "<txt name='a'/>"),
    update("add", "dns-srv", "<srv service='a' protocol='tcp'/>"), update("add", "dns-srv", "<srv service='a' protocol='tcp'/>"),
    update("modify", "dns-srv", "<srv service='a' protocol='tcp'/>"), update("delete", "dns-srv", "<srv service='a' protocol='tcp'/>"),
    update("delete", "dns-srv", "<srv service='a' protocol='tcp'/>"),
    *(update(c, "forward-interface", "<interface dev='eth9'/>") for c in ("add", "modify", "delete")),
    *(update("add", s, f"<{s}/>") for s in ("bridge", "domain", "ip", "forward", "forward-pf")),
    "net-dumpxml lab",
    "net-start lab", update("add", "ip-dhcp-host", HOST.format(30)), "net-dumpxml lab", "net-dumpxml lab --inactive",
    update("add", "ip-dhcp-host", HOST.format(31), "--live"), update("add", "ip-dhcp-host", HOST.format(32), "--config"),
    update("add", "ip-dhcp-host", HOST.format(33), "--live", "--config"), update("add", "ip-dhcp-host", HOST.format(31), "--live", "--config"),
    update("delete", "ip-dhcp-host", HOST.format(32), "--live", "--config"), update("delete", "ip-dhcp-host", HOST.format(33), "--live", "--config"),
    update("add", "dns-host", "<host ip='10.71.0.77'><hostname>x</hostname></host>", "--live"), update("add", "domain", "<domain name='x'/>", "--live"),
    update("add", "ip-dhcp-range", "<range start='10.71.0.100' end='10.71.0.110'/>", "--live"),
    "net-dumpxml lab", "net-dumpxml lab --inactive",
    # an editor
    "EDITOR=true net-edit lab", "EDITOR='sed -i s/10.71.0.99/10.71.0.98/' net-edit lab", "net-dumpxml lab --inactive", "net-dumpxml lab",
    "EDITOR='sed -i s/10.71.0.98/10.99.0.98/' net-edit lab", "EDITOR='sed -i s/name.lab/name>bal/' net-edit lab", "EDITOR=false net-edit lab",
    "$ watched",
    # leases
    update("add", "ip-dhcp-host", "<host mac='52:54:00:00:00:aa' ip='10.71.0.170'/>"),
    "$ guest br-lab", "net-dhcp-leases lab", "net-dhcp-leases lab 52:54:00:00:00:aa", "net-dhcp-leases lab 52:54:00:00:00:bb", "$ guest-gone",
    # ports
    "net-define ported", "net-port-create ported port", "net-start ported", "net-port-list ported", "net-port-list ported --uuid",
    f"net-port-dumpxml ported {UUID.format(200)}", f"net-port-delete ported {UUID.format(200)}", "net-port-create ported port",
    "net-port-create ported port", "net-port-list ported", "net-port-list ported --uuid", f"net-port-dumpxml ported {UUID.format(200)}",
    "net-info ported", "net-dumpxml ported", "net-dumpxml ported --inactive", f"net-port-delete ported {UUID.format(200)}",
    f"net-port-delete ported {UUID.format(200)}", "net-port-list ported", "net-port-create ported port", "net-destroy ported",
    "net-port-list ported", "net-undefine ported",
    # what starts and what does not
    "net-define same-subnet", "net-start same-subnet", "net-create same-subnet", "net-undefine same-subnet", "net-create same-subnet", "net-list --all",
    "! ip link add somebody type bridge", "net-define taken", "net-start taken", "net-dumpxml taken", "net-undefine taken",
    "net-define long-bridge", "net-start long-bridge", "net-undefine long-bridge",
    "net-destroy lab",
    "net-define unbridged", "net-start unbridged", "net-destroy unbridged", "net-undefine unbridged",
    "! ip link add br-host type bridge", "! ip link add eth7 type veth peer name eth8",
    # every mode, with as little said as can be
    *(f"{c} {n}" for n in ("nat", "bare", "isolated", "empty", "foo", "route", "open", "bridged", "macvtap", "full", "unknown")
      for c in ("net-define", "net-dumpxml", "net-info")),
    "net-list --all", "net-list --all --name",
    *(f"{c} {n}" for n in ("nat", "bare", "isolated", "empty", "foo", "route", "open", "bridged", "macvtap", "full", "unknown")
      for c in ("net-start", "net-dumpxml", "net-dumpxml --inactive", "net-info", "net-dhcp-leases", "net-destroy")),
    "net-list --all",
    *(f"net-undefine {n}" for n in ("nat", "bare", "isolated", "empty", "foo", "route", "open", "bridged", "macvtap", "full", "unknown", "lab")),
    "net-list --all",
    # commands this virsh has or has not
    "net-desc lab", "net-metadata lab http://example.org", "version", "hostname", "list --all", "pool-list --all", "nwfilter-list", "iface-list",
    "nodedev-list", "secret-list", "capabilities", "nodeinfo", "sysinfo", "domcapabilities", "iface-begin",
]


# ---- what differs, and why ----


class Line:
    """A line of libvirtd's that is another of netd's, wherever it comes: theirs is a pattern, ours what netd has in its place (None: no line)."""

    def __init__(self, theirs, ours, reason):
        self.theirs, self.ours, self.reason, self.used = re.compile(theirs), ours, reason, False

    def translate(self, line):
        return self.theirs.sub(self.ours, line)


class Answer:
    """What one command says, as a whole: a pattern for each side."""

    def __init__(self, command, ours, theirs, reason):
        self.command, self.ours, self.theirs = re.compile(command), re.compile(ours, re.S), re.compile(theirs, re.S)
        self.reason, self.used = reason, False

    def fits(self, command, ours, theirs):
        return self.command.fullmatch(command) and self.ours.search(ours) and self.theirs.search(theirs)


STP = "the spanning tree is off unless asked for: with one bridge and its guests it only delays them"
PORTS = "netd does not rewrite the source ports of a masquerade to 1024-65535, so it does not say so"
DOMAINS = "clients that count domains and pools to see whether a connection lives are told that there are none"
SUBNET = "a subnet that is taken: netd says which, by what, and what to do"
LONG = "a bridge name the kernel would not take is refused at once, not by the first start"
BRIDGE = "a network on a bridge of the host's that is not there does not start; with libvirtd its guests do not"
CREATE_FAILS = "a definition whose start by net-create fails is kept; libvirtd forgets it until its next start, and leaves its file"
PICTURE = "XML that is not well-formed: the same words and line, without a picture of the place"
SCHEMA = "--validate: netd's own words; it has no schema file"

DIFFERENCES = [
    Line(r"^(  <bridge .*stp=)'on'", r"\1'off'", STP),
    Answer(r"net-(define|create) (not-xml|cut)", r"error: \(network_definition\):1: (Start tag|Premature end)", r"error: \(network_definition\):1: (Start tag|Premature end)",
           PICTURE),
    Answer(r"net-update lab add ip-dhcp-host not-xml", r"Start tag expected", r"Start tag expected", PICTURE),
    Answer(r"net-(define|create) unknown --validate", r"failed to validate against schema: line 1: <nonsense>", r"failed to validate against schema", SCHEMA),
    Answer(r"net-update lab add forward-interface .*", r"forward dev not allowed for network 'lab' with forward mode='none'", r"Updated network lab",
           "an interface to forward to is refused in a network that forwards nothing, as it would be in its definition"),
    Answer(r"net-(start|create) same-subnet", r"subnet 10.71.0.0/24 is already in use by interface br-lab", r"Network is already in use by interface br-lab",
           SUBNET),
    Answer(r"net-undefine same-subnet", r"has been undefined", r"no network with matching name", CREATE_FAILS),
    Answer(r"net-start taken", r"there is a link of this name that is not netd's", r"error creating bridge interface somebody: File exists",
           "a link that has the bridge's name: netd says what is in its way"),
    Answer(r"net-define long-bridge", r"is not an interface name", r"defined", LONG),
    Answer(r"net-(start|undefine) long-bridge", r"no network with matching name", r"long-bridge", LONG),
    Answer(r"net-start unbridged", r"operation failed: bridge 'br-none' is not there", r"started", BRIDGE),
    Answer(r"net-destroy unbridged", r"network 'unbridged' is not active", r"destroyed", BRIDGE),
    Answer(r"list --all", r"Id +Name +State", r"virConnectNumOfDomains", DOMAINS),
    Answer(r"pool-list --all", r"Name +State", r"virConnectNumOfStoragePools", DOMAINS),
]
# In place of several lines of libvirtd's.
LIVE_PORTS = re.compile(r"<forward mode='nat'>\n    <nat>\n      <port start='1024' end='65535'/>\n    </nat>\n  </forward>")

GIVEN = "".join(FILES.values()) + "".join(SCRIPT)
UNKNOWN = [
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b"), "<mac>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b"), "<time>"),
    (re.compile(r"/tmp/virsh\w+\.xml"), "<file>"),
]


def normal(text):
    for pattern, word in UNKNOWN:
        text = pattern.sub(lambda found, word=word: found.group() if found.group() in GIVEN else word, text)
    return text


def subject(command):
    """The network a command is about: its first word that is one of FILES."""
    return next((word for word in shlex.split(command)[1:] if word in FILES), None)


class Comparison:
    def __init__(self):
        self.bad, self.reasons, self.not_yet, self.met_ports = [], {}, set(), False

    def differ(self, command, reason):
        self.reasons.setdefault(shlex.split(command)[0], set()).add(reason)

    def lines(self, command, ours, theirs):
        """Whether the texts are the same but for lines that may differ."""
        have, want = ours.split("\n"), theirs.split("\n")
        if len(have) != len(want):
            return False
        used = []
        for mine, line in zip(have, want):
            allowed = next((d for d in DIFFERENCES if isinstance(d, Line) and mine != line and d.translate(line) == mine), None)
            if mine != line and not allowed:
                return False
            used += [allowed] if allowed else []
        for difference in used:
            difference.used = True
            self.differ(command, difference.reason)
        return True

    def compare(self, command, ours, theirs):
        name = subject(command)
        if "not supported by this netd yet" in ours:
            self.not_yet.add(name)
        if ours == theirs or name in self.not_yet:
            return
        if LIVE_PORTS.search(theirs):
            theirs = LIVE_PORTS.sub("<forward mode='nat'/>", theirs)
            self.met_ports = True
            self.differ(command, PORTS)
        if self.lines(command, ours, theirs):
            return
        answer = next((d for d in DIFFERENCES if isinstance(d, Answer) and d.fits(command, ours, theirs)), None)
        if answer:
            answer.used = True
            self.differ(command, answer.reason)
        else:
            self.bad.append(f"--- {command}\n--- netd:\n{ours}\n--- libvirtd:\n{theirs}")


# ---- docs/libvirt.md ----

NEWER = ("net-desc lab", "net-metadata lab http://example.org")  # this virsh does not know them
DOC = os.path.join(SOURCE, "docs", "libvirt.md")
BEGIN, END = "<!-- made by tests/e2e/test_compare.py -->\n", "<!-- end -->\n"


def table(reasons):
    names = sorted({shlex.split(line)[0] for line in SCRIPT if line.startswith("net-") and line not in NEWER})
    rows = [f"| `{name}` | {'; '.join(sorted(reasons.get(name, ()))) or 'the same'} |\n" for name in names]
    return "| virsh | compared with libvirtd |\n|---|---|\n" + "".join(rows)


def check_doc(reasons):
    with open(DOC, encoding="utf-8") as file:
        text = file.read()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    want = before + BEGIN + table(reasons) + END + after
    if os.environ.get("NETD_UPDATE_DOCS"):
        with open(DOC, "w", encoding="utf-8") as file:
            file.write(want)
    else:
        check(text == want, "docs/libvirt.md is not what was compared: run this test with NETD_UPDATE_DOCS=1", want)


def both(host):
    """netd and libvirtd, in this order."""
    theirs = Libvirtd(host)
    folder = os.path.join(host.dir, "libvirt")
    host.netd(options=["--libvirt-socket-dir", folder])
    return [Side("netd", os.path.join(folder, "virtnetworkd-sock"), host, os.getpid()), Side("libvirtd", theirs.socket, host, theirs.net.pid)]


@test
def compare(host):
    for name, text in FILES.items():
        with open(os.path.join(host.dir, name), "w", encoding="utf-8") as file:
            file.write(text)
    sides = both(host)
    threads = [threading.Thread(target=side.play, args=(SCRIPT,)) for side in sides]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for side in sides:
        check(side.error is None, f"{side.name}, after {len(side.said)} of {len(SCRIPT)} lines: {side.error!r}")
    found = Comparison()
    for line, *said in zip(SCRIPT, *(side.said for side in sides)):
        found.compare(line, *map(normal, said))
    print(f"not in force yet, so not compared from their start on: {' '.join(sorted(found.not_yet)) or 'none'}")
    check(not found.bad, f"{len(found.bad)} of {len(SCRIPT)} lines differ:", "\n".join(found.bad))
    unused = [d.reason for d in DIFFERENCES if not d.used] + ([] if found.met_ports else [PORTS])
    same(unused, [], "differences that are none any more")
    check_doc(found.reasons)


# ---- how wrong definitions are refused ----

# Both refuse, in words of their own; libvirtd 9.0 names the wrong address in the last two.
OWN_WORDS = re.compile(r"No family specified for non-IPv4 gateway|IPv4 family specified for non-IPv4 gateway")


def wrong_documents():
    """Those of tests/netd/test_xml_oracle.c, which compares the words and what is accepted; here it is the kind of error before the words."""
    tests_dir = os.path.join(SOURCE, "tests", "netd")
    with open(os.path.join(tests_dir, "test_xml_oracle.c"), encoding="utf-8") as file:
        macros = "".join(line for line in file if line.startswith("#define"))
    source = f'{macros}#include "{tests_dir}/xml-oracle-docs.h"\n'
    text = run("cc", "-E", "-P", "-", stdin=source).stdout
    for row in re.findall(r'\{((?:"(?:[^"\\]|\\.)*"|[^{}"])*)\},', text):
        if re.search(r"\b(WORDS|STRICTER)\b", row):
            continue
        fields = [[]]
        for comma, string in re.findall(r'(,)|"((?:[^"\\]|\\.)*)"', row):
            if comma:
                fields.append([])
            else:
                fields[-1].append(string.encode().decode("unicode_escape"))
        body, attributes = ["".join(field) for field in fields + [[]]][:2]
        yield f"<network {attributes}><name>n</name><uuid>{UUID.format(1)}</uuid>{body}</network>"


def refusals(side, paths):
    """By one virsh: what it says why, None where it accepts."""
    script = "".join(f"echo MARK\nnet-define {path}\nnet-undefine n\n" for path in paths)
    done = subprocess.run(["virsh", "-q", "-c", side.uri], input=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=side.env, timeout=60, check=False)
    answers = done.stdout.split("MARK\n")[1:]
    same(len(answers), len(paths), f"answers of {side.name}")
    return [re.search(r"Failed to define network.*\nerror: (.*)", answer) for answer in answers]


@test
def refused_definitions(host):
    documents, paths, bad = list(wrong_documents()), [], []
    check(len(documents) > 200, f"only {len(documents)} documents were found")
    for i, document in enumerate(documents):
        paths.append(os.path.join(host.dir, f"document-{i}"))
        with open(paths[-1], "w", encoding="utf-8") as file:
            file.write(document)
    for document, ours, theirs in zip(documents, *(refusals(side, paths) for side in both(host))):
        if ours and theirs and ours[1] != theirs[1] and not OWN_WORDS.search(ours[1]):
            bad.append(f"{document}\n    netd:     {ours[1]}\n    libvirtd: {theirs[1]}")
    check(not bad, f"{len(bad)} of {len(documents)} are refused differently:", *bad)


VERSION = "9.0."  # newer ones have other texts, and their own idea of a firewall
if sys.argv[1:2] != ["--inside"] and shutil.which("libvirtd"):
    have = run("libvirtd", "--version").stdout.split()[-1]
    if not have.startswith(VERSION):
        print(f"not run: libvirtd is {have}; what is compared here are the texts of {VERSION}x")
        sys.exit(77)
main()
