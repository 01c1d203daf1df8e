// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: a definition as XML
 *
 * Byte for byte as libvirt dumps it: two spaces, single quotes, table order, elements without content closed
 * in place, except those that libvirt leaves open (ROW_OPEN). An element is written when something in it is.
 * A namespace is declared on the root where a row of it is written.
 */
#include "netd/xml/rows.h"

#define INDENT 2

/* As text and in single quotes. Blanks but the space would not survive the reader's normalisation. */
void netdef_escape(struct nd_buf *out, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '&': nd_buf_append_string(out, "&amp;"); break;
		case '<': nd_buf_append_string(out, "&lt;"); break;
		case '>': nd_buf_append_string(out, "&gt;"); break;
		case '"': nd_buf_append_string(out, "&quot;"); break;
		case '\'': nd_buf_append_string(out, "&apos;"); break;
		case '\t':
		case '\n':
		case '\r': nd_buf_printf(out, "&#%d;", *s); break;
		default: nd_buf_append(out, s, 1); break;
		}
	}
}

static bool value_given(const struct row *r, const void *obj)
{
	return r->type && (!r->when || r->when(obj)) && ((r->flags & ROW_PRINT) || r->type->given(r, obj));
}

bool row_given(const struct row *r, const void *obj)
{
	if (r->kind == ROW_LIST)
		return row_list_cnt(r, obj) > 0;
	if (r->kind != ROW_ELEMENT)
		return value_given(r, obj);
	if (row_is_present(r, obj))
		return true;
	for (const struct row *c = r + 1, *end = row_end(r); c < end; c = row_end(c))
		if (row_given(c, obj))
			return true;
	return false;
}

/* Whether a row with that prefix is written somewhere below r. */
static bool uses_namespace(const struct row *element, const void *obj, const char *prefix)
{
	size_t len = strlen(prefix);

	for (const struct row *r = element + 1, *end = row_end(element); r < end; r = row_end(r)) {
		const char *name = row_name(r);

		if (!row_given(r, obj))
			continue;
		if (strncmp(name, prefix, len) == 0 && name[len] == ':')
			return true;
		for (size_t i = 0; r->kind == ROW_LIST && i < row_list_cnt(r, obj); i++)
			if (uses_namespace(r, row_list_item(r, obj, i), prefix))
				return true;
		if (r->kind == ROW_ELEMENT && uses_namespace(r, obj, prefix))
			return true;
	}
	return false;
}

static void put_value(struct nd_buf *out, const struct row *r, const void *obj)
{
	char scratch[ROW_SCRATCH_LEN];

	netdef_escape(out, r->type->format(r, obj, scratch));
}

static void put_indent(struct nd_buf *out, unsigned depth)
{
	nd_buf_printf(out, "%*s", (int)(depth * INDENT), "");
}

static void put_attributes(struct nd_buf *out, const struct row *element, const void *obj)
{
	for (const struct row *r = element + 1;
	     r < rows + row_cnt && row_is_attr(r) && row_is_child(element, r); r++) {
		if (r->kind == ROW_CONTENT || !value_given(r, obj))
			continue;
		nd_buf_printf(out, " %s='", row_name(r));
		put_value(out, r, obj);
		nd_buf_append_string(out, "'");
	}
}

static void put_element(struct nd_buf *out, const struct row *element, const void *obj, unsigned depth);

/* Between tags, line feeds and tabs stay what they are. */
static void put_lines(struct nd_buf *out, const char *s)
{
	while (*s) {
		size_t len = strcspn(s, "\n\t");
		nd_autofree char *part = strndup(s, len);

		if (part)
			netdef_escape(out, part);
		else
			out->bad = true;
		s += len;
		if (*s)
			nd_buf_append(out, s++, 1);
	}
}

/* An element that has a text in place of children. */
static void put_text(struct nd_buf *out, const struct row *element, const void *obj, unsigned depth)
{
	put_indent(out, depth);
	nd_buf_printf(out, "<%s", row_name(element));
	if (element->kind != ROW_TEXT)
		put_attributes(out, element, obj);
	nd_buf_append_string(out, ">");
	if (row_text(element)->flags & ROW_MULTILINE)
		put_lines(out, row_text(element)->type->format(row_text(element), obj, NULL));
	else
		put_value(out, row_text(element), obj);
	nd_buf_printf(out, "</%s>\n", row_name(element));
}

static void put_child(struct nd_buf *out, const struct row *r, const void *obj, unsigned depth)
{
	if (r->kind == ROW_LIST) {
		for (size_t i = 0; i < row_list_cnt(r, obj); i++)
			(row_text(r) ? put_text : put_element)(out, r, row_list_item(r, obj, i), depth);
	} else if (r->kind == ROW_VERBATIM) {
		put_indent(out, depth);
		nd_buf_append_string(out, r->type->format(r, obj, NULL));
		nd_buf_append_string(out, "\n");
	} else {
		(row_text(r) ? put_text : put_element)(out, r, obj, depth);
	}
}

static void put_element(struct nd_buf *out, const struct row *element, const void *obj, unsigned depth)
{
	const char *name = row_name(element);
	bool empty = true;

	put_indent(out, depth);
	nd_buf_printf(out, "<%s", name);
	for (size_t i = 0; depth == 0 && i < row_namespace_cnt; i++)
		if (uses_namespace(element, obj, row_namespaces[i].prefix))
			nd_buf_printf(out, " xmlns:%s='%s'", row_namespaces[i].prefix, row_namespaces[i].uri);
	put_attributes(out, element, obj);
	for (const struct row *r = element + 1, *end = row_end(element); r < end; r = row_end(r)) {
		if (row_is_attr(r) || !row_given(r, obj))
			continue;
		if (empty)
			nd_buf_append_string(out, ">\n");
		empty = false;
		put_child(out, r, obj, depth + 1);
	}
	if (empty && !(element->flags & ROW_OPEN)) {
		nd_buf_append_string(out, "/>\n");
		return;
	}
	if (empty)
		nd_buf_append_string(out, ">\n");
	put_indent(out, depth);
	nd_buf_printf(out, "</%s>\n", name);
}

void netdef_format_document(const struct row *root, const void *obj, struct nd_buf *out)
{
	put_element(out, root, obj, 0);
}

void netdef_format(const struct netdef *d, struct nd_buf *out)
{
	netdef_format_document(rows, d, out);
}
