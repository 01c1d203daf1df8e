// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: a record as a file
 *
 * JSON; the requests as hexadecimal digits, since they are the kernel's own format and of this boot alone. It is written before the first step and with each new
 * phase, synced, under the bridge's name.
 */
#include "base/file.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "lan/private.h"
#include <jansson.h>

#define RECORD_MAX (64u << 20)
#define VERSION    1

static json_t *op_to_json(const struct lan_op *op)
{
	if (op->kind == LAN_OP_NONE)
		return json_null();
	if (op->kind != LAN_OP_NETLINK)
		return json_pack("{s:i, s:s, s:s}", "kind", (int)op->kind, "key", op->key, "value", op->data);
	char *hex = malloc(2 * op->len + 1);
	if (!hex)
		return NULL;
	for (size_t i = 0; i < op->len; i++)
		sprintf(hex + 2 * i, "%02x", op->data[i]);
	hex[2 * op->len] = '\0';
	json_t *o = json_pack("{s:i, s:i, s:i, s:s}", "kind", (int)op->kind, "type", op->type, "flags",
			      op->flags, "data", hex);
	free(hex);
	return o;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

static uint8_t *from_hex(const char *hex, size_t *ret_len)
{
	size_t len = strlen(hex) / 2;
	uint8_t *data = strlen(hex) % 2 || len < 4 ? NULL : malloc(len); /* the shortest header */
	for (size_t i = 0; data && i < len; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
		if (high < 0 || low < 0) {
			free(data);
			return NULL;
		}
		data[i] = (uint8_t)(high << 4 | low);
	}
	*ret_len = len;
	return data;
}

static int op_from_json(json_t *o, struct lan_op *ret)
{
	int kind, type, flags;
	const char *text, *key;
	if (!o || json_is_null(o))
		return 0;
	if (json_unpack(o, "{s:i}", "kind", &kind) < 0)
		return ND_PARSE;
	if (kind == LAN_OP_NETLINK) {
		if (json_unpack(o, "{s:i, s:i, s:s}", "type", &type, "flags", &flags, "data", &text) < 0)
			return ND_PARSE;
		*ret = (struct lan_op){ .kind = kind, .type = (uint16_t)type, .flags = (uint16_t)flags };
		ret->data = from_hex(text, &ret->len);
		return ret->data ? 0 : ND_PARSE;
	}
	if ((kind != LAN_OP_SYSCTL && kind != LAN_OP_DNS) ||
	    json_unpack(o, "{s:s, s:s}", "key", &key, "value", &text) < 0)
		return ND_PARSE;
	return lan_op_text(ret, kind, key, text, NULL);
}

static json_t *steps_to_json(const struct lan_record *r)
{
	json_t *all = json_array();
	int bad = 0;
	for (size_t i = 0; i < r->step_cnt; i++)
		bad |= json_array_append_new(all, json_pack("{s:s, s:b, s:o, s:o}", "what", r->steps[i].what,
							    "optional", r->steps[i].optional, "make",
							    op_to_json(&r->steps[i].make), "undo",
							    op_to_json(&r->steps[i].undo)));
	if (!bad)
		return all;
	json_decref(all);
	return NULL;
}

static int steps_from_json(const json_t *all, struct lan_record *r, struct nd_error *e)
{
	for (size_t i = 0; i < json_array_size(all); i++) {
		json_t *o = json_array_get(all, i);
		struct lan_op make = { 0 }, undo = { 0 };
		const char *what;
		int optional;
		if (json_unpack(o, "{s:s, s:b}", "what", &what, "optional", &optional) < 0 ||
		    op_from_json(json_object_get(o, "make"), &make) < 0 ||
		    op_from_json(json_object_get(o, "undo"), &undo) < 0) {
			lan_op_done(&make);
			lan_op_done(&undo);
			return nd_fail(e, ND_PARSE, "step %zu", i);
		}
		if (lan_step_add(r, &make, &undo, e, "%s", what) < 0)
			return ND_MEMORY;
		r->steps[i].optional = optional;
	}
	return 0;
}

static json_t *files_to_json(const struct lan_record *r)
{
	json_t *all = json_array();
	int bad = 0;
	for (size_t i = 0; i < r->file_cnt; i++)
		bad |= json_array_append_new(all, json_pack("{s:s, s:s, s:s?, s:i}", "path", r->files[i].path,
							    "text", r->files[i].text, "was", r->files[i].was,
							    "mode", (int)r->files[i].mode));
	if (!bad)
		return all;
	json_decref(all);
	return NULL;
}

static int files_from_json(const json_t *all, struct lan_record *r, struct nd_error *e)
{
	size_t cnt = json_array_size(all);
	r->files = calloc(cnt ? cnt : 1, sizeof *r->files);
	for (size_t i = 0; r->files && i < cnt; i++) {
		const char *path, *text, *was = NULL;
		int mode;
		if (json_unpack(json_array_get(all, i), "{s:s, s:s, s?s, s:i}", "path", &path, "text", &text,
				"was", &was, "mode", &mode) < 0)
			return nd_fail(e, ND_PARSE, "file %zu", i);
		struct lan_file *f = &r->files[r->file_cnt++];
		*f = (struct lan_file){ strdup(path), strdup(text), was ? strdup(was) : NULL, (mode_t)mode };
		if (!f->path || !f->text || (was && !f->was))
			return nd_fail(e, ND_MEMORY, "files");
	}
	return r->files ? 0 : nd_fail(e, ND_MEMORY, "files");
}

static json_t *gateways_to_json(const struct lan_record *r)
{
	json_t *all = json_array();
	char ip[ND_IP_STRLEN], source[ND_IP_STRLEN] = "";
	int bad = 0;
	for (size_t i = 0; i < r->gateway_cnt; i++) {
		const struct lan_gateway *g = &r->gateways[i];
		if (g->source.family)
			nd_ip_to_string(&g->source, source);
		bad |= json_array_append_new(all,
					     json_pack("{s:s, s:s}", "address", nd_ip_to_string(&g->ip, ip),
						       "source", g->source.family ? source : ""));
	}
	if (!bad)
		return all;
	json_decref(all);
	return NULL;
}

static int gateways_from_json(const json_t *all, struct lan_record *r, struct nd_error *e)
{
	for (size_t i = 0; i < json_array_size(all) && i < LAN_GATEWAYS_MAX; i++) {
		struct lan_gateway *g = &r->gateways[i];
		const char *ip, *source;
		if (json_unpack(json_array_get(all, i), "{s:s, s:s}", "address", &ip, "source", &source) <
			    0 ||
		    nd_ip_from_string(ip, &g->ip) < 0 ||
		    (*source && nd_ip_from_string(source, &g->source) < 0))
			return nd_fail(e, ND_PARSE, "gateway %zu", i);
		r->gateway_cnt++;
	}
	return 0;
}

static json_t *notes_to_json(const struct lan_record *r)
{
	json_t *all = json_array();
	for (size_t i = 0; r->notes && r->notes[i]; i++)
		json_array_append_new(all, json_string(r->notes[i]));
	return all;
}

int lan_record_format(const struct lan_record *r, char **ret, struct nd_error *e)
{
	char mac[ND_MAC_STRLEN];
	json_t *o = json_pack(
		"{s:i, s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:I, s:I, s:s, s:b, s:o, s:o, s:o, s:o}", "version",
		VERSION, "bridge", r->bridge, "port", r->port, "bridgeIndex", r->bridge_index, "portIndex",
		r->port_index, "mac", nd_mac_to_string(&r->mac, mac), "phase",
		lan_phase_to_string((int)r->phase), "boot", r->boot, "taken", (json_int_t)r->taken_ms,
		"deadline", (json_int_t)r->deadline_ms, "manager", lan_manager_to_string((int)r->manager),
		"persist", r->persist, "steps", steps_to_json(r), "files", files_to_json(r), "gateways",
		gateways_to_json(r), "notes", notes_to_json(r));
	char *text = o ? json_dumps(o, JSON_INDENT(1)) : NULL;
	json_decref(o);
	if (!text)
		return nd_fail(e, ND_MEMORY, "record of '%s'", r->bridge);
	*ret = text;
	return 0;
}

static int read_record(json_t *o, struct lan_record *r, struct nd_error *e)
{
	const char *bridge, *port, *mac, *phase, *boot, *manager;
	json_int_t taken, deadline;
	int version, persist;
	if (json_unpack(o, "{s:i, s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:I, s:I, s:s, s:b}", "version",
			&version, "bridge", &bridge, "port", &port, "bridgeIndex", &r->bridge_index,
			"portIndex", &r->port_index, "mac", &mac, "phase", &phase, "boot", &boot, "taken",
			&taken, "deadline", &deadline, "manager", &manager, "persist", &persist) < 0)
		return nd_fail(e, ND_PARSE, "a field is missing");
	int p = lan_phase_from_string(phase), m = lan_manager_from_string(manager);
	if (version != VERSION || p < 0 || m < 0 || nd_mac_from_string(mac, &r->mac) < 0 ||
	    !nd_strcpy(r->bridge, sizeof r->bridge, bridge) || !nd_strcpy(r->port, sizeof r->port, port) ||
	    !nd_strcpy(r->boot, sizeof r->boot, boot))
		return nd_fail(e, ND_PARSE, "a field has a value that is not known");
	r->phase = (enum lan_phase)p;
	r->manager = (enum lan_manager)m;
	r->persist = persist;
	r->taken_ms = (uint64_t)taken;
	r->deadline_ms = (uint64_t)deadline;
	int err = steps_from_json(json_object_get(o, "steps"), r, e);
	if (err == 0)
		err = files_from_json(json_object_get(o, "files"), r, e);
	if (err == 0)
		err = gateways_from_json(json_object_get(o, "gateways"), r, e);
	const json_t *notes = json_object_get(o, "notes");
	for (size_t i = 0; err == 0 && i < json_array_size(notes); i++)
		err = lan_note(r, e, "%s", json_string_value(json_array_get(notes, i)));
	return err;
}

int lan_record_parse(const char *text, size_t len, struct lan_record **ret, struct nd_error *e)
{
	nd_cleanup(lan_record_freep) struct lan_record *r = calloc(1, sizeof *r);
	json_error_t why;
	json_t *o = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	int err = !r   ? nd_fail(e, ND_MEMORY, "record")
		  : !o ? nd_fail(e, ND_PARSE, "line %d: %s", why.line, why.text)
		       : 0;
	if (err == 0)
		err = read_record(o, r, e);
	json_decref(o);
	if (err == 0)
		*ret = take_ptr(r);
	return err;
}

static void record_path(const char *dir, const struct lan_record *r, char *path, size_t size)
{
	snprintf(path, size, "%s/%s.json", dir, r->bridge);
}

int lan_record_save(const char *dir, const struct lan_record *r, struct nd_error *e)
{
	nd_autofree char *text = NULL;
	char path[1024];
	int err = lan_record_format(r, &text, e);
	if (err == 0)
		err = nd_dir_make(dir, 0700, e);
	record_path(dir, r, path, sizeof path);
	return err == 0 ? nd_file_write(path, text, strlen(text), 0600, true, e) : err;
}

int lan_record_drop(const char *dir, const struct lan_record *r, struct nd_error *e)
{
	char path[1024];
	record_path(dir, r, path, sizeof path);
	return nd_file_remove(path, true, e);
}

int lan_record_each(const char *dir, void (*fn)(struct lan_record *r, void *arg),
		    void (*broken)(const struct nd_error *why, void *arg), void *arg, struct nd_error *e)
{
	char **names = NULL;
	int err = nd_dir_list(dir, ".json", &names, e);
	for (size_t i = 0; err == 0 && names[i]; i++) {
		nd_autofree char *text = NULL;
		struct nd_error why = ND_ERROR_INIT;
		struct lan_record *r = NULL;
		char path[1300];
		size_t len;
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		if (nd_file_read(path, RECORD_MAX, &text, &len, &why) == 0 &&
		    lan_record_parse(text, len, &r, &why) == 0) {
			fn(r, arg);
			continue;
		}
		nd_wrap(&why, "%s", path);
		broken(&why, arg);
	}
	nd_strv_free(names);
	return err;
}
