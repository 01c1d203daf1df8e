// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: changes of networks that are defined or running: all of it or nothing, whatever fails, and whenever netd ends. */
#include "base/file.h"
#include "base/mem.h"
#include "netd/core/change.h"
#include "netd/core/guard.h"
#include "tests/netd/core-harness.h"

#include <errno.h>
#include <linux/if.h>
#include <sys/stat.h>

#define DHCP                                                                                \
	"<forward mode='nat'/><ip address='10.1.1.1' netmask='255.255.255.0'><dhcp><range " \
	"start='10.1.1.2' end='10.1.1.99'/>"
#define HOST   "<host mac='52:54:00:11:22:33' ip='10.1.1.50'/>"
#define DOMAIN "<domain name='lab.test'/>"
#define MAC    "<mac address='52:54:00:aa:bb:cc'/>" /* only by a restart */

static struct network *lan(struct core_harness *h)
{
	struct network *n = core_define(h, core_xml("lan", "br-lan", "", DHCP "</dhcp></ip>"));

	core_start_network(h, n);
	return n;
}

/* The file of the definition cannot be replaced any more. */
static void block_file(struct core_harness *h)
{
	unlink(core_path(h, "etc/networks/lan.xml"));
	assert_int_equal(mkdir(core_path(h, "etc/networks/lan.xml"), 0700), 0);
}

static void unblock_file(struct core_harness *h)
{
	assert_int_equal(rmdir(core_path(h, "etc/networks/lan.xml")), 0);
}

static void add_host(struct core_harness *h, struct network *n, unsigned targets, struct outcome *o)
{
	const struct change_update u = {
		.command = NETDEF_COMMAND_ADD_LAST,
		.section = NETDEF_SECTION_DHCP_HOST,
		.parent = -1,
		.xml = HOST,
		.targets = targets,
	};

	change_update(&h->c, n, &u, core_done(o));
	core_turn(h);
	assert_int_equal(o->calls, 1);
}

static void test_update(void **state)
{
	struct core_harness *h = *state;
	struct network *n = lan(h);
	struct outcome o;

	core_forget(h);
	add_host(h, n, CHANGE_LIVE | CHANGE_CONFIG, &o);
	assert_string_equal(o.text, "");
	assert_int_equal(n->live->ips[0].host_cnt, 1);
	assert_int_equal(n->config->ips[0].host_cnt, 1);
	assert_true(core_told(h, "network-changed lan: ip-dhcp-host: add-last\n"));
	add_host(h, n, CHANGE_LIVE, &o);
	assert_non_null(strstr(o.text, "there is an existing dhcp host entry"));
	add_host(h, n, 4, &o);
	assert_int_equal(o.e.code, ND_INVALID);
	core_destroy(h, n, false);
	add_host(h, n, CHANGE_LIVE, &o);
	assert_string_equal(o.text, "network 'lan': network is not running");
}

/* What cannot be written is taken back where it was in force already, and not told. */
static void test_update_not_written(void **state)
{
	struct core_harness *h = *state;
	struct network *n = lan(h);
	struct outcome o;

	core_forget(h);
	block_file(h);
	add_host(h, n, CHANGE_LIVE | CHANGE_CONFIG, &o);
	assert_non_null(strstr(o.text, "lan.xml"));
	assert_int_equal(n->live->ips[0].host_cnt, 0);
	assert_int_equal(n->config->ips[0].host_cnt, 0);
	assert_false(core_told(h, "network-changed"));
	assert_false(n->busy);
	unblock_file(h);
	add_host(h, n, CHANGE_LIVE | CHANGE_CONFIG, &o);
	assert_string_equal(o.text, "");
}

static void apply(struct core_harness *h, const char *more, bool restart, struct outcome *o)
{
	char text[512];

	snprintf(text, sizeof text, "%s</dhcp></ip>%s", DHCP, more);
	const char *xml = core_xml("lan", "br-lan", "", text);
	change_apply(&h->c, xml, strlen(xml), restart, core_done(o));
}

static void test_apply_not_written(void **state)
{
	struct core_harness *h = *state;
	struct network *n = lan(h);
	struct outcome o;
	struct attached a;

	core_attach(h, "lan", "guest", NULL, &a);
	block_file(h);
	apply(h, MAC, true, &o);
	core_turn(h);
	assert_int_equal(o.calls, 1);
	assert_non_null(strstr(o.text, "lan.xml"));
	assert_true(n->state == NETWORK_ACTIVE && n->live->mac.b[3] != 0xaa && n->port_cnt == 1);
	assert_int_equal(fake_link_by_index(a.p->ifindex)->master, n->ifindex);
	unblock_file(h);
	core_close(&a);
}

/* Neither starts: the new definition as the kernel refuses call k, the old one as a route came to be in its subnet. Return: whether so. */
static bool fail_restart(struct core_harness *h, unsigned k)
{
	const char *to = core_xml("lan", "br-lan", "10.2.2.1", MAC);
	struct nd_link eth = { .name = "eth0", .flags = IFF_UP };
	struct nd_address there = { .prefix = { nd_ip_from_ip4(0x0a01014d), 24 } };
	struct network *n = lan(h);
	struct outcome o;
	struct attached a;

	core_attach(h, "lan", "guest", NULL, &a);
	there.ifindex = fake_link_add(&eth);
	assert_int_equal(fake_address_add(&there), 0);
	core_turn(h);
	fake_fail_at(k, EIO, "kernel words");
	change_apply(&h->c, to, strlen(to), true, core_done(&o));
	fake_fail_at(0, 0, NULL);
	core_turn(h);
	assert_int_equal(o.calls, 1);
	bool both = !n->live;
	if (both) {
		assert_non_null(strstr(o.text, "eth0"));
		assert_true(n->state == NETWORK_INACTIVE && n->port_cnt == 1);
		guard_set_address(&h->c, a.p, 0x0a010102); /* its lease reached the disk just now */
		assert_int_equal(a.p->ip4, 0x0a010102);
	}
	core_close(&a);
	core_turn(h);
	assert_int_equal(n->port_cnt, 0);
	return both;
}

/* Ports of a network that does not run wait for better times, and what comes for them meanwhile does no harm. */
static void test_restart_fails(void **state)
{
	unsigned both = 0;

	for (unsigned k = 1; k < 40; k++) {
		both += fail_restart(*state, k);
		core_teardown(state);
		core_setup(state);
	}
	assert_true(both > 3);
}

/* netd ends while the file is being written, and it is not written: what runs is put back by all that still is there. */
static void test_end_meanwhile(void **state)
{
	struct core_harness *h = *state;
	struct outcome o;

	lan(h);
	block_file(h);
	fake_jobs_hold(true);
	apply(h, MAC, true, &o);
	core_turn(h);
	assert_int_equal(o.calls, 0);
	core_stop(h);
	assert_int_equal(o.calls, 1);
	assert_int_not_equal(o.e.code, 0);
	unblock_file(h);
	fake_jobs_hold(false);
	core_start(h);
}

static void test_plan(void **state)
{
	struct core_harness *h = *state;
	struct change_plan p;
	const char *xml = core_xml("lan", "br-lan", "", DHCP HOST "</dhcp></ip>");

	CORE_OK(change_plan(&h->c, xml, strlen(xml), &p, &e));
	assert_true(p.is_new && p.config == NETDEF_CHANGE_NONE && p.live == NETDEF_CHANGE_NONE && !p.fields);
	change_plan_done(&p);
	lan(h);
	CORE_OK(change_plan(&h->c, xml, strlen(xml), &p, &e));
	assert_true(!p.is_new && p.config == NETDEF_CHANGE_LIVE && p.live == NETDEF_CHANGE_LIVE);
	assert_non_null(strstr(p.fields, "ip/dhcp/host"));
	change_plan_done(&p);
}

static void set_text(struct core_harness *h, struct network *n, const char *value, unsigned targets,
		     struct outcome *o)
{
	const struct change_metadata m = { .type = CHANGE_DESCRIPTION, .value = value, .targets = targets };

	change_metadata(&h->c, n, &m, core_done(o));
	core_turn(h);
	assert_int_equal(o->calls, 1);
}

static void test_metadata(void **state)
{
	struct core_harness *h = *state;
	struct network *n = lan(h);
	struct outcome o;
	char *text;

	set_text(h, n, "words", CHANGE_CONFIG, &o);
	assert_string_equal(o.text, "");
	assert_true(core_told(h, "network-metadata lan: description set\n"));
	CORE_OK(change_metadata_get(n, CHANGE_DESCRIPTION, NULL, CHANGE_CONFIG, &text, &e));
	assert_string_equal(text, "words");
	free(text);
	assert_int_equal(change_metadata_get(n, CHANGE_DESCRIPTION, NULL, CHANGE_LIVE, &text, NULL),
			 ND_NOT_FOUND);
	assert_int_equal(
		change_metadata_get(n, CHANGE_DESCRIPTION, NULL, CHANGE_LIVE | CHANGE_CONFIG, &text, NULL),
		ND_INVALID);
	set_text(h, n, NULL, CHANGE_CONFIG, &o);
	assert_int_equal(change_metadata_get(n, CHANGE_DESCRIPTION, NULL, CHANGE_CONFIG, &text, NULL),
			 ND_NOT_FOUND);
}

/* What only a restart can do is refused before anything is touched. */
static void test_apply_refused(void **state)
{
	struct core_harness *h = *state;
	struct network *n = lan(h);
	struct outcome o;

	apply(h, DOMAIN MAC, false, &o);
	core_turn(h);
	assert_int_equal(o.e.code, ND_STATE);
	assert_non_null(strstr(o.text, "mac"));
	assert_true(!n->live->domain && !n->config->domain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_update, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_update_not_written, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_apply_not_written, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_apply_refused, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_restart_fails, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_end_meanwhile, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_plan, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_metadata, core_setup, core_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
