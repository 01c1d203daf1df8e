// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the life of a definition
 *
 * New, copy, free, size and diff of a struct netdef. Each walks the rows: an element's fields lie in the
 * object of the element around it, a list's items are objects of their own with the rows below the list's.
 * What is on the heap is thus exactly what a row says is on the heap, and struct netdef_rare.
 */
#include "netd/xml/netdef.h"
#include "netd/xml/rows.h"

static const char *const forward_names[] = {
	[NETDEF_FORWARD_NONE] = "isolated",   [NETDEF_FORWARD_NAT] = "nat",
	[NETDEF_FORWARD_ROUTE] = "route",     [NETDEF_FORWARD_OPEN] = "open",
	[NETDEF_FORWARD_BRIDGE] = "bridge",   [NETDEF_FORWARD_PRIVATE] = "private",
	[NETDEF_FORWARD_VEPA] = "vepa",       [NETDEF_FORWARD_PASSTHROUGH] = "passthrough",
	[NETDEF_FORWARD_HOSTDEV] = "hostdev",
};
ND_STRTAB(netdef_forward, forward_names)

const struct netdef_rare netdef_no_rare;

const struct netdef_rare *netdef_rare(const struct netdef *d)
{
	return d->rare ? d->rare : &netdef_no_rare;
}

bool netdef_forward_is_virtual(enum netdef_forward mode)
{
	return mode <= NETDEF_FORWARD_OPEN;
}

/* The rows of one object that stand for something in it, lists below it left to the caller to enter. */
#define for_each_field(r, element)                                                          \
	for (const struct row *r = (element) + 1, *r##_end = row_end(element); r < r##_end; \
	     r = r->kind == ROW_LIST ? row_end(r) : r + 1)

static void free_object(const struct row *element, void *obj)
{
	for_each_field(r, element)
	{
		if (r->kind == ROW_LIST) {
			for (size_t i = 0; i < row_list_cnt(r, obj); i++)
				free_object(r, (void *)row_list_item(r, obj, i));
			free(*(void *const *)row_field_const(r, obj));
		} else if (r->type && r->type->heap) {
			free(*(char *const *)row_field_const(r, obj));
		}
	}
}

void row_item_done(const struct row *r, void *item)
{
	free_object(r, item);
}

void netdef_free(struct netdef *d)
{
	if (!d)
		return;
	free_object(rows, d);
	free(d->rare);
	free(d);
}

struct netdef *netdef_new(void)
{
	struct netdef *d = calloc(1, sizeof *d);

	if (d)
		d->dns_enable = true;
	return d;
}

static bool copy_object(const struct row *element, void *dst, const void *src);

/* A list in the rare part exists where that does. */
static bool row_list_exists(const struct row *r, const void *obj)
{
	return !(r->flags & ROW_RARE) || ((const struct netdef *)obj)->rare;
}

static bool copy_list(const struct row *r, void *dst, const void *src)
{
	size_t cnt = row_list_cnt(r, src);
	size_t *dst_cnt;

	if (cnt == 0 && !row_list_exists(r, dst))
		return true;
	dst_cnt = row_with(r, dst);
	*dst_cnt = 0;
	*row_list(r, dst) = NULL;
	if (cnt == 0)
		return true;
	*row_list(r, dst) = calloc(cnt, r->size);
	if (!*row_list(r, dst))
		return false;
	while (*dst_cnt < cnt) {
		size_t i = (*dst_cnt)++;

		if (!copy_object(r, (char *)*row_list(r, dst) + i * r->size, row_list_item(r, src, i)))
			return false;
	}
	return true;
}

static const char *string_of(const struct row *r, const void *obj)
{
	return *(char *const *)row_field_const(r, obj);
}

/* The copy's own rare part, as yet with the source's pointers in it. */
static bool copy_rare(struct netdef *d)
{
	const struct netdef_rare *src = d->rare;

	if (!src)
		return true;
	d->rare = malloc(sizeof *src);
	if (d->rare)
		*d->rare = *src;
	return d->rare != NULL;
}

/* dst is wholly written, so that it can be freed also when false (ENOMEM) comes back. */
static bool copy_object(const struct row *element, void *dst, const void *src)
{
	size_t size = element->size;
	bool ok = true;

	memcpy(dst, src, size);
	if (element == rows && !copy_rare(dst)) {
		/* Nothing of dst but fixed fields may be looked at. */
		memset(dst, 0, size);
		return false;
	}
	for_each_field(r, element)
	{
		if (r->kind == ROW_LIST) {
			ok = copy_list(r, dst, src) && ok;
		} else if (r->type && r->type->heap && string_of(r, dst)) {
			char **field = row_field(r, dst);

			*field = strdup(*field);
			ok = *field && ok;
		}
	}
	return ok;
}

struct netdef *netdef_copy(const struct netdef *d)
{
	struct netdef *copy = netdef_new();

	if (copy && !copy_object(rows, copy, d)) {
		netdef_free(copy);
		copy = NULL;
	}
	return copy;
}

static size_t size_object(const struct row *element, const void *obj)
{
	size_t size = 0;

	for_each_field(r, element)
	{
		if (r->kind == ROW_LIST) {
			size += row_list_cnt(r, obj) * r->size;
			for (size_t i = 0; i < row_list_cnt(r, obj); i++)
				size += size_object(r, row_list_item(r, obj, i));
		} else if (r->type && r->type->heap) {
			const char *s = string_of(r, obj);

			size += s ? strlen(s) + 1 : 0;
		}
	}
	return size;
}

size_t netdef_size(const struct netdef *d)
{
	return sizeof *d + (d->rare ? sizeof *d->rare : 0) + size_object(rows, d);
}

/* Lists grow by doubling: full when the count is a power of two. Saves the objects a third field. */
void *row_list_append(const struct row *r, void *obj)
{
	size_t *cnt;
	void **list, *item;

	if (!row_ensure(r, obj))
		return NULL;
	cnt = row_with(r, obj);
	list = row_list(r, obj);
	if ((*cnt & (*cnt - 1)) == 0) {
		void *p = reallocarray(*list, *cnt ? *cnt * 2 : 1, r->size);

		if (!p)
			return NULL;
		*list = p;
	}
	item = (char *)*list + *cnt * r->size;
	memset(item, 0, r->size);
	++*cnt;
	row_set_present(r, obj);
	return item;
}

void row_lists_trim(const struct row *element, void *obj)
{
	for_each_field(r, element)
	{
		size_t cnt = r->kind == ROW_LIST ? row_list_cnt(r, obj) : 0;
		void *p;

		for (size_t i = 0; i < cnt; i++)
			row_lists_trim(r, (void *)row_list_item(r, obj, i));
		p = cnt ? reallocarray(*row_list(r, obj), cnt, r->size) : NULL;
		if (p)
			*row_list(r, obj) = p;
	}
}

void row_list_take(const struct row *r, void *obj, size_t i, void *keep)
{
	size_t *cnt = row_with(r, obj);
	char *list = *row_list(r, obj), *item = list + i * r->size;

	if (keep)
		memcpy(keep, item, r->size);
	else
		row_item_done(r, item);
	memmove(item, item + r->size, (*cnt - i - 1) * r->size);
	if (--*cnt > 0)
		return;
	free(list);
	*row_list(r, obj) = NULL;
}

int row_list_put(const struct row *r, void *obj, size_t i, const void *item, struct nd_error *e)
{
	size_t *cnt;
	char *list;

	if (!row_ensure(r, obj))
		return nd_fail(e, ND_MEMORY, "record");
	cnt = row_with(r, obj);
	if (*cnt >= r->max)
		return nd_fail(e, ND_INVALID, "<%s> given more than %u times", row_name(r), r->max);
	list = reallocarray(*row_list(r, obj), *cnt + 1, r->size);
	if (!list)
		return nd_fail(e, ND_MEMORY, "record");
	*row_list(r, obj) = list;
	memmove(list + (i + 1) * r->size, list + i * r->size, (*cnt - i) * r->size);
	memcpy(list + i * r->size, item, r->size);
	++*cnt;
	return 0;
}

/* What differs, by row. */
struct diff {
	bool differs[ROWS_MAX];
	enum netdef_change worst;
};

static void diff_row(struct diff *diff, const struct row *r, const void *a, const void *b)
{
	enum netdef_change change = r->change_of ? r->change_of(a, b) : r->change;

	diff->differs[r - rows] = true;
	if (change > diff->worst)
		diff->worst = change;
}

/* Of an element without a value of its own: whether it is there. */
static bool row_equal(const struct row *r, const void *a, const void *b)
{
	return r->type ? r->type->equal(r, a, b) : row_is_present(r, a) == row_is_present(r, b);
}

static void diff_object(const struct row *element, const void *a, const void *b, struct diff *diff)
{
	for_each_field(r, element)
	{
		if (r->kind == ROW_LIST && row_list_cnt(r, a) != row_list_cnt(r, b))
			diff_row(diff, r, a, b);
		else if (r->kind == ROW_LIST)
			for (size_t i = 0; i < row_list_cnt(r, a); i++)
				diff_object(r, row_list_item(r, a, i), row_list_item(r, b, i), diff);
		else if (!row_equal(r, a, b))
			diff_row(diff, r, a, b);
	}
}

enum netdef_change netdef_diff(const struct netdef *a, const struct netdef *b, struct nd_buf *what)
{
	struct diff diff = { .worst = NETDEF_CHANGE_NONE };
	bool first = true;

	diff_object(rows, a, b, &diff);
	for (size_t i = 0; i < row_cnt; i++) {
		if (!diff.differs[i])
			continue;
		if (what) {
			nd_buf_append_string(what, first ? "" : ", ");
			nd_buf_append_string(what, rows[i].path + strlen(rows->path) + 1);
		}
		first = false;
	}
	return diff.worst;
}
