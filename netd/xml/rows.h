/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_XML_ROWS_H
#define ND_XML_ROWS_H
/*
 * The table of elements and attributes, private to netd/xml. Rows stand in document order, an element before
 * its attributes and these before its children, so that a subtree is a run of rows and table order is dump
 * order.
 */
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/xml/netdef.h"

#define ROWS_MAX        256 /* bound of per-row counters kept on the stack */
#define ROWS_DEPTH_MAX  16  /* nesting of a document, <network> is 1 */
#define ROWS_ATTRS_MAX  16  /* attributes of one element */
#define ROW_VALUE_MAX   512 /* bytes of one value, without the NUL */
#define ROW_SCRATCH_LEN 64  /* a formatted value that is not a string */

enum row_kind {
	ROW_ELEMENT, /* its fields lie in the object of the element around it */
	ROW_LIST, /* each occurrence is one item of an array: offset the pointer, with the count, size the item's */
	ROW_TEXT, /* an element whose text is the value */
	ROW_ATTR,
	ROW_SILENT,   /* known, without a meaning in a definition */
	ROW_NOT_KEPT, /* known, not kept yet: a warning */
	ROW_LATER,    /* known to libvirt: refused unless its value is def */
};
#define ROW_REQUIRED 1u /* must be there: an attribute where its element is, an element where its parent is */
#define ROW_PRINT    2u /* dumped even with its default */
#define ROW_OPEN     4u /* dumped as <x></x> on two lines when empty, as libvirt does for <ip> */

struct row;
/* obj is the row's object: struct netdef, or the list item the row lies in. */
struct row_type {
	const char *expected; /* "… is not %s" */
	bool heap;            /* the field is a char * owned by the object */
	/* Return: 0; -1 not understood, told with expected; or an error code set in e. */
	int (*parse)(const struct row *r, void *obj, const char *value, struct nd_error *e);
	bool (*given)(const struct row *r, const void *obj); /* whether it is dumped */
	const char *(*format)(const struct row *r, const void *obj, char scratch[ROW_SCRATCH_LEN]);
	bool (*equal)(const struct row *r, const void *a, const void *b);
};

struct row_words {
	const char *const *names; /* index is the value; NULL: no word */
	size_t cnt;
	const char *const *later; /* libvirt's other words, NULL-terminated; or NULL */
	const char *supported;    /* ends the refusal of one of these */
	const char *unknown; /* "unknown forwarding type": libvirt's words before the quoted value; or NULL */
};

struct row {
	const char *path; /* from the root: "network/ip@netd:subnet" */
	enum row_kind kind;
	const struct row_type *type;
	uint16_t offset, size; /* of the field in obj */
	uint16_t with;         /* offset of a second field the type or kind uses; 0: none */
	uint16_t present;      /* offset + 1 of a bool set when it was given; 0: none */
	uint32_t min, max;     /* a number's bounds; a string's longest; an element's occurrences (0: one) */
	uint32_t absent;       /* a word's or number's value where nothing is given */
	const char *def;       /* value where the element is given without it; NULL: absent */
	const char *missing;   /* text where a required one is missing; NULL: a general one */
	const struct row_words *words;
	unsigned flags;
	enum netdef_change change;
	int (*done)(void *obj, struct nd_error *e); /* after an element's attributes: rules among them */
};

extern const struct row rows[];
extern const size_t row_cnt;
/* First row after r's subtree. */
const struct row *row_end(const struct row *r);
/* "range" or "@"-less "start": the last part of the path. */
const char *row_name(const struct row *r);
bool row_is_attr(const struct row *r);
/* Whether r is directly below parent. */
bool row_is_child(const struct row *parent, const struct row *r);
/* The row of a child element or attribute with that name (with our prefix: "netd:autostart"); NULL: unknown. */
const struct row *row_find_child(const struct row *parent, const char *name, bool attr);

/* XML namespaces that rows name by a prefix. */
struct row_ns {
	const char *prefix, *uri;
};
extern const struct row_ns row_namespaces[];
extern const size_t row_namespace_cnt;

static inline void *row_field(const struct row *r, void *obj)
{
	return (char *)obj + r->offset;
}
static inline const void *row_field_const(const struct row *r, const void *obj)
{
	return (const char *)obj + r->offset;
}
static inline bool row_is_present(const struct row *r, const void *obj)
{
	return r->present && *(const bool *)((const char *)obj + r->present - 1);
}
static inline void row_set_present(const struct row *r, void *obj)
{
	if (r->present)
		*(bool *)((char *)obj + r->present - 1) = true;
}
/* A list's parts. */
static inline void **row_list(const struct row *r, void *obj)
{
	return row_field(r, obj);
}
static inline size_t row_list_cnt(const struct row *r, const void *obj)
{
	return *(const size_t *)(const void *)((const char *)obj + r->with);
}
static inline const void *row_list_item(const struct row *r, const void *obj, size_t i)
{
	return *(const char *const *)row_field_const(r, obj) + i * r->size;
}
/* Appends a zeroed item and marks the list as given; on lists built by it alone, not yet trimmed.
 * Return: NULL on ENOMEM. */
void *row_list_append(const struct row *r, void *obj);
/* Gives back what the lists of obj (of element r) have in reserve. */
void row_lists_trim(const struct row *r, void *obj);

extern const struct row_type row_type_name, row_type_host_name, row_type_ifname, row_type_uuid, row_type_mac,
	row_type_ip, row_type_number, row_type_word, row_type_netmask, row_type_prefix, row_type_expiry,
	row_type_unit;
/* The length libvirt takes without prefix and netmask: class A 8, B 16, C 24; 64 for IPv6; 0: none. */
uint8_t netdef_classful_len(const struct nd_ip *ip);
bool netdef_ifname_valid(const char *s);
bool netdef_host_name_valid(const char *s, size_t max);

/* s for a message: at most 60 bytes, no control character, cut at a whole UTF-8 character. Return: buf. */
#define NETDEF_CLIP_LEN 64
const char *netdef_clip(const char *s, size_t len, char buf[NETDEF_CLIP_LEN]);
#endif
