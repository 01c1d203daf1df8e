// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: the worker's life, and that each worker is told everything, whenever it happens. */
#include "base/mem.h"
#include "netd/core/attach.h"
#include "netd/core/disk.h"
#include "tests/fake/worker.h"
#include "tests/netd/core-harness.h"

#include <errno.h>
#include <signal.h>

#define DHCP                                                     \
	"<ip address='10.%d.1.1' netmask='255.255.255.0'><dhcp>" \
	"<range start='10.%d.1.2' end='10.%d.1.254'/></dhcp></ip>"

static struct network *start(struct core_harness *h, const char *name, int net)
{
	char ip[300], bridge[16];

	snprintf(ip, sizeof(ip), DHCP, net, net, net);
	snprintf(bridge, sizeof(bridge), "br-%s", name);
	const char *xml = core_xml(name, bridge, "", ip);
	struct outcome o;
	network_create(&h->c, xml, strlen(xml), NULL, core_done(&o));
	assert_string_equal(o.text, "");
	return o.n;
}

struct put_job {
	struct disk_job j;
	struct dhcp_lease lease;
};

static int put(struct dhcp_store *store, struct disk_job *j, struct nd_error *e)
{
	return dhcp_store_put(store, &container_of(j, struct put_job, j)->lease, e);
}

static void put_done(struct disk_job *j, const struct nd_error *e)
{
	assert_int_equal(e->code, 0);
	free(container_of(j, struct put_job, j));
}

static void store_lease(struct core_harness *h, const struct nd_uuid *network, uint32_t ip4)
{
	struct put_job *p = calloc(1, sizeof(*p));

	p->j = (struct disk_job){ .run = put, .done = put_done };
	p->lease = (struct dhcp_lease){ .network = *network, .ip4 = ip4, .expiry_s = 4000000000u };
	p->lease.identity = (struct dhcp_identity){ .kind = DHCP_IDENTITY_HARDWARE,
						    .len = 7,
						    .bytes = { 1, (uint8_t)ip4 } };
	disk_push_store(h->c.disk, &p->j);
	core_turn(h);
}

static void kill_worker(struct core_harness *h)
{
	uint64_t was = supervisor_generation(h->c.supervisor);

	kill(fake_worker.pid, SIGKILL);
	for (int i = 0; i < 200 && supervisor_generation(h->c.supervisor) == was; i++) {
		usleep(2000);
		core_turn_once(h);
	}
	assert_int_equal(supervisor_generation(h->c.supervisor), was + 1);
}

static void wait_for_worker(struct core_harness *h, unsigned spawned)
{
	for (int i = 0; i < 400 && fake_worker.spawned < spawned; i++) {
		usleep(5000);
		core_turn_once(h);
	}
	assert_int_equal(fake_worker.spawned, spawned);
	core_turn(h);
}

/* A network is told without an interface, then its leases, then with it. */
static void test_fill(void **state)
{
	struct core_harness *h = *state;
	struct network *n = start(h, "lan", 1);
	struct attached a;

	core_turn(h);
	assert_string_equal(fake_worker_read(), "HNrCNrC");
	store_lease(h, &n->uuid, 0x0a010105);
	store_lease(h, &n->uuid, 0x0a010106);
	core_attach(h, "lan", "guest", NULL, &a);
	core_turn(h);
	assert_string_equal(fake_worker_read(), "P");
	unsigned spawned = fake_worker.spawned;
	kill_worker(h);
	assert_true(core_told(h, "was killed by signal 9; a new one is started"));
	wait_for_worker(h, spawned + 1);
	assert_string_equal(fake_worker_read(), "HPNrCLLNrC");
	core_close(&a);
	core_turn(h);
	assert_string_equal(fake_worker_read(), "Q");
	core_destroy(h, n, false);
	assert_string_equal(fake_worker_read(), "D");
}

static void keep_attached(void *arg, struct port *p, int *fds, size_t cnt, const struct nd_error *e)
{
	*(int *)arg = cnt ? fds[0] : -1;
}

/* A port without a MAC guard may hold an address that was never leased: the network is to probe. */
static void test_unguarded_port(void **state)
{
	struct core_harness *h = *state;
	struct attach_request req = { .network = "lan", .queue_cnt = 1, .vnet_hdr = true, .pid = 4711 };
	int fd;

	start(h, "lan", 1);
	core_turn(h);
	fake_worker_read();
	attach(&h->c, &req, (struct attach_done){ keep_attached, &fd });
	core_turn(h);
	assert_true(fd >= 0);
	assert_string_equal(fake_worker_read(), "PNrC");
	close(fd);
	core_turn(h);
	assert_string_equal(fake_worker_read(), "Q");
}

/* Between two workers there is nobody to tell; the next one is told. */
static void test_start_between_workers(void **state)
{
	struct core_harness *h = *state;
	struct attached a;
	unsigned spawned = fake_worker.spawned;

	fake_worker_read();
	kill_worker(h);
	assert_int_equal(fake_worker.spawned, spawned);
	start(h, "lan", 1);
	core_attach(h, "lan", "guest", NULL, &a);
	core_turn_once(h);
	wait_for_worker(h, spawned + 1);
	const char *told = fake_worker_read();
	assert_non_null(strchr(told, 'P'));
	assert_non_null(strstr(told, "NrCNrC"));
	core_close(&a);
}

static void test_spawn_fails(void **state)
{
	struct core_harness *h = *state;
	unsigned spawned = fake_worker.spawned;

	fake_worker_spawn_fails(true);
	kill_worker(h);
	core_wait(h, 150); /* the first try has failed */
	start(h, "lan", 1);
	core_turn(h);
	fake_worker_spawn_fails(false);
	wait_for_worker(h, spawned + 1);
	assert_string_equal(fake_worker_read(), "HNrCNrC");
}

/* Network and worker go while the leases are read. */
static void test_gone_while_filling(void **state)
{
	struct core_harness *h = *state;
	unsigned spawned = fake_worker.spawned;
	struct outcome o;

	core_turn(h);
	fake_worker_read();
	fake_jobs_hold(true);
	struct network *lan = start(h, "lan", 1);
	start(h, "lab", 2);
	network_destroy(&h->c, lan, false, core_done(&o));
	core_turn(h);
	fake_worker_read();
	fake_jobs_hold(false);
	core_turn(h);
	assert_string_equal(fake_worker_read(), "NrCNrC"); /* lab alone */
	fake_jobs_hold(true);
	start(h, "new", 3);
	kill_worker(h);
	wait_for_worker(h, spawned + 1);
	fake_jobs_hold(false);
	core_turn(h);
	assert_string_equal(fake_worker_read(), "HNrCNrCNrCNrC"); /* each of the two once */
}

/* A change while the leases are read does not make the worker serve without them. */
static void test_changed_while_filling(void **state)
{
	struct core_harness *h = *state;
	struct nd_link l = { .kind = ND_LINK_VETH, .name = "veth0" };

	core_turn(h);
	fake_worker_read();
	fake_jobs_hold(true);
	struct network *n = start(h, "lan", 1);
	core_turn(h);
	l.master = n->ifindex;
	int veth = fake_link_add(&l); /* from now on the worker must probe */
	core_turn(h);
	assert_int_equal(n->foreign_ports, 1);
	assert_string_equal(fake_worker_read(), "");
	fake_jobs_hold(false);
	core_turn(h);
	assert_string_equal(fake_worker_read(), "NrCNrC");
	fake_link_del(veth);
	core_turn(h);
	assert_string_equal(fake_worker_read(), "NrC");
}

/* Leases that cannot be read: the network is not served, said so, and tried again with the next repair. */
static void test_fill_fails(void **state)
{
	struct core_harness *h = *state;

	core_turn(h);
	fake_worker_read();
	fake_jobs_hold(true);
	struct network *n = start(h, "lan", 1);
	core_turn(h);
	fake_fail_at(1, EIO, NULL);
	fake_jobs_hold(false);
	core_turn(h);
	/* The first repair tries at once; until that has been heard of, the network is told to be degraded. */
	assert_true(core_told(h, "network-degraded lan: "));
	assert_true(core_told(h, "dhcp: leases cannot be read: "));
	core_wait(h, 300);
	assert_string_equal(fake_worker_read(), "NrCNrC");
	assert_true(core_told(h, "network-recovered lan: "));
	assert_null(n->dhcp_failed);
	assert_int_equal(n->state, NETWORK_ACTIVE);
}

/* The death of the old worker is heard of after the time to start a new one. */
static void test_late_child(void **state)
{
	struct core_harness *h = *state;
	unsigned spawned = fake_worker.spawned;
	sigset_t child, before;
	pid_t old = fake_worker.pid;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	core_turn(h);
	sigprocmask(SIG_BLOCK, &child, &before);
	close(fake_worker.fd); /* the channel's end, and then the child's */
	fake_worker.fd = -1;
	kill(old, SIGKILL);
	core_wait(h, 300);
	sigprocmask(SIG_SETMASK, &before, NULL);
	wait_for_worker(h, spawned + 1);
	assert_int_equal(core_told_count(h, "worker-died"), 1);
	char who[32];
	snprintf(who, sizeof(who), "DHCP worker %d was killed", (int)old);
	assert_true(core_told(h, who));
	/* and the new one's death is heard of too */
	kill_worker(h);
	wait_for_worker(h, spawned + 2);
	assert_int_equal(core_told_count(h, "worker-died"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fill, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_unguarded_port, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_start_between_workers, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_spawn_fails, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_gone_while_filling, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_changed_while_filling, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_fill_fails, core_setup, core_teardown),
		cmocka_unit_test_setup_teardown(test_late_child, core_setup, core_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
