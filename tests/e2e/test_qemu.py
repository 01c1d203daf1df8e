# SPDX-License-Identifier: GPL-2.0-or-later
"""A real guest: QEMU with Debian's kernel, its network card on a TAP that netd opened."""
import os
import re
import subprocess
import time

from lib import GUEST, HELPER, NETDCTL, check, contains, links, main, run, same, test, wait_for

BOOT_S = 40  # without KVM, on a machine that is busy with other tests


class Machine:
    def __init__(self, host, script, before=(), netdev=None, devices=()):
        self.dir = os.path.join(host.dir, f"machine{len(host.guests)}")
        host.guests.append(self)
        os.mkdir(self.dir)
        self.serial, self.log = os.path.join(self.dir, "serial"), os.path.join(self.dir, "log")
        with open(os.path.join(self.dir, "script"), "w", encoding="ascii") as file:
            file.write(script)
        initrd = os.path.join(self.dir, "initrd")
        run(GUEST, "initrd", file.name, initrd, timeout=300)
        args = run(GUEST, "args", timeout=300).stdout.splitlines()
        with open(self.log, "w", encoding="ascii") as log:
            self.process = subprocess.Popen(
                [*before, "qemu-system-x86_64", *args, "-initrd", initrd, "-serial", f"file:{self.serial}", "-netdev", netdev, *devices],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def said(self, word):
        if not os.path.exists(self.serial):
            return None
        with open(self.serial, encoding="utf-8", errors="replace") as file:
            found = re.findall(rf"^@@{word} ?(.*?)\r?$", file.read(), re.M)
        return found[-1] if found else None

    def mark(self, word, seconds=BOOT_S):
        end = time.monotonic() + seconds
        while self.said(word) is None:
            if self.process.poll() is not None and self.said(word) is None or time.monotonic() > end:
                with open(self.log, encoding="utf-8") as log:
                    check(False, f"the guest did not get to '{word}' (QEMU's status {self.process.poll()})", log.read())
            time.sleep(0.05)
        return self.said(word)


def by_exec(netd, network="default,name=vm"):
    return [NETDCTL, "--socket", netd.socket, "exec", "--network", network, "--"]


@test
def guest_on_the_default_network(host):
    """Lease, gateway, a page through NAT, a restart of the daemon under a running guest."""
    outside = host.outside()
    os.makedirs(os.path.join(host.dir, "www"))
    with open(os.path.join(host.dir, "www", "index.html"), "w", encoding="ascii") as file:
        file.write("hello\n")
    web = outside.popen("busybox", "httpd", "-f", "-vv", "-p", f"{outside.address}:80", "-h", os.path.join(host.dir, "www"),
                        stderr=subprocess.PIPE, text=True)
    netd = host.netd_default()
    before = set(links())
    machine = Machine(host, f"""
        dhcp || exit
        mark gateway "$(ping -c 3 -i 0.2 -W 2 192.168.122.1 | grep transmitted)"
        mark page "$(wget -q -O - http://{outside.address}/index.html)"
        mark pinging
        mark pinged "$(ping -c 60 -i 0.1 -W 2 {outside.address} | grep transmitted)"
        """, by_exec(netd), "tap,id=n0,fd=%{fd}", ["-device", "virtio-net-pci,netdev=n0,mac=%{mac},romfile="])
    lease = dict(w.partition("=")[::2] for w in machine.mark("lease").split())
    row = netd.leases("default")[0]
    same((row["address"], row["mac"]), (lease["ip"], netd.ports()[0]["mac"]), "netd's and the guest's view of the lease")
    contains(machine.mark("gateway"), "3 packets received", "pings of the gateway")
    same(machine.mark("page"), "hello", "the page")
    contains(web.stderr.readline(), outside.sees, "whom the web server saw")
    machine.mark("pinging")
    time.sleep(1)
    netd.kill()
    time.sleep(1)
    netd.start()
    contains(machine.mark("pinged"), "60 packets transmitted, 60 packets received", "pings during the restart")
    machine.mark("end")
    same(machine.process.wait(20), 0, "QEMU's status")
    wait_for("end of the port", lambda: not netd.ports())
    netd.ctl("net-destroy", "default")
    wait_for("end of the links", lambda: set(links()) == before)
    web.kill()


@test
def two_guests_reach_each_other(host):
    netd = host.netd_default()
    device = ["-device", "virtio-net-pci,netdev=n0,mac=%{mac},romfile="]
    listener = Machine(host, "dhcp || exit\nmark ready\nsleep 60", by_exec(netd, "default,name=a"), "tap,id=n0,fd=%{fd}", device)
    address = dict(w.partition("=")[::2] for w in listener.mark("lease").split())["ip"]
    caller = Machine(host, f'dhcp || exit\nmark pinged "$(ping -c 5 -i 0.2 -W 2 {address} | grep transmitted)"',
                     by_exec(netd, "default,name=b"), "tap,id=n0,fd=%{fd}", device)
    contains(caller.mark("pinged"), "5 packets received", "pings between guests")
    listener.process.kill()
    listener.process.wait()
    wait_for("end of both ports", lambda: not netd.ports(), 20)


@test
def several_queues(host):
    netd = host.netd_default()
    machine = Machine(host, "dhcp || exit", by_exec(netd, "default,queues=2"), "tap,id=n0,fds=%{fds:}",
                      ["-device", "virtio-net-pci,netdev=n0,mq=on,vectors=6,mac=%{mac},romfile="])
    machine.mark("lease")
    same(machine.process.wait(20), 0, "QEMU's status")


def by_helper(host, words):
    netd = host.netd_default()
    os.environ["NETD_SOCKET"] = netd.socket
    machine = Machine(host, "dhcp || exit", netdev=f"bridge,id=n0,br=default,helper={HELPER}{words}",
                      devices=["-device", "virtio-net-pci,netdev=n0,mac=52:54:00:aa:bb:cc,romfile="])
    machine.mark("lease")
    same(netd.leases("default")[0]["mac"], "52:54:00:aa:bb:cc", "the lease's MAC")
    same(machine.process.wait(20), 0, "QEMU's status")
    wait_for("end of the port", lambda: not netd.ports())


@test
def by_the_bridge_helper(host):
    """QEMU's own protocol: -netdev bridge,helper=. QEMU does not tell its helper the guest's MAC."""
    by_helper(host, "")


@test
def by_the_bridge_helper_with_words(host):
    """With a blank in it QEMU gives the helper to a shell: words of the user's go before QEMU's own."""
    by_helper(host, " --mac=52:54:00:aa:bb:cc --port=vm1")


main()
