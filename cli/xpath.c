// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: --xpath
 *
 * The document is netd's own, hence bounded and without entities; libxml2 only has to find and to print.
 */
#include "cli/xpath.h"
#include "base/bytes.h"
#include "base/mem.h"

#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

static void silent(void *arg, xmlErrorPtr error)
{
}

static void register_prefixes(xmlXPathContextPtr ctxt, xmlDocPtr doc)
{
	for (const xmlNs *ns = xmlDocGetRootElement(doc)->nsDef; ns; ns = ns->next)
		if (ns->prefix)
			xmlXPathRegisterNs(ctxt, ns->prefix, ns->href);
}

static void append_node(struct nd_buf *out, xmlDocPtr doc, xmlNodePtr node, int format)
{
	xmlBufferPtr text = xmlBufferCreate();

	if (!text || xmlNodeDump(text, doc, node, 0, format) < 0)
		out->bad = true;
	else
		nd_buf_printf(out, "%s\n", (const char *)xmlBufferContent(text));
	xmlBufferFree(text);
}

/* As children of one element, of copies, since the document keeps its own. */
static void append_wrapped(struct nd_buf *out, xmlDocPtr doc, const xmlNodeSet *set)
{
	xmlNodePtr root = xmlNewDocNode(doc, NULL, (const xmlChar *)"nodes", NULL);

	for (int i = 0; root && set && i < set->nodeNr; i++) {
		xmlNodePtr copy = xmlDocCopyNode(set->nodeTab[i], doc, 1);

		if (copy && !xmlAddChild(root, copy))
			xmlFreeNode(copy);
	}
	append_node(out, doc, root, 1);
	xmlFreeNode(root);
}

static void append_nodes(struct nd_buf *out, xmlDocPtr doc, const xmlNodeSet *set, bool wrap)
{
	if (wrap) {
		append_wrapped(out, doc, set);
		return;
	}
	for (int i = 0; set && i < set->nodeNr; i++)
		append_node(out, doc, set->nodeTab[i], 0);
}

int xpath_find(const char *xml, const char *expression, bool wrap, char **ret, struct nd_error *e)
{
	xmlDocPtr doc = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL,
				      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	xmlXPathContextPtr ctxt = doc ? xmlXPathNewContext(doc) : NULL;
	xmlXPathObjectPtr found = NULL;
	struct nd_buf text = { .max = 0 };
	int r = 0;

	if (ctxt) {
		ctxt->error = silent;
		register_prefixes(ctxt, doc);
		found = xmlXPathEval((const xmlChar *)expression, ctxt);
	}
	if (!doc) {
		r = nd_fail(e, ND_PARSE, "the network's XML is not well-formed");
	} else if (!found || found->type != XPATH_NODESET) {
		r = nd_fail(e, ND_INVALID, "'%s' is no XPath expression that finds nodes", expression);
	} else {
		append_nodes(&text, doc, found->nodesetval, wrap);
		*ret = text.bad ? NULL : strdup(nd_buf_string(&text));
		r = *ret ? 0 : nd_fail(e, ND_MEMORY, "what the XPath expression found");
	}
	nd_buf_done(&text);
	xmlXPathFreeObject(found);
	xmlXPathFreeContext(ctxt);
	xmlFreeDoc(doc);
	return r;
}
