# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirt's Python binding, unmodified, against netd, as virt-manager and virt-install use it: the API, with an event loop of its own."""
import os
import threading

import libvirt

from lib import links, main, same, test, wait_for

UUID = "6f1a2a5e-0c8b-4d55-9c2e-5a2f0f1b7c11"
LAB = f"""<network>
  <name>lab</name>
  <uuid>{UUID}</uuid>
  <forward mode='nat'/>
  <ip address='10.44.0.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='10.44.0.10' end='10.44.0.20'/>
    </dhcp>
  </ip>
</network>
"""
HOST = "<host mac='52:54:00:00:00:05' ip='10.44.0.5'/>"


def refused(code, fn, *args):
    """The call fails with libvirt's code."""
    try:
        fn(*args)
    except libvirt.libvirtError as error:
        same((error.get_error_code(), error.get_error_domain()), (code, libvirt.VIR_FROM_NETWORK), fn.__name__)
        return error.get_error_message()
    same("no error", code, fn.__name__)
    return None


def connect(host):
    libvirt.registerErrorHandler(lambda *_: None, None)  # else it prints each
    libvirt.virEventRegisterDefaultImpl()

    def loop():
        while True:
            libvirt.virEventRunDefaultImpl()

    threading.Thread(target=loop, daemon=True).start()
    folder = os.path.join(host.dir, "libvirt")
    host.netd(options=["--libvirt-socket-dir", folder])
    return libvirt.open(f"network:///system?socket={folder}/virtnetworkd-sock")


@test
def api(host):
    conn, seen = connect(host), []
    conn.networkEventRegisterAny(None, libvirt.VIR_NETWORK_EVENT_ID_LIFECYCLE,
                                 lambda _conn, network, event, detail, _arg: seen.append((network.name(), event, detail)), None)
    same(conn.listAllNetworks(), [], "networks")
    lab = conn.networkDefineXML(LAB)
    same([n.name() for n in conn.listAllNetworks()], ["lab"], "listAllNetworks")
    same((lab.name(), lab.UUIDString(), lab.isActive(), lab.isPersistent(), lab.autostart()), ("lab", UUID, 0, 1, 0), "lab")
    same(lab.bridgeName(), "virbr0", "the bridge has a name before it is started")
    lab.setAutostart(1)
    same(lab.autostart(), 1, "autostart")
    same(lab.XMLDesc(), LAB.replace("  <ip ", f"  <bridge name='virbr0' stp='off' delay='0'/>\n{mac_line(lab)}  <ip "), "XMLDesc")
    lab.create()
    same("virbr0" in links(), True, "its bridge")
    same(conn.networkLookupByName("lab").isActive(), 1, "by name")
    same(conn.networkLookupByUUIDString(UUID).name(), "lab", "by uuid")
    same((conn.listNetworks(), conn.listDefinedNetworks(), conn.numOfNetworks()), (["lab"], [], 1), "names")
    lab.update(libvirt.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, libvirt.VIR_NETWORK_SECTION_IP_DHCP_HOST, -1, HOST,
               libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE | libvirt.VIR_NETWORK_UPDATE_AFFECT_CONFIG)
    same([HOST in lab.XMLDesc(flags) for flags in (0, libvirt.VIR_NETWORK_XML_INACTIVE)], [True, True], "update")
    same((lab.DHCPLeases(), lab.listAllPorts()), ([], []), "leases and ports")
    refused(libvirt.VIR_ERR_OPERATION_INVALID, lab.create)
    refused(libvirt.VIR_ERR_NO_NETWORK, conn.networkLookupByName, "nosuch")
    refused(libvirt.VIR_ERR_OPERATION_FAILED, conn.networkDefineXML, LAB.replace(UUID, UUID[:-1] + "2"))
    refused(libvirt.VIR_ERR_XML_ERROR, conn.networkDefineXML, "<network><name>x</name><forward mode='nat'/></network>")
    lab.destroy()
    lab.undefine()
    wait_for("events", lambda: len(seen) >= 4)
    same(seen, [("lab", event, 0) for event in (libvirt.VIR_NETWORK_EVENT_DEFINED, libvirt.VIR_NETWORK_EVENT_STARTED,
                                                libvirt.VIR_NETWORK_EVENT_STOPPED, libvirt.VIR_NETWORK_EVENT_UNDEFINED)], "events")


def mac_line(network):
    return next(line + "\n" for line in network.XMLDesc().splitlines() if "<mac " in line)


@test
def sanity(host):
    """What virt-install, virt-manager and Terraform's provider ask a connection for before they look at networks."""
    conn = connect(host)
    same((conn.isAlive(), conn.isSecure(), conn.isEncrypted(), conn.getType(), conn.getLibVersion()), (1, 1, 0, "network", 9000000), "the connection")
    same((conn.numOfDomains(), conn.numOfDefinedDomains(), conn.listDomainsID(), conn.listDefinedDomains()), (0, 0, [], []), "domains")
    same((conn.numOfStoragePools(), conn.numOfDefinedStoragePools(), conn.listStoragePools(), conn.listDefinedStoragePools()), (0, 0, [], []), "pools")
    for fn in (conn.numOfNWFilters, conn.numOfInterfaces, conn.numOfSecrets, conn.getHostname, conn.getCapabilities):
        try:
            fn()
            same("no error", "an error", fn.__name__)
        except libvirt.libvirtError as error:
            same(error.get_error_code(), libvirt.VIR_ERR_NO_SUPPORT, fn.__name__)


@test
def many_at_once(host):
    """Clients that change one network at the same moment all succeed."""
    conn, failed = connect(host), []
    conn.networkDefineXML(LAB)
    uri = conn.getURI()

    def change(i):
        try:
            mine = libvirt.open(uri)
            for k in range(5):
                lab = mine.networkLookupByName("lab")
                lab.setAutostart((i + k) % 2)
                mine.networkDefineXML(LAB)
                lab.update(libvirt.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, libvirt.VIR_NETWORK_SECTION_DNS_TXT, -1, f"<txt name='t{i}-{k}' value='v'/>",
                           libvirt.VIR_NETWORK_UPDATE_AFFECT_CONFIG)
        except libvirt.libvirtError as error:
            failed.append(str(error))

    threads = [threading.Thread(target=change, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    same(failed, [], "failures")


main()
