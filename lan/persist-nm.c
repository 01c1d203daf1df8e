// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: for NetworkManager
 *
 * Two connections in its keyfile format: the bridge with the addressing of the NIC's present one, and the NIC as its port. The NIC's own connection is left as it is:
 * ours come first by autoconnect-priority. The files hold no secret, but NetworkManager ignores those that others may read.
 * Source: nm-settings-keyfile(5); /run/NetworkManager/devices/INDEX, NetworkManager.conf(5).
 */
#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"
#include "lan/private.h"

#define FOLDER "/etc/NetworkManager/system-connections/"

static bool connection_uuid(const char *root, const struct lan_record *r, char *ret, size_t size)
{
	char path[96];
	snprintf(path, sizeof path, "/run/NetworkManager/devices/%d", r->port_index);
	nd_autofree char *state = lan_read(root, path);
	return state && lan_ini_value(state, "device", "connection-uuid", ret, size);
}

static bool manages(const char *root, const struct lan_record *r)
{
	char uuid[64];
	return connection_uuid(root, r, uuid, sizeof uuid);
}

/* *ret: its path below root; the text, the caller's. */
static char *find_connection(const char *root, const char *uuid, char *ret, size_t size)
{
	static const char *const folders[] = { FOLDER, "/run/NetworkManager/system-connections/",
					       "/usr/lib/NetworkManager/system-connections/" };
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		char dir[512], have[64];
		char **names = NULL;
		char *found = NULL;
		snprintf(dir, sizeof dir, "%s%s", root, folders[i]);
		if (nd_dir_list(dir, NULL, &names, NULL) < 0)
			continue;
		for (size_t k = 0; names[k] && !found; k++) {
			snprintf(ret, size, "%s%s", folders[i], names[k]);
			char *text = lan_read(root, ret);
			if (text && lan_ini_value(text, "connection", "uuid", have, sizeof have) &&
			    !strcmp(have, uuid))
				found = text;
			else
				free(text);
		}
		nd_strv_free(names);
		if (found)
			return found;
	}
	return NULL;
}

/* A UUID that is the same each time, of the bridge's name and the connection's part. */
static void name_uuid(const char *bridge, const char *part, char ret[ND_UUID_STRLEN])
{
	static const struct nd_uuid space = { { 0x6e, 0x65, 0x74, 0x64, 0x2d, 0x68, 0x6f, 0x73, 0x74, 0x2d,
						0x62, 0x72, 0x69, 0x64, 0x67, 0x65 } };
	struct nd_uuid uuid;
	char name[64];
	int len = snprintf(name, sizeof name, "%s %s", bridge, part);
	nd_uuid_from_name(&space, name, (size_t)len, &uuid);
	nd_uuid_to_string(&uuid, ret);
}

static int add_text(struct lan_record *r, const char *root, const char *name, char *text, struct nd_error *e)
{
	char path[128];
	snprintf(path, sizeof path, FOLDER "netd-%s.nmconnection", name);
	return lan_file_add(r, root, path, text, 0600, e);
}

static int plan(const char *root, const struct lan_snapshot *s, struct lan_record *r, struct nd_error *e)
{
	static const char *const keep[] = { "ipv4", "ipv6", "proxy", NULL };
	char uuid[64] = "", path[512], bridge_uuid[ND_UUID_STRLEN], port_uuid[ND_UUID_STRLEN],
	     mac[ND_MAC_STRLEN];
	char head[1200], port[32];
	connection_uuid(root, r, uuid, sizeof uuid);
	nd_autofree char *text = find_connection(root, uuid, path, sizeof path);
	char *body, *port_text;
	if (!text)
		return nd_fail(e, ND_UNSUPPORTED,
			       "the connection %s of %s has no keyfile (nmcli connection migrate makes one); "
			       "or persist by hand "
			       "(--no-persist)",
			       uuid, r->port);
	name_uuid(r->bridge, "bridge", bridge_uuid);
	name_uuid(r->bridge, "port", port_uuid);
	snprintf(head, sizeof head,
		 "# Written by netd for the host bridge %s; netdctl host-bridge-remove takes it away.\n# "
		 "Addressing from %s.\n"
		 "[connection]\nid=netd-%s\nuuid=%s\ntype=bridge\ninterface-name=%s\nautoconnect-priority="
		 "100\n\n"
		 "[ethernet]\nmtu=%u\n\n[bridge]\nmac-address=%s\nstp=false\nforward-delay=0\n",
		 r->bridge, path, r->bridge, bridge_uuid, r->bridge, s->mtu, nd_mac_to_string(&r->mac, mac));
	if (lan_ini_rewrite(text, head, keep, true, &body, e) < 0 ||
	    add_text(r, root, r->bridge, body, e) < 0)
		return ND_MEMORY;
	if (asprintf(&port_text,
		     "# Written by netd for the host bridge %s; netdctl host-bridge-remove takes it away.\n"
		     "[connection]\nid=netd-%s-port\nuuid=%s\ntype=ethernet\ninterface-name=%s\nmaster=%s\n"
		     "slave-type=bridge\nautoconnect-priority=100\n",
		     r->bridge, r->port, port_uuid, r->port, bridge_uuid) < 0)
		return nd_fail(e, ND_MEMORY, "connection");
	snprintf(port, sizeof port, "%s-port", r->port);
	return add_text(r, root, port, port_text, e);
}

const struct lan_persist lan_persist_network_manager = {
	.manager = LAN_MANAGER_NETWORK_MANAGER,
	.manages = manages,
	.plan = plan,
	.dynamic_note = "NetworkManager's DHCP client still runs on %s; netd moves what it renews to %s. "
			"'nmcli connection reload' and "
			"'nmcli connection up netd-BRIDGE' let NetworkManager run it on the bridge at once",
};
