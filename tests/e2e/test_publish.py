# SPDX-License-Identifier: GPL-2.0-or-later
"""netd's networks published to a monolithic libvirtd: a real one, with /run, /var/lib and /etc of its own."""
import json
import os
import signal
import subprocess

from lib import NETDCTL, Failed, check, contains, main, run, same, test, wait_for

URI = "network:///system?socket=/run/libvirt/libvirt-sock" # a libvirtd without QEMU has its network driver all the same
CONF = 'auth_unix_rw = "none"\nauth_unix_ro = "none"\nunix_sock_group = "root"\n'
LAB = """<network><name>{name}</name><forward mode='nat'/><bridge name='{bridge}'/>
<ip address='10.66.0.1' prefix='24'><dhcp><range start='10.66.0.10' end='10.66.0.20'/></dhcp></ip></network>"""


class Libvirtd:
    def __init__(self, host):
        for path in ("/run", "/var/lib", "/etc/libvirt", "/var/cache/libvirt", "/var/log/libvirt"):
            os.makedirs(path, exist_ok=True)
            run("mount", "-t", "tmpfs", "tmpfs", path)
        for path in ("/run/libvirt", "/var/lib/libvirt/dnsmasq", "/etc/libvirt/qemu/networks/autostart"):
            os.makedirs(path)
        with open("/etc/libvirt/libvirtd.conf", "w", encoding="utf-8") as file:
            file.write(CONF)
        self.log = os.path.join(host.dir, "libvirtd.log")
        self.process = None
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(["libvirtd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for("answer from libvirtd", self.answers, 30, 0.1)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)

    def answers(self):
        if self.process.poll() is not None:
            with open(self.log, encoding="utf-8", errors="replace") as log:
                raise Failed("libvirtd ended: " + log.read()[-1000:])
        return self.virsh("net-list", ok=None).returncode == 0

    def virsh(self, *words, **kw):
        return run("virsh", "-q", "-c", URI, *words, env={"LC_ALL": "C", "HOME": "/run"}, **kw)

    def networks(self):
        """name: (active, autostart)"""
        rows = [line.split() for line in self.virsh("net-list", "--all").stdout.splitlines() if line.strip()]
        return {row[0]: (row[1] == "active", row[2] == "yes") for row in rows}

    def xml(self, name):
        return self.virsh("net-dumpxml", "--inactive", name).stdout


class Watch:
    """libvirt-publish --watch, and what it says."""

    def __init__(self, host, netd, name):
        self.path = os.path.join(host.dir, "watch")
        with open(self.path, "w", encoding="utf-8") as out:
            self.process = subprocess.Popen([NETDCTL, "--socket", netd.socket, "--json", "libvirt-publish", name, "--connect", URI, "--watch"],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={**os.environ, "HOME": "/run"})

    def said(self):
        with open(self.path, encoding="utf-8") as file:
            return file.read()

    def states(self):
        return [(line["state"], line["bridge"]) for line in map(json.loads, (x for x in self.said().splitlines() if x.startswith("{")))]

    def wait(self, *states):
        try:
            wait_for(f"states {states}", lambda: self.states() == list(states), 15, 0.02)
        except Failed as error:
            raise Failed(f"{error}; said: {self.said()}") from None

    def end(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        same(self.process.wait(timeout=15), 0, f"status after signal {sig}")


def define(host, netd, name="lab", bridge="br-lab"):
    path = os.path.join(host.dir, f"{name}.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(LAB.format(name=name, bridge=bridge))
    netd.ctl("net-define", path)


def publish(netd, *words, **kw):
    return netd.ctl("libvirt-publish", "lab", "--connect", URI, *words, **kw)


@test
def publish_and_remove(host):
    libvirtd, netd = Libvirtd(host), host.netd()
    define(host, netd)
    contains(publish(netd, ok=False).stderr, "network 'lab' is not active", "an inactive network")
    netd.ctl("net-start", "lab")
    contains(publish(netd).stdout, "Network lab published to network:///system", "publish")
    same(libvirtd.networks(), {"lab": (True, True)}, "libvirt's networks")
    contains(libvirtd.xml("lab"), ["<forward mode='bridge'/>", "<bridge name='br-lab'/>", "urn:netd:libvirt-publish:1"], "its XML")
    contains(publish(netd).stdout, "was published", "again")
    libvirtd.virsh("net-destroy", "lab")
    libvirtd.virsh("net-autostart", "lab", "--disable")
    contains(publish(netd).stdout, "Network lab published to", "after it was stopped there")
    same(libvirtd.networks(), {"lab": (True, True)}, "libvirt's networks")
    # Another network under the name: another UUID there and another bridge.
    netd.ctl("net-destroy", "lab")
    netd.ctl("net-undefine", "lab")
    define(host, netd, bridge="br-lab2")
    netd.ctl("net-start", "lab")
    contains(publish(netd).stdout, "Network lab published to", "another network of the name")
    contains(libvirtd.xml("lab"), "<bridge name='br-lab2'/>", "its XML")
    contains(libvirtd.virsh("net-dumpxml", "lab").stdout, "<bridge name='br-lab2'/>", "the live XML")
    contains(publish(netd, "--remove").stdout, "Network lab removed from", "remove")
    same(libvirtd.networks(), {}, "libvirt's networks")
    contains(publish(netd, "--remove").stdout, "was removed", "again")


@test
def somebody_elses_network(host):
    libvirtd, netd = Libvirtd(host), host.netd()
    define(host, netd)
    netd.ctl("net-start", "lab")
    path = os.path.join(host.dir, "theirs.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("<network><name>lab</name><forward mode='bridge'/><bridge name='br-lab'/></network>")
    libvirtd.virsh("net-define", path)
    before = libvirtd.xml("lab")
    for words in ((), ("--remove",), ("--watch",)):
        done = publish(netd, *words, ok=False)
        same(done.returncode, 5, f"status of {words}")
        contains(done.stderr, "which netdctl did not make", f"{words}")
    same(libvirtd.xml("lab"), before, "its XML")
    same(libvirtd.networks(), {"lab": (False, False)}, "libvirt's networks")
    libvirtd.stop()
    done = publish(netd, ok=False)
    contains(done.stderr, ["error: Failed to publish network lab: libvirt at network:", "failed to connect"], "without a libvirtd")


@test
def watch(host):
    libvirtd, netd = Libvirtd(host), host.netd()
    define(host, netd)
    netd.ctl("net-start", "lab")
    seen = [("published", "br-lab")]
    lab = Watch(host, netd, "lab")
    lab.wait(*seen)
    netd.ctl("net-destroy", "lab")
    seen.append(("stopped", "br-lab"))
    lab.wait(*seen)
    same(libvirtd.networks(), {"lab": (False, True)}, "stopped there")
    netd.ctl("net-start", "lab")
    seen.append(("published", "br-lab"))
    lab.wait(*seen)
    same(libvirtd.networks(), {"lab": (True, True)}, "started there")
    define(host, netd, name="other", bridge="br-other") # nobody's business
    # libvirtd is away for a while: told once. What it missed it gets, here a network's start.
    netd.ctl("net-destroy", "lab")
    seen.append(("stopped", "br-lab"))
    lab.wait(*seen)
    libvirtd.stop()
    netd.ctl("net-start", "lab")
    wait_for("warning", lambda: "warning: libvirt at network:" in lab.said(), 10)
    libvirtd.start()
    seen.append(("published", "br-lab"))
    lab.wait(*seen)
    same(libvirtd.networks(), {"lab": (True, True)}, "started there")
    same(lab.said().count("warning:"), 1, "warnings")
    # And netd.
    netd.stop()
    wait_for("warning", lambda: lab.said().count("warning:") == 2, 10)
    netd.start()
    netd.ctl("net-destroy", "lab")
    netd.ctl("net-undefine", "lab")
    wait_for("removal", lambda: lab.states()[-1] == ("removed", ""), 15)
    same(libvirtd.networks(), {}, "libvirt's networks")
    define(host, netd, bridge="br-new")
    netd.ctl("net-start", "lab")
    wait_for("published anew", lambda: lab.states()[-1] == ("published", "br-new"), 15)
    check(libvirtd.networks()["lab"] == (True, True), "not started there")
    lab.end()
    same(libvirtd.networks(), {"lab": (True, True)}, "what was published stays")


main()
