// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: attaching a guest, its refusals, what a failure leaves, and the guest's end. */
#include "base/file.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/repair.h"
#include "tests/netd/core-harness.h"

#include <dirent.h>
#include <errno.h>
#include <linux/if.h>

#define MAC_1 "52:54:00:00:00:01"
#define MAC_2 "52:54:00:00:00:02"

static unsigned open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned cnt = 0;

	while (readdir(d))
		cnt++;
	closedir(d);
	return cnt;
}

static struct network *lan(struct core_harness *h)
{
	return core_create(h, core_xml("lan", "br-lan", "",
				       "<ip address='10.1.1.1' netmask='255.255.255.0'><dhcp>"
				       "<range start='10.1.1.2' end='10.1.1.254'/></dhcp></ip>"));
}

static void test_life(void **state)
{
	struct core_harness *h = *state;
	struct network *n = lan(h);
	struct attached a;
	size_t elements = fake_nft_count();
	const struct nd_link *l;
	nd_autofree char *journal = NULL;
	size_t len;

	core_forget(h);
	core_attach(h, "lan", "guest", MAC_1, &a);
	assert_true(a.p && a.fd_cnt == 1 && a.e.code == 0);
	l = fake_link_find("vnet0");
	assert_true(l && l->master == n->ifindex && l->flags & IFF_UP && l->group == ND_GROUP_LIVE);
	assert_true(l->has_alias && nd_uuid_equal(&l->alias_port, &a.p->uuid) && l->tun_vnet_hdr &&
		    !l->tun_persist);
	assert_memory_equal(l->mac.b, "\xfe\x54\x00\x00\x00\x01", 6);
	assert_int_equal(a.p->ifindex, l->ifindex);
	assert_true(fake_nft_count() > elements);
	assert_string_equal(fake_worker_told(), "port " MAC_1 "\n");
	core_turn(h);
	assert_true(core_told(h, "port-attached lan: attached as vnet0 by pid 4242 (uid 1001)\n"));
	assert_false(core_told(h, "repaired"));
	assert_int_equal(fake_tun_queue_count(l->ifindex), 1); /* netd keeps none */
	core_close(&a);
	core_turn(h);
	assert_true(core_told(
		h, "port-ended lan: ended: its last descriptor was closed, or its device was deleted\n"));
	assert_true(strstr(fake_worker_told(), "no port " MAC_1 "\n"));
	assert_int_equal(fake_nft_count(), elements);
	assert_int_equal(h->model.port_cnt, 0);
	CORE_OK(nd_file_read(core_path(h, "run/ports"), 10000, &journal, &len, &e));
	assert_non_null(strstr(journal, "\n-"));
}

/* The same name on the same network is the same port, whenever it comes. */
static void test_identity(void **state)
{
	struct core_harness *h = *state;
	struct attached a, b;
	struct nd_uuid uuid;

	lan(h);
	core_attach(h, "lan", "guest", NULL, &a);
	uuid = a.p->uuid;
	struct nd_mac mac = a.p->mac;
	core_turn(h);
	core_close(&a);
	fake_tun_sync(); /* the kernel has told, nobody has read it yet */
	core_attach(h, "lan", "guest", NULL, &a);
	assert_string_equal(a.text, "");
	assert_true(nd_uuid_equal(&a.p->uuid, &uuid) && nd_mac_equal(&a.p->mac, &mac));
	core_attach(h, "lan", NULL, MAC_1, &b);
	assert_false(nd_uuid_equal(&b.p->uuid, &uuid));
	uuid = b.p->uuid;
	core_close(&b);
	core_turn(h);
	core_attach(h, "lan", NULL, MAC_1, &b);
	assert_true(nd_uuid_equal(&b.p->uuid, &uuid));
	core_close(&a);
	core_close(&b);
}

static void test_wake(void **state)
{
	struct core_harness *h = *state;
	struct network *n = core_define(h, core_xml("lan", "br-lan", "10.1.1.1",
						    "<netd:autostart mode='on-attach'/>")),
		       *other = core_define(h, core_xml("off", "br-off", "10.2.2.1", ""));
	struct attached a;

	core_attach(h, "off", NULL, NULL, &a);
	assert_string_equal(a.text, "network 'off' is not active; start it with: netdctl net-start off");
	assert_int_equal(other->state, NETWORK_INACTIVE);
	core_attach(h, "lan", "bad name", NULL, &a); /* looked at before anything is woken */
	assert_int_equal(a.e.code, ND_INVALID);
	assert_int_equal(n->state, NETWORK_INACTIVE);
	struct nd_link l = { .kind = ND_LINK_VETH, .name = "br-lan" };
	fake_link_add(&l);
	core_attach(h, "lan", NULL, NULL, &a);
	assert_string_equal(
		a.text, "network 'lan': bridge 'br-lan': there is a link of this name that is not netd's");
	fake_link_del(fake_link_find("br-lan")->ifindex);
	core_attach(h, "lan", NULL, NULL, &a);
	assert_true(a.p && n->state == NETWORK_ACTIVE);
	core_turn(h);
	assert_false(core_told(h, "repaired"));
	core_close(&a);
	core_attach(h, "nix", NULL, NULL, &a);
	assert_string_equal(a.text, "Network not found: no network with matching name 'nix'");
	assert_int_equal(a.e.code, ND_NOT_FOUND);
}

static const struct {
	const char *name, *mac, *ifname;
	unsigned queues;
	int code;
	const char *text;
} bad[] = {
	{ NULL, NULL, NULL, 0, ND_INVALID, "queues must be 1 to 64" },
	{ NULL, NULL, NULL, 65, ND_INVALID, "queues must be 1 to 64" },
	{ "a b", NULL, NULL, 1, ND_INVALID,
	  "port name 'a b': only letters, digits, '-', '_' and '.' are allowed" },
	{ "-a", NULL, NULL, 1, ND_INVALID, "port name '-a' must start with a letter or digit" },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL, NULL, 1, ND_INVALID,
	  "port name 'aaaaaaaaaaaaaaaaaaaa...' is longer than 63 characters" },
	{ NULL, "01:00:00:00:00:01", NULL, 1, ND_INVALID, "the MAC address must be a unicast one" },
	{ NULL, "00:00:00:00:00:00", NULL, 1, ND_INVALID, "the MAC address must be a unicast one" },
	{ NULL, "fe:54:00:00:00:01", NULL, 1, ND_INVALID,
	  "MAC address fe:54:00:00:00:01 cannot be a guest's: its TAP would have the same; MACs that begin "
	  "with fe are the TAPs'" },
	{ NULL, NULL, "a/b", 1, ND_INVALID, "'a/b' cannot be an interface name" },
	{ NULL, NULL, "vnet%d", 1, ND_INVALID, "'vnet%d' cannot be an interface name" },
	{ NULL, NULL, "..", 1, ND_INVALID, "'..' cannot be an interface name" },
	{ NULL, NULL, "", 1, ND_INVALID, "'' cannot be an interface name" },
	{ NULL, NULL, "sixteen-chars-xx", 1, ND_INVALID, "'sixteen-chars-xx' cannot be an interface name" },
	{ NULL, NULL, "br-lan", 1, ND_EXISTS, "interface 'br-lan' exists already" },
};

static void on_attached(void *arg, struct port *p, int *fds, size_t cnt, const struct nd_error *e)
{
	struct attached *a = arg;

	a->p = p;
	a->fd_cnt = cnt;
	if (cnt)
		memcpy(a->fds, fds, cnt * sizeof(fds[0]));
	nd_error_copy(&a->e, e);
	if (e->code)
		nd_error_format(e, a->text, sizeof(a->text));
}

static void try(struct core_harness *h, const struct attach_request *req, struct attached *ret)
{
	*ret = (struct attached){ .calls = 0 };
	attach(&h->c, req, (struct attach_done){ on_attached, ret });
}

static void test_bad_requests(void **state)
{
	struct core_harness *h = *state;
	struct attached a;

	lan(h);
	core_forget(h);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct attach_request req = { .network = "lan",
					      .name = bad[i].name,
					      .ifname = bad[i].ifname,
					      .queue_cnt = (uint16_t)bad[i].queues };

		if (bad[i].mac) {
			req.mac_set = true;
			nd_mac_from_string(bad[i].mac, &req.mac);
		}
		try(h, &req, &a);
		assert_null(a.p);
		assert_string_equal(a.text, bad[i].text);
		assert_int_equal(a.e.code, bad[i].code);
	}
	assert_int_equal(core_changes(h), 0);
}

static void test_taken(void **state)
{
	struct core_harness *h = *state;
	struct attached a, b;

	lan(h);
	core_attach(h, "lan", "guest", MAC_1, &a);
	core_attach(h, "lan", "guest", MAC_2, &b);
	assert_string_equal(b.text, "network 'lan': port 'guest' is attached already: interface vnet0, held "
				    "by pid 4242 (uid 1001)");
	assert_int_equal(b.e.code, ND_BUSY);
	core_attach(h, "lan", "other", MAC_1, &b);
	assert_string_equal(b.text, "network 'lan': MAC address " MAC_1
				    " is that of another port: interface vnet0, held by pid 4242 (uid 1001)");
	assert_int_equal(b.e.code, ND_EXISTS);
	/* of another program's the kernel tells: the next name is tried, unless it was asked for */
	struct nd_link l = { .kind = ND_LINK_VETH, .name = "vnet1" };
	fake_link_add(&l);
	core_attach(h, "lan", "other", MAC_2, &b);
	assert_string_equal(b.p->ifname, "vnet2");
	core_close(&a);
	core_close(&b);
}

static void test_queues(void **state)
{
	struct core_harness *h = *state;
	struct attach_request req = { .network = "lan", .ifname = "tap-x", .queue_cnt = 4 };
	struct attached a;

	lan(h);
	try(h, &req, &a);
	assert_int_equal(a.fd_cnt, 4);
	assert_true(fake_link_find("tap-x")->tun_multi_queue);
	core_turn(h);
	close(a.fds[--a.fd_cnt]);
	core_turn(h);
	assert_int_equal(h->model.port_cnt, 1); /* three are left */
	assert_false(core_told(h, "tampered"));
	core_close(&a);
	core_turn(h);
	assert_int_equal(h->model.port_cnt, 0);
}

/* Each call fails once: no device, no element, no descriptor, no port is left. */
static void test_fails(void **state)
{
	struct core_harness *h = *state;
	unsigned k, refused = 0;

	lan(h);
	size_t links = fake_link_count(), elements = fake_nft_count();
	unsigned fds = open_fds();
	for (k = 1; k < 100; k++) {
		struct attach_request req = {
			.network = "lan", .name = "guest", .queue_cnt = 2, .mac_guard = true
		};
		struct attached a;

		fake_fail_at(k, EIO, "kernel words");
		try(h, &req, &a);
		bool hit = fake_failed_call();
		fake_fail_at(0, 0, NULL);
		if (a.e.code) {
			refused++;
			if (strncmp(a.text, "network 'lan': ", 15) != 0 ||
			    !strstr(a.text, "(EIO): kernel words"))
				fail_msg("%s", a.text);
			assert_true(!a.p && !a.fd_cnt);
		}
		core_close(&a);
		core_turn(h);
		assert_int_equal(fake_link_count(), links);
		assert_int_equal(fake_nft_count(), elements);
		assert_int_equal(h->model.port_cnt, 0);
		assert_int_equal(open_fds(), fds);
		if (!hit)
			break;
	}
	assert_true(refused > 6 && k < 100);
	assert_int_equal(k, refused + 1 + 2); /* all but the two preparations, which may fail */
}

struct reply {
	struct core_harness *h;
	unsigned calls;
};

static void end_at_once(void *arg, struct port *p, int *fds, size_t cnt, const struct nd_error *failed)
{
	struct reply *r = arg;

	r->calls++;
	for (size_t i = 0; i < cnt; i++)
		close(fds[i]);
	CORE_OK(attach_end(&r->h->c, p, &e));
}

/* Whoever gets the answer may end the port there and then. */
static void test_end_in_callback(void **state)
{
	struct core_harness *h = *state;
	struct attach_request req = { .network = "lan", .queue_cnt = 1 };
	struct reply r = { .h = h };

	lan(h);
	attach(&h->c, &req, (struct attach_done){ end_at_once, &r });
	assert_int_equal(r.calls, 1);
	core_turn(h);
	assert_int_equal(h->model.port_cnt, 0);
	assert_int_equal(fake_link_count(), 2);
}

static void test_detach(void **state)
{
	struct core_harness *h = *state;
	struct attached a;

	lan(h);
	core_attach(h, "lan", "guest", NULL, &a);
	core_turn(h);
	repair_mark_port(&h->c, a.p, "a test");
	repair_mark_port(&h->c, a.p, "a test");
	CORE_OK(attach_end(&h->c, a.p, &e));
	core_turn(h);
	const struct nd_link *l = fake_link_find("vnet0");
	assert_true(l && !l->master && !l->carrier); /* its holder's until it closes */
	assert_true(core_told(h, "port-ended lan: ended: it was detached"));
	assert_false(core_told(h, "repaired"));
	core_close(&a);
	core_turn(h);
	assert_int_equal(core_told_count(h, "port-ended"), 1);
}

static void test_full_bridge(void **state)
{
	struct core_harness *h = *state;
	struct network *n = lan(h);
	struct attached a;

	n->foreign_ports = 1023;
	core_attach(h, "lan", NULL, NULL, &a);
	assert_string_equal(a.text, "network 'lan': bridge 'br-lan' is full: 1023 ports");
	assert_int_equal(a.e.code, ND_LIMIT);
	n->foreign_ports = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_identity, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_wake, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_bad_requests, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_taken, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_queues, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_fails, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_end_in_callback, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_detach, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_full_bridge, core_setup, core_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
