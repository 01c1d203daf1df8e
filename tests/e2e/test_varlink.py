# SPDX-License-Identifier: GPL-2.0-or-later
"""The Varlink socket, with a client of forty lines (lib.Varlink) and none of netd's own."""
import fcntl
import os
import struct

from lib import Varlink, check, contains, links, main, same, test, wait_for

TUNGETIFF = 0x800454D2


@test
def introspection(host):
    netd = host.netd()
    link = netd.varlink()
    info = link.ask("org.varlink.service.GetInfo")
    same(sorted(info["interfaces"]), ["io.netd", "org.varlink.service"], "interfaces")
    text = link.ask("org.varlink.service.GetInterfaceDescription", {"interface": "io.netd"})["description"]
    contains(text, ["interface io.netd", "method Attach(", "method Monitor(", "error NotFound"], "the description")
    same(link.call("io.netd.Nonsense")[0], "org.varlink.service.MethodNotFound", "an unknown method")
    same(link.call("io.other.Method")[0], "org.varlink.service.InterfaceNotFound", "an unknown interface")
    error, about = link.call("GetNetwork", {"name": 5})
    same((error, about), ("org.varlink.service.InvalidParameter", {"parameter": "name"}), "a number for a name")
    error, about = link.call("GetNetwork", {"name": "absent"})
    same(error, "io.netd.NotFound", "an absent network")
    contains(about["message"], "absent", "its message")


@test
def descriptors_beside_the_reply(host):
    netd = host.netd_default()
    link = netd.varlink()
    reply = link.ask("Attach", {"network": "default", "name": "vm1", "queues": 3})
    same((reply["tapFileDescriptors"], reply["vhostFileDescriptors"]), ([0, 1, 2], []), "indexes")
    same(len(link.fds), 3, "descriptors that came")
    names = {fcntl.ioctl(fd, TUNGETIFF, struct.pack("16sh22x", b"", 0))[:16].rstrip(b"\0").decode() for fd in link.fds}
    same(names, {reply["port"]["interface"]}, "the device behind them")
    same(reply["port"]["ownerPid"], os.getpid(), "the port's owner")
    link.ask("GetVersion")  # the connection goes on
    for fd in link.fds:
        check(fcntl.fcntl(fd, fcntl.F_GETFD) is not None, "a closed descriptor")
    os.close(link.fds.pop())
    same(len(netd.ports()), 1, "ports with two of three queues open")
    link.close()
    wait_for("end of the port", lambda: not netd.ports())
    check(reply["port"]["interface"] not in links(), "the device outlived its last descriptor")


@test
def a_refused_attach_sends_nothing(host):
    netd = host.netd_default()
    link = netd.varlink()
    for wrong, error in (({"network": "absent"}, "io.netd.NotFound"), ({"network": "default", "queues": 0}, "io.netd.Invalid"),
                         ({"network": "default", "mac": "01:00:00:00:00:00"}, "io.netd.Invalid"),
                         ({"network": "default", "mac": "zz"}, "io.netd.Invalid"),
                         ({"network": "default", "interfaceName": "a/b"}, "io.netd.Invalid")):
        got, about = link.call("Attach", wrong)
        same(got, error, f"{wrong}: {about}")
    same((link.fds, [n for n in links() if n.startswith("vnet")]), ([], []), "descriptors and devices left")


@test
def stream_of_events(host):
    netd = host.netd()
    first, second = netd.events(), netd.events()
    netd.define("<network><name>a</name></network>")
    for events in (first, second):
        _, event = events.wait("network-defined", '"a"')
        check(event["sequence"] >= 1 and event["time"] > 0, "number and time", event)
    late = Varlink(netd.socket)
    late.send("Monitor", {"after": 0}, more=True)
    late.receive()
    check(late.receive()["parameters"]["event"]["sequence"] >= 1, "no earlier event was told again")
    error, _ = netd.varlink().call("Monitor", {})
    same(error, "org.varlink.service.ExpectedMore", "Monitor without more")


@test
def many_calls_on_one_connection(host):
    netd = host.netd()
    link = netd.varlink()
    for _ in range(500):
        link.send("GetVersion")
    for _ in range(500):
        check("version" in link.receive()["parameters"], "an answer")


main()
