// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: what is done with the rows of api-rows.c, the same in daemon and client
 *
 * - the check of a call's parameters, so that a handler reads only what has the right type;
 * - the interface description;
 * - errors: an nd_error becomes a JSON object and that becomes the same nd_error again, so
 *   netdctl prints the line the daemon would have logged;
 * - one frame: compact JSON and a NUL.
 *
 * Everything here is pure: no socket, no clock.
 */
#include "netd/api/api-proto.h"
#include "base/mem.h"
#include "base/strtab.h"

#include <assert.h>
#include <string.h>

#define INT_LIMIT ((json_int_t)1 << 53) /* what a double holds whole */

const struct api_signature *api_signature_find(const struct api_interface *itf, const char *name)
{
	for (size_t i = 0; i < itf->method_cnt; i++)
		if (strcmp(itf->methods[i].name, name) == 0)
			return &itf->methods[i];
	return NULL;
}

/* Parameter check */

static bool value_fits(const struct api_field *f, const json_t *value)
{
	json_int_t n;

	switch (f->type) {
	case API_BOOL: return json_is_boolean(value);
	case API_INT:
		n = json_integer_value(value);
		return json_is_integer(value) && n > -INT_LIMIT && n < INT_LIMIT;
	case API_STRING: return json_is_string(value);
	case API_RECORD:
		return json_is_object(value) &&
		       api_fields_check(f->record->fields, f->record->field_cnt, value, NULL);
	case API_TYPE_CNT_: break;
	}
	return false;
}

static bool field_fits(const struct api_field *f, const json_t *value)
{
	if (!value || json_is_null(value))
		return f->flags & API_OPTIONAL;
	if (!(f->flags & API_ARRAY))
		return value_fits(f, value);
	if (!json_is_array(value))
		return false;
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!value_fits(f, json_array_get(value, i)))
			return false;
	return true;
}

static const struct api_field *field_find(const struct api_field *fields, size_t cnt, const char *name)
{
	for (size_t i = 0; i < cnt; i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

/* The first name in object that no field has, or NULL. */
static const char *stranger(const struct api_field *fields, size_t cnt, const json_t *object)
{
	json_t *o = (json_t *)object; /* jansson's iterators are not const; nothing is changed */

	for (void *it = json_object_iter(o); it; it = json_object_iter_next(o, it))
		if (!field_find(fields, cnt, json_object_iter_key(it)))
			return json_object_iter_key(it);
	return NULL;
}

bool api_fields_check(const struct api_field *fields, size_t cnt, const json_t *object,
		      const char **ret_field)
{
	const char *bad = NULL;

	if (object && json_is_null(object))
		object = NULL;
	if (object && !json_is_object(object))
		bad = "parameters";
	else if (object)
		bad = stranger(fields, cnt, object);
	for (size_t i = 0; !bad && i < cnt; i++)
		if (!field_fits(&fields[i], object ? json_object_get(object, fields[i].name) : NULL))
			bad = fields[i].name;
	if (bad && ret_field)
		*ret_field = bad;
	return !bad;
}

const char *api_get_string(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

long long api_get_int(const json_t *object, const char *name, long long fallback)
{
	const json_t *v = json_object_get(object, name);

	return json_is_integer(v) ? json_integer_value(v) : fallback;
}

bool api_get_bool(const json_t *object, const char *name, bool fallback)
{
	const json_t *v = json_object_get(object, name);

	return json_is_boolean(v) ? json_is_true(v) : fallback;
}

/* Description */

static const char *const type_names[] = { [API_BOOL] = "bool", [API_INT] = "int", [API_STRING] = "string" };
static_assert(ARRAY_LEN(type_names) == API_RECORD, "records have names of their own");

/* On one line, or where a field has a text on a line each with the texts as comments. */
static void describe_fields(const struct api_field *f, size_t cnt, struct nd_buf *out)
{
	bool lines = false;

	for (size_t i = 0; i < cnt; i++)
		lines = lines || f[i].text;
	nd_buf_append_string(out, lines ? "(\n" : "(");
	for (size_t i = 0; i < cnt; i++) {
		if (f[i].text)
			nd_buf_printf(out, "  # %s\n", f[i].text);
		nd_buf_printf(out, "%s%s: %s%s%s%s", lines ? "  " : "", f[i].name,
			      f[i].flags & API_OPTIONAL ? "?" : "", f[i].flags & API_ARRAY ? "[]" : "",
			      f[i].type == API_RECORD ? f[i].record->name : type_names[f[i].type],
			      i + 1 < cnt ? (lines ? ",\n" : ", ")
			      : lines     ? "\n"
					  : "");
	}
	nd_buf_append_string(out, ")");
}

static void describe_record(const char *keyword, const char *name, const struct api_record *r,
			    struct nd_buf *out)
{
	nd_buf_printf(out, "%s %s ", keyword, name);
	describe_fields(r->fields, r->field_cnt, out);
	nd_buf_append_string(out, "\n");
}

static void describe_method(const struct api_signature *m, struct nd_buf *out)
{
	const char *sep = "# Errors: ";

	nd_buf_printf(out, "\n# %s\n", m->text);
	for (int i = 1; i < ND_CODE_CNT; i++) {
		if (!(m->errors & 1u << i))
			continue;
		nd_buf_printf(out, "%s%s", sep, nd_code_api_name(-i) + strlen(API_INTERFACE "."));
		sep = ", ";
	}
	nd_buf_printf(out, "%smethod %s", m->errors ? "\n" : "", m->name);
	describe_fields(m->in, m->in_cnt, out);
	nd_buf_append_string(out, " -> ");
	describe_fields(m->out, m->out_cnt, out);
	nd_buf_append_string(out, "\n");
}

void api_describe(const struct api_interface *itf, struct nd_buf *out)
{
	nd_buf_printf(out, "# %s\ninterface %s\n", itf->text, itf->name);
	for (size_t i = 0; i < itf->record_cnt; i++) {
		nd_buf_printf(out, "\n# %s\n", itf->records[i]->text);
		describe_record("type", itf->records[i]->name, itf->records[i], out);
	}
	for (size_t i = 0; i < itf->method_cnt; i++)
		describe_method(&itf->methods[i], out);
	nd_buf_append_string(out, "\n");
	if (!itf->error_cnt)
		nd_buf_printf(out, "# %s\n", api_error_record.text);
	for (size_t i = 0; i < itf->error_cnt; i++)
		describe_record("error", itf->errors[i]->name, itf->errors[i], out);
	for (int i = 1; !itf->error_cnt && i < ND_CODE_CNT; i++)
		describe_record("error", nd_code_api_name(-i) + strlen(API_INTERFACE "."), &api_error_record,
				out);
}

/* Errors */

json_t *api_string(const char *s)
{
	json_t *v = json_string(s);
	nd_autofree char *plain = NULL;

	if (v)
		return v;
	plain = strdup(s);
	for (char *p = plain; p && *p; p++)
		if ((unsigned char)*p > 0x7e)
			*p = '?';
	return plain ? json_string(plain) : NULL;
}

static json_t *strings(const struct nd_error *e, const char *(*get)(const struct nd_error *, unsigned),
		       unsigned cnt)
{
	json_t *list = json_array();

	for (unsigned i = 0; list && i < cnt; i++)
		if (json_array_append_new(list, api_string(get(e, i))) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

json_t *api_error_encode(const struct nd_error *e)
{
	char line[ND_ERROR_STORE * 2];
	json_t *o = json_object();
	int bad = 0;

	if (!o)
		return NULL;
	nd_error_format(e, line, sizeof(line));
	bad |= json_object_set_new_nocheck(o, "message", api_string(line));
	bad |= json_object_set_new_nocheck(o, "text", api_string(nd_error_text(e)));
	if (e->sys) {
		bad |= json_object_set_new_nocheck(o, "errno", json_integer(e->sys));
		bad |= json_object_set_new_nocheck(o, "errnoName", json_string(nd_errno_name(e->sys)));
	}
	if (e->kernel_set)
		bad |= json_object_set_new_nocheck(o, "kernel", api_string(nd_error_kernel(e)));
	bad |= json_object_set_new_nocheck(o, "frames", strings(e, nd_error_frame, e->frame_cnt));
	bad |= json_object_set_new_nocheck(o, "also", strings(e, nd_error_also, e->also_cnt));
	if (!bad)
		return o;
	json_decref(o);
	return NULL;
}

static const char *string_or(const json_t *object, const char *name, const char *fallback)
{
	const char *s = api_get_string(object, name);

	return s ? s : fallback;
}

static const char *item_string(const json_t *list, size_t i)
{
	const char *s = json_string_value(json_array_get(list, i));

	return s ? s : "";
}

/* What a service may answer before any method sees the call, and systemd's names beside the standard's. */
static const struct {
	const char *name;
	int code;
	const char *text, *field;
} service_error_rows[] = {
	{ "InterfaceNotFound", ND_NOT_FOUND, "the daemon does not know the interface", "interface" },
	{ "MethodNotFound", ND_NOT_FOUND, "the daemon does not know the method", "method" },
	{ "MethodNotImplemented", ND_UNSUPPORTED, "the daemon does not do", "method" },
	{ "InvalidParameter", ND_INVALID, "the daemon does not accept parameter", "parameter" },
	{ "ExpectedMore", ND_INVALID, "the method needs a call with 'more'", NULL },
};

static int service_error_decode(const char *name, const json_t *parameters, struct nd_error *e)
{
	const char *last = name + strlen(API_SERVICE_INTERFACE ".");

	for (size_t i = 0; i < ARRAY_LEN(service_error_rows); i++) {
		if (strcmp(last, service_error_rows[i].name) != 0)
			continue;
		if (!service_error_rows[i].field)
			return nd_fail(e, service_error_rows[i].code, "%s", service_error_rows[i].text);
		return nd_fail(e, service_error_rows[i].code, "%s '%s'", service_error_rows[i].text,
			       string_or(parameters, service_error_rows[i].field, ""));
	}
	return nd_fail(e, ND_INTERNAL, "the daemon answered with error %s", name);
}

int api_error_decode(const char *name, const json_t *parameters, struct nd_error *e)
{
	const json_t *frames = json_object_get(parameters, "frames");
	const json_t *also = json_object_get(parameters, "also");
	const char *text = api_get_string(parameters, "text");
	int code = nd_code_from_api_name(name), sys = (int)api_get_int(parameters, "errno", 0);

	if (strncmp(name, API_SERVICE_INTERFACE ".", strlen(API_SERVICE_INTERFACE ".")) == 0)
		return service_error_decode(name, parameters, e);
	if (!text || (code == ND_INTERNAL && strcmp(name, nd_code_api_name(ND_INTERNAL)) != 0))
		return nd_fail(e, ND_INTERNAL, "the daemon answered with error %s", name);
	nd_fail_sys(e, sys, api_get_string(parameters, "kernel"), "%s", text);
	if (e)
		e->code = code; /* the daemon's word, not what errno suggests */
	for (size_t i = 0; i < json_array_size(also); i++) {
		struct nd_error sub = ND_ERROR_INIT;

		nd_fail(&sub, ND_INTERNAL, "%s", item_string(also, i));
		nd_also(e, &sub);
	}
	for (size_t i = json_array_size(frames); i-- > 0;)
		nd_wrap(e, "%s", item_string(frames, i));
	return code;
}

/* Frames */

static int append_chunk(const char *p, size_t len, void *arg)
{
	struct nd_buf *out = arg;

	nd_buf_append(out, p, len);
	return out->bad ? -1 : 0;
}

/*
 * The text that jansson's own encoder gives, for a third of the instructions (15,000 instead of 44,000 for the reply of an attach): at
 * each level it asks, by way of printf, whether it has been there before. What we encode we built, and it has no circles.
 */
static bool append_value(struct nd_buf *out, const json_t *v);

static void append_escaped(struct nd_buf *out, unsigned char c)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *at = strchr(plain, c);

	if (c && at)
		nd_buf_append(out, (const char[]){ '\\', letters[at - plain] }, 2);
	else
		nd_buf_printf(out, "\\u%04X", c);
}

/* UTF-8, which jansson checked when it took it; a string may hold NUL. */
static void append_string(struct nd_buf *out, const char *p, size_t len)
{
	size_t from = 0;

	nd_buf_append(out, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		nd_buf_append(out, p + from, i - from);
		append_escaped(out, c);
		from = i + 1;
	}
	nd_buf_append(out, p + from, len - from);
	nd_buf_append(out, "\"", 1);
}

static void append_integer(struct nd_buf *out, json_int_t v)
{
	unsigned long long rest = v < 0 ? 0ull - (unsigned long long)v : (unsigned long long)v;
	char text[24], *to = text + sizeof(text);

	do
		*--to = (char)('0' + rest % 10);
	while (rest /= 10);
	if (v < 0)
		*--to = '-';
	nd_buf_append(out, to, (size_t)(text + sizeof(text) - to));
}

static bool append_object(struct nd_buf *out, const json_t *v)
{
	json_t *object = (json_t *)v; /* jansson's iterators know no const; nothing is changed */

	nd_buf_append(out, "{", 1);
	for (void *i = json_object_iter(object), *first = i; i; i = json_object_iter_next(object, i)) {
		const char *key = json_object_iter_key(i);

		if (i != first)
			nd_buf_append(out, ",", 1);
		append_string(out, key, strlen(key));
		nd_buf_append(out, ":", 1);
		if (!append_value(out, json_object_iter_value(i)))
			return false;
	}
	nd_buf_append(out, "}", 1);
	return !out->bad;
}

static bool append_array(struct nd_buf *out, const json_t *v)
{
	nd_buf_append(out, "[", 1);
	for (size_t i = 0; i < json_array_size(v); i++) {
		if (i > 0)
			nd_buf_append(out, ",", 1);
		if (!append_value(out, json_array_get(v, i)))
			return false;
	}
	nd_buf_append(out, "]", 1);
	return !out->bad;
}

static bool append_value(struct nd_buf *out, const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT: return append_object(out, v);
	case JSON_ARRAY: return append_array(out, v);
	case JSON_STRING: append_string(out, json_string_value(v), json_string_length(v)); break;
	case JSON_INTEGER: append_integer(out, json_integer_value(v)); break;
	case JSON_REAL: return json_dump_callback(v, append_chunk, out, JSON_COMPACT | JSON_ENCODE_ANY) == 0;
	case JSON_TRUE: nd_buf_append(out, "true", 4); break;
	case JSON_FALSE: nd_buf_append(out, "false", 5); break;
	case JSON_NULL: nd_buf_append(out, "null", 4); break;
	}
	return !out->bad;
}

int api_frame_append(struct nd_buf *out, const json_t *object, struct nd_error *e)
{
	size_t was = out->len;

	if (append_value(out, object))
		nd_buf_append(out, "", 1);
	else if (!out->bad)
		return nd_fail(e, ND_MEMORY, "encode a message");
	if (!out->bad)
		return 0;
	out->len = was;
	out->bad = false;
	return nd_fail(e, ND_LIMIT, "a message does not fit: more than %zu bytes, or no memory for them",
		       out->max - was);
}

int api_frame_parse(const char *text, size_t len, json_t **ret, struct nd_error *e)
{
	json_error_t err;
	json_t *v = json_loadb(text, len, JSON_REJECT_DUPLICATES, &err);

	if (!v)
		return nd_fail(e, ND_PARSE, "a message is not JSON: %s at byte %d", err.text, err.position);
	if (json_is_object(v)) {
		*ret = v;
		return 0;
	}
	json_decref(v);
	return nd_fail(e, ND_PARSE, "a message is not a JSON object");
}
