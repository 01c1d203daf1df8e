# SPDX-License-Identifier: GPL-2.0-or-later
"""netdctl: what each command prints, and its exit status."""
import json
import os
import re
import subprocess

from lib import HOLDER, NETDCTL, Guest, check, contains, links, main, run, same, test, wait_for

LAB = """<network>
  <name>lab</name>
  <uuid>6f1a2a5e-0c8b-4d55-9c2e-5a2f0f1b7c11</uuid>
  <bridge name='br-lab' stp='off'/>
  <mac address='52:54:00:11:22:33'/>
  <ip address='10.44.0.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='10.44.0.10' end='10.44.0.20'/>
    </dhcp>
  </ip>
</network>
"""


def status(netd, *words, **kw):
    return netd.ctl(*words, ok=None, **kw)


def squeezed(text):
    return [re.sub(r"\s+", " ", line).strip() for line in text.splitlines() if line.strip()]


@test
def life_of_a_network(host):
    netd = host.netd()
    path = os.path.join(host.dir, "lab.xml")
    with open(path, "w", encoding="ascii") as file:
        file.write(LAB)
    same(netd.ctl("net-define", path).stdout, f"Network lab defined from {path}\n\n", "net-define")
    same(squeezed(netd.ctl("net-list", "--all").stdout)[2:], ["lab inactive no yes"], "net-list --all")
    same(squeezed(netd.ctl("net-list").stdout)[2:], [], "net-list")
    same(netd.ctl("net-list", "--inactive", "--name").stdout, "lab\n\n", "net-list --name")
    same(netd.ctl("net-list", "--all", "--uuid").stdout.strip(), "6f1a2a5e-0c8b-4d55-9c2e-5a2f0f1b7c11", "net-list --uuid")
    same(netd.ctl("net-start", "lab").stdout, "Network lab started\n\n", "net-start")
    same(links()["br-lab"]["address"], "52:54:00:11:22:33", "the bridge's MAC")
    same(squeezed(netd.ctl("net-list").stdout), ["Name State Autostart Persistent", "-" * len(netd.ctl("net-list").stdout.splitlines()[1]),
                                                 "lab active no yes"], "net-list")
    info = dict(line.split(": ", 1) for line in squeezed(netd.ctl("net-info", "lab", "--details").stdout))
    same({k: info[k] for k in ("Name", "Active", "Persistent", "Autostart", "Bridge")},
         {"Name": "lab", "Active": "yes", "Persistent": "yes", "Autostart": "no", "Bridge": "br-lab"}, "net-info")
    contains(info.get("Subnet", ""), "10.44.0.1/24", "net-info's subnet")
    xml = netd.ctl("net-dumpxml", "lab").stdout
    contains(xml, ["<name>lab</name>", "br-lab", "10.44.0.10"], "net-dumpxml")
    same(netd.ctl("net-destroy", "lab").stdout, "Network lab destroyed\n\n", "net-destroy")
    check("br-lab" not in links(), "the bridge is still there")
    same(netd.ctl("net-undefine", "lab").stdout, "Network lab has been undefined\n\n", "net-undefine")
    same(os.listdir(os.path.join(netd.dirs["etc"], "networks")), [], "definition files left")
    same(squeezed(netd.ctl("net-list", "--all").stdout)[2:], [], "net-list --all")


@test
def autostart(host):
    netd = host.netd()
    netd.define(LAB)
    for option, word, says in ((None, "yes", "marked as autostarted"), ("--on-attach", "on-attach", "marked as started on attach"),
                               ("--disable", "no", "unmarked as autostarted")):
        contains(netd.ctl("net-autostart", "lab", *([option] if option else [])).stdout, f"Network lab {says}", f"net-autostart {option}")
        same(squeezed(netd.ctl("net-list", "--all").stdout)[2].split()[2], word, f"autostart after {option}")
    netd.ctl("net-autostart", "lab")
    netd.kill()
    netd.start()
    same(netd.network("lab")["state"], "active", "after a start of the daemon")


@test
def exit_statuses(host):
    netd = host.netd()
    netd.define(LAB)
    netd.ctl("net-start", "lab")
    wrong = LAB.replace("10.44.0.1'", "10.44.0.999'")
    rows = [
        ((), 2, "nonsense"), (("net-info",), 2, ""), (("net-list", "--nonsense"), 2, "--nonsense"),
        (("net-info", "absent"), 4, "absent"), (("port-info", "absent"), 4, "absent"),
        (("net-start", "lab"), 8, "lab"), (("net-create", "-"), (5, 8), "lab"),
    ]
    for words, want, text in rows:
        done = status(netd, *(words or ("nonsense",)), stdin=LAB)
        check(done.returncode in (want if isinstance(want, tuple) else (want,)), f"{words}: status {done.returncode}, not {want}", done.stderr)
        contains(done.stderr, text, f"{words}")
        check(len(done.stderr.splitlines()) == 1 or want == 2, f"{words}: more than a line", done.stderr)
    for xml, want in ((wrong, 3), ("<network", 13), ("<network><name>x</name><bridge name='br-lab'/></network>", 5)):
        done = status(netd, "net-define", "-", stdin=xml)
        same(done.returncode, want, f"net-define: {done.stderr}")
    contains(status(netd, "net-define", "-", stdin=wrong).stderr, ["line 6", "10.44.0.999"], "where the definition is wrong")
    netd.stop()
    done = status(netd, "net-list")
    same(done.returncode, 12, "status without a daemon")
    contains(done.stderr, netd.socket, "its error")


@test
def errors_as_json(host):
    netd = host.netd()
    done = status(netd, "--json", "net-info", "absent")
    error = json.loads(done.stderr)
    same(done.returncode, 4, "status")
    contains(json.dumps(error), ["io.netd.NotFound", "absent"], "the error")


@test
def commands_from_standard_input(host):
    netd = host.netd()
    done = status(netd, stdin="net-list --all  # a comment\nnet-info 'absent'\n\nversion\n")
    same(done.returncode, 4, "status of the last that failed")
    contains(done.stdout, ["Name", "netd"], "what the others printed")
    contains(done.stderr, "absent", "the error")


@test
def destroy_with_live_ports(host):
    netd = host.netd_default()
    guest = Guest(netd, "default", ",name=vm1")
    done = status(netd, "net-destroy", "default")
    same(done.returncode, 6, f"status: {done.stderr}")
    contains(done.stderr, ["vm1", "--force"], "the refusal")
    same(netd.network("default")["state"], "active", "the network after the refusal")
    netd.ctl("net-destroy", "default", "--force")
    same(netd.network("default")["state"], "inactive", "the network")
    wait_for("end of the bridge", lambda: "virbr0" not in links())
    same(guest.process.poll(), None, "the VMM's state: it must not die")
    guest.kill()


@test
def ports(host):
    netd = host.netd_default()
    guest = Guest(netd, "default", ",name=vm1,mac=52:54:00:00:00:11")
    address = guest.dhcp()["ip"]
    row = squeezed(netd.ctl("port-list").stdout)[2]
    same(row, f"{guest.ifname} default vm1 52:54:00:00:00:11 {address} attached", "port-list")
    for key in ("vm1", guest.ifname, guest.port["uuid"], guest.mac):
        contains(netd.ctl("port-info", key).stdout, ["vm1", guest.ifname, guest.mac, address, str(guest.pid)], f"port-info {key}")
    contains(netd.ctl("net-dhcp-leases", "default").stdout, [f"{address}/24", guest.mac, "ipv4"], "net-dhcp-leases")
    contains(netd.ctl("net-dhcp-leases", "default", guest.mac).stdout, address, "net-dhcp-leases of a MAC")
    same(squeezed(netd.ctl("net-dhcp-leases", "default", "52:54:00:00:00:99").stdout)[2:], [], "net-dhcp-leases of another MAC")
    netd.ctl("port-detach", "vm1")
    same(netd.ports(), [], "ports after port-detach")
    check(links().get(guest.ifname, {}).get("master") is None, "the detached device is still in the bridge")
    same(guest.process.poll(), None, "the VMM's state: it must not die")


@test
def exec_and_its_words(host):
    netd = host.netd_default()
    netd.define(LAB.replace("<bridge", "<forward mode='nat'/><bridge"))
    netd.ctl("net-start", "lab")
    show = ["sh", "-c", 'echo "$@"; echo "$NETD_FD $NETD_MAC $NETD_IFNAME $NETD_2_FD"; ls -l /proc/self/fd | grep -c net/tun', "sh"]
    out = netd.ctl("exec", "--network", "default,mac=52:54:00:00:00:21,queues=1", "--network", "lab,mac=52:54:00:00:00:22", "--", *show,
                   "%{fd}", "%{mac}", "%{ifname}", "%{2.fd}", "%{2.mac}", "%{fds:}", "%%{fd}", "%x").stdout.splitlines()
    words = out[0].split()
    same((words[1], words[4], words[6:]), ("52:54:00:00:00:21", "52:54:00:00:00:22", ["%{fd}", "%x"]), "the words")
    same(out[1].split(), [words[0], words[1], words[2], words[3]], "the environment")
    same(out[2], "2", "TAP descriptors inherited")
    wait_for("end of the ports", lambda: not netd.ports())
    for command, want in ((["exec", "--network", "absent", "--", "true"], 125), (["exec", "--network", "default", "--", "/no/such"], 127),
                          (["exec", "--network", "default", "--", "/etc/passwd"], 126), (["exec", "--", "true"], 125),
                          (["exec", "--network", "default", "--", "sh", "-c", "exit 42"], 42),
                          (["exec", "--network", "default", "--", "true", "%{nonsense}"], 125)):
        same(status(netd, *command).returncode, want, f"status of {command}")
    netd.stop()
    same(status(netd, "exec", "--network", "default", "--", "true").returncode, 125, "status without a daemon")


@test
def exec_leaves_no_supervisor(host):
    netd = host.netd_default()
    guest = Guest(netd)
    with open(f"/proc/{guest.pid}/comm", encoding="ascii") as file:
        same(file.read().strip(), os.path.basename(HOLDER), "the process that was netdctl")
    same(guest.port["ownerPid"], guest.pid, "the port's owner")


@test
def events_are_streamed(host):
    """virsh's lines for virsh's events, JSON lines on demand."""
    netd = host.netd()
    for options, wanted in ((["--all"], "event 'lifecycle' for network n: Defined"), (["--event", "network-defined"], "Defined")):
        stream = subprocess.Popen([NETDCTL, "--socket", netd.socket, "net-event", *options, "--count", "1"], stdout=subprocess.PIPE, text=True)
        wait_for("end of the stream", lambda s=stream: s.poll() is not None or netd.define("<network><name>n</name></network>") and False, 10, 0.1)
        contains(stream.stdout.read(), [wanted, "events received: 1"], f"net-event {options}")
    done = netd.ctl("--json", "net-event", "--after", "0", "--count", "1")
    check(json.loads(done.stdout.splitlines()[0])["sequence"] == 1, "the first event as JSON", done.stdout)
    same(netd.ctl("net-event", "--timeout", "1").stdout.split()[-1], "0", "events in a second without any")


@test
def transient_and_help(host):
    netd = host.netd()
    netd.ctl("net-create", "-", stdin=LAB)
    same(squeezed(netd.ctl("net-list", "--transient").stdout)[2:], ["lab active no no"], "net-list --transient")
    netd.ctl("net-destroy", "lab")
    same(status(netd, "net-info", "lab").returncode, 4, "a transient network after net-destroy")
    contains(run(NETDCTL, "help").stdout, ["net-list", "exec", "port-list"], "help")
    contains(run(NETDCTL, "help", "net-destroy").stdout, "--force", "help net-destroy")
    contains(netd.ctl("version").stdout, "netd", "version")


main()
