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
 * The first error is kept. The parser then goes on for one purpose only: to find the name of the network the
 * message is about, which may stand behind the mistake.
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
	struct netdef *d;
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
	size_t text_len;
	char text[ROW_VALUE_MAX + 1];
	char name[NETDEF_CLIP_LEN]; /* for the message, when it was found after the error */
};

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

/* "<forward mode='route'>: not supported …" or "<forward>: attribute 'mode': 'x' is not …" */
static void failed_attr(struct parse *p, const struct row *element, const char *attr, const char *value)
{
	char shown[NETDEF_CLIP_LEN];

	if (p->err.code == ND_UNSUPPORTED) {
		nd_wrap(&p->err, "<%s %s='%s'>", row_name(element), attr,
			netdef_clip(value, strlen(value), shown));
		failed_at(p, NULL, line_of(p));
		return;
	}
	nd_wrap(&p->err, "attribute '%s'", attr);
	failed_in(p, element);
}

/* what: "unknown attribute"; name NULL: none to be quoted. */
static void warn(struct parse *p, const char *element, const char *what, const char *name, const char *fate)
{
	struct netdef_warning w = { .line = line_of(p) };
	char clipped[NETDEF_CLIP_LEN];

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
static bool has_control(const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s, next = (unsigned char)s[1];

		if (c < 0x20 || c == 0x7f || (c == 0xc2 && next >= 0x80 && next < 0xa0))
			return true;
	}
	return false;
}

/* Return: 0, or p->err's code. */
static int read_value(struct parse *p, const struct row *r, void *obj, const char *value)
{
	char shown[NETDEF_CLIP_LEN];
	int err;

	if (has_control(value))
		return nd_fail(&p->err, ND_INVALID, "'%s' holds a control character",
			       netdef_clip(value, strlen(value), shown));
	err = r->type->parse(r, obj, value, &p->err);
	if (err < 0 && !p->err.code)
		nd_fail(&p->err, ND_INVALID, "'%s' is not %s", value, r->type->expected);
	return p->err.code;
}

static int fail_missing(struct parse *p, const struct row *r)
{
	if (r->missing)
		return nd_fail(&p->err, ND_INVALID, "%s", r->missing);
	return nd_fail(&p->err, ND_INVALID, "missing %s '%s'", row_is_attr(r) ? "attribute" : "element",
		       row_name(r));
}

/* value NULL: not given. Return: whether to go on. */
static bool take_attribute(struct parse *p, const struct row *element, const struct row *r, const char *value)
{
	void *obj = p->level[p->depth].obj;

	if (!value && (r->flags & ROW_REQUIRED)) {
		fail_missing(p, r);
		failed_in(p, element);
	} else if (r->kind == ROW_LATER) {
		if (!value || (r->def && strcmp(value, r->def) == 0))
			return true;
		nd_fail(&p->err, ND_UNSUPPORTED, "not supported by this netd yet%s%s%s",
			r->def ? "; supported is '" : "", r->def ? r->def : "", r->def ? "'" : "");
		failed_attr(p, element, row_name(r), value);
	} else if (r->kind == ROW_ATTR && (value || r->def)) {
		if (!value)
			value = r->def;
		if (read_value(p, r, obj, value) == 0)
			return true;
		failed_attr(p, element, row_name(r), value);
	}
	return !p->failed;
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
			nd_fail(&p->err, ND_INVALID, "value of %zu bytes is longer than %d", len,
				ROW_VALUE_MAX);
			failed_attr(p, element, row_name(r), value);
			return;
		}
		if (!take_attribute(p, element, r, span ? value : NULL))
			return;
	}
	if (element->done && element->done(p->level[p->depth].obj, &p->err) < 0)
		failed_in(p, element);
}

/* A further occurrence of r within the open parent. */
static bool count(struct parse *p, const struct row *r)
{
	uint32_t max = r->kind == ROW_LIST ? r->max : 1;

	if (++p->seen[r - rows] <= max)
		return true;
	nd_fail(&p->err, ND_INVALID, max == 1 ? "given more than once" : "given more than %u times", max);
	failed_in(p, r);
	return false;
}

/* An element whose row has fields. */
static void enter(struct parse *p, const struct row *r, int attr_cnt, const xmlChar **attrs)
{
	struct level *l = &p->level[p->depth];
	const struct row *end = row_end(r);

	*l = (struct level){ .row = r, .obj = p->depth == 1 ? p->d : l[-1].obj };
	if (r->kind == ROW_LIST) {
		l->obj = row_list_append(r, l->obj);
		if (!l->obj) {
			nd_fail(&p->err, ND_MEMORY, "one more of them");
			failed_in(p, r);
			return;
		}
	}
	memset(&p->seen[r + 1 - rows], 0, (size_t)(end - r - 1) * sizeof p->seen[0]);
	p->collect = r->kind == ROW_TEXT;
	p->text_len = 0;
	read_attributes(p, r, attr_cnt, attrs);
}

static void start_child(struct parse *p, const char *name, int attr_cnt, const xmlChar **attrs)
{
	const struct row *parent = p->level[p->depth - 1].row;
	const struct row *r = row_find_child(parent, name, false);

	if (!r || r->kind == ROW_NOT_KEPT) {
		warn(p, name, r ? "known to libvirt" : "unknown element", NULL,
		     r ? "not kept yet" : "not kept");
		p->skip = p->depth;
	} else if (r->kind == ROW_LATER) {
		nd_fail(&p->err, ND_UNSUPPORTED, "not supported by this netd yet");
		failed_in(p, r);
	} else if (count(p, r)) {
		enter(p, r, attr_cnt, attrs);
	}
}

static void on_start(void *arg, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri, int ns_cnt,
		     const xmlChar **ns, int attr_cnt, int default_cnt, const xmlChar **attrs)
{
	struct parse *p = arg;
	char name[NETDEF_CLIP_LEN];
	bool known = canonical(local, uri, name, sizeof name);

	p->depth++;
	if (p->failed) {
		p->collect = p->depth == 2 && known && strcmp(name, "name") == 0;
		p->text_len = 0;
	} else if (p->depth > ROWS_DEPTH_MAX) {
		nd_fail(&p->err, ND_INVALID, "elements are nested deeper than %d", ROWS_DEPTH_MAX);
		failed_at(p, (const char *)local, line_of(p));
	} else if (p->depth == 1) {
		if (known && strcmp(name, row_name(rows)) == 0) {
			enter(p, rows, attr_cnt, attrs);
			return;
		}
		nd_fail(&p->err, ND_INVALID, "expecting root element of 'network'");
		failed_at(p, (const char *)local, line_of(p));
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
	if (p->text_len > ROW_VALUE_MAX)
		nd_fail(&p->err, ND_INVALID, "text is longer than %d bytes", ROW_VALUE_MAX);
	else
		p->text[p->text_len] = '\0';
	if (p->err.code || read_value(p, l->row, l->obj, p->text) < 0)
		failed_in(p, l->row);
}

static void on_end(void *arg, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
	struct parse *p = arg;
	unsigned depth = p->depth--;
	const struct level *l = &p->level[depth <= ROWS_DEPTH_MAX ? depth : 0];

	if (p->failed) {
		if (p->collect && p->text_len <= ROW_VALUE_MAX)
			netdef_clip(p->text, p->text_len, p->name);
		p->collect = false;
		return;
	}
	if (p->skip) {
		if (p->skip == depth)
			p->skip = 0;
		return;
	}
	p->complete = depth == 1;
	if (l->row->kind == ROW_TEXT) {
		finish_text(p, l);
		return;
	}
	for (const struct row *r = l->row + 1, *end = row_end(l->row); r < end; r++) {
		if (row_is_attr(r) || !(r->flags & ROW_REQUIRED) || p->seen[r - rows] ||
		    !row_is_child(l->row, r))
			continue;
		fail_missing(p, r);
		failed_in(p, l->row);
		return;
	}
}

static void on_text(void *arg, const xmlChar *s, int len)
{
	struct parse *p = arg;
	size_t n = (size_t)len;

	if (p->collect) {
		if (p->text_len + n <= ROW_VALUE_MAX)
			memcpy(p->text + p->text_len, s, n);
		p->text_len = p->text_len + n <= ROW_VALUE_MAX ? p->text_len + n : ROW_VALUE_MAX + 1;
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

static void run(struct parse *p, const char *xml, size_t len)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (len > NETDEF_XML_MAX) {
		nd_fail(&p->err, ND_INVALID, "%zu bytes are more than a definition may have (%d)", len,
			NETDEF_XML_MAX);
		return;
	}
	if (!begins_as_utf8(xml, len)) {
		nd_fail(&p->err, ND_PARSE, "Start tag expected, '<' not found (definitions are UTF-8)");
		failed_at(p, NULL, 1);
		return;
	}
	pthread_once(&once, init_parser);
	p->ctxt = p->d ? xmlNewParserCtxt() : NULL;
	if (!p->ctxt) {
		nd_fail(&p->err, ND_MEMORY, "XML parser");
		return;
	}
	*p->ctxt->sax = handler;
	p->ctxt->userData = p;
	/* NOENT: no DTD gets this far, so what is replaced are the five built-in entities. */
	xmlFreeDoc(xmlCtxtReadMemory(p->ctxt, xml, (int)len, NULL, NULL,
				     XML_PARSE_NOENT | XML_PARSE_NONET | XML_PARSE_IGNORE_ENC));
	/* on_xml_error hears of all but some lacks of memory, which end the parser before the first element. */
	if (!p->failed && (!p->ctxt->wellFormed || !p->complete)) {
		nd_fail(&p->err, ND_MEMORY, "XML parser");
		failed_at(p, NULL, 0);
	}
	xmlFreeParserCtxt(p->ctxt);
}

int netdef_parse(const char *xml, size_t len, const char *file,
		 void (*warn_fn)(void *arg, const struct netdef_warning *w), void *arg, struct netdef **ret,
		 struct nd_error *e)
{
	struct parse p = { .d = netdef_new(), .warn = warn_fn, .arg = arg };
	int code;

	run(&p, xml, len);
	code = p.err.code;
	if (code == 0) {
		row_lists_trim(rows, p.d);
		*ret = take_ptr(p.d);
		return 0;
	}
	if (p.d && p.d->name)
		netdef_clip(p.d->name, strlen(p.d->name), p.name);
	if (file)
		nd_wrap(&p.err, "%s", file);
	else if (p.name[0])
		nd_wrap(&p.err, "network '%s'", p.name);
	if (e)
		nd_error_copy(e, &p.err);
	netdef_free(p.d);
	return code;
}
