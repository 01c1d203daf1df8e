# SPDX-License-Identifier: GPL-2.0-or-later
"""Bandwidth limits with real traffic: of networks, portgroups and ports; changed live, taken away by others, through a restart."""
import json
import subprocess
import time

from lib import Guest, check, contains, links, main, run, same, test, wait_for

XML = """<network xmlns:netd='urn:netd:network:1'><name>lab</name><bridge name='br-lab'/>{}
<ip address='10.9.0.1' netmask='255.255.255.0'><dhcp><range start='10.9.0.2' end='10.9.0.99'/></dhcp></ip>{}<netd:hostAccess mode='all'/></network>"""
HOST = "10.9.0.1"
TCP_FRAME = 1514 / 1448  # a segment of 1448 bytes with its headers
KB = 1000


def lab(host, bandwidth="", groups=""):
    netd = host.netd()
    netd.define(XML.format(bandwidth, groups))
    netd.ctl("net-start", "lab")
    return netd


def guest(netd):
    one = Guest(netd, "lab")
    one.dhcp()
    return one


UDP = ("-u", "-l", "1400", "-b", "50M")


def measure(sender, receiver, address, *options, seconds=1):
    """What gets through, in kB of frames a second, from one (None: the host) to the other at address."""
    words = ("iperf3", "-s", "-1", "-p", "5300")
    server = run_in(receiver, *words, background=True)
    wait_for("the receiver", lambda: ":5300 " in run_in(receiver, "ss", "-ltn").stdout, 5, 0.02)
    done = run_in(sender, "iperf3", "-c", address, "-p", "5300", "-J", "-O", "1", "-t", seconds, *options)
    server.wait(20)
    end = json.loads(done.stdout)["end"]
    got = end.get("sum_received") or end["sum"]
    return got["bits_per_second"] / 8 / KB * (1442 / 1400 if "-u" in options else TCP_FRAME)


def run_in(who, *command, background=False):
    if background:
        words = [str(w) for w in command]
        return who.popen(*words, stdout=subprocess.DEVNULL) if who else subprocess.Popen(words, stdout=subprocess.DEVNULL)
    return who.run(*command) if who else run(*command)


def near(rate, want, what, slack=0.05):
    print(f"{what}: {rate:.0f} of {want} kB/s")
    check((1 - slack) * want <= rate <= (1 + slack) * want, f"{what}: {rate:.0f} kB/s, want {want}")


def near_tcp(sender, receiver, address, want, what):
    """After a lost segment TCP delivers what came meanwhile at once: up to a whole queue more or less in a short measurement."""
    near(measure(sender, receiver, address, seconds=2), want, what + ", TCP", 0.12)


def bandwidth(netd, port):
    return netd.json("port-bandwidth", port.ifname)


@test
def network(host):
    """The network's limits hold for all guests together, and not between them."""
    netd = lab(host, "<bandwidth><inbound average='2000'/><outbound average='1000'/></bandwidth>")
    one, two = guest(netd), guest(netd)
    near_tcp(None, one, one.address(), 2000, "to a guest")
    near_tcp(one, None, HOST, 1000, "from a guest")
    rate = measure(one, two, two.address(), *UDP)
    check(rate > 3000, f"guest to guest is limited: {rate:.0f} kB/s")
    netd.ctl("net-destroy", "lab", "--force")
    wait_for("the end of its ifb", lambda: not run("ip", "-br", "link", "show", "type", "ifb").stdout)


@test
def port(host):
    netd = lab(host, groups="<portgroup name='all' default='yes'><bandwidth><inbound average='3000'/><outbound average='1500'/>"
               "</bandwidth></portgroup>")
    one, two = guest(netd), guest(netd)
    near_tcp(one, two, two.address(), 1500, "from guest to guest")
    near(measure(None, one, one.address(), *UDP), 3000, "to a guest, UDP")
    netd.ctl("port-bandwidth", one.ifname, "--outbound", "4000", "--inbound", "500,1000,100")
    got = bandwidth(netd, one)
    same((got["inbound"], got["outbound"]["average"], got["own"], got["inForce"]),
         ({"average": 500, "peak": 1000, "burst": 100, "floor": 0}, 4000, True, True), "what is set")
    near(measure(None, one, one.address(), *UDP), 500, "to the guest after the change")
    netd.ctl("port-bandwidth", one.ifname, "--inbound", "0", "--outbound", "0")
    contains(run("tc", "qdisc", "show", "dev", one.ifname).stdout, "noqueue", "a port without limits")
    two.kill()
    wait_for("the end of the ifbs", lambda: not run("ip", "-br", "link", "show", "type", "ifb").stdout)


@test
def floors(host):
    netd = lab(host, "<bandwidth><inbound average='2000'/></bandwidth>")
    one, two = guest(netd), guest(netd)
    netd.ctl("port-bandwidth", one.ifname, "--inbound", "0,0,0,1500")
    contains(netd.ctl("port-bandwidth", two.ifname, "--inbound", "0,0,0,501", ok=False).stderr, "would overcommit average=2000", "too much")
    run_in(two, "iperf3", "-s", "-1", "-D")
    flood = run_in(None, "iperf3", "-c", two.address(), "-u", "-b", "50M", "-l", "1400", "-t", "8", background=True)
    time.sleep(0.3)
    near(measure(None, one, one.address(), *UDP), 1500, "a guest with a floor, beside one that takes all")
    flood.kill()
    flood.wait()
    contains(netd.ctl("net-dumpxml", "lab").stdout, "average='2000'", "the definition")
    one.kill()
    wait_for("the end of its class", lambda: "6e64:3 " not in run("tc", "class", "show", "dev", "br-lab").stdout)


@test
def taken_away(host):
    netd = lab(host, "<bandwidth><inbound average='2000'/><outbound average='1000'/></bandwidth>",
               "<portgroup name='all' default='yes'><bandwidth><inbound average='3000'/><outbound average='1500'/></bandwidth></portgroup>")
    one, events = guest(netd), netd.events()
    for deed, word in ((f"qdisc del dev {one.ifname} root", "bandwidth of " + one.ifname),
                       (f"qdisc del dev {one.ifname} ingress", "bandwidth of " + one.ifname),
                       (f"qdisc del dev nds{one.ifindex} root", "bandwidth of " + one.ifname),
                       (f"class change dev {one.ifname} classid 6e64:1 htb rate 1mbit", "bandwidth of " + one.ifname),
                       ("qdisc del dev br-lab root", "bandwidth of br-lab"),
                       ("qdisc del dev br-lab ingress", "bandwidth of br-lab")):
        at = events.position()
        run("tc", *deed.split())
        events.wait("repaired", word, after=at)
        check(bandwidth(netd, one)["inForce"], f"not put back: {deed}")
    at = events.position()
    run("ip", "link", "del", f"nds{one.ifindex}")
    events.wait("repaired", "bandwidth of " + one.ifname, after=at)
    near(measure(one, None, HOST, *UDP), 1000, "from the guest")
    at = events.position()
    run("ip", "link", "del", "br-lab")
    events.wait("repaired", "bandwidth", after=at)
    near(measure(one, None, HOST, *UDP), 1000, "from the guest over the new bridge")


@test
def live(host):
    """net-apply changes the rates of what runs."""
    netd = lab(host, "<bandwidth><outbound average='1000'/></bandwidth>")
    one = guest(netd)
    ifb = [n for n in links() if n.startswith("nds")]
    netd.ctl("net-apply", "-", stdin=XML.format("<bandwidth><outbound average='2500'/></bandwidth>", ""))
    same([n for n in links() if n.startswith("nds")], ifb, "the ifb after a change")
    near(measure(one, None, HOST, *UDP), 2500, "from the guest")
    netd.ctl("net-apply", "-", stdin=XML.format("", ""))
    wait_for("the end of the ifb", lambda: not [n for n in links() if n.startswith("nds")])


@test
def restart(host):
    netd = lab(host, "<bandwidth><inbound average='2000'/></bandwidth>")
    one, two = guest(netd), guest(netd)
    netd.ctl("port-bandwidth", one.ifname, "--outbound", "700", "--inbound", "0,0,0,300")
    netd.ctl("port-bandwidth", two.ifname, "--outbound", "800")
    before = {n: i["ifindex"] for n, i in links().items()}
    netd.kill()
    two.kill()
    run("tc", "qdisc", "del", "dev", one.ifname, "ingress")
    netd.start()
    got = bandwidth(netd, one)
    same((got["outbound"]["average"], got["inbound"]["floor"], got["own"], got["inForce"]), (700, 300, True, True), "after the restart")
    near(measure(one, None, HOST, *UDP), 700, "from the guest")
    wait_for("the end of the other's ifb", lambda: f"nds{two.ifindex}" not in links())
    same(links()[f"nds{one.ifindex}"]["ifindex"], before[f"nds{one.ifindex}"], "the ifb")


main()
