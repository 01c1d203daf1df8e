# SPDX-License-Identifier: GPL-2.0-or-later
"""netdctl: definitions without files, plans, the editor, event numbers across restarts, the interactive shell."""
import contextlib
import json
import os
import pty
import re
import select
import subprocess
import time

from lib import NETDCTL, Guest, check, contains, links, main, run, same, test, wait_for

LAB = """<network>
  <name>lab</name>
  <uuid>6f1a2a5e-0c8b-4d55-9c2e-5a2f0f1b7c11</uuid>
  <bridge name='br-lab'/>
  <ip address='10.44.0.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='10.44.0.10' end='10.44.0.20'/>
    </dhcp>
  </ip>
</network>
"""


def status(netd, *words, **kw):
    return netd.ctl(*words, ok=None, **kw)


def write(host, name, text):
    path = os.path.join(host.dir, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


@test
def names_and_xpath(host):
    netd = host.netd()
    netd.define(LAB)
    same(netd.ctl("net-uuid", "lab").stdout, "6f1a2a5e-0c8b-4d55-9c2e-5a2f0f1b7c11\n\n", "net-uuid")
    same(netd.ctl("net-name", "6f1a2a5e-0c8b-4d55-9c2e-5a2f0f1b7c11").stdout, "lab\n\n", "net-name")
    done = status(netd, "net-name", "lab")
    same(done.returncode, 4, "net-name of a name")
    contains(done.stderr, "failed to get network 'lab'", "net-name of a name")
    same(status(netd, "net-uuid", "6f1a2a5e-0c8b-4d55-9c2e-5a2f0f1b7c11").returncode, 4, "net-uuid of a UUID")
    same(netd.ctl("net-dumpxml", "lab", "--xpath", "//range").stdout, '<range start="10.44.0.10" end="10.44.0.20"/>\n\n', "--xpath")
    same(netd.ctl("-q", "net-list", "--all").stdout.split(), ["lab", "inactive", "no", "yes"], "--quiet")
    same(netd.ctl("net-list", "--all", "--autostart", "--name").stdout, "\n", "--autostart")
    same(netd.ctl("net-list", "--all", "--no-autostart", "--name").stdout, "lab\n\n", "--no-autostart")
    same(netd.ctl("net-info", "lab").stdout, "Name:           lab\nUUID:           6f1a2a5e-0c8b-4d55-9c2e-5a2f0f1b7c11\n"
         "Active:         no\nPersistent:     yes\nAutostart:      no\nBridge:         br-lab\n\n", "net-info, as virsh's")


@test
def as_virsh(host):
    """The same commands by virsh and by netdctl, each on a network of its own: the same output to the byte, and virsh's words in errors."""
    sockets = os.path.join(host.dir, "libvirt")
    netd = host.netd(options=["--libvirt-socket-dir", sockets])
    uri = f"network:///system?socket={sockets}/virtnetworkd-sock"
    env = {"HOME": host.dir, "XDG_CACHE_HOME": host.dir, "LC_ALL": "C", "TZ": "UTC"}

    def plain(text):
        """The one network in the other's names, addresses and UUID; widths are the same."""
        return text.replace("xone", "xtwo").replace("10.44.", "10.45.").replace(":44:", ":45:")

    def both(*words, ok=True):
        virsh = run("virsh", "-c", uri, *[w.replace("xtwo", "xone").replace("10.45.", "10.44.") for w in words], env=env, ok=None)
        ours = netd.ctl(*words, ok=None, env=env)
        same((virsh.returncode == 0, ours.returncode == 0), (ok, ok), f"status of {words}: {virsh.stderr}{ours.stderr}")
        if ok:
            return same(ours.stdout, plain(virsh.stdout), f"output of {words}")
        for line in plain(virsh.stderr).splitlines():
            contains(ours.stderr, re.sub("^error: (Requested operation is not valid: )?", "", line), f"errors of {words}")
        return None

    for name, net, uuid in (("xone", "10.44", "6f1a2a5e"), ("xtwo", "10.45", "7f1a2a5e")):
        netd.define(LAB.replace("lab", name).replace("10.44", net).replace("6f1a2a5e", uuid))
    for words in (("net-dumpxml", "xtwo", "--xpath", "//bridge"), ("net-start", "xtwo"), ("net-dhcp-leases", "xtwo"), ("net-autostart", "xtwo"),
                  ("net-update", "xtwo", "add", "dns-txt", "<txt name='a' value='b'/>", "--config"),
                  ("net-update", "xtwo", "add", "ip-dhcp-host", "<host mac='52:54:00:00:00:07' ip='10.45.0.7'/>", "--live", "--config"),
                  ("net-port-list", "xtwo"), ("net-autostart", "--disable", "--network", "xtwo")):
        both(*words)
    for words in (("net-start", "xtwo"), ("net-start", "nothing"), ("net-update", "xtwo", "frob", "ip", "<ip/>"),
                  ("net-update", "xtwo", "delete", "dns-txt", "<txt name='none'/>", "--config"), ("net-name", "xtwo"), ("net-define", "/no/such"),
                  ("net-start",), ("net-start", "xtwo", "more"), ("net-start", "--frob")):
        both(*words, ok=False)
    for words in (("net-list", "--all"), ("net-list", "--all", "--name"), ("net-list", "--uuid"), ("net-list", "--inactive"), ("net-info", "xtwo"),
                  ("net-dumpxml", "xtwo"), ("net-dumpxml", "xtwo", "--inactive"), ("net-uuid", "xtwo"), ("net-dhcp-leases", "xtwo"),
                  ("net-event", "--timeout", "1", "--event", "lifecycle")):
        virsh, ours = run("virsh", "-c", uri, *words, env=env, ok=None), netd.ctl(*words, env=env, ok=None)
        same((ours.returncode == 0, ours.stdout.strip()), (virsh.returncode == 0, virsh.stdout.strip()), f"output of {words}")
    for words in (("net-destroy", "xtwo"), ("net-undefine", "xtwo")):
        both(*words)


@test
def validation(host):
    netd = host.netd()
    odd = write(host, "odd.xml", LAB.replace("  <bridge", "  <odd/>\n  <bridge"))
    done = status(netd, "net-define", "--validate", odd)
    same(done.returncode, 3, "status of --validate")
    contains(done.stderr, ["Failed to define network from", "odd", "line 4"], "--validate")
    same(netd.networks(), [], "networks after a refusal")
    contains(netd.ctl("net-define", odd).stderr, "warning", "without --validate")
    same(status(netd, "net-create", odd, "--validate").returncode, 3, "net-create --validate")


@test
def defined_without_a_file(host):
    netd = host.netd()
    same(netd.ctl("net-define-as", "plain", "--autostart", "on-attach").stdout, "Network plain defined\n\n", "net-define-as")
    netd.ctl("net-define-as", "apart", "--mode", "isolated", "--subnet", "10.50.0.0/24", "--bridge", "br-apart", "--mtu", "1400",
             "--domain", "apart.test", "--dhcp", "10.50.0.100-10.50.0.110", "--autostart", "boot")
    xml = netd.ctl("net-define-as", "shown", "--subnet", "10.51.0.0/24", "--print-xml").stdout
    contains(xml, "<range start='10.51.0.2' end='10.51.0.254'/>", "--print-xml")
    netd.define(xml)
    same(sorted(n["name"] for n in netd.networks()), ["apart", "plain", "shown"], "networks")
    same(netd.network("plain")["autostart"], "on-attach", "autostart of plain")
    netd.ctl("net-start", "apart")
    apart = netd.network("apart")
    same((apart["forward"], apart["subnets"], apart["bridge"], apart["mtu"], apart["domain"], apart["autostart"]),
         ("isolated", ["10.50.0.1/24"], "br-apart", 1400, "apart.test", "boot"), "apart")
    guest = Guest(netd, "plain")
    contains(netd.network("plain")["subnets"][0], "/24", "the subnet netd chose")
    guest.kill()
    same(status(netd, "net-define-as", "bad", "--subnet", "10.1.2.3").returncode, 2, "a subnet without length")


@test
def plan_and_apply(host):
    netd = host.netd()
    folder = os.path.join(host.dir, "wanted")
    os.mkdir(folder)
    write(host, "wanted/lab.xml", LAB)
    write(host, "wanted/new.xml", "<network xmlns:netd='urn:netd:network:1'><name>new</name><ip address='10.45.0.1' prefix='24'/>"
          "<netd:autostart mode='boot'/></network>")
    contains(netd.ctl("net-apply", folder, "--dry-run").stdout, ["lab", "define", "new", "define, start"], "the plan")
    same(netd.networks(), [], "networks after --dry-run")
    contains(netd.ctl("net-apply", folder).stdout, ["Network lab applied from", "Network new applied from"], "net-apply")
    same((netd.network("lab")["state"], netd.network("new")["state"]), ("inactive", "active"), "states")
    contains(netd.ctl("net-apply", folder).stdout, "none", "the plan of what is so already")

    netd.ctl("net-start", "lab")
    guest = Guest(netd, "lab", ",name=vm1")
    address = guest.dhcp()["ip"]
    write(host, "wanted/lab.xml", LAB.replace("end='10.44.0.20'", "end='10.44.0.99'"))
    plan = netd.json("net-apply", "--dry-run", os.path.join(folder, "lab.xml"))
    same((plan["applied"], plan["plans"][0]["live"], plan["plans"][0]["guests"]), (False, "live", []), "a plan of a live change")
    netd.ctl("net-apply", folder)
    same(netd.network("lab")["dhcpRanges"], [{"start": "10.44.0.10", "end": "10.44.0.99"}], "the range in force")
    contains(netd.ctl("net-dumpxml", "lab", "--inactive").stdout, "10.44.0.99", "the definition")

    write(host, "wanted/lab.xml", LAB.replace("  <ip", "  <mac address='52:54:00:44:44:44'/>\n  <ip"))
    plan = netd.ctl("net-apply", "--dry-run", folder).stdout
    contains(plan, ["restart", "vm1"], "a plan of a restart names the guest")
    done = status(netd, "net-apply", folder)
    same(done.returncode, 8, f"a restart that nobody allowed: {done.stderr}")
    check(links()["br-lab"]["address"] != "52:54:00:44:44:44", "the refused change was made")
    netd.ctl("net-apply", "--restart", folder)
    same(links()["br-lab"]["address"], "52:54:00:44:44:44", "the bridge's MAC after the restart")
    wait_for("the guest's port in the new bridge", lambda: links()[guest.ifname].get("master") == "br-lab")
    same(guest.dhcp()["ip"], address, "the guest's address after the restart")
    guest.kill()


@test
def updates(host):
    """One element at a time, of what runs and of the definition; a guest keeps what it has."""
    netd = host.netd()
    netd.define(LAB)
    reservation = "<host mac='52:54:00:00:00:31' name='kept' ip='10.44.0.77'/>"
    same(netd.ctl("net-update", "lab", "add", "ip-dhcp-host", reservation).stdout, "Updated network lab persistent config\n", "inactive")
    contains(netd.ctl("net-dumpxml", "lab").stdout, "10.44.0.77", "the definition")
    done = status(netd, "net-update", "lab", "add", "ip-dhcp-host", reservation, "--live")
    same(done.returncode, 8, f"--live of an inactive network: {done.stderr}")
    contains(done.stderr, ["Failed to update network lab", "network is not running"], "--live of an inactive network")
    netd.ctl("net-start", "lab")
    guest = Guest(netd, "lab", ",mac=52:54:00:00:00:31")
    same(guest.dhcp()["ip"], "10.44.0.77", "the reserved address")
    other = Guest(netd, "lab", ",mac=52:54:00:00:00:32")
    path = write(host, "host.xml", "<host mac='52:54:00:00:00:32' ip='10.44.0.88'/>")
    before = netd.leases("lab")
    same(netd.ctl("net-update", "lab", "add-last", "ip-dhcp-host", path, "--live", "--config").stdout,
         "Updated network lab persistent config and live state\n", "both")
    same(netd.leases("lab"), before, "the other guest's lease")
    same(other.dhcp()["ip"], "10.44.0.88", "the new reservation")
    same(guest.dhcp()["ip"], "10.44.0.77", "the old one")
    same(netd.ctl("net-update", "lab", "delete", "ip-dhcp-host", "<host mac='52:54:00:00:00:32' ip='10.44.0.88'/>").stdout,
         "Updated network lab live state\n", "active")
    contains(netd.ctl("net-dumpxml", "lab", "--inactive").stdout, "10.44.0.88", "the definition after a live deletion")
    check("10.44.0.88" not in netd.ctl("net-dumpxml", "lab").stdout, "what was deleted still runs")
    for words, text in ((("frob", "ip", "<ip/>"), "unrecognized command name 'frob'"), (("add", "frob", "<ip/>"), "unrecognized section name 'frob'"),
                        (("add", "ip-dhcp-host", "<range/>"), "unexpected element <range>, expecting <host>"),
                        (("modify", "ip-dhcp-range", "<range start='10.44.0.10' end='10.44.0.20'/>"), "cannot be modified"),
                        (("add", "ip-dhcp-host", reservation), "52:54:00:00:00:31")):
        done = status(netd, "net-update", "lab", *words)
        check(done.returncode != 0, f"net-update {words} was done")
        contains(done.stderr, text, f"net-update {words}")
    guest.kill()
    other.kill()


@test
def titles_and_metadata(host):
    netd = host.netd()
    netd.define(LAB)
    same(netd.ctl("net-desc", "lab").stdout, "No description for network: lab\n", "no description")
    same(netd.ctl("net-desc", "lab", "For", "the", "lab").stdout, "Network description updated successfully\n", "net-desc")
    same(netd.ctl("net-desc", "lab").stdout, "For the lab\n", "the description")
    netd.ctl("net-desc", "lab", "--title", "Lab")
    same((netd.network("lab")["title"], netd.ctl("net-desc", "--title", "lab").stdout), ("Lab", "Lab\n"), "the title")
    netd.ctl("net-desc", "lab", "--title", "")
    same(netd.ctl("net-desc", "--title", "lab").stdout, "No title for network: lab\n", "a removed title")
    done = status(netd, "net-metadata", "lab", "urn:x")
    same(done.returncode, 4, "no metadata")
    same(netd.ctl("net-metadata", "lab", "urn:x", "--key", "x", "--set", "<owner>me</owner>").stdout, "Metadata modified\n\n", "--set")
    same(netd.ctl("net-metadata", "lab", "urn:x").stdout.strip(), "<owner>me</owner>", "net-metadata")
    contains(netd.ctl("net-dumpxml", "lab").stdout, ["<metadata>", "urn:x"], "the definition")
    netd.kill()
    netd.start()
    same(netd.ctl("net-metadata", "lab", "urn:x").stdout.strip(), "<owner>me</owner>", "net-metadata after a restart of netd")
    same(netd.ctl("net-metadata", "lab", "urn:x", "--remove").stdout, "Metadata removed\n\n", "--remove")
    same(status(netd, "net-metadata", "lab", "urn:x").returncode, 4, "removed metadata")


@test
def editor(host):
    netd = host.netd()
    netd.define(LAB)

    def edit(script, **kw):
        return status(netd, "net-edit", "lab", env={"VISUAL": "sh " + write(host, "editor", script), "TMPDIR": host.dir}, **kw)

    same(edit("exit 0").stdout, "Network lab XML configuration not changed.\n\n", "an editor that changes nothing")
    same(edit("sed -i s/10.44.0.20/10.44.0.30/ \"$1\"").stdout, "Network lab XML configuration edited.\n\n", "an edit")
    contains(netd.ctl("net-dumpxml", "lab").stdout, "10.44.0.30", "the definition")
    done = edit("sed -i s/10.44.0.30/10.44.0.300/ \"$1\"")
    same(done.returncode, 3, "status of a wrong edit")
    contains(done.stderr, ["line", "10.44.0.300"], "why it is wrong")
    done = edit(f"sed -i s/10.44.0.30/10.44.0.31/ \"$1\"; {NETDCTL} --socket {netd.socket} net-autostart lab --on-attach; "
                f"{NETDCTL} --socket {netd.socket} net-dumpxml lab | sed s/10.44.0.10/10.44.0.11/ | {NETDCTL} --socket {netd.socket} net-define -")
    same(done.returncode, 6, "status of an edit beside another")
    contains(done.stderr, "changed by another user", "an edit beside another")
    same([n for n in os.listdir(host.dir) if n.startswith("netdctl-")], [], "temporary files left")


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *command, env=None):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], list(command), {**os.environ, "TERM": "xterm", **(env or {})})
        self.text = ""

    def expect(self, word, seconds=15):
        end = time.monotonic() + seconds
        while word not in self.text:
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            check(ready, f"no '{word}' on the terminal within {seconds} s", self.text)
            try:
                self.text += os.read(self.fd, 4096).decode(errors="replace")
            except OSError:
                check(False, f"the terminal closed before '{word}'", self.text)
        before, _, self.text = self.text.partition(word)
        return before

    def send(self, text):
        os.write(self.fd, text.encode())

    def end(self, keys=""):
        """To its end; return: its exit status. keys end it: again each second, for what is typed between prompt and raw mode is lost. What the
        sanitizers say is in the text."""
        until = time.monotonic() + 30
        with contextlib.suppress(OSError):
            self.send(keys)
            while True:
                if not select.select([self.fd], [], [], 1)[0]:
                    check(time.monotonic() < until, f"it does not end on {keys!r}", self.text)
                    self.send(keys)
                    continue
                more = os.read(self.fd, 4096)
                if not more:
                    break
                self.text += more.decode(errors="replace")
        os.close(self.fd)
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        check("Sanitizer" not in self.text, "the sanitizers found something", self.text)
        return code


@test
def editor_asks_again(host):
    """What was refused comes back with the reason at its line."""
    netd = host.netd()
    netd.define(LAB)
    script = write(host, "editor", f"""
cp "$1" {host.dir}/seen.$(ls {host.dir}/seen.* 2>/dev/null | wc -l)
if grep -q 10.44.0.300 "$1"; then sed -i s/10.44.0.300/10.44.0.30/ "$1"; else sed -i s/10.44.0.20/10.44.0.300/ "$1"; fi
""")
    terminal = Terminal(NETDCTL, "--socket", netd.socket, "net-edit", "lab", env={"VISUAL": f"sh {script}"})
    terminal.expect("error: ")
    terminal.expect("Failed. Try again? [y,n,f,?]: ")
    terminal.send("?\n")
    terminal.expect("n - no, throw away my changes")
    terminal.expect("[y,n,f,?]: ")
    terminal.send("y\n")
    terminal.expect("Network lab XML configuration edited.")
    same(terminal.end(), 0, "status")
    with open(os.path.join(host.dir, "seen.1"), encoding="utf-8") as file:
        lines = file.read().splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("<!-- netdctl: "))
    contains(lines[at + 1], "10.44.0.300", "the line below the note")
    check("netdctl" not in netd.ctl("net-dumpxml", "lab").stdout, "the note was defined, too")


@test
def shell(host):
    netd = host.netd()
    netd.define(LAB)
    state = os.path.join(host.dir, "xdg")
    terminal = Terminal(NETDCTL, "--socket", netd.socket, env={"XDG_STATE_HOME": state})
    terminal.expect("netdctl # ")
    terminal.send("net-sta\tla\t\r")
    terminal.expect("Network lab started")
    terminal.expect("netdctl # ")
    terminal.send("net-de\t")
    contains(terminal.expect("net-destroy"), "net-define-as", "candidates")
    terminal.send("\x15port-list --net\t")
    terminal.expect("work ")
    terminal.send("\x15net-info nothing\r")
    terminal.expect("failed to get network 'nothing'")
    terminal.expect("netdctl # ")
    terminal.send("monitor --since 0\r")
    terminal.expect("network-started")
    terminal.send("\x03")
    terminal.expect("netdctl # ")
    same(terminal.end("quit\r"), 4, "status: of the last that failed")
    with open(os.path.join(state, "netd", "history"), encoding="utf-8") as file:
        contains(file.read(), ["net-start", "quit"], "the history")
    same(os.stat(os.path.join(state, "netd", "history")).st_mode & 0o777, 0o600, "the history's mode")
    terminal = Terminal(NETDCTL, "--socket", netd.socket, env={"XDG_STATE_HOME": state})
    terminal.expect("netdctl # ")
    terminal.send("\x10\x10\r")
    terminal.expect("network-started")
    terminal.send("\x03")
    terminal.expect("netdctl # ")
    terminal.end("\x04")


class Monitor:
    """netdctl monitor --json and what it printed so far."""

    def __init__(self, netd, *options):
        self.process = subprocess.Popen([NETDCTL, "--socket", netd.socket, "monitor", "--json", *options], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.text = b""

    def replies(self):
        self.text += self.process.stdout.read() or b""
        return [json.loads(line) for line in self.text.splitlines(keepends=True) if line.endswith(b"\n")]

    def wait(self, kind, seconds=20):
        wait_for(f"event {kind}", lambda: any(r.get("event", {}).get("kind") == kind for r in self.replies()), seconds)

    def end(self):
        self.process.terminate()
        self.process.wait(10)
        return self.replies()


@test
def monitor_outlives_the_daemon(host):
    netd = host.netd()
    netd.define(LAB)
    watch = Monitor(netd, "--since", "0")
    watch.wait("network-defined")
    netd.ctl("net-start", "lab")
    watch.wait("network-started")
    netd.kill()
    netd.start()
    netd.ctl("net-destroy", "lab")
    watch.wait("network-stopped")
    replies = watch.end()
    epochs = [r["epoch"] for r in replies if "event" not in r]
    same(len(epochs), 2, "connections")
    check(epochs[0] < epochs[1], "the epochs", epochs)
    second = replies.index(next(r for r in replies if r.get("epoch") == epochs[1]))
    for part in (replies[1:second], replies[second + 1:]):
        same([r["event"]["sequence"] for r in part], list(range(1, len(part) + 1)), "numbers without a hole")


@test
def completion(host):
    netd = host.netd()
    for shell_name in ("bash", "zsh"):
        script = netd.ctl("completion", shell_name).stdout
        names = re.findall(r"^  (\S+)", run(NETDCTL, "help").stdout, re.M)
        contains(script, names, f"the {shell_name} script")
    netd.define(LAB)
    path = write(host, "script", netd.ctl("completion", "bash").stdout)
    done = run("bash", "-c", f"PATH={os.path.dirname(NETDCTL)}:$PATH; . {path}; "
               f"COMP_WORDS=(netdctl --socket {netd.socket} net-start l); COMP_CWORD=4; _netdctl; echo ${{COMPREPLY[@]}}")
    same(done.stdout.strip(), "lab", "a network's name completed by bash")


@test
def files_of_any_kind(host):
    """A pipe is as good as a file."""
    netd = host.netd()
    path = write(host, "lab.xml", LAB)
    run("bash", "-c", f"{NETDCTL} --socket {netd.socket} net-define <(cat {path})")
    same(netd.network("lab")["state"], "inactive", "the network")
    done = status(netd, "net-define", "/no/such.xml")
    same(done.returncode, 4, "status without the file")
    contains(done.stderr, "Failed to open file '/no/such.xml'", "its error")


main()
