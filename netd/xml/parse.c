// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: XML to a definition
 *
 * libxml2's SAX2 interface calls us per element; no tree is built, what is kept is the definition itself. One
 * level per open element holds its row and the object its fields go to. Children may come in any order,
 * attributes are read in table order, so that the first error does not depend on how the document is written.
 *
 * Hostile input: the size is bounded before the parser sees it, depth and occurrences while it runs. A
 * DOCTYPE ends the document, so there are no entities to expand and no DTD to fetch; a declared encoding is
 * ignored and another one refused, so no converter is loaded. PIs and comments have no callback. Each
 * document has a parser context of its own: a shared one would keep every name ever seen in its dictionary.
 *
 * An element that is kept verbatim is cut out of the document's bytes when it ends, and tidied by metadata.c.
 *
 * The first error is kept. The parser then goes on for one purpose only: to find the name of the network the
 * message is about, which may stand behind the mistake.
 *
 * A record of net-update is read by the same rows: its element's row in place of the root's.
 */
#include "netd/xml/rows.h"

#include <assert.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <pthread.h>

#define WARNINGS_MAX 32
#define SAX2_STRIDE  5 /* libxml2's attribute array: local name, prefix, URI, value, end of value */

#if LIBXML_VERSION >= 21200
typedef const xmlError *error_ptr;
#else
typedef xmlErrorPtr error_ptr;
#endif

struct level {
	const struct row *row;
	void *obj;
	bool text_told; /* a stray text was warned of */
};

struct parse {
	const char *xml;
	size_t len;
	unsigned flags; /* NETDEF_PARSE_… */
	const struct row
		*root; /* the document element's; its object, or with a list the object that has it: */
	void *obj;
	bool partial;        /* a record to be deleted: only ROW_ALWAYS must be there */
	const char *network; /* a record's network, for messages; NULL: a document, which says it */
	struct nd_error err; /* the first error; later ones are consequences */
	bool failed;
	bool complete; /* the root element has been closed */
	xmlParserCtxtPtr ctxt;
	void (*warn)(void *arg, const struct netdef_warning *w);
	void *arg;
	unsigned warn_cnt;
	unsigned depth; /* of the innermost open element; <network> is 1 */
	unsigned skip;  /* depth of the element that is left out; 0: none */
	struct level level[ROWS_DEPTH_MAX + 1];
	uint32_t seen[ROWS_MAX]; /* occurrences within the open parent */
	bool collect;            /* the open element's text is wanted */
	size_t text_max;
	struct nd_buf text;
	const struct row *verbatim; /* the element that is skipped is kept as bytes, from: */
	size_t verbatim_at;
	struct nd_buf ns;           /* namespaces declared on the root: " xmlns:a='…'" */
	char name[NETDEF_CLIP_LEN]; /* for the message, when it was found after the error */
};

static void netdef_freep(struct netdef **d)
{
	netdef_free(*d);
}

static void init_parser(void)
{
	xmlInitParser();
}

static int line_of(const struct parse *p)
{
	return p->ctxt->input ? p->ctxt->input->line : 0;
}

/* After nd_fail(&p->err, …): the place. element may be NULL. */
static void failed_at(struct parse *p, const char *element, int line)
{
	char name[NETDEF_CLIP_LEN];

	if (element)
		nd_wrap(&p->err, "<%s>", netdef_clip(element, strlen(element), name));
	if (line > 0)
		nd_wrap(&p->err, "line %d", line);
	p->failed = true;
	p->collect = false;
}

static void failed_in(struct parse *p, const struct row *element)
{
	failed_at(p, row_name(element), line_of(p));
}

/* what: "unknown attribute"; name NULL: none to be quoted. */
static void warn(struct parse *p, const char *element, const char *what, const char *name, const char *fate)
{
	struct netdef_warning w = { .line = line_of(p) };
	char clipped[NETDEF_CLIP_LEN];

	if (p->flags & NETDEF_PARSE_VALIDATE) {
		nd_fail(&p->err, ND_INVALID, "XML document failed to validate against schema: %s%s%s%s", what,
			name ? " '" : "", name ? netdef_clip(name, strlen(name), clipped) : "",
			name ? "'" : "");
		failed_at(p, element, line_of(p));
		return;
	}
	if (!p->warn || p->warn_cnt > WARNINGS_MAX)
		return;
	netdef_clip(element, strlen(element), w.element);
	if (p->warn_cnt++ == WARNINGS_MAX)
		nd_strcpy(w.text, sizeof w.text, "and more that is not kept");
	else if (name)
		snprintf(w.text, sizeof w.text, "%s '%s', %s", what, netdef_clip(name, strlen(name), clipped),
			 fate);
	else
		snprintf(w.text, sizeof w.text, "%s, %s", what, fate);
	p->warn(p->arg, &w);
}
static_assert(sizeof((struct netdef_warning){ 0 }.element) >= NETDEF_CLIP_LEN, "netdef_clip writes into it");

/* The name as rows write it: with our prefix for namespaces we know. Return: false for a foreign one. */
static bool canonical(const xmlChar *local, const xmlChar *uri, char *buf, size_t size)
{
	if (!uri)
		return nd_strcpy(buf, size, (const char *)local);
	for (size_t i = 0; i < row_namespace_cnt; i++)
		if (strcmp((const char *)uri, row_namespaces[i].uri) == 0)
			return snprintf(buf, size, "%s:%s", row_namespaces[i].prefix, (const char *)local) <
			       (int)size;
	return false;
}

/* No value of ours holds one, and messages and logs should not either. */
static bool has_control(const char *s, bool multiline)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s, next = (unsigned char)s[1];

		if (multiline && (c == '\n' || c == '\t'))
			continue;
		if (c < 0x20 || c == 0x7f || (c == 0xc2 && next >= 0x80 && next < 0xa0))
			return true;
	}
	return false;
}

/* Bytes of the UTF-8 character at s; 0: it is none, or none that XML has (its section 2.2). */
static size_t character_len(const char *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 }; /* no longer than need be */
	unsigned char first = (unsigned char)s[0];
	size_t len = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
	uint32_t c = len == 1 ? first : first & (0x7fu >> len);

	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80) /* also at the end of the string */
			return 0;
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || c == 0xfffe || c == 0xffff)
		return 0;
	return len;
}

bool netdef_text_valid(const char *s, bool multiline)
{
	if (has_control(s, multiline))
		return false;
	while (*s) {
		size_t len = character_len(s);

		if (len == 0)
			return false;
		s += len;
	}
	return true;
}

/* bad: ROW_BAD or ROW_BAD_RANGE. */
static void fail_value(struct parse *p, const struct row *r, const void *obj, int bad, const char *value)
{
	const char *text = bad == ROW_BAD_RANGE && r->bad_range ? r->bad_range : r->bad;

	if (!text && r->type->expected)
		nd_fail(&p->err, ND_INVALID, "attribute '%s': '%s' is not %s", row_name(r), value,
			r->type->expected);
	else if (!text && r->type->number)
		row_fail(&p->err, ND_INVALID,
			 "Invalid value for attribute '%a' in element '%e': '%v'. Expected non-negative "
			 "integer value",
			 r, obj, value);
	else
		row_fail(&p->err, ND_INVALID,
			 text ? text : "Invalid value for attribute '%a' in element '%e': '%v'.", r, obj,
			 value);
}

/* Return: 0, or p->err's code. */
static int read_value(struct parse *p, const struct row *r, void *obj, const char *value)
{
	char shown[NETDEF_CLIP_LEN];
	int bad;

	if (has_control(value, r->flags & ROW_MULTILINE))
		return nd_fail(&p->err, ND_INVALID, "%s%s%s'%s' holds a control character",
			       r->kind == ROW_ATTR ? "attribute '" : "",
			       r->kind == ROW_ATTR ? row_name(r) : "", r->kind == ROW_ATTR ? "': " : "",
			       netdef_clip(value, strlen(value), shown));
	if (!row_ensure(r, obj))
		return nd_fail(&p->err, ND_MEMORY, "definition");
	bad = r->type->parse(r, obj, value, &p->err);
	if (bad > 0)
		fail_value(p, r, obj, bad, value);
	return p->err.code;
}

static int fail_missing(struct parse *p, const struct row *r)
{
	if (r->missing)
		return row_fail(&p->err, ND_INVALID, r->missing, r, p->level[p->depth].obj, NULL);
	return nd_fail(&p->err, ND_INVALID, "missing %s '%s'", row_is_attr(r) ? "attribute" : "element",
		       row_name(r));
}

static bool is_required(const struct parse *p, const struct row *r)
{
	return (r->flags & ROW_REQUIRED) && (!p->partial || (r->flags & ROW_ALWAYS));
}

/* value NULL: not given. Return: whether to go on. */
static bool take_attribute(struct parse *p, const struct row *element, const struct row *r, const char *value)
{
	void *obj = p->level[p->depth].obj;

	if (!value && is_required(p, r))
		fail_missing(p, r);
	else if (value && r->kind == ROW_REFUSED)
		row_fail(&p->err, ND_INVALID, r->bad, r, obj, value);
	else if (r->kind == ROW_ATTR && (value || r->def))
		read_value(p, r, obj, value ? value : r->def);
	if (p->err.code)
		failed_in(p, element);
	return !p->failed;
}

/* An element's rule, done or end. */
static void apply_rule(struct parse *p, const struct row *element,
		       int (*rule)(const struct row *r, void *obj, const char **note, struct nd_error *e))
{
	void *obj = p->level[p->depth].obj;
	const char *note = NULL;

	if (!rule || p->failed)
		return;
	if (element->kind != ROW_LIST && !row_ensure(element, obj))
		nd_fail(&p->err, ND_MEMORY, "definition");
	else
		rule(element, obj, &note, &p->err);
	if (p->err.code)
		failed_in(p, element);
	else if (note)
		warn(p, row_name(element), note, NULL, "not kept");
}

/* Where each attribute row's value stands in libxml2's array, by the row's distance from the element's. */
static void sort_attributes(struct parse *p, const struct row *element, int cnt, const xmlChar **attrs,
			    const xmlChar **ret_value[ROWS_ATTRS_MAX + 1])
{
	for (int i = 0; i < cnt; i++) {
		const xmlChar **a = attrs + (size_t)i * SAX2_STRIDE;
		const struct row *r = NULL;
		char name[NETDEF_CLIP_LEN];

		if (canonical(a[0], a[2], name, sizeof name))
			r = row_find_child(element, name, true);
		if (r)
			ret_value[r - element] = a + 3;
		else
			warn(p, row_name(element), "unknown attribute", (const char *)a[0], "not kept");
	}
}

static void read_attributes(struct parse *p, const struct row *element, int cnt, const xmlChar **attrs)
{
	const xmlChar **at[ROWS_ATTRS_MAX + 1] = { NULL };
	char value[ROW_VALUE_MAX + 1];

	sort_attributes(p, element, cnt, attrs, at);
	for (const struct row *r = element + 1;
	     r < rows + row_cnt && row_is_attr(r) && row_is_child(element, r); r++) {
		const xmlChar **span = at[r - element]; /* value and its end */
		size_t len = span ? (size_t)(span[1] - span[0]) : 0;

		if (span && !nd_strcpyn(value, sizeof value, (const char *)span[0], len)) {
			nd_fail(&p->err, ND_INVALID, "attribute '%s': value of %zu bytes is longer than %d",
				row_name(r), len, ROW_VALUE_MAX);
			failed_in(p, element);
			return;
		}
		if (!take_attribute(p, element, r, span ? value : NULL))
			return;
	}
	apply_rule(p, element, element->done);
}

/* A further occurrence of r within the open parent. */
static bool count(struct parse *p, const struct row *r)
{
	uint32_t max = r->kind == ROW_LIST ? r->max : 1;

	if (++p->seen[r - rows] <= max)
		return true;
	if (r->twice)
		row_fail(&p->err, ND_INVALID, r->twice, r, NULL, NULL);
	else
		nd_fail(&p->err, ND_INVALID, max == 1 ? "given more than once" : "given more than %u times",
			max);
	failed_in(p, r);
	return false;
}

/* Where r's fields go: an item of its own, or the object around it. Return: NULL on ENOMEM. */
static void *open_object(const struct row *r, void *obj)
{
	if (r->kind == ROW_LIST)
		return row_list_append(r, obj);
	if (r->kind == ROW_ELEMENT && r->present) {
		if (!row_ensure(r, obj))
			return NULL;
		row_set_present(r, obj);
	}
	return obj;
}

/* An element whose row has fields. */
static void enter(struct parse *p, const struct row *r, int attr_cnt, const xmlChar **attrs)
{
	struct level *l = &p->level[p->depth];
	const struct row *end = row_end(r);

	*l = (struct level){ .row = r, .obj = open_object(r, p->depth == 1 ? p->obj : l[-1].obj) };
	if (!l->obj) {
		nd_fail(&p->err, ND_MEMORY, "one more of them");
		failed_in(p, r);
		return;
	}
	memset(&p->seen[r + 1 - rows], 0, (size_t)(end - r - 1) * sizeof p->seen[0]);
	p->collect = row_text(r) != NULL;
	nd_buf_reset(&p->text);
	p->text_max = p->collect && row_text(r)->max > ROW_VALUE_MAX ? row_text(r)->max : ROW_VALUE_MAX;
	read_attributes(p, r, attr_cnt, attrs);
}

/* Where the tag being told of begins: its attributes' values hold no '<'. */
static size_t tag_start(const struct parse *p)
{
	long at = xmlByteConsumed(p->ctxt);
	const char *tag = at > 0 && (size_t)at <= p->len ? memrchr(p->xml, '<', (size_t)at) : NULL;

	return tag ? (size_t)(tag - p->xml) : p->len;
}

static void start_child(struct parse *p, const char *name, int attr_cnt, const xmlChar **attrs)
{
	const struct row *parent = p->level[p->depth - 1].row;
	const struct row *r = row_find_child(parent, name, false);

	if (!r) {
		warn(p, name, "unknown element", NULL, "not kept");
		p->skip = p->depth;
	} else if (!count(p, r)) {
		return;
	} else if (r->kind == ROW_VERBATIM) {
		p->skip = p->depth;
		p->verbatim = r;
		p->verbatim_at = tag_start(p);
	} else {
		enter(p, r, attr_cnt, attrs);
	}
}

/* What a verbatim element further down may refer to. cnt: of pairs, prefix and URI. */
static void keep_namespaces(struct parse *p, int cnt, const xmlChar **ns)
{
	for (int i = 0; i < cnt; i++) {
		if (!ns[2 * i])
			continue;
		nd_buf_printf(&p->ns, " xmlns:%s='", (const char *)ns[2 * i]);
		netdef_escape(&p->ns, (const char *)ns[2 * i + 1]);
		nd_buf_append_string(&p->ns, "'");
	}
}

static void start_root(struct parse *p, const char *name, bool known)
{
	const char *want = row_name(p->root);

	if (known && strcmp(name, want) == 0)
		return;
	if (p->network)
		nd_fail(&p->err, ND_INVALID,
			"unexpected element <%s>, expecting <%s>, while updating network '" ROW_NAME_MARK "'",
			name, want);
	else
		nd_fail(&p->err, ND_INVALID, "expecting root element of '%s', not '%.100s'", want, name);
	failed_at(p, name, line_of(p));
}

static void on_start(void *arg, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri, int ns_cnt,
		     const xmlChar **ns, int attr_cnt, int default_cnt, const xmlChar **attrs)
{
	struct parse *p = arg;
	char name[NETDEF_CLIP_LEN];
	bool known = canonical(local, uri, name, sizeof name);

	p->depth++;
	if (p->failed) {
		p->collect = p->depth == 2 && known && strcmp(name, "name") == 0 && !p->network;
		nd_buf_reset(&p->text);
		p->text_max = ROW_VALUE_MAX;
	} else if (p->depth > ROWS_DEPTH_MAX) {
		nd_fail(&p->err, ND_INVALID, "elements are nested deeper than %d", ROWS_DEPTH_MAX);
		failed_at(p, (const char *)local, line_of(p));
	} else if (p->depth == 1) {
		start_root(p,
			   known ? name : netdef_clip((const char *)local, strlen((const char *)local), name),
			   known);
		if (p->failed)
			return;
		keep_namespaces(p, ns_cnt, ns);
		enter(p, p->root, attr_cnt, attrs);
	} else if (!p->skip) {
		if (!known) {
			warn(p, (const char *)local, "unknown element", NULL, "not kept");
			p->skip = p->depth;
			return;
		}
		start_child(p, name, attr_cnt, attrs);
	}
}

static void finish_text(struct parse *p, const struct level *l)
{
	p->collect = false;
	if (p->text.bad)
		nd_fail(&p->err, ND_MEMORY, "text");
	else if (p->text.len > p->text_max)
		nd_fail(&p->err, ND_INVALID, "text is longer than %zu bytes", p->text_max);
	else
		read_value(p, row_text(l->row), l->obj, nd_buf_string(&p->text));
	if (p->err.code)
		failed_in(p, l->row);
}

static void finish_verbatim(struct parse *p)
{
	const struct row *r = take_ptr(p->verbatim);
	void *obj = p->level[p->depth].obj; /* the parent's */
	long end = xmlByteConsumed(p->ctxt);
	nd_autofree char *text = NULL;
	bool dropped = false;

	if (end < 0 || (size_t)end > p->len || (size_t)end <= p->verbatim_at)
		nd_fail(&p->err, ND_INTERNAL, "its bytes were not found");
	else if (p->ns.bad)
		nd_fail(&p->err, ND_MEMORY, "namespaces");
	else if (netdef_metadata_tidy(p->xml + p->verbatim_at, (size_t)end - p->verbatim_at,
				      nd_buf_string(&p->ns), &text, &dropped, &p->err) == 0 &&
		 !row_ensure(r, obj))
		nd_fail(&p->err, ND_MEMORY, "definition");
	else if (!p->err.code)
		r->type->parse(r, obj, text, &p->err);
	if (p->err.code)
		failed_in(p, r);
	else if (dropped)
		warn(p, row_name(r), "all but one element in each namespace", NULL, "not kept");
}

/* What must be in it, and its rule. */
static void finish_element(struct parse *p, const struct row *element)
{
	for (const struct row *r = element + 1, *end = row_end(element); r < end; r++) {
		if (row_is_attr(r) || !is_required(p, r) || p->seen[r - rows] || !row_is_child(element, r))
			continue;
		fail_missing(p, r);
		failed_in(p, element);
		return;
	}
	apply_rule(p, element, element->end);
}

static void on_end(void *arg, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
	struct parse *p = arg;
	unsigned depth = p->depth--;
	const struct level *l = &p->level[depth <= ROWS_DEPTH_MAX ? depth : 0];

	if (p->failed) {
		if (p->collect && p->text.len <= p->text_max)
			netdef_clip(nd_buf_string(&p->text), p->text.len, p->name);
		p->collect = false;
		return;
	}
	if (p->skip) {
		if (p->skip != depth)
			return;
		p->skip = 0;
		if (p->verbatim)
			finish_verbatim(p);
		return;
	}
	p->complete = depth == 1;
	p->depth = depth; /* errors and rules are about this level */
	if (row_text(l->row))
		finish_text(p, l);
	if (!p->failed && l->row->kind != ROW_TEXT)
		finish_element(p, l->row);
	p->depth = depth - 1;
}

static void on_text(void *arg, const xmlChar *s, int len)
{
	struct parse *p = arg;
	size_t n = (size_t)len;

	if (p->collect) {
		if (p->text.len <= p->text_max)
			nd_buf_append(&p->text, s, n < p->text_max + 1 ? n : p->text_max + 1);
		return;
	}
	if (p->failed || p->skip || p->depth == 0 || p->level[p->depth].text_told)
		return;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r')
			continue;
		p->level[p->depth].text_told = true;
		warn(p, row_name(p->level[p->depth].row), "text where there should be none", NULL,
		     "not kept");
		return;
	}
}

static void on_doctype(void *arg, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	struct parse *p = arg;

	if (!p->failed) {
		nd_fail(&p->err, ND_INVALID, "a document type declaration (DOCTYPE) is not accepted");
		failed_at(p, NULL, line_of(p));
	}
	xmlStopParser(p->ctxt);
}

/* Well-formedness and namespaces; warnings (a relative namespace name, say) pass. */
static void on_xml_error(void *arg, error_ptr xe)
{
	struct parse *p = arg;
	const char *text = xe->message ? xe->message : "not well-formed";
	size_t len = strcspn(text, "\n");
	char shown[2 * NETDEF_CLIP_LEN];

	if (p->failed || xe->level < XML_ERR_ERROR)
		return;
	if (xe->code == XML_ERR_NO_MEMORY) {
		nd_fail(&p->err, ND_MEMORY, "XML parser");
	} else {
		/* Two clips: libxml2's texts quote names from the document and are longer than a value. */
		size_t head = len < NETDEF_CLIP_LEN - 4 ? len : NETDEF_CLIP_LEN - 4;

		while (head < len && head > 0 && ((unsigned char)text[head] & 0xc0) == 0x80)
			head--;
		netdef_clip(text, head, shown);
		netdef_clip(text + head, len - head, shown + strlen(shown));
		nd_fail(&p->err, ND_PARSE, "%s", shown);
	}
	failed_at(p, NULL, xe->line);
}

static const xmlSAXHandler handler = {
	.initialized = XML_SAX2_MAGIC,
	.internalSubset = on_doctype,
	.startElementNs = on_start,
	.endElementNs = on_end,
	.characters = on_text,
	.cdataBlock = on_text,
	.ignorableWhitespace = on_text,
	.serror = on_xml_error,
};

/*
 * What libxml2 would take for another encoding than UTF-8 by its first bytes, and convert with whatever the
 * system has: UTF-16, UCS-4 and EBCDIC. None of them begins like this, without a NUL byte.
 */
static bool begins_as_utf8(const char *xml, size_t len)
{
	if (len >= 3 && memcmp(xml, "\xef\xbb\xbf", 3) == 0)
		return true;
	return len == 0 || (strchr("< \t\r\n", xml[0]) && !memchr(xml, '\0', len < 4 ? len : 4));
}

static void run(struct parse *p)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (p->len > NETDEF_XML_MAX) {
		nd_fail(&p->err, ND_INVALID, "%zu bytes are more than a definition may have (%d)", p->len,
			NETDEF_XML_MAX);
		return;
	}
	if (!begins_as_utf8(p->xml, p->len)) {
		nd_fail(&p->err, ND_PARSE, "Start tag expected, '<' not found (definitions are UTF-8)");
		failed_at(p, NULL, 1);
		return;
	}
	pthread_once(&once, init_parser);
	p->ctxt = p->obj ? xmlNewParserCtxt() : NULL;
	if (!p->ctxt) {
		nd_fail(&p->err, ND_MEMORY, "XML parser");
		return;
	}
	*p->ctxt->sax = handler;
	p->ctxt->userData = p;
	/* NOENT: no DTD gets this far, so what is replaced are the five built-in entities. */
	xmlFreeDoc(xmlCtxtReadMemory(p->ctxt, p->xml, (int)p->len, NULL, NULL,
				     XML_PARSE_NOENT | XML_PARSE_NONET | XML_PARSE_IGNORE_ENC));
	/* on_xml_error hears of all but some lacks of memory, which end the parser before the first element. */
	if (!p->failed && (!p->ctxt->wellFormed || !p->complete)) {
		nd_fail(&p->err, ND_MEMORY, "XML parser");
		failed_at(p, NULL, 0);
	}
	xmlFreeParserCtxt(p->ctxt);
	nd_buf_done(&p->text);
	nd_buf_done(&p->ns);
}

/* err's first text with the network's name where ROW_NAME_MARK stands. */
static void put_name(struct nd_buf *out, const struct nd_error *err, const char *name)
{
	for (const char *s = nd_error_text(err); *s; s++) {
		if (*s == ROW_NAME_MARK[0])
			nd_buf_append_string(out, name);
		else
			nd_buf_append(out, s, 1);
	}
}

/* The same error, with the network's name in its text and around it the file or network. */
static void tell(const struct nd_error *err, const char *name, const char *file, struct nd_error *e)
{
	struct nd_buf text = { .max = 2 * ND_ERROR_STORE };

	put_name(&text, err, name);
	nd_fail(e, err->code, "%s", nd_buf_string(&text));
	for (unsigned i = err->frame_cnt; e && i-- > 0;)
		nd_wrap(e, "%s", nd_error_frame(err, i));
	if (file)
		nd_wrap_code(e, err->code, "%s", file);
	else if (name[0])
		nd_wrap_code(e, err->code, "network '%s'", name);
	nd_buf_done(&text);
}

int netdef_parse_flags(const char *xml, size_t len, unsigned flags, const char *file,
		       void (*warn_fn)(void *arg, const struct netdef_warning *w), void *arg,
		       struct netdef **ret, struct nd_error *e)
{
	nd_cleanup(netdef_freep) struct netdef *d = netdef_new();
	struct parse p = {
		.xml = xml, .len = len, .flags = flags, .root = rows, .obj = d, .warn = warn_fn, .arg = arg
	};

	run(&p);
	if (p.err.code == 0) {
		row_lists_trim(rows, d);
		*ret = take_ptr(d);
		return 0;
	}
	if (d && d->name)
		netdef_clip(d->name, strlen(d->name), p.name);
	tell(&p.err, p.name, file, e);
	return p.err.code;
}

int netdef_parse_document(const char *xml, size_t len, unsigned flags, const struct row *root, void *obj,
			  void (*warn_fn)(void *arg, const struct netdef_warning *w), void *arg,
			  struct nd_error *e)
{
	struct parse p = {
		.xml = xml, .len = len, .flags = flags, .root = root, .obj = obj, .warn = warn_fn, .arg = arg
	};

	run(&p);
	if (p.err.code == 0)
		row_lists_trim(root, obj);
	else
		tell(&p.err, "", NULL, e);
	return p.err.code;
}

int netdef_parse(const char *xml, size_t len, const char *file,
		 void (*warn_fn)(void *arg, const struct netdef_warning *w), void *arg, struct netdef **ret,
		 struct nd_error *e)
{
	return netdef_parse_flags(xml, len, 0, file, warn_fn, arg, ret, e);
}

int netdef_parse_record(const char *xml, const struct row *r, void *obj, bool partial, const char *network,
			struct nd_error *e)
{
	struct parse p = {
		.xml = xml, .len = strlen(xml), .root = r, .obj = obj, .partial = partial, .network = network
	};
	struct nd_buf text = { .max = 2 * ND_ERROR_STORE };

	netdef_clip(network, strlen(network), p.name);
	run(&p);
	if (p.err.code) {
		put_name(&text, &p.err, p.name);
		nd_fail(e, p.err.code, "%s", nd_buf_string(&text));
		nd_buf_done(&text);
	}
	return p.err.code;
}
