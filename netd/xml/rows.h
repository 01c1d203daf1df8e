/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_XML_ROWS_H
#define ND_XML_ROWS_H
/*
 * The table of elements and attributes, private to netd/xml. Rows stand in document order, an element before
 * its attributes and these before its children, so that a subtree is a run of rows and table order is dump
 * order. The first is <network>; <networkport>, a document of its own, stands behind its subtree.
 *
 * An element's fields lie in the object of the element around it: struct netdef, or the innermost list's
 * item. Rows marked ROW_RARE lie in the definition's struct netdef_rare instead, which exists only where one
 * of them is given: readers see a zeroed one, writers call row_ensure() before.
 */
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/xml/netdef.h"

#define ROWS_MAX        320  /* bound of per-row counters kept on the stack */
#define ROWS_DEPTH_MAX  16   /* nesting of a document, <network> is 1 */
#define ROWS_ATTRS_MAX  16   /* attributes of one element */
#define ROW_VALUE_MAX   1024 /* bytes of one value, without the NUL; a text row's max may be more */
#define ROW_SCRATCH_LEN 64   /* a formatted value that is not a string */

/*
 * In the texts of rows and types: the network's name, which may stand in the document behind the mistake; the
 * parser puts it in when it knows it. XML has no such character.
 */
#define ROW_NAME_MARK "\1"

enum row_kind {
	ROW_ELEMENT, /* its fields lie in the object of the element around it; offset: what its done and end use */
	ROW_LIST, /* each occurrence is one item of an array: offset the pointer, with the count, size the item's */
	ROW_TEXT, /* an element whose text is the value */
	ROW_ATTR,
	ROW_CONTENT,  /* the text of the element around it, for lists of texts; stands among the attributes */
	ROW_VERBATIM, /* an element kept with all that is in it, as text */
	ROW_SILENT,   /* known, without a meaning in a definition */
	ROW_REFUSED,  /* an attribute that is not for this place: bad is the text */
};
#define ROW_REQUIRED   1u /* must be there: an attribute with its element, an element with its parent */
#define ROW_PRINT      2u /* dumped even with its default */
#define ROW_OPEN       4u /* dumped as <x></x> on two lines when empty, as libvirt does for <ip> */
#define ROW_RARE       8u
#define ROW_NOT_YET    16u  /* netd does not put it in force yet, unless its value is harmless */
#define ROW_ALWAYS     32u  /* with ROW_REQUIRED: also in the description of a record to be deleted */
#define ROW_MULTILINE  64u  /* a text with line breaks and tabs */
#define ROW_NOT_EMPTY  128u /* a string: "" is not let in */
#define ROW_DROP_EMPTY 256u /* a string: "" is as not given */
#define ROW_HEX        512u /* a number that may be written as 0x… */

struct row;
/* obj is the row's object: struct netdef or portdef, or the list item the row lies in. */
struct row_type {
	const char *
		expected; /* "… is not %s", where the row has no text of its own; NULL: libvirt's general one */
	bool number;      /* libvirt's general text says more */
	bool heap;        /* the field is a char * owned by the object */
	/* Return: 0; ROW_BAD or ROW_BAD_RANGE; or an error code set in e. */
	int (*parse)(const struct row *r, void *obj, const char *value, struct nd_error *e);
	bool (*given)(const struct row *r, const void *obj); /* whether it is dumped */
	const char *(*format)(const struct row *r, const void *obj, char scratch[ROW_SCRATCH_LEN]);
	bool (*equal)(const struct row *r, const void *a, const void *b);
};
#define ROW_BAD       1 /* not understood: told with the row's bad text */
#define ROW_BAD_RANGE 2 /* understood, but not allowed: bad_range, or bad */

struct row_words {
	const char *const *names; /* index is the value; NULL: no word */
	size_t cnt;
};

/*
 * The texts of a row are templates: %v the value, %e and %a the element's and attribute's name, %k the value
 * of the element's first attribute, %c the first character that chars does not let in, "%%" a percent sign.
 */
struct row {
	const char *path; /* from the root: "network/ip@netd:subnet" */
	enum row_kind kind;
	const struct row_type *type;
	uint16_t offset, size; /* of the field in obj */
	uint16_t with;         /* offset of a second field the type or kind uses; 0: none */
	uint16_t
		present; /* offset + 1 of a bool set when it was given, then dumped also without content; 0: none */
	uint16_t flags;
	uint8_t digits;    /* a number's, in hexadecimal; 0: decimal */
	uint32_t min, max; /* a number's bounds; a string's longest; an element's occurrences (0: one) */
	uint32_t absent;   /* a word's or number's value where nothing is given */
	const char *def;   /* value where the element is given without it; NULL: absent */
	const char *missing, *bad, *bad_range, *twice; /* NULL: a general text */
	const char *harmless;                          /* with ROW_NOT_YET: the values in force, "a|b" */
	const char *supported; /* with ROW_NOT_YET: ends the refusal; NULL: harmless does */
	const struct row_words *words;
	const char *chars; /* the only characters of a string, or with ^ first, those it has not; NULL: any */
	enum netdef_change change;
	/* What the change from a to b is, where it is not always the same; NULL: change. */
	enum netdef_change (*change_of)(const void *a, const void *b);
	bool (*when)(const void *obj); /* ROW_PRINT and given only where it holds; NULL: always */
	/*
	 * After an element's attributes, and at its end: rules among them. r is the element's row.
	 * *note, when set to a literal, says what is not kept: a warning.
	 */
	int (*done)(const struct row *r, void *obj, const char **note, struct nd_error *e);
	int (*end)(const struct row *r, void *obj, const char **note, struct nd_error *e);
};

extern const struct row rows[];
extern const size_t row_cnt;
/* First row after r's subtree. */
const struct row *row_end(const struct row *r);
/* "range" or "@"-less "start": the last part of the path. */
const char *row_name(const struct row *r);
/* Attributes and contents. */
bool row_is_attr(const struct row *r);
/* Whether r is directly below parent. */
bool row_is_child(const struct row *parent, const struct row *r);
/* The row around r; NULL: r is the root's. */
const struct row *row_parent(const struct row *r);
/* The row of a child element or attribute of that name (with our prefix: "netd:autostart"); NULL: unknown. */
const struct row *row_find_child(const struct row *parent, const char *name, bool attr);
/* The row with that path; NULL: none. */
const struct row *row_find(const char *path);
/* The row of element's own text: itself, or its content; NULL: it has none. */
const struct row *row_text(const struct row *element);
/* Fails with the template, filled in from r, obj and value (NULL: none). Return: code. */
int row_fail(struct nd_error *e, int code, const char *template, const struct row *r, const void *obj,
	     const char *value);

/* XML namespaces that rows name by a prefix. */
struct row_ns {
	const char *prefix, *uri;
};
extern const struct row_ns row_namespaces[];
extern const size_t row_namespace_cnt;

extern const struct netdef_rare netdef_no_rare;
/* Makes the place r's field lies in. Return: false on ENOMEM. */
static inline bool row_ensure(const struct row *r, void *obj)
{
	struct netdef *d = obj;

	if (!(r->flags & ROW_RARE) || d->rare)
		return true;
	d->rare = calloc(1, sizeof *d->rare);
	return d->rare != NULL;
}
/* For writing: row_ensure() has been called. */
static inline void *row_object(const struct row *r, void *obj)
{
	return r->flags & ROW_RARE ? ((struct netdef *)obj)->rare : obj;
}
static inline const void *row_object_const(const struct row *r, const void *obj)
{
	const struct netdef *d = obj;

	if (!(r->flags & ROW_RARE))
		return obj;
	return d->rare ? d->rare : &netdef_no_rare;
}
static inline void *row_field(const struct row *r, void *obj)
{
	return (char *)row_object(r, obj) + r->offset;
}
static inline const void *row_field_const(const struct row *r, const void *obj)
{
	return (const char *)row_object_const(r, obj) + r->offset;
}
static inline void *row_with(const struct row *r, void *obj)
{
	return (char *)row_object(r, obj) + r->with;
}
static inline const void *row_with_const(const struct row *r, const void *obj)
{
	return (const char *)row_object_const(r, obj) + r->with;
}
static inline bool row_is_present(const struct row *r, const void *obj)
{
	return r->present && *(const bool *)((const char *)row_object_const(r, obj) + r->present - 1);
}
static inline void row_set_present(const struct row *r, void *obj)
{
	if (r->present)
		*(bool *)((char *)row_object(r, obj) + r->present - 1) = true;
}
/* A list's parts. */
static inline void **row_list(const struct row *r, void *obj)
{
	return row_field(r, obj);
}
static inline size_t row_list_cnt(const struct row *r, const void *obj)
{
	return *(const size_t *)row_with_const(r, obj);
}
static inline const void *row_list_item(const struct row *r, const void *obj, size_t i)
{
	return *(const char *const *)row_field_const(r, obj) + i * r->size;
}
/* Appends a zeroed item and marks the list as given; on lists built by it alone, not yet trimmed.
 * Return: NULL on ENOMEM. */
void *row_list_append(const struct row *r, void *obj);
/* Puts *item (moved) in at i of a list that is exact in size: copied, trimmed, or made by this alone. Return: 0,
 * or ND_INVALID (full) or ND_MEMORY, then item is still the caller's. */
int row_list_put(const struct row *r, void *obj, size_t i, const void *item, struct nd_error *e);
/* Removes item i, freed or (keep) moved to where keep points. */
void row_list_take(const struct row *r, void *obj, size_t i, void *keep);
/* Gives back what the lists of obj (of element r) have in reserve. */
void row_lists_trim(const struct row *r, void *obj);
/* Whether anything of r or below it is to be written; a list, when it has items. */
bool row_given(const struct row *r, const void *obj);
/* Frees what an item of list r owns, not the item itself. */
void row_item_done(const struct row *r, void *item);

extern const struct row_type row_type_name, row_type_host_name, row_type_string, row_type_verbatim,
	row_type_ifname, row_type_uplink, row_type_uuid, row_type_mac, row_type_ip, row_type_number,
	row_type_rate, row_type_word, row_type_network, row_type_guest, row_type_guest_or_ip, row_type_family,
	row_type_netmask, row_type_prefix, row_type_route_prefix, row_type_constant, row_type_expiry,
	row_type_unit;
/* The length libvirt takes without prefix and netmask: class A 8, B 16, C 24; 64 for IPv6; 0: none. */
uint8_t netdef_classful_len(const struct nd_ip *ip);
/* A whole decimal number without sign, (hex) also one after 0x. Return: 0, ROW_BAD or ROW_BAD_RANGE. */
int netdef_number(const char *s, bool hex, uint64_t max, uint64_t *ret);
bool netdef_ifname_valid(const char *s);
/* Whether an interface can have it: unicast, not unspecified, not loopback (RFC 6890, RFC 4291 section 2.4). */
bool netdef_is_host_address(const struct nd_ip *ip);
bool netdef_host_name_valid(const char *s, size_t max);

/* Element rules that need more than a row, in elements.c: done and end of rows. */
#define ROW_RULE(name) int name(const struct row *r, void *obj, const char **note, struct nd_error *e)
ROW_RULE(netdef_ip_done);
ROW_RULE(netdef_ip_end);
ROW_RULE(netdef_forward_end);
ROW_RULE(netdef_nat_done);
ROW_RULE(netdef_nat_address_done);
ROW_RULE(netdef_nat_port_done);
ROW_RULE(netdef_forwarder_done);
ROW_RULE(netdef_srv_done);
ROW_RULE(netdef_route_done);
ROW_RULE(netdef_vlan_end);
ROW_RULE(netdef_virtualport_end);
ROW_RULE(netdef_allow_done);
ROW_RULE(netdef_egress_end);
ROW_RULE(netdef_publish_done);
/* In portdef.c. */
ROW_RULE(portdef_inbound_done);
ROW_RULE(portdef_outbound_done);
ROW_RULE(portdef_bandwidth_end);
ROW_RULE(portdef_plug_end);
ROW_RULE(portdef_address_done);

/* The rules of one record; for parser and check, since a record may also be made by hand. */
int netdef_egress_rule_check(const struct netdef_egress_rule *r, struct nd_error *e);
int netdef_publish_check(const struct netdef_publish *p, struct nd_error *e);
/*
 * The first two of d's published ports that cannot both be: of one protocol, with a port in common, and one
 * address (without one: of a family that both have). Return: 0; ND_MEMORY; or ND_EXISTS, without an error set,
 * with ret the two in the definition's order, borrowed.
 */
int netdef_publish_overlap(const struct netdef *d, const struct netdef_publish *ret[2], struct nd_error *e);
/* "tcp port 80 of 192.0.2.1", "udp ports 7000 to 7009". Return: buf. */
#define NETDEF_PUBLISH_STRLEN 96
const char *netdef_publish_to_string(const struct netdef_publish *p, char buf[NETDEF_PUBLISH_STRLEN]);

/*
 * A document whose element is row root, into obj (zeroed; NULL: ND_MEMORY), which the caller frees either way.
 * flags, warn, arg: as netdef_parse_flags(). Return: as that.
 */
int netdef_parse_document(const char *xml, size_t len, unsigned flags, const struct row *root, void *obj,
			  void (*warn)(void *arg, const struct netdef_warning *w), void *arg,
			  struct nd_error *e);
void netdef_format_document(const struct row *root, const void *obj, struct nd_buf *out);

/*
 * One record in place of a document: the element of list row r, appended to obj's list (a half-built
 * definition, or an item of it). partial: only what ROW_ALWAYS says must be there. network: for messages.
 * Return: as netdef_parse().
 */
int netdef_parse_record(const char *xml, const struct row *r, void *obj, bool partial, const char *network,
			struct nd_error *e);

/* Appends s as text and for single quotes: what XML gives a meaning, escaped. */
void netdef_escape(struct nd_buf *out, const char *s);
/* s for a message: at most 60 bytes, no control character, cut at a whole UTF-8 character. Return: buf. */
#define NETDEF_CLIP_LEN 64
const char *netdef_clip(const char *s, size_t len, char buf[NETDEF_CLIP_LEN]);

/* Parts of netdef_check(), in check-mode.c: what the forward mode needs and excludes; what refers to others. */
int netdef_check_mode(const struct netdef *d, struct nd_error *e);
int netdef_check_links(const struct netdef *d, struct nd_error *e);
/* In check-netd.c: netd's own elements. */
int netdef_check_netd(const struct netdef *d, struct nd_error *e);
/* libvirt's word for the forward mode: "none" where netd says isolated. */
const char *netdef_mode_name(const struct netdef *d);

/* Whether s is UTF-8 without control characters (multiline: but line feeds and tabs). */
bool netdef_text_valid(const char *s, bool multiline);
/*
 * The <metadata> element xml (len bytes, well-formed, its namespaces declared or in ns: "xmlns:a='…' …") as
 * libvirt would dump it: one child per namespace, without those that have none. *ret_dropped: whether
 * something was left out. *ret: caller frees. Return: 0; ND_INVALID; ND_MEMORY.
 */
int netdef_metadata_tidy(const char *xml, size_t len, const char *ns, char **ret, bool *ret_dropped,
			 struct nd_error *e);
#endif
