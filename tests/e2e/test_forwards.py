# SPDX-License-Identifier: GPL-2.0-or-later
"""Published ports: who reaches them, as whom, what becomes of their connections, and who is refused one."""
import socket

from lib import Guest, check, contains, main, run, same, test, wait_for

NET = """<network xmlns:netd='urn:netd:network:1'><name>{name}</name>{forward}<bridge name='br-{name}'/>
<ip address='10.{n}.0.1' prefix='24'><dhcp><range start='10.{n}.0.100' end='10.{n}.0.199'/></dhcp></ip>
<ip family='ipv6' address='2001:db8:{n}::1' prefix='64'/>{more}</network>"""
NAT = "<forward mode='nat'/>"
# Answers each connection with whom it sees, and keeps it: what comes is sent back.
SERVER = """
import socket, sys, threading
def serve(s, peer):
    s.sendall((peer[0].removeprefix('::ffff:') + ' ' + str(s.getsockname()[1]) + '\\n').encode())
    while True:
        data = s.recv(100)
        if not data:
            return
        s.sendall(data)
def listen(port):
    l = socket.create_server(('::', port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=50)
    if port == int(sys.argv[1]):
        print('ready', flush=True)
    while True:
        threading.Thread(target=serve, args=l.accept(), daemon=True).start()
for port in reversed(list(map(int, sys.argv[2:]))):
    threading.Thread(target=listen, args=(port,)).start()
listen(int(sys.argv[1]))
"""
ASK = "import socket,sys\ns=socket.create_connection((sys.argv[1],int(sys.argv[2])),3)\nprint(s.makefile().readline().strip())"


def lab(host, name="lab", n=77, forward=NAT, more="", netd=None):
    netd = netd or host.netd()
    netd.define(NET.format(name=name, n=n, forward=forward, more=more))
    netd.ctl("net-start", name)
    return netd


def server(host, guest, *ports):
    process = guest.popen("/usr/bin/python3", "-c", SERVER, *ports, stdout=-1, text=True)
    same(process.stdout.readline(), "ready\n", "the server")
    return process


def ask(address, port, ns=None):
    """Who the server sees, and the port it has; None: it does not answer."""
    done = run("/usr/bin/python3", "-c", ASK, address, port, ns=ns, ok=None)
    return tuple(done.stdout.split()) if done.returncode == 0 else None


def guest_in(netd, network="lab", options=""):
    guest = Guest(netd, network, options)
    guest.lease = guest.dhcp()["ip"]
    return guest


def forwards(netd):
    return netd.ctl("forward-list").stdout


@test
def who_reaches_it(host):
    netd, outside = lab(host), host.outside()
    lab(host, "other", 78, netd=netd)
    lab(host, "alone", 79, forward="", netd=netd)
    web, sibling, far, lonely = guest_in(netd, options=",name=web"), guest_in(netd), guest_in(netd, "other"), guest_in(netd, "alone")
    server(host, web, 80)
    server(host, lonely, 80)
    lonely.run("ip", "route", "add", "default", "via", "10.79.0.1")  # DHCP gives none in an isolated network
    same(ask(outside.sees, 8080, outside.pid), None, "before")
    netd.ctl("forward-add", "lab", "tcp", "8080", "web:80")
    netd.ctl("forward-add", "alone", "8081", f"{lonely.lease}:80")
    wait_for("active", lambda: forwards(netd).count("active") == 2)
    same(ask(outside.sees, 8080, outside.pid), (outside.address, "80"), "from the LAN")
    same(ask(outside.sees, 8080), (outside.sees, "80"), "from the host")
    same(ask("127.0.0.1", 8080), None, "loopback without being said")
    same(ask(outside.sees, 8080, far.pid), (far.lease, "80"), "from another network")
    same(ask("10.78.0.1", 8080, far.pid), (far.lease, "80"), "from another network by its gateway")
    check(ask(outside.sees, 8080, sibling.pid) is not None, "not from a sibling")
    check(ask("10.77.0.1", 8080, sibling.pid) is not None, "not from a sibling by the gateway")
    same(ask(outside.sees, 8081, outside.pid), (outside.address, "80"), "an isolated network's")
    # IPv6, by an address.
    outside.run("ip", "-6", "addr", "add", "2001:db8:1::1/64", "dev", "eth0", "nodad")
    run("ip", "-6", "addr", "add", "2001:db8:1::2/64", "dev", "uplink", "nodad")
    web.run("ip", "-6", "addr", "add", "2001:db8:77::80/64", "dev", "eth0", "nodad")
    web.run("ip", "-6", "route", "add", "default", "via", "2001:db8:77::1")
    netd.ctl("forward-add", "lab", "[2001:db8:1::2]:8086", "[2001:db8:77::80]:80")
    same(ask("2001:db8:1::2", 8086, outside.pid), ("2001:db8:1::1", "80"), "over IPv6")
    same(ask("2001:db8:1::2", 8086), ("2001:db8:1::2", "80"), "over IPv6 from the host")
    # It is the definition's, too.
    contains(netd.ctl("net-dumpxml", "--inactive", "lab").stdout, ["<netd:forward", "port='8080'", "guest='web'"], "definition")
    netd.kill()
    netd.start()
    same(ask(outside.sees, 8080, outside.pid), (outside.address, "80"), "after a restart")
    same(ask("2001:db8:1::2", 8086, outside.pid), ("2001:db8:1::1", "80"), "IPv6 after a restart")
    netd.ctl("forward-remove", "lab", "8080")
    same(ask(outside.sees, 8080, outside.pid), None, "removed")
    same(ask(outside.sees, 8081, outside.pid), (outside.address, "80"), "the other stays")


def route_localnet():
    with open("/proc/sys/net/ipv4/conf/br-lab/route_localnet", encoding="ascii") as file:
        return file.read().strip()


@test
def loopback(host):
    netd = lab(host)
    web = guest_in(netd)
    server(host, web, 80)
    same(route_localnet(), "0", "route_localnet")
    netd.ctl("forward-add", "lab", "127.0.0.1:8080", f"{web.mac}:80")
    same(ask("127.0.0.1", 8080), ("10.77.0.1", "80"), "by loopback")
    same(route_localnet(), "1", "route_localnet")
    # The host's own services there stay its own.
    service = socket.create_server(("127.0.0.1", 9100))
    web.run("sysctl", "-qw", "net.ipv4.conf.all.route_localnet=1")
    web.run("ip", "addr", "flush", "dev", "lo")
    web.run("ip", "route", "add", "127.0.0.0/8", "via", "10.77.0.1", "src", web.lease)
    same(ask("127.0.0.1", 9100, web.pid), None, "a guest on the host's loopback")
    service.close()
    netd.kill()
    netd.start()
    same(ask("127.0.0.1", 8080), ("10.77.0.1", "80"), "after a restart")
    netd.ctl("forward-remove", "lab", "127.0.0.1:8080")
    same(route_localnet(), "0", "route_localnet")
    same(ask("127.0.0.1", 8080), None, "removed")


class Link:
    """A connection that is kept."""

    def __init__(self, ns, address, port):
        code = ("import socket,sys\ns=socket.create_connection((sys.argv[1],int(sys.argv[2])),3)\nf=s.makefile('rw')\nprint(f.readline().strip(),flush=True)\n"
                "s.settimeout(1.5)\nfor line in sys.stdin:\n s.sendall(line.encode())\n try:\n  print(s.recv(100).decode().strip() or 'end',flush=True)\n"
                " except OSError:\n  print('dead',flush=True)\n")
        self.process = ns.popen("/usr/bin/python3", "-c", code, address, port, stdin=-1, stdout=-1, text=True, bufsize=1)
        self.seen = self.process.stdout.readline().strip()

    def alive(self):
        self.process.stdin.write("hello\n")
        return self.process.stdout.readline().strip() == "hello"

    def close(self):
        self.process.kill()
        self.process.wait()


@test
def connections(host):
    netd, outside = lab(host), host.outside()
    web = guest_in(netd, options=",name=web")
    server(host, web, 80)
    netd.ctl("forward-add", "lab", "8080", "web:80")
    netd.ctl("forward-add", "lab", "8081", "web:80")
    first, second = Link(outside, outside.sees, 8080), Link(outside, outside.sees, 8081)
    check(first.alive() and second.alive(), "not connected")
    netd.ctl("forward-remove", "lab", "8080")
    check(wait_for("end", lambda: not first.alive(), 8), "goes on")
    check(second.alive(), "the other's connection ended")
    first.close()
    second.close()


@test
def follows_the_lease(host):
    netd, outside = lab(host), host.outside()
    netd.ctl("forward-add", "lab", "8080-8082", "web:80")
    contains(forwards(netd), "waiting", "nobody has it yet")
    web = guest_in(netd, options=",name=web")
    server(host, web, 80, 81, 82)
    for n in range(3):
        same(ask(outside.sees, 8080 + n, outside.pid), (outside.address, str(80 + n)), "range")
    old = web.lease
    netd.ctl("lease-release", "lab", old)
    web.run("ip", "addr", "flush", "dev", "eth0")
    want = "10.77.0.150" if old != "10.77.0.150" else "10.77.0.151"
    web.lease = web.dhcp("-r", want)["ip"]
    same(web.lease, want, "the new address")
    wait_for("the new address", lambda: want in forwards(netd))
    same(ask(outside.sees, 8080, outside.pid), (outside.address, "80"), "at the new address")


@test
def taken(host):
    netd = lab(host)
    lab(host, "other", 78, netd=netd)
    busy = socket.create_server(("0.0.0.0", 8080))
    done = netd.ctl("forward-add", "lab", "8080", "web:80", ok=False)
    contains(done.stderr, ["8080", "python3"], "a process has it")
    busy.close()
    netd.ctl("forward-add", "lab", "8080", "10.77.0.100:80")
    contains(netd.ctl("forward-add", "other", "8080", "10.78.0.100:80", ok=False).stderr, "'lab'", "a network has it")
    netd.ctl("forward-add", "other", "udp", "8080", "10.78.0.100:80")
    contains(netd.ctl("forward-add", "lab", "[::1]:90", "10.77.0.100:80", ok=False).stderr, "::1", "::1")


main()
