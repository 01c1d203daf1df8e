/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: nf_tables of the fake kernel
 *
 * A transaction works on a copy of the state and takes its place when all operations passed. The event
 * descriptor is an eventfd that is readable while an event waits.
 */
#include "tests/fake/nft.h"

#include "base/mem.h"
#include "base/strtab.h"
#include "nat/watch.h"
#include "tests/fake/fake.h"

#include <errno.h>
#include <sys/eventfd.h>

#define ELEMS_MAX  8192
#define OUR_PORT   1000u
#define FOREIGNER  4711
#define MEMORY_MSG "fake nftables"

struct nat_batch {
	uint32_t seq;
};
struct nat_watch {
	int fd;
};

static struct state {
	struct nat_scan_table table[NAT_TABLE_CNT];
	struct nat_elem elem[ELEMS_MAX];
	size_t elem_cnt;
} now, next;
static struct nat_event event;
static bool overrun, flags_unknown;
static unsigned commit_cnt;
static uint64_t packets;
static struct nat_watch *watcher;

static void event_quiet(void)
{
	uint64_t v;

	if (watcher && read(watcher->fd, &v, sizeof(v)) < 0)
		return; /* nothing was waiting */
}

static void reset(void)
{
	memset(&now, 0, sizeof(now));
	memset(&event, 0, sizeof(event));
	overrun = flags_unknown = false;
	commit_cnt = 0;
	packets = 0;
	event_quiet();
}

static int fail(const char *call, const char *label, struct nd_error *e)
{
	const char *text;
	int err;

	fake_on_reset(reset);
	return fake_fail_now(call, &err, &text) ? nd_fail_sys(e, err, text, "%s", label) : 0;
}

static void event_raise(const char *what)
{
	uint64_t one = 1;

	if (!event.touched) {
		event = (struct nat_event){ .touched = true, .pid = FOREIGNER };
		nd_strcpy(event.comm, sizeof(event.comm), "nft");
		nd_strcpy(event.what, sizeof(event.what), what);
	}
	if (watcher && write(watcher->fd, &one, sizeof(one)) < 0)
		abort();
}

static struct nat_elem *elem_find(struct state *s, const struct nat_elem *elem)
{
	for (size_t i = 0; i < s->elem_cnt; i++)
		if (memcmp(&s->elem[i], elem, NAT_ELEM_KEY_BYTES) == 0)
			return &s->elem[i];
	return NULL;
}

static int elem_add(struct state *s, const struct nat_elem *elem)
{
	struct nat_elem *have = elem_find(s, elem);

	if (!s->table[nat_set_rows[elem->set].table].exists)
		return ENOENT;
	if (have)
		return memcmp(have->data, elem->data, NAT_DATA_MAX) == 0 ? 0 : EBUSY;
	if (s->elem_cnt == ELEMS_MAX)
		return ENFILE;
	s->elem[s->elem_cnt++] = *elem;
	return 0;
}

static int elem_delete(struct state *s, const struct nat_elem *elem)
{
	struct nat_elem *have = elem_find(s, elem);

	if (!have)
		return ENOENT;
	*have = s->elem[--s->elem_cnt];
	return 0;
}

static int table_drop(struct state *s, enum nat_table table)
{
	if (!s->table[table].exists)
		return ENOENT;
	s->table[table] = (struct nat_scan_table){ .exists = false };
	for (size_t i = s->elem_cnt; i-- > 0;)
		if (nat_set_rows[s->elem[i].set].table == table)
			s->elem[i] = s->elem[--s->elem_cnt];
	return 0;
}

static int op_run(struct state *s, const struct nat_op *op, uint32_t flags)
{
	struct nat_scan_table *t = &s->table[op->table];

	switch (op->kind) {
	case NAT_OP_DROP: return table_drop(s, op->table);
	case NAT_OP_TAKE: t->flags = flags; return t->exists ? 0 : ENOENT;
	case NAT_OP_BUILD:
		if (t->exists)
			return EEXIST;
		*t = (struct nat_scan_table){ true, flags, flags ? OUR_PORT : 0, true };
		return 0;
	case NAT_OP_ADD: return elem_add(s, op->elem);
	case NAT_OP_DELETE: return elem_delete(s, op->elem);
	}
	return EINVAL;
}

int nat_batch_new(struct nat_batch **ret, struct nd_error *e)
{
	struct nat_batch *b;

	if (fail("nftables socket", "nftables socket", e) < 0)
		return e ? e->code : ND_SYSTEM;
	b = calloc(1, sizeof(*b));
	if (!b)
		return nd_fail(e, ND_MEMORY, MEMORY_MSG);
	*ret = b;
	return 0;
}

void nat_batch_free(struct nat_batch *b)
{
	free(b);
}

int nat_batch_fd(const struct nat_batch *b)
{
	return -1;
}

uint32_t nat_batch_port(const struct nat_batch *b)
{
	return OUR_PORT;
}

uint32_t nat_batch_seq(struct nat_batch *b)
{
	return ++b->seq;
}

int nat_batch_commit(struct nat_batch *b, const struct nat_op *ops, size_t cnt, uint32_t flags,
		     struct nd_error *e)
{
	char label[NAT_LABEL_LEN];
	int r = 0, err;

	commit_cnt++;
	next = now;
	for (size_t i = 0; r == 0 && i < cnt; i++) {
		if (ops[i].kind == NAT_OP_ADD || ops[i].kind == NAT_OP_DELETE)
			nat_elem_label(ops[i].elem, label);
		else
			nd_strcpy(label, sizeof(label), nat_table_rows[ops[i].table].label);
		r = fail("nftables operation", label, e);
		err = r == 0 ? op_run(&next, &ops[i], flags) : 0;
		if (err)
			r = nd_fail_sys(e, err, NULL, "%s", label);
	}
	if (r == 0)
		now = next;
	return r;
}

int nat_batch_probe(struct nat_batch *b, uint32_t flags, bool *ret, struct nd_error *e)
{
	int r = fail("nftables probe", "nftables transaction", e);

	if (r == 0)
		*ret = !flags_unknown;
	return r;
}

int nat_scan(struct nat_batch *b, struct nat_scan_table ret[NAT_TABLE_CNT], nat_scan_fn on_elem, void *arg,
	     struct nd_error *e)
{
	int r = fail("nftables scan", "read the nftables tables", e);

	memcpy(ret, now.table, sizeof(now.table));
	for (size_t i = 0; r == 0 && i < now.elem_cnt; i++)
		r = on_elem(&now.elem[i], arg, e);
	return r;
}

int nat_scan_packets(struct nat_batch *b, const struct nat_elem *elem, uint64_t *ret, struct nd_error *e)
{
	char label[NAT_LABEL_LEN];
	int r = fail("nftables counter", nat_elem_label(elem, label), e);

	if (r < 0)
		return r;
	if (!elem_find(&now, elem))
		return nd_fail(e, ND_NOT_FOUND, "%s", label);
	*ret = packets;
	return 0;
}

int nat_watch_new(uint32_t own_port, struct nat_watch **ret, struct nd_error *e)
{
	struct nat_watch *w;

	if (fail("nftables event socket", "nftables event socket", e) < 0)
		return e ? e->code : ND_SYSTEM;
	w = calloc(1, sizeof(*w));
	if (!w)
		return nd_fail(e, ND_MEMORY, MEMORY_MSG);
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	watcher = *ret = w;
	return 0;
}

void nat_watch_free(struct nat_watch *w)
{
	if (!w)
		return;
	if (watcher == w)
		watcher = NULL;
	close(w->fd);
	free(w);
}

int nat_watch_fd(const struct nat_watch *w)
{
	return w->fd;
}

int nat_watch_read(struct nat_watch *w, struct nat_event *ret, struct nd_error *e)
{
	bool lost = overrun;

	event_quiet();
	*ret = event;
	memset(&event, 0, sizeof(event));
	overrun = false;
	return lost ? nd_fail(e, ND_OVERRUN, "nftables events were lost") : 0;
}

struct nat_scan_table *fake_nft_table(enum nat_table table)
{
	return &now.table[table];
}

size_t fake_nft_count(void)
{
	return now.elem_cnt;
}

const struct nat_elem *fake_nft_find(enum nat_set set, const char *name)
{
	for (size_t i = 0; i < now.elem_cnt; i++)
		if (now.elem[i].set == set && strcmp((const char *)now.elem[i].key, name) == 0)
			return &now.elem[i];
	return NULL;
}

unsigned fake_nft_commit_count(void)
{
	return commit_cnt;
}

void fake_nft_flags_known(bool known)
{
	flags_unknown = !known;
}

void fake_nft_packets(uint64_t cnt)
{
	packets = cnt;
}

void fake_nft_foreign_flush(void)
{
	for (unsigned i = 0; i < NAT_TABLE_CNT; i++) {
		if (now.table[i].flags & NAT_TABLE_F_OWNER || table_drop(&now, (enum nat_table)i))
			continue;
		event_raise(nat_table_rows[i].label);
	}
}

void fake_nft_foreign_delete(enum nat_set set, const char *name)
{
	const struct nat_elem *elem = fake_nft_find(set, name);
	char what[64];

	if (!elem)
		abort();
	elem_delete(&now, elem);
	snprintf(what, sizeof(what), "element of set %s", nat_set_rows[set].name);
	event_raise(what);
}

void fake_nft_foreign_add(const struct nat_elem *elem)
{
	char what[64];

	if (elem_add(&now, elem))
		abort();
	snprintf(what, sizeof(what), "element of set %s", nat_set_rows[elem->set].name);
	event_raise(what);
}

void fake_nft_foreign_rule(enum nat_table table)
{
	now.table[table].intact = false;
	event_raise("rule of chain forward");
}

void fake_nft_overrun(void)
{
	memset(&event, 0, sizeof(event));
	event_raise("");
	memset(&event, 0, sizeof(event));
	overrun = true;
}
