// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: what the worker proposes is not believed; an ACK leaves after its lease is stored; leases end with their ports. */
#include "base/bytes.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/disk.h"
#include "netd/core/leases.h"
#include "tests/netd/core-harness.h"

#include <errno.h>

#define FRAME_LEN 342

struct fixture {
	struct core_harness *h;
	struct network *lan, *lab, *plain;
	struct attached guest;
	struct dhcp_lease lease; /* a good one of guest */
	uint8_t ack[FRAME_LEN];  /* a good one of lan */
};

static struct network *with_dhcp(struct core_harness *h, const char *name, const char *bridge,
				 const char *net)
{
	char ip[300];

	snprintf(ip, sizeof(ip),
		 "<ip address='%s.1' netmask='255.255.255.0'><dhcp><range start='%s.2' "
		 "end='%s.254'/></dhcp></ip>",
		 net, net, net);
	return core_create(h, core_xml(name, bridge, "", ip));
}

static void make_ack(const struct nd_mac *server, uint32_t ip4, uint8_t frame[FRAME_LEN])
{
	struct nd_writer w = nd_writer(frame, FRAME_LEN);

	nd_write_bytes(&w, "\xff\xff\xff\xff\xff\xff", 6);
	nd_write_bytes(&w, server->b, 6);
	nd_write_be16(&w, 0x0800);
	nd_write_u8(&w, 0x45);
	nd_write_u8(&w, 0);
	nd_write_be16(&w, FRAME_LEN - 14);
	nd_write_be32(&w, 0);
	nd_write_u8(&w, 64);
	nd_write_u8(&w, 17);
	nd_write_be16(&w, 0);
	nd_write_be32(&w, ip4);
	nd_write_be32(&w, UINT32_MAX);
	nd_write_be16(&w, 67);
	nd_write_be16(&w, 68);
	nd_write_be16(&w, FRAME_LEN - 34);
	nd_write_zero(&w, FRAME_LEN - w.pos);
	assert_false(w.bad);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	core_setup((void **)&f->h);
	f->lan = with_dhcp(f->h, "lan", "br-lan", "10.1.1");
	f->lab = with_dhcp(f->h, "lab", "br-lab", "10.2.2");
	f->plain = core_create(f->h, core_xml("plain", "br-plain", "10.3.3.1", ""));
	core_attach(f->h, "lan", "guest", "52:54:00:00:00:01", &f->guest);
	core_turn(f->h);
	f->lease = (struct dhcp_lease){ .network = f->lan->uuid,
					.port = f->guest.p->uuid,
					.ip4 = 0x0a010102,
					.state = DHCP_LEASE_BOUND,
					.mac = f->guest.p->mac,
					.expiry_s = 4000000000u };
	f->lease.identity = (struct dhcp_identity){ .kind = DHCP_IDENTITY_PORT, .len = 16 };
	memcpy(f->lease.identity.bytes, f->guest.p->uuid.b, 16);
	strcpy(f->lease.hostname, "host");
	make_ack(&f->lan->live->mac, 0x0a010101, f->ack);
	core_forget(f->h);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	void *h = f->h;

	core_close(&f->guest);
	free(f);
	return core_teardown(&h);
}

static void propose(struct fixture *f, uint64_t id, const struct dhcp_lease *l, int ifindex,
		    const uint8_t *ack)
{
	leases_on_proposal(f->h->c.leases, 1, id, l, ifindex, ack, ack ? FRAME_LEN : 0);
}

struct list {
	unsigned calls;
	size_t cnt;
	struct dhcp_lease first;
	int code;
};

static void on_list(void *arg, const struct dhcp_lease *leases, size_t cnt, const struct nd_error *e)
{
	struct list *l = arg;

	l->calls++;
	l->cnt = cnt;
	l->code = e->code;
	if (cnt)
		l->first = leases[0];
}

static size_t stored(struct fixture *f, const struct network *n)
{
	struct list l = { .calls = 0 };

	leases_list(&f->h->c, n, NULL, (struct leases_done){ on_list, &l });
	core_turn(f->h);
	assert_int_equal(l.calls, 1);
	return l.cnt;
}

static void test_stored(void **state)
{
	struct fixture *f = *state;
	char want[100];

	fake_jobs_hold(true);
	propose(f, 7, &f->lease, f->lan->ifindex, f->ack);
	core_turn(f->h);
	assert_string_equal(fake_worker_told(), ""); /* nothing leaves before it is on disk */
	assert_string_equal(f->h->told, "");
	fake_jobs_hold(false);
	core_turn(f->h);
	snprintf(want, sizeof(want), "send %d %d\nstored 7\n", f->lan->ifindex, FRAME_LEN);
	assert_string_equal(fake_worker_told(), want);
	assert_string_equal(f->h->told, "lease-added lan: 10.1.1.2 leased to 52:54:00:00:00:01 host\n");
	assert_int_equal(f->guest.p->ip4, 0x0a010102);
	propose(f, 8, &f->lease, f->lan->ifindex, f->ack);
	core_turn(f->h);
	assert_true(core_told(f->h, "lease-renewed lan: 10.1.1.2 renewed by 52:54:00:00:00:01 host\n"));
	assert_int_equal(stored(f, f->lan), 1);
	assert_int_equal(stored(f, f->lab), 0);
	/* a declined address is stored without an answer and without an event */
	core_forget(f->h);
	struct dhcp_lease declined = f->lease;
	declined.ip4 = 0x0a010109;
	declined.state = DHCP_LEASE_DECLINED;
	declined.port = (struct nd_uuid){ { 0 } };
	declined.identity.kind = DHCP_IDENTITY_CLIENT_ID;
	propose(f, 9, &declined, 0, NULL);
	core_turn(f->h);
	assert_string_equal(fake_worker_told(), "stored 9\n");
	assert_string_equal(f->h->told, "");
	/* one that cannot be sent is stored all the same: the guest asks again */
	fake_worker_deaf(f->h->c.supervisor, true);
	fake_worker_forget();
	propose(f, 10, &f->lease, f->lan->ifindex, f->ack);
	core_turn(f->h);
	assert_string_equal(fake_worker_told(), "stored 10\n");
}

static void test_hostile(void **state)
{
	struct fixture *f = *state;
	struct dhcp_lease bad[9];
	uint8_t frame[FRAME_LEN];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		bad[i] = f->lease;
	bad[0].network = (struct nd_uuid){ { 1 } }; /* of no network */
	bad[1].network = f->plain->uuid;            /* of one without DHCP */
	bad[1].ip4 = 0x0a030305;
	bad[2].ip4 = 0x0a020205;                 /* another network's address */
	bad[3].ip4 = 0x0a010201;                 /* beside the subnet */
	bad[4].port = (struct nd_uuid){ { 1 } }; /* of no port */
	bad[5].network = f->lab->uuid;           /* the port is of another network */
	bad[5].ip4 = 0x0a020205;
	bad[6].ip4 = 0x0a010101; /* the bridge's own */
	bad[7].ip4 = 0x0a010100; /* the network's */
	bad[8].ip4 = 0x0a0101ff; /* the broadcast address */
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		propose(f, i, &bad[i], f->lan->ifindex, f->ack);
		core_turn(f->h);
		if (core_told(f->h, "lease"))
			fail_msg("proposal %zu was believed", i);
	}
	propose(f, 20, &f->lease, f->lab->ifindex, f->ack); /* to another bridge */
	propose(f, 21, &f->lease, 1, f->ack);
	memcpy(frame, f->ack, FRAME_LEN);
	frame[7] ^= 1; /* from another MAC */
	propose(f, 22, &f->lease, f->lan->ifindex, frame);
	make_ack(&f->lan->live->mac, 0x0a010103, frame); /* from another server */
	propose(f, 23, &f->lease, f->lan->ifindex, frame);
	make_ack(&f->lan->live->mac, 0x0a010101, frame);
	frame[35] = 80; /* from another port */
	propose(f, 24, &f->lease, f->lan->ifindex, frame);
	leases_on_proposal(f->h->c.leases, 1, 25, &f->lease, f->lan->ifindex, f->ack, 20);
	core_turn(f->h);
	assert_string_equal(fake_worker_told(),
			    "refused 0\nrefused 1\nrefused 2\nrefused 3\nrefused 4\nrefused 5\nrefused "
			    "6\nrefused 7\nrefused "
			    "8\nrefused 20\nrefused 21\nrefused 22\nrefused 23\nrefused 24\nrefused 25\n");
	assert_string_equal(f->h->told, "");
	assert_int_equal(stored(f, f->lan), 0);
	/* frames without a lease */
	core_forget(f->h);
	leases_on_frame(f->h->c.leases, f->lan->ifindex, f->ack, FRAME_LEN);
	assert_int_equal(strncmp(fake_worker_told(), "send ", 5), 0);
	fake_worker_forget();
	leases_on_frame(f->h->c.leases, f->lab->ifindex, f->ack, FRAME_LEN);
	leases_on_frame(f->h->c.leases, f->plain->ifindex, f->ack, FRAME_LEN);
	leases_on_frame(f->h->c.leases, f->guest.p->ifindex, f->ack, FRAME_LEN); /* a TAP */
	leases_on_frame(f->h->c.leases, 1, f->ack, FRAME_LEN);
	leases_on_frame(f->h->c.leases, 9999, f->ack, FRAME_LEN);
	leases_on_frame(f->h->c.leases, f->lan->ifindex, f->ack, 3);
	assert_string_equal(fake_worker_told(), "");
}

/* A lease that is not stored is not given. */
static void test_store_fails(void **state)
{
	struct fixture *f = *state;

	propose(f, 7, &f->lease, f->lan->ifindex, f->ack);
	fake_fail_at(1, ENOSPC, NULL);
	core_turn(f->h);
	assert_string_equal(fake_worker_told(), "refused 7\n");
	assert_true(core_told(
		f->h,
		"lease-refused lan: lease of 10.1.1.2 is not stored and not given: commit: No space left"));
	assert_int_equal(f->guest.p->ip4, 0);
	assert_int_equal(stored(f, f->lan), 0);
	propose(f, 8, &f->lease, f->lan->ifindex, f->ack);
	core_turn(f->h);
	assert_true(strstr(fake_worker_told(), "stored 8\n"));
	assert_int_equal(stored(f, f->lan), 1);
}

/* A guest that renews while the disk is full has its lease as long as it is stored for, and is told just that. */
static void test_renewal_fails(void **state)
{
	static const uint8_t options[] = { 0x63, 0x82, 0x53, 0x63, 53, 1, 5, 51, 4, 0,
					   0,    0x0e, 0x10, 58,   4,  0, 0, 7,  8, 255 };
	struct fixture *f = *state;
	uint8_t ack[FRAME_LEN];
	char want[100];

	memcpy(ack, f->ack, FRAME_LEN);
	memcpy(ack + 42 + 236, options, sizeof(options));
	f->lease.expiry_s = leases_now_s(f->h->c.leases) + 1000;
	propose(f, 7, &f->lease, f->lan->ifindex, ack);
	core_turn(f->h);
	core_forget(f->h);
	fake_worker_forget();
	struct dhcp_lease renewed = f->lease;
	renewed.expiry_s += 2600;
	propose(f, 8, &renewed, f->lan->ifindex, ack);
	fake_fail_at(1, ENOSPC, NULL);
	core_turn(f->h);
	core_turn(f->h);
	snprintf(want, sizeof(want), "refused 8\nsend %d %d\n", f->lan->ifindex, FRAME_LEN);
	assert_string_equal(fake_worker_told(), want);
	assert_true(core_told(f->h, "lease-refused lan: lease of 10.1.1.2 is renewed for the "));
	assert_int_equal(f->guest.p->ip4, 0x0a010102);
	/* Another's renewal of it, or one without any time left, is refused. */
	fake_worker_forget();
	renewed.identity.kind = DHCP_IDENTITY_HARDWARE;
	renewed.identity.len = 7;
	propose(f, 9, &renewed, f->lan->ifindex, ack);
	fake_fail_at(1, ENOSPC, NULL);
	core_turn(f->h);
	core_turn(f->h);
	assert_string_equal(fake_worker_told(), "refused 9\n");
}

/* Network, port and worker go while the disk works. */
static void test_gone_while_pending(void **state)
{
	struct fixture *f = *state;

	fake_jobs_hold(true);
	propose(f, 7, &f->lease, f->lan->ifindex, f->ack);
	struct list l = { .calls = 0 };
	leases_list(&f->h->c, f->lan, NULL, (struct leases_done){ on_list, &l });
	fake_worker_restart(f->h->c.supervisor);
	struct outcome o;
	network_destroy(&f->h->c, f->lan, true, core_done(&o));
	assert_int_equal(o.e.code, 0);
	core_turn(f->h);
	fake_jobs_hold(false);
	core_turn(f->h);
	assert_int_equal(l.calls, 1);
	assert_null(strstr(fake_worker_told(), "stored")); /* that worker is gone */
	assert_null(strstr(fake_worker_told(), "send"));   /* nobody is there who asked */
	/* again a network of that name, which is the same to the store: nothing is left in it */
	assert_int_equal(stored(f, with_dhcp(f->h, "lan", "br-lan", "10.1.1")), 0);
}

static void give(struct fixture *f)
{
	propose(f, 7, &f->lease, f->lan->ifindex, f->ack);
	core_turn(f->h);
	assert_int_equal(stored(f, f->lan), 1);
	core_forget(f->h);
}

static void test_release(void **state)
{
	struct fixture *f = *state;

	give(f);
	struct dhcp_lease other = f->lease;
	other.network = f->lab->uuid;
	leases_on_release(f->h->c.leases, &other);
	other = f->lease;
	other.ip4 = 0x0a020205;
	leases_on_release(f->h->c.leases, &other);
	core_turn(f->h);
	assert_int_equal(stored(f, f->lan), 1);
	leases_on_release(f->h->c.leases, &f->lease);
	core_turn(f->h);
	assert_string_equal(fake_worker_told(), "free 10.1.1.2\n");
	assert_true(core_told(f->h, "lease-released lan: 10.1.1.2 is free again\n"));
	assert_int_equal(f->guest.p->ip4, 0);
	assert_int_equal(stored(f, f->lan), 0);
}

static void test_grace_over(void **state)
{
	struct fixture *f = *state;

	give(f);
	f->h->settings.lease_grace_s = 1;
	core_close(&f->guest);
	core_turn(f->h);
	assert_int_equal(f->h->model.port_cnt, 0);
	assert_int_equal(stored(f, f->lan), 1);
	core_wait(f->h, 1200);
	assert_true(strstr(fake_worker_told(), "free 10.1.1.2\n"));
	assert_true(core_told(f->h, "lease-released lan: 10.1.1.2 is free again\n"));
	assert_int_equal(stored(f, f->lan), 0);
}

static void test_back_in_time(void **state)
{
	struct fixture *f = *state;
	struct attached other;

	give(f);
	f->h->settings.lease_grace_s = 1;
	core_attach(f->h, "lan", "other", NULL, &other);
	core_turn(f->h);
	core_close(&f->guest);
	core_close(&other); /* its grace goes on */
	core_turn(f->h);
	core_attach(f->h, "lan", "guest", "52:54:00:00:00:01", &f->guest);
	core_wait(f->h, 1200);
	assert_null(strstr(fake_worker_told(), "free"));
	assert_int_equal(stored(f, f->lan), 1);
}

/* netd was away when the guest went: its grace begins at the start. */
static void test_grace_after_restart(void **state)
{
	struct fixture *f = *state;

	give(f);
	core_stop(f->h);
	core_close(&f->guest);
	fake_tun_sync();
	core_start(f->h);
	core_turn(f->h);
	f->lan = model_network_by_name(&f->h->model, "lan");
	core_wait(f->h, 50);
	assert_int_equal(stored(f, f->lan), 0);
}

static void test_list(void **state)
{
	struct fixture *f = *state;
	struct dhcp_lease l = f->lease;
	struct list got = { .calls = 0 };

	for (uint32_t i = 0; i < 40; i++) {
		l.ip4 = 0x0a010102 + 39 - i;
		l.port = (struct nd_uuid){ { 0 } };
		l.identity =
			(struct dhcp_identity){ .kind = DHCP_IDENTITY_HARDWARE, .len = 7, .bytes = { 1 } };
		l.identity.bytes[6] = l.mac.b[5] = (uint8_t)i;
		l.expiry_s = i == 39 ? 5 : UINT64_MAX; /* 10.1.1.2 is over */
		propose(f, i, &l, f->lan->ifindex, f->ack);
	}
	core_turn(f->h);
	leases_list(&f->h->c, f->lan, NULL, (struct leases_done){ on_list, &got });
	core_turn(f->h);
	assert_true(got.calls == 1 && got.cnt == 39 && got.first.ip4 == 0x0a010103);
	got.calls = 0;
	struct nd_mac mac = f->lease.mac;
	mac.b[5] = 5;
	leases_list(&f->h->c, f->lan, &mac, (struct leases_done){ on_list, &got });
	core_turn(f->h);
	assert_true(got.calls == 1 && got.cnt == 1 && got.first.ip4 == 0x0a010102 + 34);
	fake_jobs_hold(true);
	leases_list(&f->h->c, f->lan, NULL, (struct leases_done){ on_list, &got });
	fake_jobs_hold(false);
	fake_fail_at(1, EIO, NULL);
	core_turn(f->h);
	assert_true(got.calls == 2 && got.cnt == 0 && got.code < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stored, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_store_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_renewal_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone_while_pending, setup, teardown),
		cmocka_unit_test_setup_teardown(test_release, setup, teardown),
		cmocka_unit_test_setup_teardown(test_grace_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_back_in_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_grace_after_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
