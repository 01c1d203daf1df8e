// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: what a port may send follows its definition and lease; published ports follow their guest, and their connections end. */
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/change.h"
#include "netd/core/guard.h"
#include "netd/core/policy.h"
#include "netd/core/publish.h"
#include "tests/fake/conntrack.h"
#include "tests/netd/core-harness.h"

#include <netinet/in.h>

#define DHCP                                                                                              \
	"<ip address='10.1.1.1' netmask='255.255.255.0'><dhcp><range start='10.1.1.2' end='10.1.1.254'/>" \
	"<host mac='52:54:00:00:00:09' ip='10.1.1.9'/></dhcp></ip>"

static struct network *start(struct core_harness *h, const char *more)
{
	char text[2048];

	snprintf(text, sizeof(text), "<forward mode='nat'/>" DHCP "%s", more);
	return core_create(h, core_xml("lan", "br-lan", "", text));
}

static const struct nat_port *guards_of(const struct port *p)
{
	assert_true(p->elements.cnt > 0 && p->elements.p[0].kind == NAT_PORT);
	return &p->elements.p[0].port;
}

static bool may_send_from(const struct port *p, const char *prefix)
{
	struct nd_prefix want;

	assert_int_equal(nd_prefix_from_string(prefix, &want), 0);
	for (size_t i = 0; i < p->elements.cnt; i++)
		if (p->elements.p[i].kind == NAT_ADDRESS &&
		    nd_prefix_equal(&p->elements.p[i].address.prefix, &want))
			return true;
	return false;
}

static void test_guards(void **state)
{
	struct core_harness *h = *state;
	struct attached a, b;

	start(h, "<portgroup name='free'><netd:guards mac='no' ip='no' dhcp='no' ra='no'/>"
		 "<netd:egress policy='none'/></portgroup>"
		 "<netd:guards broadcast='100' connections='50'/>"
		 "<netd:egress policy='list'><netd:allow address='192.0.2.0/24' protocol='tcp' "
		 "port='80'/></netd:egress>"
		 "<netd:address guest='web' address='10.9.1.0/24'/><netd:address guest='web' "
		 "address='10.9.0.0/16'/>"
		 "<netd:address guest='web' address='10.9.2.1/32'/>");
	core_attach(h, "lan", "web", "52:54:00:00:00:09", &a);
	assert_string_equal(a.text, "");
	assert_true(guards_of(a.p)->mac_guard && guards_of(a.p)->ip4_guard && guards_of(a.p)->ip6_guard &&
		    guards_of(a.p)->dhcp_guard && guards_of(a.p)->ra_guard);
	assert_int_equal(guards_of(a.p)->broadcast_pps, 100);
	assert_int_equal(guards_of(a.p)->connection_max, 50);
	assert_int_equal(guards_of(a.p)->egress, NAT_EGRESS_LIST);
	/* Its reservation and what the definition allows, before any lease. */
	assert_true(may_send_from(a.p, "10.1.1.9/32") && may_send_from(a.p, "10.9.0.0/16"));
	/* What lies in a wider prefix is not said twice: the kernel would refuse it. */
	assert_false(may_send_from(a.p, "10.9.1.0/24") || may_send_from(a.p, "10.9.2.1/32"));
	core_attach_request(h,
			    &(struct attach_request){ .network = "lan",
						      .name = "other",
						      .portgroup = "free",
						      .queue_cnt = 1,
						      .mac_guard = true },
			    &b);
	assert_string_equal(b.text, "");
	assert_false(guards_of(b.p)->mac_guard || guards_of(b.p)->ip4_guard || guards_of(b.p)->dhcp_guard ||
		     guards_of(b.p)->ra_guard);
	assert_int_equal(guards_of(b.p)->egress, NAT_EGRESS_NONE);
	assert_int_equal(b.p->elements.cnt, 1);
	core_close(&a);
	core_close(&b);
}

/* The lease's address is let in at once, and taken from whoever had it. */
static void test_lease(void **state)
{
	struct core_harness *h = *state;
	struct attached a, b;
	size_t cnt;
	const struct nat_connections *asked;

	start(h, "");
	core_attach(h, "lan", "a", NULL, &a);
	core_attach(h, "lan", "b", NULL, &b);
	core_turn(h);
	assert_false(may_send_from(a.p, "10.1.1.50/32"));
	guard_set_address(&h->c, a.p, 0x0a010132);
	assert_true(may_send_from(a.p, "10.1.1.50/32"));
	assert_true(nat_holds(h->c.nat, &a.p->elements.p[1]));
	guard_set_address(&h->c, b.p, 0x0a010132);
	core_turn(h);
	assert_true(may_send_from(b.p, "10.1.1.50/32") && !may_send_from(a.p, "10.1.1.50/32"));
	asked = fake_conntrack_asked(&cnt);
	assert_int_equal(cnt, 1);
	assert_int_equal(nd_ip_to_ip4(&asked[0].any), 0x0a010132);
	core_close(&a);
	core_close(&b);
}

static enum publish_state first_state;
static char first_guest[ND_IP_STRLEN];

static void on_status(void *arg, const struct publish_status *s)
{
	if ((*(unsigned *)arg)++)
		return;
	first_state = s->state;
	first_guest[0] = '\0';
	if (s->guest.family)
		nd_ip_to_string(&s->guest, first_guest);
}

static enum publish_state state_of(struct core_harness *h, const struct network *n)
{
	unsigned cnt = 0;

	publish_each(&h->c, n, on_status, &cnt);
	assert_true(cnt > 0);
	return first_state;
}

static void test_publish(void **state)
{
	struct core_harness *h = *state;
	struct network *n =
		start(h, "<netd:forward protocol='tcp' port='40001' guest='web' guestPort='80'/>");
	struct nat_connections want = { .protocol = IPPROTO_TCP, .orig_dst_port = 40001, .translated = true };
	const struct nat_connections *asked;
	struct attached a;
	size_t cnt, i;

	assert_int_equal(state_of(h, n), PUBLISH_WAITING);
	core_attach(h, "lan", "web", NULL, &a);
	core_turn(h);
	assert_int_equal(state_of(h, n), PUBLISH_WAITING);
	guard_set_address(&h->c, a.p, 0x0a010132);
	core_turn(h);
	assert_int_equal(state_of(h, n), PUBLISH_ACTIVE);
	assert_string_equal(first_guest, "10.1.1.50");
	assert_int_equal(n->published.cnt, 1);
	assert_int_equal(n->published.p[0].publish.guest_port, 80);
	/* It follows the guest, and what went to the old address ends. */
	guard_set_address(&h->c, a.p, 0x0a010133);
	core_turn(h);
	assert_int_equal(state_of(h, n), PUBLISH_ACTIVE);
	assert_string_equal(first_guest, "10.1.1.51");
	want.reply_src = nd_ip_from_ip4(0x0a010132);
	want.reply_src_port = 80;
	asked = fake_conntrack_asked(&cnt);
	for (i = 0; i < cnt; i++)
		if (asked[i].translated && asked[i].orig_dst_port == want.orig_dst_port &&
		    nd_ip_equal(&asked[i].reply_src, &want.reply_src) &&
		    asked[i].reply_src_port == want.reply_src_port)
			break;
	assert_true(i < cnt);
	core_close(&a);
}

/* Which process has a port is for the real kernel to say: base/listener and the e2e tests. */
static void test_change(void **state)
{
	struct core_harness *h = *state;
	struct netdef_publish p = { .protocol = NETDEF_PROTOCOL_TCP,
				    .port = 40002,
				    .guest = (char *)"10.1.1.9" };
	struct network *n = start(h, ""), *other;
	struct outcome o;

	change_publish(&h->c, n, &(struct change_publish){ .publish = &p }, core_done(&o));
	core_turn(h);
	assert_string_equal(o.text, "");
	assert_int_equal(state_of(h, n), PUBLISH_ACTIVE);
	/* Another network cannot have it, too. */
	other = core_create(h, core_xml("lab", "br-lab", "10.2.2.1", "<forward mode='nat'/>"));
	p.guest = (char *)"10.2.2.9";
	change_publish(&h->c, other, &(struct change_publish){ .publish = &p }, core_done(&o));
	core_turn(h);
	assert_int_equal(o.e.code, ND_EXISTS);
	assert_non_null(strstr(o.text, "is published by network 'lan'"));
	p.guest = NULL;
	change_publish(&h->c, n, &(struct change_publish){ .remove = true, .publish = &p }, core_done(&o));
	core_turn(h);
	assert_string_equal(o.text, "");
	assert_int_equal(n->published.cnt, 0);
	change_publish(&h->c, n, &(struct change_publish){ .remove = true, .publish = &p }, core_done(&o));
	core_turn(h);
	assert_int_equal(o.e.code, ND_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, core_setup, core_teardown)
	static const struct CMUnitTest tests[] = {
		TEST(guards),
		TEST(lease),
		TEST(publish),
		TEST(change),
	};

	return cmocka_run_group_tests_name("netd/core-publish", tests, NULL, NULL);
}
