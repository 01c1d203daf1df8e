// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: the journal of ports: what is written is read, and what is no record is left out. */
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/records.h"
#include "netd/core/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#define NETWORK "11111111-1111-4111-8111-111111111111"
#define PORT_A  "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
#define PORT_B  "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"

struct fixture {
	struct core c;
	struct model model;
	char root[32], path[64];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct nd_error e = ND_ERROR_INIT;

	nd_log_init("test", ND_LOG_ERR);
	strcpy(f->root, "/tmp/nd-records-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	snprintf(f->path, sizeof(f->path), "%s/ports", f->root);
	model_init(&f->model);
	f->c.model = &f->model;
	assert_int_equal(records_open(f->root, &f->c.records, &e), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[64];

	records_close(f->c.records);
	records_close(NULL);
	model_done(&f->model);
	snprintf(command, sizeof(command), "rm -r %s", f->root);
	free(f);
	return system(command);
}

static struct port *take(struct fixture *f, const char *uuid, struct nd_uuid *network,
			 struct port_records *all)
{
	struct nd_error e = ND_ERROR_INIT;
	struct nd_uuid u;

	nd_uuid_from_string(uuid, &u);
	*all = (struct port_records){ .by_uuid = { NULL } };
	assert_int_equal(records_ports_read(&f->c, all, &e), 0);
	return records_port_take(all, &u, 0, network);
}

static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	struct nd_error e = ND_ERROR_INIT;
	struct network n = { .name = (char *)"lan" };
	struct nd_uuid network;
	struct port_records all;
	struct port p = { .network = &n,
			  .name = "g-1_2.x",
			  .mac = { { 0x52, 0x54, 0, 1, 2, 3 } },
			  .mark = NAT_MARK_BASE | NAT_PORT_MAX,
			  .queue_cnt = 64,
			  .ifindex = 12,
			  .vnet_hdr = true,
			  .owner_uid = UINT32_MAX - 1,
			  .owner_pid = 4194304,
			  .since_s = 1795242198,
			  .state = PORT_QUARANTINED };

	nd_uuid_from_string(NETWORK, &n.uuid);
	nd_uuid_from_string(PORT_A, &p.uuid);
	assert_int_equal(records_port_write(&f->c, &p, &e), 0);
	struct port *q = take(f, PORT_A, &network, &all);
	assert_true(q && nd_uuid_equal(&network, &n.uuid) && nd_uuid_equal(&q->uuid, &p.uuid));
	assert_string_equal(q->name, p.name);
	assert_true(q->mark == p.mark && q->queue_cnt == 64 && q->vnet_hdr && !q->mac_guard &&
		    nd_mac_equal(&q->mac, &p.mac));
	assert_true(q->owner_uid == p.owner_uid && q->owner_pid == p.owner_pid && q->since_s == p.since_s);
	assert_true(q->state == PORT_QUARANTINED && q->recorded);
	model_port_free(q);
	records_ports_done(&f->c, &all);
	/* another device that bears the same port's uuid is not it */
	assert_int_equal(records_port_write(&f->c, &p, &e), 0);
	q = take(f, PORT_A, &network, &all);
	assert_non_null(q);
	model_port_free(q);
	nd_map_done(&all.by_uuid);
	assert_int_equal(records_ports_read(&f->c, &all, &e), 0);
	assert_null(records_port_take(&all, &p.uuid, p.ifindex + 1, NULL));
	q = records_port_take(&all, &p.uuid, p.ifindex, NULL);
	assert_true(q && q->ifindex == p.ifindex);
	model_port_free(q);
	nd_map_done(&all.by_uuid);
	/* the last line of a port counts */
	strcpy(p.name, "other");
	p.state = PORT_ATTACHED;
	assert_int_equal(records_port_write(&f->c, &p, &e), 0);
	q = take(f, PORT_A, &network, &all);
	assert_true(q && q->state == PORT_ATTACHED);
	assert_string_equal(q->name, "other");
	model_port_free(q);
	for (struct nd_map_node *x = nd_map_first(&all.by_uuid); x; x = nd_map_next(&all.by_uuid, x))
		fail_msg("one was left");
	nd_map_done(&all.by_uuid);
	records_port_remove(&f->c, &p);
	assert_null(take(f, PORT_A, &network, &all));
	nd_map_done(&all.by_uuid);
}

#define LINE(name, mac, mark, queues, state)                                                                \
	"+" PORT_A " {\"network\":\"" NETWORK "\",\"name\":\"" name "\",\"mac\":\"" mac "\",\"mark\":" mark \
	",\"queues\":" queues                                                                               \
	",\"vnetHeader\":true,\"macGuard\":true,\"uid\":0,\"pid\":1,\"since\":5,\"state\":\"" state         \
	"\",\"ifindex\":3}\n"
#define MAC "52:54:00:00:00:01"

/* A FIFO must not hold the start up until somebody reads it, nor a link lead elsewhere. */
/* A journal that cannot be written anew (a full disk) takes lines all the same: a line that stands is no failure. */
static void test_not_written_anew(void **state)
{
	struct fixture *f = *state;
	struct nd_error e = ND_ERROR_INIT;
	struct network n = { .name = (char *)"lan" };
	struct port p = {
		.network = &n, .name = "g", .mark = NAT_MARK_BASE | 1, .queue_cnt = 1, .recorded = true
	};

	unlink(f->path); /* what is open goes on */
	assert_int_equal(mkdir(f->path, 0700), 0);
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(records_port_write(&f->c, &p, &e), 0);
		records_port_remove(&f->c, &p);
	}
	assert_int_equal(rmdir(f->path), 0);
	for (int i = 0; i < 2000 && access(f->path, F_OK) < 0; i++) {
		assert_int_equal(records_port_write(&f->c, &p, &e), 0);
		records_port_remove(&f->c, &p);
	}
	assert_int_equal(access(f->path, F_OK), 0); /* anew as soon as it can be */
}

static void test_not_a_file(void **state)
{
	struct fixture *f = *state;
	struct records *r = NULL;

	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	alarm(10);
	assert_int_equal(records_open(f->root, &r, NULL), ND_INVALID);
	alarm(0);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(symlink("/dev/null", f->path), 0);
	assert_int_equal(records_open(f->root, &r, NULL), ND_INVALID);
	assert_null(r);
}

static void test_bad_lines(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		"+\n",
		"nonsense\n",
		"+" PORT_A "\n",
		"+" PORT_A " {}\n",
		"+" PORT_A " [1]\n",
		"+" PORT_A " {\"network\":\"" NETWORK "\"}\n",
		"*" PORT_A " {}\n",
		"+not-a-uuid-but-as-long-as-one-would-be {}\n",
		LINE("g", "no mac", "1308622849", "1", "attached"),
		LINE("g", MAC, "1", "1", "attached"),          /* a mark that is not netd's */
		LINE("g", MAC, "1308622848", "1", "attached"), /* NAT_MARK_BASE itself */
		LINE("g", MAC, "1325400063", "1", "attached"), /* NAT_MARK_FOREIGN */
		LINE("g", MAC, "5603590145", "1", "attached"), /* 2^32 more than a good one */
		LINE("g", MAC, "1308622849", "0", "attached"),
		LINE("g", MAC, "1308622849", "65", "attached"),
		LINE("g", MAC, "1308622849", "1", "gone"),
		LINE("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", MAC,
		     "1308622849", "1", "attached"),
		LINE("g", MAC, "1308622849", "1", "attached") "-" PORT_A "\n",
	};
	struct fixture *f = *state;
	struct nd_error e = ND_ERROR_INIT;
	struct port_records all;
	struct nd_uuid network;
	static const char good[] = LINE("g", MAC, "1308622849", "1", "attached");

	for (size_t i = 0; i <= ARRAY_LEN(bad); i++) {
		/* with a good one of another port after it, where it ends its line */
		char text[2048], after[1024];
		const char *line = i < ARRAY_LEN(bad) ? bad[i] : good;

		nd_strcpy(after, sizeof(after), good);
		memcpy(after + 1, PORT_B, strlen(PORT_B));
		snprintf(text, sizeof(text), "%s%s%.20s", line, after, good); /* and a torn one */
		assert_int_equal(nd_file_write(f->path, text, strlen(text), 0600, false, &e), 0);
		struct port *p = take(f, PORT_A, &network, &all);
		if ((p != NULL) != (i == ARRAY_LEN(bad)))
			fail_msg("line %zu: %s", i, line);
		model_port_free(p);
		struct nd_uuid b;
		nd_uuid_from_string(PORT_B, &b);
		p = records_port_take(&all, &b, 0, NULL);
		assert_non_null(p);
		model_port_free(p);
		records_ports_done(&f->c, &all);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_not_written_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_a_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_lines, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
