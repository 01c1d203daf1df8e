// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: files of definitions, live definitions and ports (see records.h).
 *
 * A port's record holds what the kernel does not: name, guest MAC, mark, owner, and its <networkport>, where it has one. The device itself carries network and port uuid in its alias.
 * So may an older one: a detached port's TAP lives on while it is held, and the port may have come back with another. The record says which.
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
#include <sys/stat.h>

#define PORT_LINE_MAX 512
#define JOURNAL_MAX   (64u << 20)

int records_config_path(const struct core *c, const char *name, char path[RECORD_PATH_MAX],
			struct nd_error *e)
{
	int n = snprintf(path, RECORD_PATH_MAX, "%s/networks/%s.xml", c->settings->config_dir, name);
	if (n >= RECORD_PATH_MAX)
		return nd_fail(e, ND_INVALID, "the name makes too long a file name");
	return 0;
}

/* What an earlier netd was killed in the middle of. To leave it there does no harm. */
static void sweep(const char *dir)
{
	struct nd_error e = ND_ERROR_INIT;
	if (nd_dir_sweep(dir, &e) < 0)
		nd_log_error(ND_LOG_WARNING, &e, "half-written files");
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
		{ c->settings->run_dir, "empty", 0755 },
	};
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof path, "%s/%s", dirs[i].base, dirs[i].sub);
		if (nd_dir_make(path, dirs[i].mode, e) < 0)
			return e ? e->code : ND_SYSTEM;
		sweep(path);
	}
	sweep(c->settings->run_dir);
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

/* ---- ports ---- */

/*
 * One line a port, appended: on the path of each attach a write(2) costs 2 µs where a file of its own costs 20. A line is "+" or "-", the port's uuid, and
 * for "+" its JSON. The last line of a port counts; a torn last line means that netd died in there, before that port's descriptors had left.
 */
#define JOURNAL_SLACK 65536 /* bytes of lines that count no more, before the file is written anew */

struct records {
	int fd;
	char path[RECORD_PATH_MAX];
	size_t size;       /* of the file */
	size_t alive;      /* bytes of lines that count, about */
	size_t rewrite_at; /* not before it has so many */
};

int records_open(const char *run_dir, struct records **ret, struct nd_error *e)
{
	struct records *r = calloc(1, sizeof *r);
	struct stat st = { .st_size = 0 };
	if (!r)
		return nd_fail(e, ND_MEMORY, "port records");
	snprintf(r->path, sizeof r->path, "%s/ports", run_dir);
	r->fd = -1;
	int err = nd_file_open(r->path, O_APPEND, &r->fd, e);
	if (err == 0 && fstat(r->fd, &st) < 0)
		err = nd_fail_sys(e, errno, NULL, "%s: stat", r->path);
	if (err < 0) {
		records_close(r);
		return nd_wrap_code(e, err, "port records");
	}
	r->size = (size_t)st.st_size;
	*ret = r;
	return 0;
}

void records_close(struct records *r)
{
	if (!r)
		return;
	nd_closep(&r->fd);
	free(r);
}

/* ,"key":"…", escaped. value NULL: out of memory. */
static void put_text(struct nd_buf *line, const char *key, const char *value)
{
	json_t *string = value ? json_string(value) : NULL;
	nd_autofree char *text = string ? json_dumps(string, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
	json_decref(string);
	nd_buf_printf(line, ",\"%s\":%s", key, text ? text : "");
	line->bad = line->bad || !text;
}

static void put_definition(struct nd_buf *line, const struct portdef *def)
{
	struct nd_buf xml = { .max = NETDEF_XML_MAX * 2 };
	portdef_format(def, &xml);
	put_text(line, "definition", xml.bad ? NULL : nd_buf_string(&xml));
	nd_buf_done(&xml);
}

/* Every other value is a number or of a checked alphabet. */
static void port_line(const struct port *p, struct nd_buf *line)
{
	char uuid[ND_UUID_STRLEN], network[ND_UUID_STRLEN], mac[ND_MAC_STRLEN], fixed[PORT_LINE_MAX];
	int len = snprintf(fixed, sizeof fixed,
			   "+%s {\"network\":\"%s\",\"name\":\"%s\",\"mac\":\"%s\",\"mark\":%u,"
			   "\"queues\":%u,\"vnetHeader\":%s,\"macGuard\":%s,\"uid\":%u,\"pid\":%d,\"since\":%"
			   "llu,\"state\":\"%s\",\"ifindex\":%d,\"external\":%s",
			   nd_uuid_to_string(&p->uuid, uuid), nd_uuid_to_string(&p->network->uuid, network),
			   p->name, nd_mac_to_string(&p->mac, mac), p->mark, p->queue_cnt,
			   p->vnet_hdr ? "true" : "false", p->mac_guard ? "true" : "false",
			   (unsigned)p->owner_uid, (int)p->owner_pid, (unsigned long long)p->since_s,
			   port_state_to_string(p->state), p->ifindex, p->external ? "true" : "false");
	nd_buf_append(line, fixed, (size_t)len);
	if (p->portgroup[0])
		put_text(line, "portgroup", p->portgroup);
	if (p->def)
		put_definition(line, p->def);
	nd_buf_append_string(line, "}\n");
}

/* All recorded ports of the model, into a new file that takes the old one's place. One that is about to end still stands in the model. */
static int journal_rewrite(const struct core *c, struct nd_error *e)
{
	struct records *r = c->records;
	struct nd_buf all = { .max = SIZE_MAX / 2 };
	const struct network *n;
	const struct port *p;
	nd_list_foreach(n, &c->model->networks, all) {
		nd_list_foreach(p, &n->ports, siblings) {
			if (p->recorded)
				port_line(p, &all);
		}
	}
	int err = all.bad ? nd_fail(e, ND_MEMORY, "port records")
			  : nd_file_write(r->path, all.p, all.len, 0600, false, e);
	size_t len = all.len;
	nd_buf_done(&all);
	if (err < 0)
		return err;
	int fd = open(r->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return nd_fail_sys(e, errno, NULL, "%s: open", r->path);
	close(r->fd);
	r->fd = fd;
	r->size = r->alive = len;
	r->rewrite_at = 0;
	return 0;
}

/* The line that made it long stands: that it cannot be shortened (a full disk) is no failure of the line's. */
static void journal_shorten(const struct core *c)
{
	struct nd_error e = ND_ERROR_INIT;
	if (journal_rewrite(c, &e) == 0)
		return;
	c->records->rewrite_at = c->records->size + JOURNAL_SLACK;
	nd_log_error(ND_LOG_WARNING, &e, "port records");
}

static int journal_append(const struct core *c, const char *line, size_t len, struct nd_error *e)
{
	struct records *r = c->records;
	ssize_t n = write(r->fd, line, len);
	if (n != (ssize_t)len) {
		int err = n < 0 ? errno : ENOSPC;
		if (n > 0 && ftruncate(r->fd, (off_t)r->size) < 0)
			r->size += (size_t)n;
		return nd_fail_sys(e, err, NULL, "%s: write", r->path);
	}
	r->size += len;
	if (r->size >= r->rewrite_at && r->size >= 2 * r->alive + JOURNAL_SLACK)
		journal_shorten(c);
	return 0;
}

int records_port_write(const struct core *c, const struct port *p, struct nd_error *e)
{
	struct nd_buf line = { .max = JOURNAL_MAX };
	port_line(p, &line);
	c->records->alive += line.len;
	int r = line.bad ? nd_fail(e, ND_MEMORY, "its line") : journal_append(c, (char *)line.p, line.len, e);
	if (r < 0)
		c->records->alive -= line.len;
	nd_buf_done(&line);
	return r < 0 ? nd_wrap_code(e, r, "port record") : 0;
}

void records_port_remove(const struct core *c, const struct port *p)
{
	char gone[ND_UUID_STRLEN + 3], uuid[ND_UUID_STRLEN];
	struct nd_buf line = { .max = JOURNAL_MAX };
	port_line(p, &line);
	c->records->alive -= line.len < c->records->alive ? line.len : c->records->alive;
	nd_buf_done(&line);
	int len = snprintf(gone, sizeof gone, "-%s\n", nd_uuid_to_string(&p->uuid, uuid));
	journal_append(c, gone, (size_t)len,
		       NULL); /* a port without a device is no port, whatever stands here */
}

static int port_from_json(json_t *root, struct port *p, struct nd_uuid *ret_network)
{
	const char *network, *name, *mac, *state, *definition = NULL, *portgroup = "";
	int queues, vnet_hdr, mac_guard, pid, external = 0;
	json_int_t mark, uid, since;
	if (json_unpack(root, "{s:s, s:s, s:s, s:I, s:i, s:b, s:b, s:I, s:i, s:I, s:s, s:i, s?b, s?s, s?s}",
			"network", &network, "name", &name, "mac", &mac, "mark", &mark, "queues", &queues,
			"vnetHeader", &vnet_hdr, "macGuard", &mac_guard, "uid", &uid, "pid", &pid, "since",
			&since, "state", &state, "ifindex", &p->ifindex, "external", &external, "definition",
			&definition, "portgroup", &portgroup) < 0)
		return ND_PARSE;
	if (definition && portdef_parse(definition, strlen(definition), false, NULL, NULL, &p->def, NULL) < 0)
		return ND_PARSE;
	int st = port_state_from_string(state);
	if (st < 0 || queues < (external ? 0 : 1) || (external && !p->def) || queues > TAP_QUEUES_MAX ||
	    mark > UINT32_MAX || (mark & NAT_MARK_MASK) != NAT_MARK_BASE || mark == NAT_MARK_FOREIGN ||
	    mark == NAT_MARK_BASE || nd_uuid_from_string(network, ret_network) < 0 ||
	    nd_mac_from_string(mac, &p->mac) < 0 || !nd_strcpy(p->name, sizeof p->name, name) ||
	    !nd_strcpy(p->portgroup, sizeof p->portgroup, portgroup))
		return ND_PARSE;
	p->mark = (uint32_t)mark;
	p->queue_cnt = (uint16_t)queues;
	p->vnet_hdr = vnet_hdr;
	p->mac_guard = mac_guard;
	p->owner_uid = (uid_t)uid;
	p->owner_pid = pid;
	p->since_s = (uint64_t)since;
	p->state = (enum port_state)st;
	p->external = external;
	p->recorded = true;
	return 0;
}

/* ---- reading them at start ---- */

static bool record_equal(const struct nd_map_node *node, const void *key)
{
	return nd_uuid_equal(&container_of(node, struct port_record, node)->port->uuid, key);
}

static uint32_t uuid_hash(const struct nd_uuid *u)
{
	return nd_hash_bytes(u->b, sizeof u->b);
}

static void record_forget(struct port_records *all, const struct nd_uuid *uuid)
{
	struct port *p = records_port_take(all, uuid, 0, NULL);
	model_port_free(p);
}

static int read_line(struct port_records *all, const char *line, size_t len, struct nd_error *e)
{
	char text[ND_UUID_STRLEN];
	struct nd_uuid uuid;
	if (len < ND_UUID_STRLEN || (line[0] != '+' && line[0] != '-') ||
	    !nd_strcpyn(text, sizeof text, line + 1, ND_UUID_STRLEN - 1) ||
	    nd_uuid_from_string(text, &uuid) < 0)
		return nd_fail(e, ND_PARSE, "not a port record");
	record_forget(all, &uuid);
	if (line[0] == '-')
		return 0;
	struct port_record *r = calloc(1, sizeof *r);
	json_t *root = json_loadb(line + ND_UUID_STRLEN, len - ND_UUID_STRLEN, JSON_REJECT_DUPLICATES, NULL);
	if (r)
		r->port = model_port_new(&uuid);
	int err = !r || !r->port ? ND_MEMORY : !root ? ND_PARSE : port_from_json(root, r->port, &r->network);
	json_decref(root);
	if (err == 0 && !nd_map_insert(&all->by_uuid, &r->node, uuid_hash(&uuid)))
		err = ND_MEMORY;
	if (err == 0)
		return 0;
	if (r)
		model_port_free(r->port);
	free(r);
	return nd_fail(e, err, "not a port record");
}

int records_ports_read(const struct core *c, struct port_records *all, struct nd_error *e)
{
	nd_autofree char *text = NULL;
	size_t len;
	nd_map_init(&all->by_uuid, record_equal);
	int r = nd_file_read(c->records->path, JOURNAL_MAX, &text, &len, e);
	if (r < 0)
		return nd_wrap(e, "port records");
	for (char *line = text, *end; line < text + len; line = end + 1) {
		struct nd_error bad = ND_ERROR_INIT;
		end = memchr(line, '\n', (size_t)(text + len - line));
		if (!end)
			break; /* torn: its port was not handed out */
		if (read_line(all, line, (size_t)(end - line), &bad) < 0)
			nd_log_error(ND_LOG_WARNING, &bad, "%s", c->records->path);
	}
	return 0;
}

struct port *records_port_take(struct port_records *all, const struct nd_uuid *uuid, int ifindex,
			       struct nd_uuid *ret_network)
{
	struct nd_map_node *x = nd_map_find(&all->by_uuid, uuid, uuid_hash(uuid));
	if (!x)
		return NULL;
	struct port_record *r = container_of(x, struct port_record, node);
	struct port *p = r->port;
	if (ifindex && p->ifindex != ifindex)
		return NULL;
	if (ret_network)
		*ret_network = r->network;
	nd_map_remove(&all->by_uuid, &r->node);
	free(r);
	return p;
}

struct port *records_port_next_external(struct port_records *all, struct nd_uuid *ret_network)
{
	for (struct nd_map_node *x = nd_map_first(&all->by_uuid); x; x = nd_map_next(&all->by_uuid, x)) {
		const struct port *p = container_of(x, struct port_record, node)->port;
		if (p->external)
			return records_port_take(all, &p->uuid, 0, ret_network);
	}
	return NULL;
}

void records_ports_done(const struct core *c, struct port_records *all)
{
	for (struct nd_map_node *x = nd_map_first(&all->by_uuid), *next; x; x = next) {
		next = nd_map_next(&all->by_uuid, x);
		struct port_record *r = container_of(x, struct port_record, node);
		nd_map_remove(&all->by_uuid, x);
		model_port_free(r->port);
		free(r);
	}
	nd_map_done(&all->by_uuid);
	struct nd_error e = ND_ERROR_INIT;
	if (journal_rewrite(c, &e) < 0)
		nd_log_error(ND_LOG_WARNING, &e, "port records");
}
