// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the table of procedures
 *
 * The index is the procedure's number in libvirt's remote program; signatures are xdr.h's. Rows without a
 * function are known and answered as not supported, by their name; numbers without a row, too. Source:
 * libvirt's src/remote/remote_protocol.x.
 */
#include "netd/libvirt/procs.h"
#include "base/mem.h"

#define BEFORE_ALL (PROC_BEFORE_AUTH | PROC_BEFORE_OPEN)

/* clang-format off: one row, one line */
static const struct proc_row rows[PROC_LAST + 1] = {
	/* connection */
	[1] = { "connect_open", "Su", "", proc_open, PROC_BEFORE_OPEN, "virConnectOpen", 1 },
	[2] = { "connect_close", "", "", proc_close, PROC_BEFORE_OPEN, "virConnectClose" },
	[3] = { "connect_get_type", "", "s", proc_get_type, 0, "virConnectGetType" },
	[60] = { "connect_supports_feature", "i", "i", proc_supports_feature, PROC_BEFORE_OPEN,
		 "virConnectSupportsFeature" },
	[66] = { "auth_list", "", "I", proc_auth_list, BEFORE_ALL, "authList" },
	[67] = { "auth_sasl_init", "", "", proc_auth_sasl, BEFORE_ALL, "authSaslInit" },
	[70] = { "auth_polkit", "", "i", proc_auth_polkit, BEFORE_ALL, "authPolkit" },
	[110] = { "connect_get_uri", "", "s", proc_get_uri, 0, "virConnectGetURI" },
	[149] = { "connect_is_secure", "", "i", proc_is_secure, 0, "virConnectIsSecure" },
	[157] = { "connect_get_lib_version", "", "H", proc_get_lib_version, 0, "virConnectGetLibVersion" },
	[360] = { "connect_register_close_callback", "", "", proc_close_callback_register, 0,
		  "virConnectRegisterCloseCallback" },
	[361] = { "connect_unregister_close_callback", "", "", proc_close_callback_unregister, 0,
		  "virConnectUnregisterCloseCallback" },
	[419] = { "connect_set_identity", "pu", "", proc_set_identity, 0, "virConnectSetIdentity" },

	/* what clients count and list to see whether a connection is alive; netd has none of these */
	[21] = { "connect_list_defined_domains", "i", "t", proc_list_none, 0,
		 "virConnectListDefinedDomains" },
	[25] = { "connect_num_of_defined_domains", "", "i", proc_count_none, 0,
		 "virConnectNumOfDefinedDomains" },
	[37] = { "connect_list_domains", "i", "I", proc_list_none, 0, "virConnectListDomains" },
	[51] = { "connect_num_of_domains", "", "i", proc_count_none, 0, "virConnectNumOfDomains" },
	[71] = { "connect_num_of_storage_pools", "", "i", proc_count_none, 0, "virConnectNumOfStoragePools" },
	[72] = { "connect_list_storage_pools", "i", "t", proc_list_none, 0, "virConnectListStoragePools" },
	[73] = { "connect_num_of_defined_storage_pools", "", "i", proc_count_none, 0,
		 "virConnectNumOfDefinedStoragePools" },
	[74] = { "connect_list_defined_storage_pools", "i", "t", proc_list_none, 0,
		 "virConnectListDefinedStoragePools" },

	/* what they ask for besides: known by its name in the refusal */
	[4] = { "connect_get_version", "", "", NULL, 0, "virConnectGetVersion" },
	[6] = { "node_get_info", "", "", NULL, 0, "virNodeGetInfo" },
	[7] = { "connect_get_capabilities", "", "", NULL, 0, "virConnectGetCapabilities" },
	[59] = { "connect_get_hostname", "", "", NULL, 0, "virConnectGetHostname" },
	[111] = { "node_num_of_devices", "", "", NULL, 0, "virNodeNumOfDevices" },
	[126] = { "connect_num_of_interfaces", "", "", NULL, 0, "virConnectNumOfInterfaces" },
	[139] = { "connect_num_of_secrets", "", "", NULL, 0, "virConnectNumOfSecrets" },
	[178] = { "connect_num_of_nwfilters", "", "", NULL, 0, "virConnectNumOfNWFilters" },
	[203] = { "connect_get_sysinfo", "", "", NULL, 0, "virConnectGetSysinfo" },
	[220] = { "interface_change_begin", "", "", NULL, 0, "virInterfaceChangeBegin" },
	[273] = { "connect_list_all_domains", "", "", NULL, 0, "virConnectListAllDomains" },
	[281] = { "connect_list_all_storage_pools", "", "", NULL, 0, "virConnectListAllStoragePools" },
	[284] = { "connect_list_all_interfaces", "", "", NULL, 0, "virConnectListAllInterfaces" },
	[285] = { "connect_list_all_node_devices", "", "", NULL, 0, "virConnectListAllNodeDevices" },
	[286] = { "connect_list_all_nwfilters", "", "", NULL, 0, "virConnectListAllNWFilters" },
	[287] = { "connect_list_all_secrets", "", "", NULL, 0, "virConnectListAllSecrets" },
	[342] = { "connect_get_domain_capabilities", "", "", NULL, 0, "virConnectGetDomainCapabilities" },

	/* networks */
	[36] = { "connect_list_defined_networks", "i", "t", proc_list_defined_networks, 0,
		 "virConnectListDefinedNetworks" },
	[38] = { "connect_list_networks", "i", "t", proc_list_networks, 0, "virConnectListNetworks" },
	[39] = { "network_create", "N", "", proc_network_create, PROC_WRITE, "virNetworkCreate" },
	[40] = { "network_create_xml", "s", "N", proc_network_create_xml, PROC_WRITE | PROC_DEFINITION,
		 "virNetworkCreateXML" },
	[41] = { "network_define_xml", "s", "N", proc_network_define, PROC_WRITE | PROC_DEFINITION,
		 "virNetworkDefineXML" },
	[42] = { "network_destroy", "N", "", proc_network_destroy, PROC_WRITE, "virNetworkDestroy" },
	[43] = { "network_get_xml_desc", "Nu", "s", proc_network_xml, 0, "virNetworkGetXMLDesc", 1 },
	[44] = { "network_get_autostart", "N", "i", proc_network_get_autostart, 0, "virNetworkGetAutostart" },
	[45] = { "network_get_bridge_name", "N", "s", proc_network_bridge, 0, "virNetworkGetBridgeName" },
	[46] = { "network_lookup_by_name", "s", "N", proc_network_by_name, 0, "virNetworkLookupByName" },
	[47] = { "network_lookup_by_uuid", "U", "N", proc_network_by_uuid, 0, "virNetworkLookupByUUID" },
	[48] = { "network_set_autostart", "Ni", "", proc_network_set_autostart, PROC_WRITE,
		 "virNetworkSetAutostart" },
	[49] = { "network_undefine", "N", "", proc_network_undefine, PROC_WRITE, "virNetworkUndefine" },
	[50] = { "connect_num_of_defined_networks", "", "i", proc_num_of_defined_networks, 0,
		 "virConnectNumOfDefinedNetworks" },
	[52] = { "connect_num_of_networks", "", "i", proc_num_of_networks, 0, "virConnectNumOfNetworks" },
	[152] = { "network_is_active", "N", "i", proc_network_is_active, 0, "virNetworkIsActive" },
	[153] = { "network_is_persistent", "N", "i", proc_network_is_persistent, 0,
		  "virNetworkIsPersistent" },
	[283] = { "connect_list_all_networks", "iu", "nu", proc_list_all_networks, 0,
		  "virConnectListAllNetworks", 63 },
	[291] = { "network_update", "Nuuisu", "", proc_network_update, PROC_WRITE | PROC_UPDATE,
		  "virNetworkUpdate", 3 },
	[341] = { "network_get_dhcp_leases", "NSiu", "lu", proc_network_leases, 0,
		  "virNetworkGetDHCPLeases" },
	[432] = { "network_define_xml_flags", "su", "N", proc_network_define, PROC_WRITE | PROC_DEFINITION,
		  "virNetworkDefineXMLFlags", 1 },
	[437] = { "network_create_xml_flags", "su", "N", proc_network_create_xml,
		  PROC_WRITE | PROC_DEFINITION, "virNetworkCreateXMLFlags", 1 },
	[444] = { "network_set_metadata", "NiSSSu", "", proc_network_set_metadata, PROC_WRITE | PROC_METADATA,
		  "virNetworkSetMetadata", 3 },
	[445] = { "network_get_metadata", "NiSu", "s", proc_network_get_metadata, PROC_METADATA,
		  "virNetworkGetMetadata", 3 },

	/* events */
	[313] = { "connect_network_event_register_any", "iM", "i", proc_event_register, 0,
		  "virConnectNetworkEventRegisterAny" },
	[314] = { "connect_network_event_deregister_any", "i", "", proc_event_deregister, 0,
		  "virConnectNetworkEventDeregisterAny" },

	/* ports */
	[404] = { "network_list_all_ports", "Niu", "ou", proc_list_all_ports, 0, "virNetworkListAllPorts" },
	[405] = { "network_port_lookup_by_uuid", "NU", "P", proc_port_by_uuid, 0,
		  "virNetworkPortLookupByUUID" },
	[406] = { "network_port_create_xml", "Nsu", "P", proc_port_create_xml, PROC_WRITE | PROC_PORT,
		  "virNetworkPortCreateXML", 3 },
	[407] = { "network_port_get_parameters", "Piu", "pi", proc_port_get_parameters, 0,
		  "virNetworkPortGetParameters" },
	[408] = { "network_port_set_parameters", "Ppu", "", proc_port_set_parameters, PROC_WRITE,
		  "virNetworkPortSetParameters" },
	[409] = { "network_port_get_xml_desc", "Pu", "s", proc_port_xml, 0, "virNetworkPortGetXMLDesc" },
	[410] = { "network_port_delete", "Pu", "", proc_port_delete, PROC_WRITE, "virNetworkPortDelete" },
};
/* clang-format on */

const struct proc_row *proc_row(uint32_t number)
{
	return number >= 1 && number <= PROC_LAST ? &rows[number] : NULL;
}

struct network *proc_network(struct proc_call *call, const struct xdr_network *ref)
{
	struct network *n = model_network_by_uuid(call->core->model, &ref->uuid);
	char uuid[ND_UUID_STRLEN];

	if (!n)
		proc_fail(call, LIBVIRT_NO_NETWORK, "no network with matching uuid '%s' (%.300s)",
			  nd_uuid_to_string(&ref->uuid, uuid), ref->name);
	return n;
}

/* Unknown ones of the last value, where that is flags. */
static uint32_t unknown_flags(const struct proc_call *call)
{
	size_t len = strlen(call->row->in);

	if (len == 0 || call->row->in[len - 1] != 'u')
		return 0;
	return call->in[len - 1].u & ~call->row->known_flags;
}

static void proc_run(struct proc_call *call)
{
	const struct proc_row *row = call->row;
	struct network *n = NULL;

	if (row->in[0] == 'N' || row->in[0] == 'P') {
		n = proc_network(call, row->in[0] == 'N' ? &call->in[0].network : &call->in[0].port.network);
		if (!n)
			return;
	}
	row->call(call, n);
}

void proc_again(void *arg)
{
	struct proc_call *call = arg;

	if (call->session)
		proc_run(call);
	else
		proc_reply_void(call); /* to nobody */
}

void proc_dispatch(struct proc_call *call, struct nd_reader body)
{
	const struct proc_row *row = call->row;

	if (xdr_read(body, row->in, call->in) < 0) {
		proc_fail(call, LIBVIRT_RPC, "Unable to decode message payload");
		return;
	}
	if (unknown_flags(call)) {
		proc_fail(call, LIBVIRT_INVALID_ARG, "unsupported flags (0x%x) in function %s",
			  unknown_flags(call), row->api);
		return;
	}
	proc_run(call);
}
