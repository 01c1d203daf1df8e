# SPDX-License-Identifier: GPL-2.0-or-later
"""DHCP, as real clients see it: udhcpc and dhclient, on TAPs of netd's and on ports that somebody else put into the bridge."""
import os
import re
import signal
import subprocess

from lib import HERE, Guest, check, contains, lease_lines, main, run, same, test, udhcpc, wait_for


def network(name, subnet, more=""):
    return f"""
<network xmlns:netd='urn:netd:network:1'>
  <name>{name}</name>
  <forward mode='nat'/>
  <mtu size='1400'/>
  <domain name='{name}.example'/>
  <ip address='{subnet}.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='{subnet}.100' end='{subnet}.199'><lease expiry='10' unit='minutes'/></range>
      <host mac='52:54:00:77:00:01' name='fixed' ip='{subnet}.50'/>{more}
    </dhcp>
  </ip>
  <netd:autostart mode='on-attach'/>
</network>
"""


def lab(host, **kw):
    netd = host.netd(**kw)
    netd.define(network("lab", "10.77.0"))
    return netd


def listed(netd, name, address):
    return next((r for r in netd.leases(name) if r["address"] == address), None)


class Dhclient:
    """ISC's client in a guest, with a lease file that stays."""

    def __init__(self, guest, leases):
        self.guest, self.leases, self.log = guest, leases, guest.log + ".dhclient"
        self.conf = self.log + ".conf"
        with open(self.conf, "w", encoding="ascii") as file:
            file.write("request subnet-mask, broadcast-address, routers, domain-name, domain-name-servers, interface-mtu;\n")

    def run(self, *words, timeout=40):
        return self.guest.run("dhclient", "-4", "-v", "-sf", os.path.join(HERE, "on-dhclient"), "-lf", self.leases, "-pf", self.log + ".pid",
                              "-cf", self.conf, "-e", "LEASE_LOG=" + self.log, *words, "eth0", timeout=timeout, ok=None)

    def last(self):
        return lease_lines(self.log)[-1]


@test
def what_a_lease_says(host):
    netd = lab(host)
    guest = Guest(netd, "lab")
    lease = guest.dhcp("-O", "mtu")
    check(re.fullmatch(r"10\.77\.0\.1\d\d", lease["ip"]), "not an address of the range", lease)
    same({k: lease[k] for k in ("prefix", "router", "domain", "mtu", "lease", "server", "broadcast")},
         {"prefix": "24", "router": "10.77.0.1", "domain": "lab.example", "mtu": "1400", "lease": "600", "server": "10.77.0.1",
          "broadcast": "10.77.0.255"}, "the lease")
    guest.ping("10.77.0.1")
    row = listed(netd, "lab", lease["ip"])
    same((row["mac"], row["port"], row["state"]), (guest.mac, guest.port["uuid"], "bound"), "the listed lease")
    same(netd.ports("lab")[0]["address"], lease["ip"], "the port's address")


@test
def reserved_address(host):
    netd = lab(host)
    guest = Guest(netd, "lab", ",mac=52:54:00:77:00:01")
    lease = guest.dhcp("-O", "hostname")
    same((lease["ip"], lease["hostname"]), ("10.77.0.50", "fixed"), "the reservation")
    other = Guest(netd, "lab")
    check(other.dhcp("-r", "10.77.0.50")["ip"] != "10.77.0.50", "another guest got the reserved address by asking for it")


@test
def renew_and_release(host):
    netd = lab(host)
    events = netd.events()
    guest = Guest(netd, "lab")
    path = guest.log + ".leases"
    client = guest.popen("busybox", "udhcpc", "-i", "eth0", "-s", os.path.join(HERE, "on-lease"), "-f", "-t", "6", "-T", "1",
                         env={**os.environ, "LEASE_LOG": path}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    bound = wait_for("lease", lambda: [r for r in lease_lines(path) if r["what"] == "bound"])[0]
    expiry = listed(netd, "lab", bound["ip"])["expiry"]
    wait_for("a later second", lambda: int(run("date", "+%s").stdout) > expiry - 600 + 1)
    client.send_signal(signal.SIGUSR1)
    renewed = wait_for("renewal", lambda: [r for r in lease_lines(path) if r["what"] == "renew"])[0]
    same(renewed["ip"], bound["ip"], "the address after the renewal")
    events.wait("lease-renewed", bound["ip"])
    check(listed(netd, "lab", bound["ip"])["expiry"] > expiry, "the renewal did not move the end of the lease")
    client.send_signal(signal.SIGUSR2)
    events.wait("lease-released", bound["ip"])
    wait_for("end of the lease", lambda: not listed(netd, "lab", bound["ip"]))
    client.kill()


@test
def dhclient_renews_reboots_releases(host):
    netd = lab(host)
    events = netd.events()
    guest = Guest(netd, "lab")
    client = Dhclient(guest, os.path.join(host.dir, "dhclient.leases"))
    client.run("-1")
    bound = client.last()
    same(bound["what"], "BOUND", "dhclient's state")
    same((bound["mask"], bound["domain"], bound["mtu"]), ("255.255.255.0", "lab.example", "1400"), "the lease")
    guest.ping("10.77.0.1")
    client.run("-x")
    done = client.run("-1")  # it knows a lease: INIT-REBOOT
    same((client.last()["what"], client.last()["ip"]), ("REBOOT", bound["ip"]), "after a reboot")
    check("DHCPDISCOVER" not in done.stderr, "INIT-REBOOT went through DISCOVER", done.stderr)
    client.run("-r")
    events.wait("lease-released", bound["ip"])


@test
def nak_after_a_move(host):
    netd = lab(host)
    netd.define(network("other", "10.78.0").replace("52:54:00:77:00:01", "52:54:00:78:00:01"))
    leases = os.path.join(host.dir, "dhclient.leases")
    guest = Guest(netd, "lab", ",mac=52:54:00:12:34:56")
    client = Dhclient(guest, leases)
    client.run("-1")
    check(client.last()["ip"].startswith("10.77.0."), "no lease of lab", client.last())
    client.run("-x")
    guest.kill()
    moved = Guest(netd, "other", ",mac=52:54:00:12:34:56")
    client = Dhclient(moved, leases)
    done = client.run("-1")
    contains(done.stderr, "DHCPNAK", "what the moved client was told")
    check(client.last()["ip"].startswith("10.78.0."), "no lease of the other network", client.last())
    client.run("-x")


@test
def foreign_port(host):
    """Whatever is in the bridge is served, by its MAC."""
    netd = lab(host)
    netd.ctl("net-start", "lab")
    stranger = host.stranger(netd.network("lab")["bridge"])
    lease = udhcpc(stranger.pid, stranger.log)
    row = listed(netd, "lab", lease["ip"])
    same((row["mac"], row.get("port")), (ip_mac(stranger), None), "the listed lease")
    stranger.run("ping", "-n", "-c", 1, "-W", 2, "10.77.0.1")
    same(udhcpc(stranger.pid, stranger.log)["ip"], lease["ip"], "the address the second time")
    same(netd.network("lab")["foreignPorts"], 1, "foreign ports told")


def ip_mac(ns):
    return re.search(r"link/ether (\S+)", ns.run("ip", "link", "show", "eth0").stdout).group(1)


@test
def clones_get_addresses_of_their_own(host):
    """Images made from one another send the same client-id: the port tells them apart."""
    netd = lab(host)
    same_id = ("-x", "0x3d:ff00112233445566", "-C")
    first, second = Guest(netd, "lab"), Guest(netd, "lab")
    a, b = first.dhcp(*same_id), second.dhcp(*same_id)
    check(a["ip"] != b["ip"], "two clones got one address", a, b)
    same(first.dhcp(*same_id)["ip"], a["ip"], "the first one's address afterwards")
    first.ping(b["ip"])


@test
def a_guest_that_comes_back_finds_its_address(host):
    netd = lab(host)
    guest = Guest(netd, "lab", ",name=vm1")
    lease = guest.dhcp()
    guest.kill()
    wait_for("end of the port", lambda: not netd.ports())
    again = Guest(netd, "lab", ",name=vm1")
    same(again.port["uuid"], guest.port["uuid"], "the port's uuid")
    same(again.mac, guest.mac, "the port's MAC")
    same(again.dhcp()["ip"], lease["ip"], "its address")


@test
def a_port_that_stays_away_loses_its_lease(host):
    netd = lab(host, conf="lease_grace = 1\n")
    events = netd.events()
    guest = Guest(netd, "lab")
    lease = guest.dhcp()
    guest.kill()
    events.wait("port-ended")
    check(listed(netd, "lab", lease["ip"]), "the lease went without a grace period")
    events.wait("lease-released", lease["ip"], 5)
    wait_for("end of the lease", lambda: not listed(netd, "lab", lease["ip"]))


main()
