// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: the verbs on networks, over the fake kernel: their ends, their refusals, and what a failure leaves. */
#include "base/mem.h"
#include "netd/core/disk.h"
#include "netd/core/leases.h"
#include "netd/core/mirror.h"
#include "tests/netd/core-harness.h"

#include <errno.h>
#include <linux/if.h>

#define DHCP_IP(a)                                                                           \
	"<ip address='" a ".1' netmask='255.255.255.0'><dhcp><range start='" a ".2' end='" a \
	".254'/></dhcp>"                                                                     \
	"</ip>"
#define AUTO_IP "<ip address='192.168.122.1' netmask='255.255.255.0' netd:subnet='auto'/>"
#define BOOT    "<netd:autostart mode='boot'/>"

static uint32_t address_of(const struct network *n)
{
	struct nd_address a;

	assert_int_equal(fake_addresses(n->ifindex, &a, 1), 1);
	return nd_ip_to_ip4(&a.prefix.ip);
}

/* Nothing of netd's is in the kernel. */
static void assert_empty(struct core_harness *h)
{
	core_turn(h);
	assert_int_equal(fake_link_count(), 1);
	assert_int_equal(fake_nft_count(), 0);
}

static void test_life(void **state)
{
	struct core_harness *h = *state;
	struct network *n =
		core_define(h, core_xml("lan", "br-lan", "", "<forward mode='nat'/>" DHCP_IP("10.1.1")));
	const struct nd_link *l;

	assert_int_equal(n->state, NETWORK_INACTIVE);
	assert_true(core_exists(h, "etc/networks/lan.xml"));
	assert_true(core_told(h, "network-defined lan: defined\n"));
	core_start_network(h, n);
	l = fake_link_find("br-lan");
	assert_true(l && l->flags & IFF_UP && l->group == ND_GROUP_LIVE && l->has_alias);
	assert_true(nd_uuid_equal(&l->alias_network, &n->uuid) && nd_mac_equal(&l->mac, &n->live->mac));
	assert_int_equal(n->ifindex, l->ifindex);
	assert_int_equal(address_of(n), 0x0a010101);
	assert_true(fake_nft_count() > 0);
	assert_string_equal(fake_worker_told(), "network lan\n");
	assert_true(core_told(h, "network-started lan: started on bridge br-lan\n"));
	assert_true(core_told(h, "sysctl-set lan: net/ipv4/ip_forward set to 1"));
	assert_false(core_told(h, "repair"));
	assert_int_equal(h->model.active_cnt, 1);
	core_forget(h);
	core_destroy(h, n, false);
	assert_int_equal(n->state, NETWORK_INACTIVE);
	assert_true(!n->live && !n->plan && !n->bridge[0]);
	assert_string_equal(fake_worker_told(), "no network lan\n");
	assert_int_equal(h->model.active_cnt, 0);
	assert_false(core_told(h, "repair"));
	assert_empty(h);
}

/* The kernel's events of one start are not read yet when the next begins. */
static void test_two_starts_in_a_turn(void **state)
{
	struct core_harness *h = *state;
	struct network *a = core_define(h, core_xml("a", "", "", AUTO_IP BOOT)),
		       *b = core_define(h, core_xml("b", "", "", AUTO_IP BOOT)),
		       *x = core_define(h, core_xml("x", "", "192.168.122.1", BOOT));

	network_autostart(&h->c);
	assert_int_equal(address_of(a), 0xc0a87a01);
	assert_int_equal(address_of(b), 0xc0a87b01);
	assert_int_equal(x->state, NETWORK_INACTIVE); /* the same subnet, explicitly */
	core_turn(h);
	assert_true(core_told(h,
			      "network-subnet b: subnet 192.168.123.0/24 was chosen, since the preferred one "
			      "collides with route 192.168.122.0/24 on virbr0"));
}

static void test_start_after_destroy_in_a_turn(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(h, core_xml("lan", "br-lan", "10.1.1.1", ""));
	struct outcome o;

	core_start_network(h, n);
	core_forget(h);
	network_destroy(&h->c, n, false, core_done(&o));
	assert_int_equal(o.e.code, 0);
	network_start(&h->c, n, core_done(&o));
	assert_int_equal(o.e.code, 0);
	core_turn(h);
	assert_non_null(fake_link_find("br-lan"));
	assert_int_equal(fake_link_find("br-lan")->ifindex, n->ifindex);
	assert_int_equal(address_of(n), 0x0a010101);
	assert_false(core_told(h, "repair"));
	assert_int_equal(fake_link_count(), 2);
}

/* ---- define ---- */

static void define_later(struct core_harness *h, const char *xml, struct outcome *o)
{
	network_define(&h->c, xml, strlen(xml), NULL, core_done(o));
}

static void refused(const struct outcome *o, int code, const char *text)
{
	assert_int_equal(o->calls, 1);
	assert_string_equal(o->text, text);
	assert_int_equal(o->e.code, code);
}

#define UUID_1 "<uuid>11111111-1111-4111-8111-111111111111</uuid>"
#define UUID_2 "<uuid>22222222-2222-4222-8222-222222222222</uuid>"

static void test_uniqueness(void **state)
{
	struct core_harness *h = *state;
	struct outcome o;

	core_define(h, core_xml("a", "br-a", "", UUID_1));
	define_later(h, core_xml("a", "", "", UUID_2), &o);
	refused(&o, ND_EXISTS,
		"network 'a': network 'a' already exists with uuid 11111111-1111-4111-8111-111111111111");
	define_later(h, core_xml("b", "", "", UUID_1), &o); /* a new name is no redefinition */
	refused(&o, ND_EXISTS,
		"network 'b': network 'a' is already defined with uuid 11111111-1111-4111-8111-111111111111");
	define_later(h, core_xml("b", "br-a", "", UUID_2), &o);
	refused(&o, ND_EXISTS, "network 'b': bridge name 'br-a' already in use.");
	struct network *n = core_define(h, core_xml("tmpl", "", "", ""));
	core_start_network(h, n);
	define_later(h, core_xml("b", n->bridge, "", UUID_2), &o); /* chosen by a running network */
	refused(&o, ND_EXISTS, "network 'b': bridge name 'virbr0' already in use.");
	define_later(h, "<network", &o);
	assert_int_equal(o.e.code, ND_PARSE);
	define_later(h, "<network><name>../x</name></network>", &o);
	assert_int_equal(o.e.code, ND_INVALID);
	assert_int_equal(h->model.network_cnt, 2);
	core_turn(h);
	assert_false(core_exists(h, "etc/networks/b.xml"));
}

/* While one definition waits for the disk, what it claims is taken. */
static void test_pending_define_claims(void **state)
{
	struct core_harness *h = *state;
	struct outcome a, b, c, d;

	fake_jobs_hold(true);
	define_later(h, core_xml("a", "br-a", "", UUID_1), &a);
	assert_int_equal(a.calls, 0);
	assert_int_equal(h->model.network_cnt, 0);
	define_later(h, core_xml("a", "", "", UUID_2), &b);
	refused(&b, ND_EXISTS,
		"network 'a': network 'a' already exists with uuid 11111111-1111-4111-8111-111111111111");
	define_later(h, core_xml("b", "br-a", "", UUID_2), &b);
	refused(&b, ND_EXISTS, "network 'b': bridge name 'br-a' already in use.");
	define_later(h, core_xml("a", "br-b", "", UUID_1), &b); /* the same again */
	refused(&b, ND_BUSY, "network 'a': another change of it is being written; try again");
	define_later(h, core_xml("c", "", "", ""), &c);
	fake_jobs_hold(false);
	core_turn(h);
	assert_true(a.calls == 1 && a.n && c.calls == 1 && c.n && h->model.network_cnt == 2);
	/* busy: no other change, but a start, as an attach makes it */
	fake_jobs_hold(true);
	define_later(h, core_xml("a", "br-c", "", ""), &b);
	assert_int_equal(b.calls, 0);
	network_undefine(&h->c, a.n, core_done(&d));
	refused(&d, ND_BUSY, "network 'a': another change of it is being written; try again");
	network_set_autostart(&h->c, a.n, NETDEF_AUTOSTART_BOOT, core_done(&d));
	refused(&d, ND_BUSY, "network 'a': another change of it is being written; try again");
	network_start(&h->c, a.n, core_done(&d));
	assert_true(d.calls == 1 && d.e.code == 0);
	network_reload(&h->c);
	fake_jobs_hold(false);
	core_turn(h);
	assert_string_equal(a.n->bridge, "br-a");
	assert_true(b.calls == 1 && b.n == a.n && !a.n->busy);
	assert_string_equal(a.n->config->bridge, "br-c");
	assert_true(nd_list_empty(&h->model.defining));
}

static void test_define_fails(void **state)
{
	struct core_harness *h = *state;
	struct outcome o;

	define_later(h, core_xml("a", "", "", ""), &o);
	fake_fail_at(1, ENOSPC, NULL);
	core_turn(h);
	assert_string_equal(o.text, "network 'a': commit: No space left on device (ENOSPC)");
	assert_int_equal(h->model.network_cnt, 0);
	struct network *n = core_define(h, core_xml("a", "br-a", "", ""));
	define_later(h, core_xml("a", "br-b", "", ""), &o);
	fake_fail_at(1, ENOSPC, NULL);
	core_turn(h);
	assert_int_equal(o.calls, 1);
	assert_string_equal(n->config->bridge, "br-a");
	assert_false(n->busy);
	network_undefine(&h->c, n, core_done(&o));
	fake_fail_at(1, EIO, NULL);
	core_turn(h);
	assert_string_equal(o.text, "network 'a': commit: Input/output error (EIO)");
	assert_non_null(n->config);
	network_undefine(&h->c, n, core_done(&o));
	core_turn(h);
	assert_true(o.calls == 1 && o.e.code == 0 && !o.n);
	assert_int_equal(h->model.network_cnt, 0);
}

/* What a redefinition leaves out stays; what runs goes on. */
static void test_redefine(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(
		h, core_xml("a", "br-a", "10.1.1.1", UUID_1 "<mac address='52:54:00:aa:bb:cc'/>" BOOT));

	core_start_network(h, n);
	core_forget(h);
	assert_ptr_equal(core_define(h, core_xml("a", "br-b", "10.2.2.1", "")), n);
	assert_int_equal(n->autostart, NETDEF_AUTOSTART_BOOT);
	assert_memory_equal(n->config->mac.b, "\x52\x54\x00\xaa\xbb\xcc", 6);
	assert_string_equal(n->bridge, "br-a");
	assert_string_equal(n->live->bridge, "br-a");
	assert_int_equal(core_changes(h), 0);
	core_destroy(h, n, false);
	core_start_network(h, n);
	assert_string_equal(n->bridge, "br-b");
	assert_int_equal(address_of(n), 0x0a020201);
}

static void test_undefine(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(h, core_xml("a", "br-a", "10.1.1.1", ""));
	struct outcome o;

	core_start_network(h, n);
	network_undefine(&h->c, n, core_done(&o));
	core_turn(h);
	assert_ptr_equal(o.n, n); /* transient now */
	assert_true(n->live && !n->config);
	assert_false(core_exists(h, "etc/networks/a.xml"));
	network_undefine(&h->c, n, core_done(&o));
	refused(&o, ND_STATE, "network 'a': can't undefine transient network");
	network_set_autostart(&h->c, n, NETDEF_AUTOSTART_BOOT, core_done(&o));
	refused(&o, ND_STATE, "network 'a': cannot set autostart for transient network");
	network_start(&h->c, n, core_done(&o));
	refused(&o, ND_STATE, "network 'a': network is already active");
	core_destroy(h, n, false);
	assert_int_equal(h->model.network_cnt, 0);
	assert_empty(h);
}

static void test_autostart(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(h, core_xml("a", "", "", ""));
	struct outcome o;

	network_set_autostart(&h->c, n, NETDEF_AUTOSTART_ON_ATTACH, core_done(&o));
	core_turn(h);
	assert_true(o.calls == 1 && o.n == n && n->autostart == NETDEF_AUTOSTART_ON_ATTACH);
	core_stop(h);
	core_start(h);
	n = model_network_by_name(&h->model, "a");
	assert_true(n && n->autostart == NETDEF_AUTOSTART_ON_ATTACH);
	network_set_autostart(&h->c, n, NETDEF_AUTOSTART_NO, core_done(&o));
	core_turn(h);
	core_define(h, core_xml("a", "", "", ""));
	assert_int_equal(n->autostart, NETDEF_AUTOSTART_NO);
}

/* Jobs that wait when the daemon stops are finished, and their ends find everything alive. */
static void test_stop_with_pending_jobs(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(h, core_xml("a", "", "", AUTO_IP));
	struct outcome a, b;

	core_start_network(h, n);
	core_destroy(h, n, false);
	fake_jobs_hold(true);
	define_later(h, core_xml("b", "", "", ""), &a);
	network_undefine(&h->c, n, core_done(&b));
	core_stop(h);
	assert_true(a.calls == 1 && b.calls == 1);
	fake_jobs_hold(false);
	core_start(h);
	assert_null(model_network_by_name(&h->model, "a"));
	assert_non_null(model_network_by_name(&h->model, "b"));
}

/* ---- transient ---- */

static void test_create(void **state)
{
	struct core_harness *h = *state;
	struct outcome o;
	struct network *n = core_create(h, core_xml("t", "br-t", "10.1.1.1", ""));

	assert_true(n->live && !n->config);
	assert_false(core_exists(h, "etc/networks/t.xml"));
	const char *xml = core_xml("t", "br-t", "10.1.1.1", "");
	network_create(&h->c, xml, strlen(xml), NULL, core_done(&o));
	refused(&o, ND_STATE, "network 't': network is already active");
	/* a running transient network becomes persistent */
	assert_ptr_equal(core_define(h, core_xml("t", "br-x", "", "")), n);
	core_destroy(h, n, false);
	assert_non_null(n->config);
	/* a defined one is started as the given XML says; its definition stays */
	assert_ptr_equal(core_create(h, core_xml("t", "br-y", "10.5.5.1", "")), n);
	assert_string_equal(n->bridge, "br-y");
	assert_string_equal(n->config->bridge, "br-x");
	core_destroy(h, n, false);
	assert_string_equal(n->config->bridge, "br-x");
	assert_empty(h);
}

/* A definition waits for the disk while a network of its name is made, and goes, and is there again. */
static void test_create_while_define_pending(void **state)
{
	struct core_harness *h = *state;
	struct outcome o, d;
	const char *xml = core_xml("t", "br-t", "10.1.1.1", "");

	fake_jobs_hold(true);
	define_later(h, core_xml("t", "br-d", "10.2.2.1", ""), &d);
	network_create(&h->c, xml, strlen(xml), NULL, core_done(&o));
	if (o.e.code == 0) {
		struct network *n = o.n;
		network_destroy(&h->c, n, false, core_done(&o));
		assert_int_equal(o.calls, 1);
	}
	fake_jobs_hold(false);
	core_turn(h);
	assert_true(d.calls == 1 && d.n && d.n->config && !d.n->busy);
	assert_string_equal(d.n->config->bridge, "br-d");
	assert_int_equal(h->model.network_cnt, 1);
}

static void test_destroy_with_pending_define(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_create(h, core_xml("t", "br-t", "10.1.1.1", ""));
	struct outcome o, d;

	fake_jobs_hold(true);
	define_later(h, core_xml("t", "br-d", "", ""), &d);
	network_destroy(&h->c, n, true, core_done(&o));
	refused(&o, ND_BUSY, "network 't': another change of it is being written; try again");
	fake_jobs_hold(false);
	core_turn(h);
	assert_ptr_equal(d.n, n);
	core_destroy(h, n, false);
	assert_empty(h);
}

/* ---- start and stop ---- */

static void test_start_refused(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(h, core_xml("a", "br-a", "10.1.1.1", ""));
	struct outcome o;
	struct nd_link l = { .kind = ND_LINK_VETH, .name = "br-a" };

	network_destroy(&h->c, n, false, core_done(&o));
	refused(&o, ND_STATE, "network 'a': network is not active");
	fake_link_add(&l);
	network_start(&h->c, n, core_done(&o));
	refused(&o, ND_EXISTS, "network 'a': bridge 'br-a': there is a link of this name that is not netd's");
	assert_non_null(fake_link_find("br-a"));
	fake_link_del(fake_link_find("br-a")->ifindex);
	core_start_network(h, n);
	network_start(&h->c, n, core_done(&o));
	refused(&o, ND_STATE, "network 'a': network is already active");
}

/* Each call of a start fails once: nothing is left, and the message says of what and why. */
static void fail_each(struct core_harness *h, struct network *n, const char *xml)
{
	struct outcome o;
	unsigned k;

	for (k = 1; k < 100; k++) {
		core_turn(h);
		core_forget(h);
		fake_fail_at(k, EIO, "kernel words");
		if (n)
			network_start(&h->c, n, core_done(&o));
		else
			network_create(&h->c, xml, strlen(xml), NULL, core_done(&o));
		if (!fake_failed_call())
			break;
		const char *failed = fake_failed_call();
		fake_fail_at(0, 0, NULL);
		assert_int_equal(o.calls, 1);
		if (o.e.code == 0)
			fail_msg("%s failed and nobody noticed", failed);
		if (strncmp(o.text, "network 'lan': ", 15) != 0 || !strstr(o.text, "(EIO): kernel words"))
			fail_msg("%s", o.text);
		if (!strstr(o.text, "bridge 'br-lan'") && !strstr(o.text, "nftables"))
			fail_msg("%s", o.text);
		assert_int_equal(h->model.active_cnt, 0);
		assert_null(model_network_by_bridge(&h->model, "br-lan"));
		assert_int_equal(h->model.network_cnt, n ? 1 : 0);
		if (n)
			assert_true(n->state == NETWORK_INACTIVE && !n->live && !n->plan && !n->ifindex &&
				    !n->sysctls);
		assert_false(core_told(h, "network-started"));
		assert_empty(h);
		assert_false(core_told(h, "repair"));
	}
	fake_fail_at(0, 0, NULL);
	assert_true(k > 5 && k < 100);
	assert_true(o.calls == 1 && o.e.code == 0);
	core_turn(h);
	assert_int_equal(address_of(o.n), 0x0a010101);
}

static void test_start_fails(void **state)
{
	struct core_harness *h = *state;
	struct network *n =
		core_define(h, core_xml("lan", "br-lan", "", "<forward mode='nat'/>" DHCP_IP("10.1.1")));

	fail_each(h, n, NULL);
}

static void test_create_fails(void **state)
{
	fail_each(*state, NULL, core_xml("lan", "br-lan", "", "<forward mode='nat'/>" DHCP_IP("10.1.1")));
}

/* The last row fails: every one before it is undone. */
static void test_record_fails(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(h, core_xml("lan", "br-lan", "10.1.1.1", ""));
	struct outcome o;

	char from[512], to[512];
	snprintf(from, sizeof(from), "%s", core_path(h, "run/networks"));
	snprintf(to, sizeof(to), "%s", core_path(h, "run/hidden"));
	assert_int_equal(rename(from, to), 0);
	network_start(&h->c, n, core_done(&o));
	assert_int_equal(o.calls, 1);
	assert_non_null(strstr(o.text, "network 'lan': live definition: "));
	assert_non_null(strstr(o.text, "ENOENT"));
	assert_empty(h);
	assert_int_equal(rename(to, from), 0);
	core_start_network(h, n);
}

static void test_destroy_with_ports(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_create(h, core_xml("lan", "br-lan", "10.1.1.1", ""));
	struct attached a, b;
	struct outcome o;
	const struct nd_link *l;

	core_attach(h, "lan", "one", NULL, &a);
	core_attach(h, "lan", NULL, NULL, &b);
	core_turn(h);
	network_destroy(&h->c, n, false, core_done(&o));
	refused(&o, ND_BUSY, "network 'lan': it has 2 live ports: one, vnet1; --force disconnects them");
	network_destroy(&h->c, n, true, core_done(&o));
	assert_true(o.calls == 1 && o.e.code == 0 && !o.n);
	core_turn(h);
	assert_int_equal(h->model.port_cnt, 0);
	l = fake_link_find("vnet0"); /* its holder's: drained, not deleted */
	assert_true(l && !l->master && !l->carrier);
	assert_int_equal(fake_nft_count(), 0);
	core_close(&a);
	core_close(&b);
	assert_empty(h);
	assert_false(core_told(h, "repair"));
}

/* Forced, over so many ports that the list of names is cut. */
static void test_list_of_ports(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_create(h, core_xml("lan", "br-lan", "", ""));
	struct attached a[10];
	struct outcome o;
	char name[64];

	for (unsigned i = 0; i < 10; i++) {
		snprintf(name, sizeof(name),
			 "a-port-with-a-name-that-is-as-long-as-a-name-of-a-port-may-be-%u", i);
		core_attach(h, "lan", name, NULL, &a[i]);
		assert_string_equal(a[i].text, "");
	}
	network_destroy(&h->c, n, false, core_done(&o));
	assert_int_equal(o.e.code, ND_BUSY);
	assert_non_null(strstr(o.text, "it has 10 live ports: a-port-with"));
	assert_non_null(strstr(o.text, ", ...; --force"));
	core_destroy(h, n, true);
	for (unsigned i = 0; i < 10; i++)
		core_close(&a[i]);
	assert_empty(h);
}

/* ---- automatic subnet ---- */

static void test_subnet_is_kept(void **state)
{
	struct core_harness *h = *state;
	struct nd_link l = { .kind = ND_LINK_VETH, .name = "eth0", .flags = IFF_UP };
	struct nd_address a = { .ifindex = fake_link_add(&l) };
	struct network *n = core_define(h, core_xml("a", "", "", AUTO_IP));

	nd_prefix_from_string("192.168.122.9/24", &a.prefix);
	fake_address_add(&a);
	core_start_network(h, n);
	assert_int_equal(address_of(n), 0xc0a87b01);
	core_destroy(h, n, false);
	fake_address_del(&a);
	core_start_network(h, n); /* the preferred one is free again, but guests know this one */
	assert_int_equal(address_of(n), 0xc0a87b01);
	core_destroy(h, n, false);
	core_stop(h);
	core_start(h);
	n = model_network_by_name(&h->model, "a");
	core_start_network(h, n);
	assert_int_equal(address_of(n), 0xc0a87b01);
	core_destroy(h, n, false);
	/* another host part in the same subnet is not another subnet */
	core_define(h,
		    core_xml("a", "", "", "<ip address='192.168.122.254' prefix='24' netd:subnet='auto'/>"));
	core_forget(h);
	core_start_network(h, n);
	assert_int_equal(address_of(n), 0xc0a87bfe);
	assert_false(core_told(h, "leases are dropped"));
	core_destroy(h, n, false);
	nd_prefix_from_string("192.168.123.9/24", &a.prefix);
	fake_address_add(&a);
	core_start_network(h, n);
	assert_int_equal(address_of(n), 0xc0a87afe);
	assert_true(core_told(
		h, "network-subnet a: the subnet is another one than last time; its old leases are dropped"));
}

/* ---- reload ---- */

static void test_reload(void **state)
{
	struct core_harness *h = *state;
	struct attached a;
	struct network *gone = core_define(h, core_xml("gone", "br-g", "10.1.1.1", "")),
		       *runs = core_define(h, core_xml("runs", "br-r", "10.2.2.1", "")),
		       *same = core_define(h, core_xml("same", "br-s", "10.3.3.1", ""));

	core_start_network(h, runs);
	core_forget(h);
	assert_int_equal(network_reload(&h->c), 0);
	core_turn(h);
	assert_string_equal(h->told, "");
	unlink(core_path(h, "etc/networks/gone.xml"));
	unlink(core_path(h, "etc/networks/runs.xml"));
	core_write(h, core_xml("new", "br-n", "10.4.4.1", ""), "etc/networks/new.xml");
	core_write(h, "<network><name>broken</name", "etc/networks/broken.xml");
	core_write(h, core_xml("other", "", "", ""), "etc/networks/misnamed.xml");
	core_write(h, core_xml("thief", "br-s", "", ""), "etc/networks/thief.xml");
	core_write(h, "no definition", "etc/networks/README");
	assert_int_equal(network_reload(&h->c), 3);
	assert_null(model_network_by_name(&h->model, "gone"));
	(void)gone;
	assert_true(runs->live && !runs->config);
	assert_non_null(model_network_by_name(&h->model, "new"));
	assert_null(model_network_by_name(&h->model, "thief"));
	assert_true(core_told(h, "definition-broken :") && core_told(h, "networks/broken.xml: line 1"));
	assert_true(core_told(h, "misnamed.xml: <name>: 'other' does not match the file name"));
	assert_true(core_told(h, "thief.xml: bridge name 'br-s' already in use."));
	/* Who asks for one of them is told why it is not there. */
	assert_non_null(strstr(model_broken_find(&h->model, "broken"), "networks/broken.xml: line 1"));
	assert_non_null(strstr(model_broken_find(&h->model, "misnamed"), "does not match the file name"));
	assert_null(model_broken_find(&h->model, "other"));
	core_attach(h, "thief", "guest", NULL, &a);
	assert_int_equal(a.e.code, ND_NOT_FOUND);
	assert_non_null(strstr(a.text, "Network not found: no network with matching name 'thief': its "
				       "definition is broken: "));
	assert_non_null(strstr(a.text, "thief.xml: bridge name 'br-s' already in use."));
	core_define(h, core_xml("broken", "br-b", "", ""));
	assert_null(model_broken_find(&h->model, "broken"));
	core_write(h, core_xml("thief", "br-t", "", ""), "etc/networks/thief.xml");
	assert_int_equal(network_reload(&h->c), 1);
	assert_null(model_broken_find(&h->model, "thief"));
	/* a file that breaks keeps what was known of it */
	core_write(h, "<network>", "etc/networks/same.xml");
	assert_int_equal(network_reload(&h->c), 2);
	assert_ptr_equal(model_network_by_name(&h->model, "same"), same);
	assert_string_equal(same->config->bridge, "br-s");
	core_destroy(h, runs, false);
	assert_null(model_network_by_name(&h->model, "runs"));
}

/* A field that a running network would not notice is a change all the same. */
static void test_reload_small_change(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(
		h, core_xml("a", "", "", "<ip address='192.168.122.1' netmask='255.255.255.0'/>"));

	assert_false(n->config->ips[0].subnet_auto);
	core_write(h, core_xml("a", "", "", AUTO_IP), "etc/networks/a.xml");
	assert_int_equal(network_reload(&h->c), 0);
	assert_true(n->config->ips[0].subnet_auto);
	core_write(h, core_xml("a", "", "", AUTO_IP BOOT), "etc/networks/a.xml");
	assert_int_equal(network_reload(&h->c), 0);
	assert_int_equal(n->autostart, NETDEF_AUTOSTART_BOOT);
}

/* The file and the network in it get another name, and keep uuid and bridge. */
static void test_reload_renamed(void **state)
{
	struct core_harness *h = *state;

	core_define(h, core_xml("old", "br-a", "10.1.1.1", UUID_1));
	unlink(core_path(h, "etc/networks/old.xml"));
	core_write(h, core_xml("new", "br-a", "10.1.1.1", UUID_1), "etc/networks/new.xml");
	assert_int_equal(network_reload(&h->c), 0);
	assert_null(model_network_by_name(&h->model, "old"));
	assert_non_null(model_network_by_name(&h->model, "new"));
}

/* Chosen when it is defined: the lowest that no definition, no network and no link has. */
static void test_bridge_names(void **state)
{
	struct core_harness *h = *state;
	struct network *a = core_define(h, core_xml("a", "", "10.1.1.1", "")), *b, *t;

	assert_string_equal(a->config->bridge, "virbr0");
	core_start_network(h, a);
	b = core_define(h, core_xml("b", "", "10.1.2.1", ""));
	assert_string_equal(b->config->bridge, "virbr1");
	t = core_create(h, core_xml("t", "", "10.1.3.1", ""));
	assert_string_equal(t->bridge, "virbr2");
	assert_string_equal(core_define(h, core_xml("c", "lab%d", "", ""))->config->bridge, "lab0");
	assert_string_equal(core_define(h, core_xml("d", "lab%d", "", ""))->config->bridge, "lab1");
	/* A redefinition that does not say keeps it; one that says has what it says. */
	assert_ptr_equal(core_define(h, core_xml("a", "", "10.1.1.2", "")), a);
	assert_string_equal(a->config->bridge, "virbr0");
	core_define(h, core_xml("a", "br-a", "10.1.1.2", ""));
	assert_string_equal(a->config->bridge, "br-a");
	assert_string_equal(a->bridge, "virbr0");
	core_destroy(h, a, false);
	assert_string_equal(core_define(h, core_xml("e", "", "", ""))->config->bridge, "virbr0");
	assert_string_equal(core_define(h, core_xml("t", "", "10.1.3.1", ""))->config->bridge, "virbr2");
}

/* ---- one change after the other ---- */

struct patient {
	struct core_harness *h;
	const char *name;
	void (*verb)(struct patient *p);
	struct outcome o;
	unsigned again;
};
static char order[64];

static void on_patient(void *arg, struct network *n, const struct nd_error *e)
{
	struct patient *p = arg;
	size_t len = strlen(order);

	p->o.calls++;
	p->o.e = *e;
	snprintf(order + len, sizeof order - len, "%s ", p->name);
}

static void on_again(void *arg)
{
	struct patient *p = arg;

	p->again++;
	p->verb(p);
}

static struct network_done patiently(struct patient *p)
{
	return (struct network_done){ on_patient, p, on_again };
}

static void define_patiently(struct patient *p)
{
	const char *xml = core_xml("a", "br-a", "10.1.1.1", "");

	network_define(&p->h->c, xml, strlen(xml), NULL, patiently(p));
}

static void start_patiently(struct patient *p)
{
	network_start(&p->h->c, model_network_by_name(&p->h->model, "a"), patiently(p));
}

static void autostart_patiently(struct patient *p)
{
	network_set_autostart(&p->h->c, model_network_by_name(&p->h->model, "a"), NETDEF_AUTOSTART_BOOT,
			      patiently(p));
}

static void test_changes_wait(void **state)
{
	struct core_harness *h = *state;
	struct patient p[] = {
		{ h, "first", define_patiently },   { h, "second", define_patiently },
		{ h, "third", define_patiently },   { h, "start", start_patiently },
		{ h, "auto", autostart_patiently }, { h, "last", define_patiently },
	};

	order[0] = '\0';
	for (size_t i = 0; i < 3; i++)
		p[i].verb(&p[i]);
	core_turn(h);
	assert_string_equal(order, "first second third ");
	for (size_t i = 0; i < ARRAY_LEN(p); i++) {
		if (i != 1 && i != 2)
			p[i].verb(&p[i]);
	}
	assert_int_equal(h->model.waiting_cnt, 3);
	core_turn(h);
	assert_string_equal(order, "first second third first start auto last ");
	assert_int_equal(h->model.waiting_cnt, 0);
	for (size_t i = 0; i < ARRAY_LEN(p); i++)
		assert_int_equal(p[i].o.e.code, 0);
	assert_true(p[2].again == 2 && p[3].again == 1);
	assert_int_equal(model_network_by_name(&h->model, "a")->autostart, NETDEF_AUTOSTART_BOOT);
}

/* They hear that there will be nothing; others' changes do not make anybody wait. */
static void test_waiting_at_the_end(void **state)
{
	struct core_harness *h = *state;
	struct patient first = { h, "first", define_patiently }, second = { h, "second", define_patiently };
	struct network *b = core_define(h, core_xml("b", "br-b", "10.1.2.1", ""));
	struct outcome o;

	order[0] = '\0';
	define_patiently(&first);
	define_patiently(&second);
	network_start(&h->c, b, core_done(&o));
	assert_true(o.calls == 1 && o.e.code == 0);
	network_give_up(&h->c);
	assert_string_equal(order, "second ");
	assert_int_equal(second.o.e.code, ND_STATE);
	core_turn(h);
	assert_string_equal(order, "second first ");
}

static void test_format(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(h, core_xml("a", "", "", AUTO_IP));
	struct nd_buf out = { .max = 10000 };

	core_start_network(h, n);
	network_format(n, true, &out);
	nd_buf_append(&out, "", 1);
	assert_non_null(strstr((char *)out.p, "netd:subnet='auto'"));
	assert_non_null(strstr((char *)out.p, "virbr0")); /* chosen at define */
	nd_buf_done(&out);
	out = (struct nd_buf){ .max = 10000 };
	network_format(n, false, &out);
	nd_buf_append(&out, "", 1);
	assert_null(strstr((char *)out.p, "netd:subnet='auto'"));
	assert_non_null(strstr((char *)out.p, "virbr0"));
	nd_buf_done(&out);
	struct network *t = core_create(h, core_xml("t", "br-t", "", ""));
	out = (struct nd_buf){ .max = 10000 };
	network_format(t, true, &out); /* a transient one has no other */
	nd_buf_append(&out, "", 1);
	assert_non_null(strstr((char *)out.p, "br-t"));
	nd_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_two_starts_in_a_turn, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_start_after_destroy_in_a_turn, core_setup,
						core_teardown),
		cmocka_unit_test_setup_teardown(test_uniqueness, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_pending_define_claims, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_define_fails, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_redefine, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_undefine, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_autostart, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_stop_with_pending_jobs, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_create, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_create_while_define_pending, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_destroy_with_pending_define, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_start_refused, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_start_fails, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_create_fails, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_record_fails, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_destroy_with_ports, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_list_of_ports, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_subnet_is_kept, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_reload, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_reload_small_change, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_reload_renamed, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_bridge_names, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_changes_wait, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_waiting_at_the_end, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_format, core_setup, core_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
