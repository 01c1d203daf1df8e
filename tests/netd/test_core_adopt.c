// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: the daemon starts again: what runs is found, and nothing of it is touched; what is nobody's goes. */
#include "base/file.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/mirror.h"
#include "tests/netd/core-harness.h"

#include <errno.h>
#include <linux/if.h>

#define DHCP                                                                         \
	"<forward mode='nat'/><ip address='10.1.1.1' netmask='255.255.255.0'><dhcp>" \
	"<range start='10.1.1.2' end='10.1.1.254'/></dhcp></ip>"
#define UUID_1 "11111111-1111-4111-8111-111111111111"
#define UUID_9 "99999999-9999-4999-8999-999999999999"

static void restart(struct core_harness *h)
{
	core_stop(h);
	core_forget(h);
	core_start(h);
}

/* From kernel and files the same objects, and not one change. */
static void test_same(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(h, core_xml("lan", "br-lan", "", DHCP)), *t;
	struct attached a, b;

	core_start_network(h, n);
	t = core_create(h, core_xml("tmp", "br-tmp", "",
				    "<ip address='192.168.122.1' prefix='24' netd:subnet='auto'/>"));
	core_attach(h, "lan", "guest", NULL, &a);
	core_attach(h, "tmp", NULL, NULL, &b);
	core_turn(h);
	struct network was = *n, tmp = *t;
	struct port pa = *a.p, pb = *b.p;
	unsigned commits = fake_nft_commit_count();
	restart(h);
	core_turn(h);
	assert_int_equal(core_changes(h), 0);
	assert_int_equal(fake_nft_commit_count(), commits + 1); /* which takes the orphaned tables over */
	n = model_network_by_name(&h->model, "lan");
	assert_true(n && nd_uuid_equal(&n->uuid, &was.uuid) && n->ifindex == was.ifindex);
	assert_true(n->state == NETWORK_ACTIVE && n->config && n->live && n->recorded && n->sysctls);
	assert_string_equal(n->bridge, "br-lan");
	t = model_network_by_name(&h->model, "tmp");
	assert_true(t && nd_uuid_equal(&t->uuid, &tmp.uuid) && t->ifindex == tmp.ifindex && !t->config);
	assert_true(h->model.active_cnt == 2 && h->model.network_cnt == 2);
	struct port *p = model_port_find(&h->model, "guest"), *q = model_port_by_uuid(&h->model, &pb.uuid);
	assert_true(p && p->network == n && nd_uuid_equal(&p->uuid, &pa.uuid) && p->ifindex == pa.ifindex);
	assert_true(p->mark == pa.mark && nd_mac_equal(&p->mac, &pa.mac) && p->owner_pid == 4242 &&
		    p->owner_uid == 1001);
	assert_true(p->vnet_hdr && p->mac_guard && p->queue_cnt == 1 && p->since_s == pa.since_s &&
		    p->recorded);
	assert_true(q && q->network == t && q->mark == pb.mark);
	assert_non_null(strstr(fake_worker_told(), "network lan\n"));
	assert_non_null(strstr(fake_worker_told(), "port "));
	assert_false(core_told(h, "repaired") || core_told(h, "started") || core_told(h, "attached"));
	/* and once more */
	restart(h);
	core_turn(h);
	assert_int_equal(core_changes(h), 0);
	assert_int_equal(h->model.port_cnt, 2);
	core_close(&a);
	core_close(&b);
	core_turn(h);
	assert_int_equal(h->model.port_cnt, 0);
	core_destroy(h, model_network_by_name(&h->model, "lan"), false);
	core_destroy(h, model_network_by_name(&h->model, "tmp"), false);
	assert_int_equal(fake_link_count(), 1);
	assert_int_equal(fake_nft_count(), 0);
}

/* While netd was away: the bridge went, a guest went, another's bridge was pulled, an address was changed. */
static void test_changed_meanwhile(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_create(h, core_xml("lan", "br-lan", "", DHCP));
	struct attached a, b;

	core_attach(h, "lan", "stays", NULL, &a);
	core_attach(h, "lan", "goes", NULL, &b);
	core_turn(h);
	size_t elements = fake_nft_count();
	int was = n->ifindex;
	core_stop(h);
	core_close(&b);
	fake_tun_sync();
	fake_link_del(was);
	core_start(h);
	core_turn(h);
	n = model_network_by_name(&h->model, "lan");
	assert_true(n->ifindex != was && n->state == NETWORK_ACTIVE);
	assert_int_equal(fake_link_find("vnet0")->master, n->ifindex);
	assert_int_equal(h->model.port_cnt, 1);
	assert_true(fake_nft_count() < elements); /* those of the one that went are swept */
	assert_null(fake_nft_find(NAT_SET_PORT_MARK, "vnet1"));
	core_close(&a);
}

static int add_bridge(const char *name, uint32_t group, const char *alias)
{
	struct nd_link l = { .kind = ND_LINK_BRIDGE, .flags = IFF_UP, .group = group };

	nd_strcpy(l.name, sizeof(l.name), name);
	if (alias) {
		l.has_alias = true;
		nd_uuid_from_string(alias, &l.alias_network);
	}
	return fake_link_add(&l);
}

static void test_strays(void **state)
{
	struct core_harness *h = *state;
	struct nd_link tap = { .kind = ND_LINK_TUN,
			       .name = "vnet7",
			       .flags = IFF_UP,
			       .carrier = true,
			       .has_alias = true,
			       .group = ND_GROUP_LIVE,
			       .tun_queues = 1 };
	struct nd_uuid uuid = { { 5 } };

	core_stop(h);
	add_bridge("stray-alias", ND_GROUP_LIVE, UUID_9);
	add_bridge("stray-new", ND_GROUP_LIVE, NULL); /* killed between the two messages that make one */
	add_bridge("dead-77", ND_GROUP_DEAD, NULL);
	add_bridge("dead-78", ND_GROUP_REAPED, NULL);
	int docker = add_bridge("docker0", 0, NULL);
	tap.alias_network = uuid;
	tap.alias_port = uuid;
	tap.master = docker;
	fake_link_add(&tap);
	core_start(h);
	core_turn(h);
	assert_null(fake_link_find("stray-alias"));
	assert_null(fake_link_find("stray-new"));
	assert_null(fake_link_find("dead-77"));
	assert_null(fake_link_find("dead-78"));
	assert_non_null(fake_link_find("docker0"));
	const struct nd_link *l = fake_link_find("vnet7"); /* its holder's */
	assert_true(l && !l->master && !l->carrier);
	assert_int_equal(fake_link_count(), 3);
}

/* A stray that has the name of a network's bridge is out of the way when that is made. */
static void test_stray_holds_name(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_create(h, core_xml("lan", "br-lan", "10.1.1.1", ""));

	core_stop(h);
	fake_link_del(fake_link_find("br-lan")->ifindex);
	int stray = add_bridge("br-lan", ND_GROUP_LIVE, UUID_9);
	core_start(h);
	n = model_network_by_name(&h->model, "lan");
	assert_int_equal(n->state, NETWORK_ACTIVE);
	core_turn(h);
	assert_int_equal(n->state, NETWORK_ACTIVE);
	assert_true(fake_link_find("br-lan")->ifindex == n->ifindex && n->ifindex != stray);
	assert_int_equal(fake_link_count(), 2);
}

/* netd was killed while it put a bridge back, before the alias: it is ours by group and MAC, and stays. */
static void test_half_made_bridge(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_create(h, core_xml("lan", "br-lan", "10.1.1.1", ""));
	struct attached a;
	int ifindex = n->ifindex;

	core_attach(h, "lan", "guest", NULL, &a);
	core_turn(h);
	core_stop(h);
	fake_link_find("br-lan")->has_alias = false;
	core_start(h);
	core_turn(h);
	n = model_network_by_name(&h->model, "lan");
	assert_int_equal(n->ifindex, ifindex);
	assert_true(fake_link_find("br-lan")->has_alias);
	assert_int_equal(fake_link_find("vnet0")->master, ifindex);
	core_close(&a);
}

static void test_torn_records(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_create(h, core_xml("torn", "br-torn", "10.1.1.1", "")),
		       *good = core_create(h, core_xml("good", "br-good", "10.2.2.1", ""));
	struct attached a, b, c;
	char uuid[ND_UUID_STRLEN];
	nd_autofree char *journal = NULL;
	size_t len;

	core_attach(h, "good", "one", NULL, &a);
	core_attach(h, "good", "two", NULL, &b);
	core_attach(h, "good", "three", NULL, &c);
	core_turn(h);
	nd_uuid_to_string(&n->uuid, uuid);
	assert_true(core_exists(h, "run/networks/%s.xml", uuid));
	(void)good;
	core_stop(h);
	core_write(h, "<network><name>to", "run/networks/%s.xml", uuid);
	CORE_OK(nd_file_read(core_path(h, "run/ports"), 10000, &journal, &len, &e));
	/* the second line is damaged, the third torn */
	char *second = strchr(journal, '\n') + 1;
	second[40] = '}';
	char *third = strchr(second, '\n') + 1;
	third[60] = '\0';
	core_write(h, journal, "run/ports");
	core_start(h);
	core_turn(h);
	assert_null(model_network_by_name(&h->model, "torn"));
	assert_false(core_exists(h, "run/networks/%s.xml", uuid));
	assert_null(fake_link_find("br-torn"));
	assert_int_equal(h->model.port_cnt, 1);
	assert_non_null(model_port_find(&h->model, "one"));
	assert_int_equal(fake_link_find("vnet0")->master, fake_link_find("br-good")->ifindex);
	assert_int_equal(fake_link_find("vnet1")->master, 0); /* drained, its holder's */
	assert_int_equal(fake_link_find("vnet2")->master, 0);
	free(take_ptr(journal)); /* and it is written anew */
	CORE_OK(nd_file_read(core_path(h, "run/ports"), 10000, &journal, &len, &e));
	assert_ptr_equal(strchr(journal, '\n'), journal + len - 1);
	core_close(&a);
	core_close(&b);
	core_close(&c);
}

/* The journal may be written anew in the very moment a port ends: the port is not in it then. */
static void test_journal(void **state)
{
	struct core_harness *h = *state;
	struct attached a, b;
	nd_autofree char *journal = NULL;
	size_t len;
	bool rewritten = false;

	core_create(h, core_xml("lan", "br-lan", "10.1.1.1", ""));
	core_attach(h, "lan", "stays", NULL, &b);
	for (int i = 0; i < 2000 && !rewritten; i++) {
		core_attach(h, "lan", "a-name-that-makes-the-lines-of-the-journal-somewhat-longer", NULL, &a);
		assert_int_equal(a.e.code, 0);
		CORE_OK(attach_end(&h->c, a.p, &e));
		core_close(&a);
		fake_tun_sync();
		free(take_ptr(journal));
		CORE_OK(nd_file_read(core_path(h, "run/ports"), 1000000, &journal, &len, &e));
		rewritten = i > 0 && len < 600;
		core_turn_once(h);
	}
	assert_true(rewritten);
	assert_non_null(strstr(journal, "stays"));
	const char *last = strstr(journal, "a-name");
	assert_true(!last || strstr(last, "\n-"));
	restart(h);
	assert_int_equal(h->model.port_cnt, 1);
	core_close(&b);
}

/* What netd wrote for a network that was undefined meanwhile by hand. */
static void test_file_gone(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(h, core_xml("lan", "br-lan", "10.1.1.1", ""));

	core_start_network(h, n);
	core_stop(h);
	unlink(core_path(h, "etc/networks/lan.xml"));
	core_start(h);
	n = model_network_by_name(&h->model, "lan");
	assert_true(n && n->live && !n->config);
	/* another one of that name, defined by hand: the running one cannot be adopted under it */
	core_stop(h);
	core_write(h, core_xml("lan", "br-x", "", "<uuid>" UUID_1 "</uuid>"), "etc/networks/lan.xml");
	core_start(h);
	core_turn(h);
	n = model_network_by_name(&h->model, "lan");
	assert_true(n && n->state == NETWORK_INACTIVE && n->config);
	assert_int_equal(h->model.network_cnt, 1);
	assert_null(fake_link_find("br-lan"));
}

static void test_elements_of_nobody(void **state)
{
	struct core_harness *h = *state;

	core_create(h, core_xml("lan", "br-lan", "", DHCP));
	size_t elements = fake_nft_count();
	core_stop(h);
	struct nat_elem stray = *fake_nft_find(NAT_SET_DHCP, "br-lan");
	memset(stray.key, 0, strlen("br-lan"));
	memcpy(stray.key, "br-old", 6);
	fake_nft_foreign_add(&stray);
	assert_int_equal(fake_nft_count(), elements + 1);
	core_start(h);
	assert_int_equal(fake_nft_count(), elements);
	assert_null(fake_nft_find(NAT_SET_DHCP, "br-old"));
}

static void test_foreign_count(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_create(h, core_xml("lan", "br-lan", "", DHCP));
	struct nd_link l = { .kind = ND_LINK_VETH, .name = "veth0", .master = n->ifindex };
	struct attached a;

	core_attach(h, "lan", "guest", NULL, &a);
	fake_link_add(&l);
	core_turn(h);
	restart(h);
	assert_int_equal(model_network_by_name(&h->model, "lan")->foreign_ports, 1);
	core_close(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_same, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_changed_meanwhile, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_strays, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_stray_holds_name, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_half_made_bridge, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_torn_records, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_journal, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_file_gone, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_elements_of_nobody, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_foreign_count, core_setup, core_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
