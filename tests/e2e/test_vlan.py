# SPDX-License-Identifier: GPL-2.0-or-later
"""VLANs on a kernel whose bridges filter, and what else Debian 12's has or lacks: in a machine of its own, see machine.py."""
import json
import re
import subprocess

from lib import Guest, check, contains, links, ruleset, run, same, test, wait_for
from machine import machine_main

GROUPS = """<portgroup name='ten'><vlan><tag id='10'/></vlan></portgroup>
<portgroup name='twenty'><vlan><tag id='20'/></vlan></portgroup>
<portgroup name='trunk'><vlan trunk='yes'><tag id='10' nativeMode='untagged'/><tag id='20'/></vlan></portgroup>
<portgroup name='tagged'><vlan trunk='yes'><tag id='10' nativeMode='tagged'/><tag id='20'/></vlan></portgroup>
<portgroup name='plain'/>"""
MANY = "<portgroup name='many'><vlan trunk='yes'>" + "".join(f"<tag id='{n}'/>" for n in range(2, 1002)) + "</vlan></portgroup>"
ALONE = ["PVID", "Egress Untagged"]
# portgroup: {VLAN: flags}
WANTED = {"ten": {10: ALONE}, "twenty": {20: ALONE}, "trunk": {10: ALONE, 20: []}, "tagged": {10: ["PVID"], 20: []}, "plain": {1: ALONE}}


def lab(host, more="", groups=GROUPS):
    netd = host.netd()
    netd.define(f"<network><name>lab</name><bridge name='br-lab'/>{more}{groups}</network>")
    netd.ctl("net-start", "lab")
    return netd


def guest(netd, group, number):
    one = Guest(netd, "lab", f",portgroup={group},name={group}{number}")
    one.run("ip", "addr", "add", f"10.8.0.{number}/24", "dev", "eth0")
    one.ip = f"10.8.0.{number}"
    return one


def tagged_link(one, vlan, number):
    """What a guest does that gets frames with tags."""
    one.run("ip", "link", "add", "link", "eth0", "name", f"vlan{vlan}", "type", "vlan", "id", vlan)
    one.run("ip", "addr", "add", f"10.9.0.{number}/24", "dev", f"vlan{vlan}")
    one.run("ip", "link", "set", f"vlan{vlan}", "up")


def vlans(ifname):
    """{VLAN: flags}, as the kernel has them."""
    rows = json.loads(run("bridge", "-j", "vlan", "show", "dev", ifname).stdout)
    return {row["vlan"]: row.get("flags", []) for port in rows for row in port["vlans"]}


def reach_table(what, rows):
    """rows: [(guest, address, whether it answers, what that shows)], all asked at once."""
    asked = [one.popen("ping", "-n", "-c", 3, "-i", 0.2, "-W", 1, address, stdout=subprocess.PIPE, text=True) for one, address, *_ in rows]
    for ping, (_, address, wanted, why) in zip(asked, rows):
        text = ping.communicate(timeout=20)[0]
        same(" 0 received" not in text, wanted, f"{what}: {why}: {address} answers\n{text}")


@test
def portgroups(host):
    """Access ports of one tag reach each other and no other; a trunk has both, one without its tag. A restart and a repair keep that.

    The guards look behind the tag.
    """
    netd = lab(host)
    ports = {group: guest(netd, group, number) for number, group in enumerate(WANTED, 11)}
    ten, twenty, trunk = guest(netd, "ten", 21), guest(netd, "twenty", 22), ports["trunk"]
    tagged_link(trunk, 20, 31)
    twenty.run("ip", "addr", "add", "10.9.0.22/24", "dev", "eth0")
    tagged_link(ports["tagged"], 10, 32)
    ten.run("ip", "addr", "add", "10.9.0.21/24", "dev", "eth0")
    rows = [
        (ports["ten"], ten.ip, True, "two of one tag"),
        (ports["ten"], twenty.ip, False, "two of different tags"),
        (ports["ten"], ports["plain"].ip, False, "one with a tag, one with none"),
        (ten, trunk.ip, True, "the trunk's native VLAN, without tag"),
        (twenty, trunk.ip, False, "frames without tag of the trunk are not the other VLAN's"),
        (twenty, "10.9.0.31", True, "the trunk's tagged VLAN"),
        (ten, "10.9.0.31", False, "the trunk's tagged VLAN from another"),
        (ten, "10.9.0.32", True, "the native VLAN of a trunk that gets it tagged"),
    ]

    def whole():
        return all(vlans(port.ifname) == WANTED[group] for group, port in ports.items())

    same({group: vlans(port.ifname) for group, port in ports.items()}, WANTED, "the kernel's VLANs")
    reach_table("at first", rows)
    trunk.run("ip", "link", "set", "vlan20", "address", "02:00:00:00:00:99")
    reach_table("the guards", [(trunk, "10.9.0.22", False, "a tagged frame with another's MAC address")])
    trunk.run("ip", "link", "set", "vlan20", "address", trunk.mac)
    netd.kill()
    netd.start()
    check(whole(), "VLANs after a restart", run("bridge", "vlan").stdout)
    run("ip", "link", "set", ten.ifname, "nomaster")
    run("ip", "link", "set", trunk.ifname, "nomaster")
    wait_for("the ports' bridge", lambda: all(links()[one.ifname].get("master") == "br-lab" for one in (ten, trunk)))
    wait_for("VLANs of ports that were pulled out", lambda: whole() and vlans(ten.ifname) == {10: ALONE}, 3)
    run("ip", "link", "set", "br-lab", "type", "bridge", "vlan_filtering", 0)
    wait_for("filtering", lambda: links()["br-lab"]["linkinfo"]["info_data"]["vlan_filtering"] == 1, 3)
    run("ip", "link", "del", "br-lab")
    wait_for("VLANs on the new bridge", whole, 5)
    reach_table("after repairs", rows)


@test
def definitions(host):
    """
    What stands in the network and what in its portgroups; what the kernel cannot be told, and what cannot change under a port. At bridges of others netd
    turns nothing on.
    """
    netd = lab(host, "<vlan><tag id='42'/></vlan>", GROUPS + MANY)
    for group, wanted in (("plain", {42: ALONE}), ("twenty", {20: ALONE}), ("many", {number: [] for number in range(2, 1002)})):
        same(vlans(Guest(netd, "lab", f",portgroup={group}").ifname), wanted, f"portgroup {group}")
    same(vlans(Guest(netd, "lab").ifname), {42: ALONE}, "no portgroup")
    other = "<portgroup name='twenty'><vlan><tag id='30'/></vlan></portgroup>"
    done = netd.ctl("net-update", "lab", "modify", "portgroup", other, "--live", ok=False)
    contains(done.stderr, "portgroup/vlan/tag@id can change only by a restart of the network", "the refusal")
    for number in (0, 4095):
        netd.define(f"<network><name>wrong</name><vlan><tag id='{number}'/></vlan></network>")
        contains(netd.ctl("net-start", "wrong", ok=False).stderr, f"<vlan>: tag {number}: bridges have VLANs 1 to 4094", "the refusal")
    run("ip", "link", "add", "br-host", "type", "bridge")
    run("ip", "link", "set", "br-host", "up")
    netd.define(f"<network><name>there</name><forward mode='bridge'/><bridge name='br-host'/>{GROUPS}</network>")
    contains(netd.ctl("net-start", "there", ok=False).stderr, ["<vlan>", "'br-host' does not filter VLANs", "vlan_filtering 1"], "the refusal")
    run("ip", "link", "set", "br-host", "type", "bridge", "vlan_filtering", 1)
    netd.ctl("net-start", "there")
    same(vlans(Guest(netd, "there", ",portgroup=trunk").ifname), WANTED["trunk"], "VLANs on a bridge of the host")


@test
def other_kernel(host):
    """
    This one knows a table's flag owner and not the flag persist: netd's tables have neither, a flush takes them, and netd puts them back. And it has
    fq_codel, in which the frames of a port wait that is shaped.
    """
    netd = host.netd_default()
    one = Guest(netd)
    netd.ctl("port-bandwidth", one.ifname, "--inbound", "2000", "--outbound", "1000")
    same(netd.json("port-bandwidth", one.ifname)["queue"], "fq_codel", "the queue")
    contains(run("tc", "qdisc", "show", "dev", one.ifname).stdout, ["qdisc htb", "qdisc fq_codel"], "the queues")
    before, events = ruleset(), netd.events()
    contains(before, ["table inet netd", "table bridge netd"], "the ruleset")
    check(not re.search(r"flags .*(owner|persist)", run("nft", "list", "ruleset").stdout), "a table has flags")
    run("nft", "flush", "ruleset")
    wait_for("the ruleset", lambda: ruleset() == before)
    contains(events.wait("repaired", "ruleset")[1]["text"], "nft", "the culprit")
    contains(netd.ctl("doctor", ok=None).stdout, "netd's tables have no owner flag", "what doctor says")
    netd.kill()
    netd.start()
    same(ruleset(), before, "the ruleset after a restart")
    same(netd.network("default")["state"], "active", "the network's state")
    check(one.dhcp(tries=3), "no lease")


machine_main()
