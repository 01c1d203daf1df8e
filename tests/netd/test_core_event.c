// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: the ring's numbers, what it forgets, and subscribers that go, or make events, while they are called. */
#include "base/log.h"
#include "base/mem.h"
#include "netd/core/event.h"
#include "netd/core/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

struct listener {
	struct event_subscriber sub;
	unsigned calls;
	uint64_t last;
	struct event_subscriber *drop; /* unsubscribed when called */
	struct events *emit;           /* one more event from within, once */
};

static void on_event(struct event_subscriber *s, const struct event *ev)
{
	struct listener *l = container_of(s, struct listener, sub);

	l->calls++;
	l->last = ev->seq;
	if (l->drop)
		events_unsubscribe(take_ptr(l->drop));
	if (l->emit)
		events_say(take_ptr(l->emit), EVENT_SYSCTL, NULL, NULL, "from within");
}

static void listen_to(struct events *r, struct listener *l)
{
	*l = (struct listener){ .sub.fn = on_event };
	events_subscribe(r, &l->sub);
}

struct seen {
	uint64_t first, last;
	unsigned cnt;
};

static void see(const struct event *ev, void *arg)
{
	struct seen *s = arg;

	if (s->cnt++ == 0)
		s->first = ev->seq;
	else
		assert_int_equal(ev->seq, s->last + 1);
	s->last = ev->seq;
}

static void test_ring(void **state)
{
	struct events *r = events_new();
	struct seen s = { .cnt = 0 };

	assert_int_equal(events_last(r), 0);
	assert_int_equal(events_since(r, 0, see, &s), 0);
	assert_int_equal(s.cnt, 0);
	for (int i = 0; i < EVENT_RING; i++)
		events_say(r, EVENT_REPAIRED, NULL, NULL, "%d", i);
	assert_int_equal(events_since(r, 0, see, &s), 0);
	assert_true(s.cnt == EVENT_RING && s.first == 1 && s.last == EVENT_RING);
	for (int i = 0; i < 10; i++)
		events_say(r, EVENT_REPAIRED, NULL, NULL, "%d", i);
	s.cnt = 0;
	assert_int_equal(events_since(r, 0, see, &s), 10);
	assert_true(s.cnt == EVENT_RING && s.first == 11);
	s.cnt = 0;
	assert_int_equal(events_since(r, 9, see, &s), 1);
	assert_int_equal(s.first, 11);
	s.cnt = 0;
	assert_int_equal(events_since(r, 10, see, &s), 0);
	assert_int_equal(s.cnt, EVENT_RING);
	s.cnt = 0;
	assert_int_equal(events_since(r, events_last(r), see, &s), 0);
	assert_int_equal(events_since(r, events_last(r) + 100, see, &s), 0); /* of an earlier run */
	assert_int_equal(events_since(r, UINT64_MAX, see, &s), 0);
	assert_int_equal(s.cnt, 0);
	events_free(r);
	events_free(NULL);
}

static struct event kept;

static void keep(const struct event *ev, void *arg)
{
	kept = *ev;
}

static void test_parts(void **state)
{
	struct events *r = events_new();
	struct network n = {
		.name = (char *)"a-network-whose-name-is-longer-than-an-event-holds-and-is-therefore-cut-off"
	};
	struct port p = {
		.network = &n, .mac = { { 0x52, 0x54, 0, 1, 2, 3 } }, .ip4 = 0x0a000002, .ifname = "vnet0"
	};

	nd_uuid_from_string("12345678-9abc-4def-8123-456789abcdef", &p.uuid);
	n.uuid = p.uuid;
	events_say(r, EVENT_PORT_ATTACHED, NULL, &p, "%s", "attached");
	events_since(r, 0, keep, NULL);
	assert_int_equal(kept.seq, 1);
	assert_true(kept.time_us > 0);
	assert_int_equal(strlen(kept.network), sizeof(kept.network) - 1);
	assert_true(nd_uuid_equal(&kept.network_uuid, &n.uuid));
	assert_string_equal(kept.port, "12345678-9abc-4def-8123-456789abcdef");
	assert_string_equal(kept.ifname, "vnet0");
	assert_string_equal(kept.mac, "52:54:00:01:02:03");
	assert_string_equal(kept.address, "10.0.0.2");
	strcpy(p.name, "guest");
	p.ip4 = 0;
	events_say(r, EVENT_PORT_ENDED, NULL, &p, "%0300d", 1);
	events_since(r, 1, keep, NULL);
	assert_string_equal(kept.port, "guest");
	assert_string_equal(kept.address, "");
	assert_int_equal(strlen(kept.text), sizeof(kept.text) - 1);
	events_free(r);
}

static void test_unsubscribe_in_callback(void **state)
{
	struct events *r = events_new();
	struct listener a, b, c;

	listen_to(r, &a);
	listen_to(r, &b);
	listen_to(r, &c);
	a.drop = &a.sub; /* itself */
	events_say(r, EVENT_SYSCTL, NULL, NULL, "1");
	assert_true(a.calls == 1 && b.calls == 1 && c.calls == 1);
	b.drop = &c.sub; /* the next */
	events_say(r, EVENT_SYSCTL, NULL, NULL, "2");
	assert_true(a.calls == 1 && b.calls == 2 && c.calls == 1);
	events_unsubscribe(&c.sub); /* again */
	listen_to(r, &a);
	a.drop = &b.sub; /* the one before */
	events_say(r, EVENT_SYSCTL, NULL, NULL, "3");
	assert_true(a.calls == 1 && b.calls == 3);
	events_say(r, EVENT_SYSCTL, NULL, NULL, "4");
	assert_true(a.calls == 2 && b.calls == 3);
	events_free(r);
}

/* Each still gets each event once; who leaves meanwhile is not called. */
static void test_emit_in_callback(void **state)
{
	struct events *r = events_new();
	struct listener a, b, c;

	listen_to(r, &a);
	listen_to(r, &b);
	listen_to(r, &c);
	a.emit = r;
	events_say(r, EVENT_SYSCTL, NULL, NULL, "1");
	assert_int_equal(events_last(r), 2);
	assert_true(a.calls == 2 && b.calls == 2 && c.calls == 2);
	a.emit = r;
	b.drop = &b.sub; /* by the inner one, while the outer has b next */
	events_say(r, EVENT_SYSCTL, NULL, NULL, "3");
	assert_true(a.calls == 4 && b.calls == 3 && c.calls == 4);
	events_free(r);
}

static void test_kinds(void **state)
{
	for (int i = 0; i < EVENT_KIND_CNT_; i++) {
		assert_non_null(event_kind_to_string(i));
		assert_int_equal(event_kind_from_string(event_kind_to_string(i)), i);
	}
	assert_null(event_kind_to_string(EVENT_KIND_CNT_));
	assert_int_equal(event_kind_from_string("nothing"), -1);
}

static int quiet(void **state)
{
	nd_log_init("test", ND_LOG_ERR);
	return 0;
}

/* A daemon that logs warnings only still logs the events that are ones. */
static void test_logged_by_weight(void **state)
{
	struct events *r = events_new();
	char text[256];
	int pair[2], saved = dup(STDERR_FILENO);

	assert_int_equal(pipe(pair), 0);
	dup2(pair[1], STDERR_FILENO);
	nd_log_init("netd", ND_LOG_WARNING);
	events_say(r, EVENT_NETWORK_STARTED, NULL, NULL, "not told");
	events_say(r, EVENT_WORKER_DIED, NULL, NULL, "told");
	nd_log_init("netd", ND_LOG_ERR);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(pair[1]);
	ssize_t n = read(pair[0], text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	close(pair[0]);
	assert_string_equal(text, "netd: worker-died: told\n");
	events_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_unsubscribe_in_callback),
		cmocka_unit_test(test_emit_in_callback),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_logged_by_weight),
	};

	return cmocka_run_group_tests(tests, quiet, NULL);
}
