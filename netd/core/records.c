// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: files of definitions, live definitions and ports (see records.h).
 *
 * A port's record holds what the kernel does not: name, guest MAC, mark, owner. The device itself carries network and port uuid in its alias.
 */
#include "netd/core/records.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/settings.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>

#define PORT_RECORD_MAX 4096

int records_config_path(const struct core *c, const char *name, char path[RECORD_PATH_MAX],
			struct nd_error *e)
{
	int n = snprintf(path, RECORD_PATH_MAX, "%s/networks/%s.xml", c->settings->config_dir, name);
	if (n >= RECORD_PATH_MAX)
		return nd_fail(e, ND_INVALID, "the name makes too long a file name");
	return 0;
}

int records_dirs_make(const struct core *c, struct nd_error *e)
{
	char path[RECORD_PATH_MAX];
	const struct {
		const char *base, *sub;
		mode_t mode;
	} dirs[] = {
		{ c->settings->config_dir, "networks", 0755 },
		{ c->settings->run_dir, "networks", 0700 },
		{ c->settings->run_dir, "ports", 0700 },
		{ c->settings->run_dir, "empty", 0755 },
	};
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof path, "%s/%s", dirs[i].base, dirs[i].sub);
		if (nd_dir_make(path, dirs[i].mode, e) < 0)
			return e ? e->code : ND_SYSTEM;
	}
	return 0;
}

static void live_path(const struct core *c, const struct network *n, char path[RECORD_PATH_MAX])
{
	char uuid[ND_UUID_STRLEN];
	snprintf(path, RECORD_PATH_MAX, "%s/networks/%s.xml", c->settings->run_dir,
		 nd_uuid_to_string(&n->uuid, uuid));
}

int records_live_write(const struct core *c, const struct network *n, struct nd_error *e)
{
	char path[RECORD_PATH_MAX];
	struct nd_buf xml = { .max = NETDEF_XML_MAX * 2 };
	live_path(c, n, path);
	netdef_format(n->live, &xml);
	int r = xml.bad ? nd_fail(e, ND_MEMORY, "format the live definition")
			: nd_file_write(path, xml.p, xml.len, 0600, false, e);
	nd_buf_done(&xml);
	return r < 0 ? nd_wrap(e, "live definition") : 0;
}

void records_live_remove(const struct core *c, const struct network *n)
{
	char path[RECORD_PATH_MAX];
	live_path(c, n, path);
	nd_file_remove(path, false, NULL);
}

static void port_path(const struct core *c, const struct nd_uuid *port, char path[RECORD_PATH_MAX])
{
	char uuid[ND_UUID_STRLEN];
	snprintf(path, RECORD_PATH_MAX, "%s/ports/%s.json", c->settings->run_dir,
		 nd_uuid_to_string(port, uuid));
}

/*
 * No temporary and no rename: a record is torn only when netd dies in here, before the port's descriptors have left, so its device is gone as well. On
 * the path of each attach this is worth 15 µs.
 */
static int write_new(const char *path, const char *text, size_t len, struct nd_error *e)
{
	nd_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return nd_fail_sys(e, errno, NULL, "%s: open", path);
	ssize_t n = write(fd, text, len);
	if (n == (ssize_t)len)
		return 0;
	int err = n < 0 ? errno : ENOSPC;
	unlink(path);
	return nd_fail_sys(e, err, NULL, "%s: write", path);
}

/* Written by hand: every value is a number or of a checked alphabet, and this is on the path of each attach. */
int records_port_write(const struct core *c, const struct port *p, struct nd_error *e)
{
	char path[RECORD_PATH_MAX], network[ND_UUID_STRLEN], mac[ND_MAC_STRLEN], text[PORT_RECORD_MAX];
	port_path(c, &p->uuid, path);
	int len = snprintf(text, sizeof text,
			   "{\"version\":1,\"network\":\"%s\",\"name\":\"%s\",\"mac\":\"%s\",\"mark\":%u,"
			   "\"queues\":%u,\"vnetHeader\":%s,\"macGuard\":%s,\"uid\":%u,\"pid\":%d,\"since\":%"
			   "llu,\"state\":\"%s\"}\n",
			   nd_uuid_to_string(&p->network->uuid, network), p->name,
			   nd_mac_to_string(&p->mac, mac), p->mark, p->queue_cnt,
			   p->vnet_hdr ? "true" : "false", p->mac_guard ? "true" : "false",
			   (unsigned)p->owner_uid, (int)p->owner_pid, (unsigned long long)p->since_s,
			   port_state_to_string(p->state));
	return write_new(path, text, (size_t)len, e) < 0 ? nd_wrap(e, "port record") : 0;
}

void records_port_remove(const struct core *c, const struct port *p)
{
	char path[RECORD_PATH_MAX];
	port_path(c, &p->uuid, path);
	nd_file_remove(path, false, NULL);
}

static int port_from_json(json_t *root, struct port *p, struct nd_uuid *ret_network)
{
	const char *network, *name, *mac, *state;
	int version, queues, vnet_hdr, mac_guard, pid;
	json_int_t mark, uid, since;
	if (json_unpack(root, "{s:i, s:s, s:s, s:s, s:I, s:i, s:b, s:b, s:I, s:i, s:I, s:s}", "version",
			&version, "network", &network, "name", &name, "mac", &mac, "mark", &mark, "queues",
			&queues, "vnetHeader", &vnet_hdr, "macGuard", &mac_guard, "uid", &uid, "pid", &pid,
			"since", &since, "state", &state) < 0)
		return ND_PARSE;
	int st = port_state_from_string(state);
	if (version != 1 || st < 0 || queues < 1 || queues > TAP_QUEUES_MAX ||
	    (mark & NAT_MARK_MASK) != NAT_MARK_BASE || mark == NAT_MARK_FOREIGN || mark == NAT_MARK_BASE ||
	    nd_uuid_from_string(network, ret_network) < 0 || nd_mac_from_string(mac, &p->mac) < 0 ||
	    !nd_strcpy(p->name, sizeof p->name, name))
		return ND_PARSE;
	p->mark = (uint32_t)mark;
	p->queue_cnt = (uint16_t)queues;
	p->vnet_hdr = vnet_hdr;
	p->mac_guard = mac_guard;
	p->owner_uid = (uid_t)uid;
	p->owner_pid = pid;
	p->since_s = (uint64_t)since;
	p->state = (enum port_state)st;
	return 0;
}

int records_port_read(const struct core *c, const struct nd_uuid *uuid, struct port **ret,
		      struct nd_uuid *ret_network, struct nd_error *e)
{
	char path[RECORD_PATH_MAX];
	nd_autofree char *text = NULL;
	size_t len;
	port_path(c, uuid, path);
	int r = nd_file_read(path, PORT_RECORD_MAX, &text, &len, e);
	if (r < 0)
		return r;
	struct port *p = model_port_new(uuid);
	json_error_t why;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	r = !p ? ND_MEMORY : !root ? ND_PARSE : port_from_json(root, p, ret_network);
	json_decref(root);
	if (r < 0) {
		model_port_free(p);
		return nd_fail(e, r, "%s: not a port record", path);
	}
	p->recorded = true;
	*ret = p;
	return 0;
}

void records_ports_sweep(const struct core *c, bool (*keep)(const struct nd_uuid *port, void *arg), void *arg)
{
	char dir[RECORD_PATH_MAX], path[RECORD_PATH_MAX + 256];
	char **names = NULL;
	struct nd_error e = ND_ERROR_INIT;
	snprintf(dir, sizeof dir, "%s/ports", c->settings->run_dir);
	if (nd_dir_list(dir, NULL, &names, &e) < 0) {
		nd_log_error(ND_LOG_WARNING, &e, "port records");
		return;
	}
	for (char **name = names; *name; name++) {
		char text[ND_UUID_STRLEN];
		struct nd_uuid uuid;
		bool named = nd_strcpyn(text, sizeof text, *name, strcspn(*name, ".")) &&
			     nd_uuid_from_string(text, &uuid) == 0;
		if (named && keep(&uuid, arg))
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, *name);
		nd_file_remove(path, false, NULL);
	}
	nd_strv_free(names);
}
