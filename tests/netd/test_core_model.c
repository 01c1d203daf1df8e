// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: indexes that agree with the lists, and the order in which a key is looked for. */
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define UUID_A "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
#define UUID_B "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"

static struct network *add(struct model *m, const char *uuid, const char *name)
{
	struct nd_uuid u;
	struct network *n;

	assert_int_equal(nd_uuid_from_string(uuid, &u), 0);
	n = model_network_new(&u, name);
	assert_non_null(n);
	assert_int_equal(model_network_add(m, n), 0);
	return n;
}

static struct port *add_port(struct model *m, struct network *n, uint8_t number, const char *name,
			     const char *ifname)
{
	struct nd_uuid u = { { 1, number } };
	struct port *p = model_port_new(&u);

	assert_non_null(p);
	p->ifindex = 100 + number;
	p->mark = NAT_MARK_BASE | number;
	p->mac = (struct nd_mac){ { 0x52, 0x54, 0, 0, 0, number } };
	nd_strcpy(p->name, sizeof(p->name), name);
	nd_strcpy(p->ifname, sizeof(p->ifname), ifname);
	assert_int_equal(model_port_add(m, n, p), 0);
	return p;
}

static void test_networks(void **state)
{
	struct model m;
	model_init(&m);
	struct network *a = add(&m, UUID_A, "a"), *b = add(&m, UUID_B, "b");

	assert_int_equal(m.network_cnt, 2);
	assert_true(a->id != 0 && a->id != b->id);
	assert_ptr_equal(model_network_by_id(&m, a->id), a);
	assert_ptr_equal(model_network_by_uuid(&m, &b->uuid), b);
	assert_ptr_equal(model_network_by_name(&m, "b"), b);
	assert_null(model_network_by_name(&m, "B"));
	assert_null(model_network_by_bridge(&m, ""));
	assert_true(model_network_set_bridge(&m, a, "br0"));
	assert_true(model_network_set_bridge(&m, a, "br1"));
	assert_null(model_network_by_bridge(&m, "br0"));
	assert_ptr_equal(model_network_by_bridge(&m, "br1"), a);
	uint32_t id = b->id;
	model_network_remove(&m, a);
	assert_null(model_network_by_bridge(&m, "br1"));
	model_network_free(a);
	a = add(&m, UUID_A, "a");
	assert_true(a->id > id); /* numbers are not used again */
	assert_true(model_network_set_bridge(&m, a, ""));
	model_done(&m);
}

static void test_find_order(void **state)
{
	struct model m;
	model_init(&m);
	struct network *a = add(&m, UUID_A, "a"), *odd = add(&m, UUID_B, UUID_A);

	assert_ptr_equal(model_network_find(&m, UUID_A), a); /* uuid before name, as virsh */
	assert_ptr_equal(model_network_find(&m, UUID_B), odd);
	assert_ptr_equal(model_network_find(&m, "a"), a);
	assert_null(model_network_find(&m, "cccccccc-cccc-4ccc-8ccc-cccccccccccc"));
	model_network_remove(&m, a);
	model_network_free(a);
	assert_ptr_equal(model_network_find(&m, UUID_A), odd); /* no such uuid: a name then */
	model_done(&m);
}

static void test_ports(void **state)
{
	struct model m;
	model_init(&m);
	struct network *a = add(&m, UUID_A, "a"), *b = add(&m, UUID_B, "b");
	struct port *p = add_port(&m, a, 1, "", "vnet0"), *q = add_port(&m, b, 2, "vnet1", "vnet2"),
		    *r = add_port(&m, b, 3, "guest", "52:54:00:00:0");
	char uuid[ND_UUID_STRLEN];

	assert_true(m.port_cnt == 3 && a->port_cnt == 1 && b->port_cnt == 2);
	assert_ptr_equal(model_port_by_ifindex(&m, 102), q);
	assert_ptr_equal(model_port_by_mark(&m, NAT_MARK_BASE | 3), r);
	assert_ptr_equal(model_port_by_uuid(&m, &p->uuid), p);
	assert_ptr_equal(model_port_find(&m, nd_uuid_to_string(&p->uuid, uuid)), p);
	assert_ptr_equal(model_port_find(&m, "guest"), r);
	assert_ptr_equal(model_port_find(&m, "vnet1"), q); /* by name */
	assert_ptr_equal(model_port_find(&m, "vnet2"), q); /* by interface */
	assert_ptr_equal(model_port_find(&m, "52:54:00:00:00:01"), p);
	assert_null(model_port_find(&m, "")); /* ports without a name are not all called "" */
	assert_null(model_port_find(&m, "vnet9"));
	model_port_remove(&m, q);
	assert_null(model_port_by_mark(&m, q->mark));
	assert_true(m.port_cnt == 2 && b->port_cnt == 1);
	model_port_free(q);
	model_done(&m);
}

/* Header: uuid, then port name, then interface name, then MAC, over all networks. */
static void test_port_find_order(void **state)
{
	struct model m;
	model_init(&m);
	struct network *a = add(&m, UUID_A, "a"), *b = add(&m, UUID_B, "b");

	add_port(&m, a, 1, "", "guest");
	struct port *named = add_port(&m, b, 2, "guest", "vnet7");
	assert_ptr_equal(model_port_find(&m, "guest"), named);
	model_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_find_order),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_port_find_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
