/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/watch: datagrams of events, whole and broken, into who did what. */
#include "base/mem.h"
#include "nat/rules.h"
#include "nat/watch.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define OURS   77u
#define THEIRS 78u

struct datagram {
	_Alignas(8) char buf[2048];
	size_t len;
};

static struct nlmsghdr *put(struct datagram *d, unsigned type, unsigned family, uint32_t port)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(d->buf + d->len);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));

	h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	h->nlmsg_pid = port;
	g->nfgen_family = (uint8_t)family;
	return h;
}

static void end(struct datagram *d, const struct nlmsghdr *h)
{
	d->len += MNL_ALIGN(h->nlmsg_len);
}

/* Attribute 1 is the table's name in all of them. */
static void put_object(struct datagram *d, unsigned type, unsigned family, uint32_t port, const char *table,
		       unsigned name_attr, const char *name)
{
	struct nlmsghdr *h = put(d, type, family, port);

	mnl_attr_put_strz(h, NFTA_TABLE_NAME, table);
	if (name)
		mnl_attr_put_strz(h, (uint16_t)name_attr, name);
	end(d, h);
}

static void put_generation(struct datagram *d, uint32_t port, uint32_t pid, const char *comm)
{
	struct nlmsghdr *h = put(d, NFT_MSG_NEWGEN, AF_UNSPEC, port);

	mnl_attr_put_u32(h, NFTA_GEN_ID, htonl(5));
	mnl_attr_put_u32(h, NFTA_GEN_PROC_PID, htonl(pid));
	mnl_attr_put_strz(h, NFTA_GEN_PROC_NAME, comm);
	end(d, h);
}

static void test_culprit(void **state)
{
	struct nat_digest digest = { .open_table = false };
	struct datagram d = { .len = 0 }, g = { .len = 0 };

	put_object(&d, NFT_MSG_DELRULE, NFPROTO_INET, THEIRS, "netd", NFTA_RULE_CHAIN, "to_nat");
	put_object(&d, NFT_MSG_DELSETELEM, NFPROTO_INET, THEIRS, "netd", NFTA_SET_ELEM_LIST_SET, "nat4");
	nat_digest_feed(&digest, d.buf, d.len, OURS);
	/* The transaction's end decides. */
	assert_false(digest.done.touched);
	put_generation(&g, THEIRS, 4242, "nft");
	nat_digest_feed(&digest, g.buf, g.len, OURS);
	assert_true(digest.done.touched);
	assert_int_equal(digest.done.pid, 4242);
	assert_string_equal(digest.done.comm, "nft");
	assert_string_equal(digest.done.what, "rule of chain to_nat");
}

static void test_table(void **state)
{
	struct nat_digest digest = { .open_table = false };
	struct datagram d = { .len = 0 };

	put_object(&d, NFT_MSG_DELRULE, NFPROTO_INET, THEIRS, "netd", NFTA_RULE_CHAIN, "to_nat");
	put_object(&d, NFT_MSG_DELTABLE, NFPROTO_INET, THEIRS, "netd", 0, NULL);
	put_object(&d, NFT_MSG_DELTABLE, NFPROTO_BRIDGE, THEIRS, "netd", 0, NULL);
	put_generation(&d, THEIRS, 1, "nft");
	nat_digest_feed(&digest, d.buf, d.len, OURS);
	assert_string_equal(digest.done.what, "table inet netd");
}

static void test_not_ours(void **state)
{
	struct nat_digest digest = { .open_table = false };
	struct datagram d = { .len = 0 };

	put_object(&d, NFT_MSG_DELTABLE, NFPROTO_INET, THEIRS, "filter", 0, NULL);
	put_object(&d, NFT_MSG_DELTABLE, NFPROTO_IPV4, THEIRS, "netd", 0, NULL);
	put_object(&d, NFT_MSG_DELSETELEM, NFPROTO_INET, OURS, "netd", NFTA_SET_ELEM_LIST_SET, "nat4");
	put_generation(&d, OURS, 1, "netd");
	put_generation(&d, THEIRS, 2, "nft");
	nat_digest_feed(&digest, d.buf, d.len, OURS);
	assert_false(digest.done.touched);
	/* The innocent transaction before did not take the blame, and a later one does not either. */
	d.len = 0;
	put_object(&d, NFT_MSG_DELSET, NFPROTO_BRIDGE, THEIRS, "netd", NFTA_SET_NAME, "guarded");
	put_generation(&d, THEIRS, 3, "culprit");
	put_object(&d, NFT_MSG_DELSET, NFPROTO_BRIDGE, THEIRS, "netd", NFTA_SET_NAME, "port_mac");
	put_generation(&d, THEIRS, 4, "second");
	nat_digest_feed(&digest, d.buf, d.len, OURS);
	assert_string_equal(digest.done.comm, "culprit");
	assert_string_equal(digest.done.what, "set guarded");
}

/* Every prefix, and every byte once turned: nothing is read beyond the end. */
static void test_broken(void **state)
{
	struct datagram d = { .len = 0 };

	put_object(&d, NFT_MSG_DELSETELEM, NFPROTO_INET, THEIRS, "netd", NFTA_SET_ELEM_LIST_SET, "nat4");
	put_generation(&d, THEIRS, 3, "a-name-longer-than-comm-has-room");
	for (size_t len = 0; len <= d.len; len++) {
		struct nat_digest digest = { .open_table = false };
		char *p = malloc(len + 1);

		memcpy(p, d.buf, len);
		nat_digest_feed(&digest, p, len, OURS);
		free(p);
	}
	for (size_t i = 0; i < d.len; i++) {
		struct nat_digest digest = { .open_table = false };
		char *p = malloc(d.len);

		memcpy(p, d.buf, d.len);
		p[i] = (char)(p[i] ^ 0xff);
		nat_digest_feed(&digest, p, d.len, OURS);
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_culprit),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_broken),
	};
	return cmocka_run_group_tests_name("nat/watch", tests, NULL, NULL);
}
