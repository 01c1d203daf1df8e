// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: for systemd-networkd (and netplan, which writes its files)
 *
 * networkd takes the first .network file, by name, that matches: ours sort before. The bridge's is the NIC's own with another [Match], drop-ins included, so
 * that whatever stands there holds for the bridge; the NIC's says that it is a port and no more. A DHCP server knows its client by DUID and IAID, and networkd makes
 * the IAID from the interface's name: the bridge gets the NIC's, and with it its address.
 * Source: systemd.network(5), systemd.netdev(5); networkd's state files /run/systemd/netif/links/INDEX and leases/INDEX, which have no manual.
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "lan/private.h"

#define FOLDER "/etc/systemd/network/00-netd-"
#define HEAD   "# Written by netd for the host bridge %s; netdctl host-bridge-remove takes it away.\n"

static char *read_state(const char *root, const char *folder, const struct lan_record *r)
{
	char path[96];
	snprintf(path, sizeof path, "/run/systemd/netif/%s/%d", folder, r->port_index);
	return lan_read(root, path);
}

static bool manages(const char *root, const struct lan_record *r)
{
	nd_autofree char *state = read_state(root, "links", r);
	char file[512], admin[32];
	if (!state || !lan_ini_value(state, NULL, "NETWORK_FILE", file, sizeof file))
		return false;
	return !lan_ini_value(state, NULL, "ADMIN_STATE", admin, sizeof admin) ||
	       strcmp(admin, "unmanaged") != 0;
}

/* RFC 4361: type 255, then four bytes of IAID; networkd tells it as hexadecimal digits. */
static bool lease_iaid(const char *root, const struct lan_record *r, unsigned *ret)
{
	nd_autofree char *lease = read_state(root, "leases", r);
	char id[300];
	return lease && lan_ini_value(lease, NULL, "CLIENTID", id, sizeof id) && strlen(id) > 10 &&
	       sscanf(id, "ff%8x", ret) == 1;
}

static int add_text(struct lan_record *r, const char *root, const char *name, const char *suffix,
		    struct nd_buf *text, struct nd_error *e)
{
	char path[96];
	char *copy = text->bad ? NULL : strdup(nd_buf_string(text));
	snprintf(path, sizeof path, FOLDER "%s.%s", name, suffix);
	nd_buf_done(text);
	return lan_file_add(r, root, path, copy, 0644, e);
}

static int add_netdev(struct lan_record *r, const char *root, uint32_t mtu, struct nd_error *e)
{
	struct nd_buf text = { .max = 4096 };
	char mac[ND_MAC_STRLEN];
	nd_buf_printf(&text,
		      HEAD "[NetDev]\nName=%s\nKind=bridge\nMACAddress=%s\nMTUBytes=%u\n\n[Bridge]\nSTP="
			   "no\nForwardDelaySec=0\n",
		      r->bridge, r->bridge, nd_mac_to_string(&r->mac, mac), mtu);
	return add_text(r, root, r->bridge, "netdev", &text, e);
}

static int add_port(struct lan_record *r, const char *root, struct nd_error *e)
{
	struct nd_buf text = { .max = 4096 };
	nd_buf_printf(&text, HEAD "[Match]\nName=%s\n\n[Network]\nBridge=%s\nLinkLocalAddressing=no\n",
		      r->bridge, r->port, r->bridge);
	return add_text(r, root, r->port, "network", &text, e);
}

/* Drop-ins say more of sections that are there: they are put behind. */
static void append_dropins(struct nd_buf *out, const char *root, char *paths)
{
	static const char *const drop[] = { "Match", "Link", NULL };
	char *save = NULL;
	for (char *path = strtok_r(paths, " :\"", &save); path; path = strtok_r(NULL, " :\"", &save)) {
		nd_autofree char *text = lan_read(root, path), *kept = NULL;
		if (text && lan_ini_rewrite(text, "", drop, false, &kept, NULL) == 0)
			nd_buf_append_string(out, kept);
	}
}

static int add_bridge(struct lan_record *r, const char *root, const char *state, const char *file,
		      struct nd_error *e)
{
	static const char *const drop[] = { "Match", "Link", NULL };
	nd_autofree char *text = lan_read(root, file), *body = NULL;
	struct nd_buf out = { .max = 2u << 20 };
	char head[768], dropins[1024];
	unsigned iaid;
	if (!text)
		return nd_fail(e, ND_SYSTEM, "%s, which networkd uses for %s, cannot be read", file, r->port);
	snprintf(head, sizeof head, HEAD "# From %s.\n[Match]\nName=%s\n", r->bridge, file, r->bridge);
	if (lan_ini_rewrite(text, head, drop, false, &body, e) < 0)
		return ND_MEMORY;
	nd_buf_append_string(&out, body);
	if (lan_ini_value(state, NULL, "NETWORK_FILE_DROPINS", dropins, sizeof dropins))
		append_dropins(&out, root, dropins);
	if (lease_iaid(root, r, &iaid))
		nd_buf_printf(&out, "\n[DHCPv4]\nIAID=%u\n", iaid);
	return add_text(r, root, r->bridge, "network", &out, e);
}

static int plan(const char *root, const struct lan_snapshot *s, struct lan_record *r, struct nd_error *e)
{
	nd_autofree char *state = read_state(root, "links", r);
	char file[512], ours[64];
	if (!state || !lan_ini_value(state, NULL, "NETWORK_FILE", file, sizeof file))
		return nd_fail(e, ND_STATE, "%s is no longer managed", r->port);
	const char *base = strrchr(file, '/');
	snprintf(ours, sizeof ours, "00-netd-%s.network", r->port);
	if (base && strcmp(base + 1, ours) <= 0)
		return nd_fail(
			e, ND_UNSUPPORTED,
			"%s sorts before %s and would win; rename it, or persist by hand (--no-persist)",
			file, ours);
	int err = add_netdev(r, root, s->mtu, e);
	if (err == 0)
		err = add_port(r, root, e);
	return err == 0 ? add_bridge(r, root, state, file, e) : err;
}

const struct lan_persist lan_persist_networkd = {
	.manager = LAN_MANAGER_NETWORKD,
	.manages = manages,
	.plan = plan,
	.dynamic_note = "systemd-networkd's DHCP client still runs on %s; netd moves what it renews to %s. "
			"'networkctl reload' lets "
			"networkd run it on the bridge at once, with the same identity",
};
