// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: title, description and the metadata of others
 *
 * <metadata> belongs to other programs, one element for each, told apart by their namespaces. It is kept as
 * the text it is dumped as, since nothing here looks into it; a tree is built only to tidy it when it is
 * read, and to get or set one element. Bytes come from a document that the parser has bounded, so the tree is
 * bounded too.
 *
 * The written form is libxml2's, which is libvirt's: indented, double quotes, blanks between elements
 * dropped.
 */
#include "netd/xml/rows.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

#define INDENT_LEVEL 1 /* of <metadata> in the document */

static void free_docp(xmlDocPtr *doc)
{
	xmlFreeDoc(*doc);
}

static void free_nodep(xmlNodePtr *node)
{
	xmlFreeNode(*node);
}

/* head and tail are put around what is parsed; NULL: not well-formed, or no memory. */
static xmlDocPtr parse_between(const char *head, const char *ns, const char *xml, size_t len,
			       const char *tail)
{
	struct nd_buf all = { .max = 2 * NETDEF_XML_MAX };
	xmlDocPtr doc = NULL;

	nd_buf_append_string(&all, head);
	nd_buf_append_string(&all, ns);
	nd_buf_append_string(&all, ">");
	nd_buf_append(&all, xml, len);
	nd_buf_append_string(&all, tail);
	if (!all.bad)
		doc = xmlReadMemory(nd_buf_string(&all), (int)all.len, NULL, NULL,
				    XML_PARSE_NONET | XML_PARSE_NOBLANKS | XML_PARSE_IGNORE_ENC |
					    XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	nd_buf_done(&all);
	return doc;
}

static xmlNodePtr find_by_uri(xmlNodePtr metadata, const char *uri)
{
	for (xmlNodePtr n = metadata->children; n; n = n->next)
		if (n->type == XML_ELEMENT_NODE && n->ns && strcmp((const char *)n->ns->href, uri) == 0)
			return n;
	return NULL;
}

/* Leaves the first element of each namespace. Return: whether something else was there. */
static bool sanitize(xmlNodePtr metadata)
{
	bool dropped = false;

	for (xmlNodePtr n = metadata->children, next; n; n = next) {
		next = n->next;
		if (n->type == XML_ELEMENT_NODE && n->ns &&
		    find_by_uri(metadata, (const char *)n->ns->href) == n)
			continue;
		dropped = dropped || n->type != XML_COMMENT_NODE;
		xmlUnlinkNode(n);
		xmlFreeNode(n);
	}
	return dropped;
}

static int dump(xmlNodePtr node, int level, char **ret, struct nd_error *e)
{
	xmlBufferPtr out = xmlBufferCreate();
	int err = 0;

	if (!out || xmlNodeDump(out, NULL, node, level, 1) < 0)
		err = nd_fail(e, ND_MEMORY, "metadata");
	else if (xmlBufferLength(out) > NETDEF_XML_MAX)
		err = nd_fail(e, ND_INVALID, "metadata is longer than %d bytes when written out",
			      NETDEF_XML_MAX);
	else if (!(*ret = strndup((const char *)xmlBufferContent(out), (size_t)xmlBufferLength(out))))
		err = nd_fail(e, ND_MEMORY, "metadata");
	xmlBufferFree(out);
	return err;
}

int netdef_metadata_tidy(const char *xml, size_t len, const char *ns, char **ret, bool *ret_dropped,
			 struct nd_error *e)
{
	nd_cleanup(free_docp) xmlDocPtr doc = parse_between("<x", ns, xml, len, "</x>");
	xmlNodePtr root = doc ? xmlDocGetRootElement(doc) : NULL;
	/* The copy takes along what namespaces it uses of those around it. */
	nd_cleanup(free_nodep) xmlNodePtr copy =
		root && root->children ? xmlCopyNode(root->children, 1) : NULL;

	if (!copy)
		return nd_fail(e, ND_MEMORY, "metadata");
	*ret_dropped = sanitize(copy);
	return dump(copy, INDENT_LEVEL, ret, e);
}

/* The definition's <metadata>, or an empty one. */
static xmlDocPtr open_metadata(const struct netdef *d, struct nd_error *e)
{
	const char *text = netdef_rare(d)->metadata ? netdef_rare(d)->metadata : "<metadata/>";
	xmlDocPtr doc = parse_between("<x", "", text, strlen(text), "</x>");

	if (!doc)
		nd_fail(e, ND_MEMORY, "metadata");
	return doc;
}

static xmlNodePtr metadata_of(xmlDocPtr doc)
{
	return xmlDocGetRootElement(doc)->children;
}

/* Takes the namespace off an element and all below that have it. The parser's depth bounds the recursion. */
static void strip_namespace(xmlNodePtr node, const char *uri)
{
	for (xmlNodePtr n = node; n; n = n->next) {
		if (n->type != XML_ELEMENT_NODE)
			continue;
		if (n->ns && strcmp((const char *)n->ns->href, uri) == 0)
			n->ns = NULL;
		for (xmlAttrPtr a = n->properties; a; a = a->next)
			if (a->ns && strcmp((const char *)a->ns->href, uri) == 0)
				a->ns = NULL;
		strip_namespace(n->children, uri);
	}
}

/* The declarations of that namespace go with it: nothing uses them now. */
static void drop_declarations(xmlNodePtr node, const char *uri)
{
	for (xmlNodePtr n = node; n; n = n->next) {
		if (n->type != XML_ELEMENT_NODE)
			continue;
		for (xmlNsPtr *at = &n->nsDef; *at;) {
			xmlNsPtr ns = *at;

			if (strcmp((const char *)ns->href, uri) != 0) {
				at = &ns->next;
				continue;
			}
			*at = ns->next;
			xmlFreeNs(ns);
		}
		drop_declarations(n->children, uri);
	}
}

static int get_element(const struct netdef *d, const char *uri, char **ret, struct nd_error *e)
{
	nd_cleanup(free_docp) xmlDocPtr doc = open_metadata(d, e);
	nd_cleanup(free_nodep) xmlNodePtr copy = NULL;
	xmlNodePtr found = doc ? find_by_uri(metadata_of(doc), uri) : NULL;

	if (!doc)
		return ND_MEMORY;
	if (!found)
		return nd_fail(e, ND_NOT_FOUND, "Requested metadata element is not present");
	copy = xmlCopyNode(found, 1);
	if (!copy)
		return nd_fail(e, ND_MEMORY, "metadata");
	strip_namespace(copy, uri);
	drop_declarations(copy, uri);
	return dump(copy, 0, ret, e);
}

/* The texts' fields in x. */
static char **text_field(struct netdef_rare *x, enum netdef_metadata type)
{
	return type == NETDEF_METADATA_TITLE ? &x->title : &x->description;
}

int netdef_metadata_get(const struct netdef *d, enum netdef_metadata type, const char *uri, char **ret,
			struct nd_error *e)
{
	const char *text;

	if (type == NETDEF_METADATA_ELEMENT && !uri)
		return nd_fail(e, ND_INVALID, "uri must not be NULL");
	if (type == NETDEF_METADATA_ELEMENT)
		return get_element(d, uri, ret, e);
	text = type == NETDEF_METADATA_TITLE ? netdef_rare(d)->title : netdef_rare(d)->description;
	if (!text)
		return nd_fail(e, ND_NOT_FOUND, "Requested metadata element is not present");
	*ret = strdup(text);
	return *ret ? 0 : nd_fail(e, ND_MEMORY, "metadata");
}

/* What a text may hold, as the row has it, so that the definition reads again. */
static int check_text(enum netdef_metadata type, const char *value, struct nd_error *e)
{
	bool title = type == NETDEF_METADATA_TITLE;
	size_t max = title ? ROW_VALUE_MAX : NETDEF_TEXT_MAX;

	if (title && strchr(value, '\n'))
		return nd_fail(e, ND_INVALID, "metadata title can't contain newlines");
	if (strlen(value) > max)
		return nd_fail(e, ND_INVALID, "text is longer than %zu bytes", max);
	if (!netdef_text_valid(value, !title))
		return nd_fail(e, ND_INVALID, "text holds a control character or is not UTF-8");
	return 0;
}

static int set_text(struct netdef *d, enum netdef_metadata type, const char *value, struct nd_error *e)
{
	char **field, *copy = NULL;

	if (value && *value) {
		if (check_text(type, value, e) < 0)
			return ND_INVALID;
		copy = strdup(value);
		if (!copy || !row_ensure(row_find("network/title"), d)) {
			free(copy);
			return nd_fail(e, ND_MEMORY, "metadata");
		}
	}
	if (!d->rare)
		return 0;
	field = text_field(d->rare, type);
	free(*field);
	*field = copy;
	return 0;
}

static void adopt_namespace(xmlNodePtr node, xmlNsPtr ns)
{
	for (xmlNodePtr n = node; n; n = n->next) {
		if (n->type != XML_ELEMENT_NODE)
			continue;
		if (!n->ns)
			n->ns = ns;
		adopt_namespace(n->children, ns);
	}
}

/* value as an element in namespace uri, declared with prefix key. */
static int make_element(const char *value, const char *key, const char *uri, xmlNodePtr *ret,
			struct nd_error *e)
{
	nd_cleanup(free_docp) xmlDocPtr doc = NULL;
	nd_cleanup(free_nodep) xmlNodePtr node = NULL;
	xmlNsPtr ns;

	doc = parse_between("<x", "", value, strlen(value), "</x>");
	if (!doc || !metadata_of(doc) || metadata_of(doc)->type != XML_ELEMENT_NODE || metadata_of(doc)->next)
		return nd_fail(e, ND_PARSE, "metadata is not one well-formed element");
	node = xmlCopyNode(metadata_of(doc), 1);
	ns = node ? xmlNewNs(node, (const xmlChar *)uri, (const xmlChar *)key) : NULL;
	if (!ns)
		return nd_fail(e, ND_INVALID, "failed to inject namespace '%s' with prefix '%s'", uri, key);
	node->ns = NULL;
	adopt_namespace(node, ns);
	*ret = take_ptr(node);
	return 0;
}

/* The definition with this text for its metadata must be readable: it goes through the parser once. */
static int adopt_metadata(struct netdef *d, xmlNodePtr metadata, struct nd_error *e)
{
	nd_autofree char *text = NULL;
	struct nd_buf doc = { .max = 2 * NETDEF_XML_MAX };
	struct netdef *again = NULL;
	int err = dump(metadata, INDENT_LEVEL, &text, e);

	if (err < 0)
		return err;
	nd_buf_printf(&doc, "<network><name>x</name>%s</network>", text);
	err = doc.bad ? nd_fail(e, ND_MEMORY, "metadata")
		      : netdef_parse(nd_buf_string(&doc), doc.len, NULL, NULL, NULL, &again, e);
	nd_buf_done(&doc);
	if (err < 0)
		return err;
	if (row_ensure(row_find("network/metadata"), d)) {
		free(d->rare->metadata);
		d->rare->metadata = metadata->children ? take_ptr(again->rare->metadata) : NULL;
	} else {
		err = nd_fail(e, ND_MEMORY, "metadata");
	}
	netdef_free(again);
	return err;
}

static int set_element(struct netdef *d, const char *value, const char *key, const char *uri,
		       struct nd_error *e)
{
	nd_cleanup(free_docp) xmlDocPtr doc = NULL;
	xmlNodePtr node = NULL, old;
	int err = 0;

	if (!uri || (value && !key))
		return nd_fail(e, ND_INVALID, "%s must not be NULL", uri ? "key" : "uri");
	if (value && (*uri == '\0' || xmlValidateNCName((const xmlChar *)key, 0) != 0 ||
		      strncasecmp(key, "xml", 3) == 0)) /* reserved: Namespaces in XML, section 3 */
		return nd_fail(e, ND_INVALID, "'%s' is not a namespace prefix", key);
	if (value)
		err = make_element(value, key, uri, &node, e);
	if (err < 0)
		return err;
	doc = open_metadata(d, e);
	if (!doc) {
		xmlFreeNode(node);
		return ND_MEMORY;
	}
	old = find_by_uri(metadata_of(doc), uri);
	if (!old && !node)
		return 0; /* libvirt too: nothing there to be removed is no failure */
	if (old) {
		xmlUnlinkNode(old);
		xmlFreeNode(old);
	}
	if (node)
		xmlAddChild(metadata_of(doc), node);
	return adopt_metadata(d, metadata_of(doc), e);
}

int netdef_metadata_set(struct netdef *d, enum netdef_metadata type, const char *value, const char *key,
			const char *uri, struct nd_error *e)
{
	if (type == NETDEF_METADATA_ELEMENT)
		return set_element(d, value, key, uri, e);
	return set_text(d, type, value, e);
}
