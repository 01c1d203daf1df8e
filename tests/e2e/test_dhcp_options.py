# SPDX-License-Identifier: GPL-2.0-or-later
"""Each DHCP option as three clients saw it, network boot by architecture, and what an administrator does to leases."""
import json
import os
import signal
import subprocess
import time

from lib import HERE, NETDCTL, Guest, check, contains, lease_lines, main, same, test, wait_for

NETWORK = """
<network xmlns:netd='urn:netd:network:1'>
  <name>lab</name>
  <forward mode='nat'/>
  <mtu size='1400'/>
  <domain name='lab.example'/>
  <ip address='10.77.0.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='10.77.0.100' end='10.77.0.199'><lease expiry='10' unit='minutes'/></range>
      <host mac='52:54:00:77:00:01' name='fixed' ip='10.77.0.50'><lease expiry='20' unit='minutes'/></host>
      <host netd:clientId='ff:00:11:22' ip='10.77.0.51'/>
      <host name='byname' ip='10.77.0.150'/>
      <bootp file='any.0' server='10.77.0.9'/>
      <netd:boot arch='bios' file='bios.0'/>
      <netd:boot arch='x64-uefi' file='x64.efi'/>
      <netd:boot arch='arm64-uefi' file='arm64.efi'/>
      <netd:boot arch='x64-http' file='http://10.77.0.9/x64.efi'/>
      <netd:boot arch='arm64-http' file='http://10.77.0.9/arm64.efi'/>
      <netd:boot arch='ipxe' file='http://10.77.0.9/boot.ipxe'/>
    </dhcp>
  </ip>
  <route address='192.0.2.0' prefix='24' gateway='10.77.0.5'/>
  <netd:autostart mode='on-attach'/>
</network>
"""


def lab(host, **kw):
    netd = host.netd(**kw)
    netd.define(NETWORK)
    return netd


def by_udhcpc(guest):
    return guest.dhcp(*(w for name in ("mtu", "hostname", "staticroutes", "search", "bootfile", "tftp", "broadcast") for w in ("-O", name)))


def by_dhclient(guest):
    log = guest.log + ".dhclient"
    with open(log + ".conf", "w", encoding="ascii") as file:
        file.write("option rfc3442-classless-static-routes code 121 = array of unsigned integer 8;\n"
                   "request subnet-mask, broadcast-address, routers, domain-name, domain-name-servers, domain-search, host-name, interface-mtu,\n"
                   " rfc3442-classless-static-routes;\n")
    guest.run("dhclient", "-4", "-1", "-sf", os.path.join(HERE, "on-dhclient"), "-lf", log + ".leases", "-pf", log + ".pid", "-cf", log + ".conf",
              "-e", "LEASE_LOG=" + log, "eth0", timeout=40)
    guest.run("dhclient", "-x", "-pf", log + ".pid", "-lf", log + ".leases", "-cf", log + ".conf", "-sf", "/bin/true", "eth0", ok=None)
    lease = lease_lines(log)[-1]
    if lease["what"] not in ("BOUND", "REBOOT"):
        lease = next(x for x in lease_lines(log) if x["what"] == "BOUND")
    return {**lease, "prefix": {"255.255.255.0": "24"}.get(lease["mask"])}


def by_dhcpcd(guest):
    conf = guest.log + ".dhcpcd.conf"
    with open(conf, "w", encoding="ascii") as file:
        file.write("clientid\noption rapid_commit\noption domain_name_servers, domain_name, domain_search, host_name, interface_mtu\n"
                   "option classless_static_routes\nnoipv6\nnoarp\n")
    out = "/tmp/on-dhcpcd." + "".join(c for c in os.readlink(f"/proc/{guest.pid}/ns/net") if c.isdigit())
    try:
        guest.run("dhcpcd", "-4", "-1", "-B", "-t", "20", "-f", conf, "-c", os.path.join(HERE, "on-dhcpcd"), "eth0", timeout=40, ok=None)
        wait_for("dhcpcd's lease", lambda: lease_lines(out))
        return lease_lines(out)[-1]
    finally:
        if os.path.exists(out):
            os.unlink(out)


@test
def what_each_client_saw(host):
    netd = lab(host)
    fields = ["prefix", "router", "domain", "search", "mtu", "lease", "server", "broadcast", "hostname", "routes", "bootfile"]
    rows = {}
    for name, client in (("udhcpc", by_udhcpc), ("dhclient", by_dhclient), ("dhcpcd", by_dhcpcd)):
        guest = Guest(netd, "lab", ",mac=52:54:00:77:00:01")
        rows[name] = client(guest)
        guest.kill()
        wait_for("end of the port", lambda: not netd.ports())
    width = max(len(str(row.get(f) or "")) for row in rows.values() for f in fields) + 2
    print("option".ljust(12), *(name.ljust(width) for name in rows))
    for f in ["ip"] + fields:
        print(f.ljust(12), *(str(row.get(f) or "-").ljust(width) for row in rows.values()))
    for name, row in rows.items():
        same({k: row.get(k) for k in ("ip", "prefix", "domain", "mtu", "lease", "server", "broadcast", "hostname")},
             {"ip": "10.77.0.50", "prefix": "24", "domain": "lab.example", "mtu": "1400", "lease": "1200", "server": "10.77.0.1",
              "broadcast": "10.77.0.255", "hostname": "fixed"}, f"{name}'s lease")
        same(row["search"].rstrip("."), "lab.example", f"{name}'s search list")
        check(row["routes"].startswith(("192.0.2.0/24,10.77.0.5", "24,192,0,2,10,77,0,5")), f"{name}'s routes", row["routes"])
        contains(row["routes"].replace(",", "."), "10.77.0.1", f"{name}'s default route among them")


@test
def network_boot(host):
    netd = lab(host)
    guest = Guest(netd, "lab")

    def ask(*words):
        return json.loads(guest.run("python3", os.path.join(HERE, "pxe.py"), *words).stdout)

    rows = [("0", "PXEClient:Arch:00000", None, "bios.0"), ("7", "PXEClient:Arch:00007", None, "x64.efi"),
            ("9", "PXEClient:Arch:00009", None, "x64.efi"), ("11", "PXEClient:Arch:00011", None, "arm64.efi"), ("6", "PXEClient", None, "any.0"),
            ("16", "HTTPClient:Arch:00016", None, "http://10.77.0.9/x64.efi"), ("19", "HTTPClient:Arch:00019", None, "http://10.77.0.9/arm64.efi"),
            ("15", "HTTPClient:Arch:00015", None, None), ("0", "PXEClient", "iPXE", "http://10.77.0.9/boot.ipxe"),
            ("7", "PXEClient", "iPXE", "http://10.77.0.9/boot.ipxe"), ("-", "U-Boot", None, "any.0")]
    print(f"{'arch':5}{'vendor class':24}{'user class':12}{'class back':12}{'next server':13}file")
    for arch, cls, user, want in rows:
        got = ask(arch, cls, *([user] if user else []))
        back = bytes.fromhex(got["options"].get("60", "")).decode()
        print(f"{arch:5}{cls:24}{user or '-':12}{back or '-':12}{got['server']:13}{got['file'] or '-'}")
        same((got["file"], got["server"]), (want or "", "10.77.0.9" if want else "0.0.0.0"), f"the file for {arch} {cls} {user}")
        same(back, cls.partition(":")[0] if want and cls != "U-Boot" else "", "the class told back")
        same(got["options"].get("43"), "060108ff" if back == "PXEClient" else None, "discovery control")
        same(got["options"].get("67"), (want + "\0").encode().hex() if want else None, "option 67")
        same(got["options"].get("97"), ("\0" + "0123456789abcdef").encode().hex() if back else None, "the machine's id")


@test
def bootp(host):
    netd = lab(host)
    guest = Guest(netd, "lab", ",mac=52:54:00:77:00:01")
    got = json.loads(guest.run("python3", os.path.join(HERE, "pxe.py"), "bootp").stdout)
    same((got["address"], got["file"], "53" in got["options"]), ("10.77.0.50", "any.0", False), "the BOOTP reply")
    check("expiry" not in netd.leases("lab")[0], "a BOOTP client's address ends", netd.leases("lab"))


@test
def reservations(host):
    netd = lab(host)
    named = Guest(netd, "lab", ",name=byname")
    same(named.dhcp()["ip"], "10.77.0.150", "a reservation by port name, inside the range")
    guest = Guest(netd, "lab")
    same(guest.dhcp("-x", "0x3d:ff001122", "-C")["ip"], "10.77.0.51", "a reservation by client identifier")
    other = Guest(netd, "lab")
    check(other.dhcp("-x", "0x3d:ff001122", "-C")["ip"] != "10.77.0.51", "a clone got the same address")


@test
def release_and_wait(host):
    netd = lab(host)
    events = netd.events()
    waiting = subprocess.Popen([NETDCTL, "--socket", netd.socket, "port-wait", "vm1", "--ip", "--timeout", "20"], stdout=subprocess.PIPE, text=True)
    guest = Guest(netd, "lab", ",name=vm1")
    begun = time.monotonic()
    contains(netd.ctl("port-wait", "vm1", "--ip", "--timeout", "1", ok=None).stderr, "it has no address", "a wait in vain")
    check(0.9 < time.monotonic() - begun < 4, "it did not wait a second", time.monotonic() - begun)
    netd.ctl("port-wait", "vm1")
    ip = guest.dhcp()["ip"]
    same((waiting.communicate(timeout=20)[0].strip(), waiting.returncode), (ip, 0), "port-wait")
    same(json.loads(netd.ctl("--json", "port-wait", "vm1", "--ip").stdout)["port"]["address"], ip, "port-wait as JSON")
    guest.ping("10.77.0.1")
    contains(netd.ctl("lease-release", "lab", ip).stdout, ip, "lease-release")
    events.wait("lease-released", ip)
    same(netd.leases("lab"), [], "leases")
    same(netd.ports("lab")[0].get("address"), None, "the port's address")
    same(guest.ping("10.77.0.1", ok=None), 0, "pings answered without a lease")
    same(netd.ctl("lease-release", "lab", ip, ok=None).returncode, 4, "no such lease")
    same(guest.dhcp()["ip"], ip, "the address afterwards")
    netd.ctl("lease-release", "lab", guest.mac)
    same(netd.leases("lab"), [], "leases")


@test
def a_worker_that_hangs(host):
    netd = lab(host)
    events = netd.events()
    guest = Guest(netd, "lab")
    ip = guest.dhcp()["ip"]
    os.kill(netd.worker(), signal.SIGSTOP)
    events.wait("worker-died", "did not answer", 15)
    same(guest.dhcp()["ip"], ip, "the address from the next worker")


main()
