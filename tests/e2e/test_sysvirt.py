# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirt's Perl binding, unmodified, against netd: the API rather than the command line, in one process with an event loop of its own."""
import os

from lib import HERE, links, main, run, same, test

WANT = """type: network
alive: 1
secure: 1
library: 9000000
domains: 0 0 0
autostart: 1
name: lan
lookup: lan lan
states: 0 1 1
start:
start again: error 55 19 Requested operation is not valid: network is already active
states: 1 1 1
bridge: br-lan
leases: 0
ports: 0
numbers: 2 0
names: lan,temp
list: temp
no such: error 43 19 Network not found: no network with matching name 'nosuch'
wrong: error 21 19 missing name information
event: lan 0 0
event: lan 2 0
event: temp 2 0
event: temp 3 0
event: lan 3 0
event: only lan 3 0
read-only: error 29 19 operation forbidden: read only access prevents virNetworkDefineXML
"""


@test
def api(host):
    folder = os.path.join(host.dir, "libvirt")
    host.netd(options=["--libvirt-socket-dir", folder])
    got = run("perl", os.path.join(HERE, "sys-virt.pl"), f"network:///system?socket={folder}/virtnetworkd-sock",
              env={"HOME": host.dir, "LC_ALL": "C"}).stdout
    lines = got.splitlines()
    gone = next((line for line in lines if line.startswith("gone: ")), "")
    same(gone.split()[:4], ["gone:", "error", "43", "19"], "a network that is gone")
    same([line for line in lines if line != gone], WANT.splitlines(), "Sys::Virt")
    same([name for name in links() if name.startswith("br-")], [], "bridges left")


main()
