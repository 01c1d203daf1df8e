// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: connections under clients that are slow, greedy, half-finished or gone. */
#include "base/mem.h"
#include "netd/conn/stream.h"
#include "tests/netd/api-harness.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cmocka.h>

#define ECHO_CALL(t) "{\"method\":\"test.api.Echo\",\"parameters\":{\"text\":\"" t "\"}}"
#define LATER_CALL   "{\"method\":\"test.api.Later\"}"
#define STREAM_CALL  "{\"method\":\"test.api.Stream\",\"more\":true}"

static int setup(void **state)
{
	struct harness *h = malloc(sizeof(*h));

	harness_init(h);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	harness_done(*state);
	free(*state);
	return 0;
}

static void expect_text(struct harness_client *cl, const char *text)
{
	json_t *reply = harness_reply(cl);

	assert_non_null(reply);
	assert_null(json_object_get(reply, "error"));
	assert_string_equal(api_get_string(json_object_get(reply, "parameters"), "text"), text);
	json_decref(reply);
}

static void expect_error(struct harness_client *cl, const char *name)
{
	json_t *reply = harness_reply(cl);

	assert_non_null(reply);
	assert_string_equal(api_get_string(reply, "error"), name);
	json_decref(reply);
}

static void expect_nothing(struct harness_client *cl)
{
	assert_null(harness_reply(cl));
}

/* The answer is there in the very turn that read the call. */
static void test_answer_in_one_turn(void **state)
{
	struct harness *h = *state;
	struct harness_client cl = harness_connect(h, ACCESS_ADMIN);

	harness_call(&cl, ECHO_CALL("a"));
	harness_turn(h, 1);
	expect_text(&cl, "a");
	harness_disconnect(&cl);
	harness_turn(h, 2);
	assert_int_equal(conn_set_count(h->set), 0);
}

static void test_frame_in_pieces(void **state)
{
	static const char call[] = ECHO_CALL("pieces");
	struct harness *h = *state;
	struct harness_client cl = harness_connect(h, ACCESS_ADMIN);

	for (size_t i = 0; i < sizeof(call); i++) {
		expect_nothing(&cl);
		assert_int_equal(harness_write(&cl, call + i, 1), 1);
		harness_turn(h, 1);
	}
	expect_text(&cl, "pieces");
	/* a half one for ever costs nothing but its own bytes, and ends with its client */
	harness_write(&cl, call, 10);
	harness_turn(h, 3);
	expect_nothing(&cl);
	harness_disconnect(&cl);
	harness_turn(h, 2);
	assert_int_equal(conn_set_count(h->set), 0);
}

/* Writes len bytes of a call that is padded with blanks, in as many turns as it takes. */
static void write_padded(struct harness *h, struct harness_client *cl, size_t len, bool nul)
{
	static const char head[] = "{\"method\":\"test.api.Echo\",\"parameters\":{\"text\":\"long\"}";
	nd_autofree char *p = malloc(len + 1);
	size_t at = 0;

	memset(p, ' ', len);
	memcpy(p, head, strlen(head));
	p[len - 1] = '}';
	p[len] = '\0';
	for (int i = 0; i < 10000 && at < len + nul; i++) {
		at += harness_write(cl, p + at, len + nul - at);
		harness_turn(h, 1);
	}
}

static void test_longest_frame(void **state)
{
	struct harness *h = *state;
	struct harness_client cl = harness_connect(h, ACCESS_ADMIN);

	write_padded(h, &cl, API_REQUEST_MAX, true);
	harness_turn(h, 3);
	expect_text(&cl, "long");
	harness_disconnect(&cl);
}

static void test_too_long(void **state)
{
	/* with an end, and without one in sight */
	for (int nul = 0; nul < 2; nul++) {
		struct harness *h = *state;
		struct harness_client cl = harness_connect(h, ACCESS_ADMIN);

		write_padded(h, &cl, API_REQUEST_MAX + 1, nul);
		harness_turn(h, 3);
		expect_error(&cl, "io.netd.Limit");
		expect_nothing(&cl);
		assert_true(cl.eof);
		assert_int_equal(conn_set_count(h->set), 0);
		harness_disconnect(&cl);
	}
}

static void test_pipeline_in_order(void **state)
{
	static const char calls[] = ECHO_CALL("1") "\0" ECHO_CALL("2") "\0" ECHO_CALL("3");
	struct harness *h = *state;
	struct harness_client cl = harness_connect(h, ACCESS_ADMIN);

	harness_write(&cl, calls, sizeof(calls));
	for (int i = 1; i <= 3; i++) {
		harness_turn(h, 1);
		assert_int_equal(h->echo_cnt, i);
	}
	expect_text(&cl, "1");
	expect_text(&cl, "2");
	expect_text(&cl, "3");
	harness_disconnect(&cl);
}

/* A client with a thousand calls waiting delays another by a turn, no more. */
static void test_greedy_neighbour(void **state)
{
	static const char call[] = ECHO_CALL("g");
	struct harness *h = *state;
	struct harness_client greedy = harness_connect(h, ACCESS_ADMIN), other;
	nd_autofree char *calls = malloc(1000 * sizeof(call));

	for (int i = 0; i < 1000; i++)
		memcpy(calls + (size_t)i * sizeof(call), call, sizeof(call));
	assert_int_equal(harness_write(&greedy, calls, 1000 * sizeof(call)), 1000 * sizeof(call));
	harness_turn(h, 1);
	other = harness_connect(h, ACCESS_ADMIN);
	harness_call(&other, ECHO_CALL("other"));
	harness_turn(h, 1);
	expect_text(&other, "other");
	assert_true(h->echo_cnt < 10);
	expect_text(&greedy, "g");
	expect_text(&greedy, "g");
	for (int i = 2; i < 1000; i++) {
		harness_turn(h, 1);
		expect_text(&greedy, "g");
	}
	harness_disconnect(&greedy);
	harness_disconnect(&other);
}

/* One that sends for ever and reads nothing is stopped by its own unread answers. */
static void test_writer_that_never_reads(void **state)
{
	static const char call[] = ECHO_CALL("w");
	struct harness *h = *state;
	struct harness_client cl = harness_connect(h, ACCESS_ADMIN);
	int answered, sent = 0;

	for (int i = 0; i < 40000; i++) {
		sent += harness_write(&cl, call, sizeof(call)) == sizeof(call);
		harness_turn(h, 1);
	}
	answered = h->echo_cnt;
	assert_true(answered > 0 && answered < sent);
	harness_turn(h, 10);
	assert_int_equal(h->echo_cnt, answered);
	/* and goes on where it was once it reads */
	expect_text(&cl, "w");
	harness_turn(h, 10);
	assert_true(h->echo_cnt > answered);
	harness_disconnect(&cl);
	harness_turn(h, 5);
	assert_int_equal(conn_set_count(h->set), 0);
}

static void test_deferred_keeps_order(void **state)
{
	static const char calls[] = LATER_CALL "\0" ECHO_CALL("after");
	struct harness *h = *state;
	struct harness_client cl = harness_connect(h, ACCESS_ADMIN);
	json_t *reply;

	harness_write(&cl, calls, sizeof(calls));
	harness_turn(h, 5);
	expect_nothing(&cl);
	assert_int_equal(h->echo_cnt, 0);
	harness_finish_later(h);
	reply = harness_reply(&cl); /* not a turn later: at once */
	assert_non_null(reply);
	assert_int_equal(json_object_size(reply), 0);
	json_decref(reply);
	harness_turn(h, 1);
	expect_text(&cl, "after");
	harness_disconnect(&cl);
}

static void test_client_dies_with_call_pending(void **state)
{
	struct harness *h = *state;
	struct harness_client cl = harness_connect(h, ACCESS_ADMIN);

	harness_call(&cl, LATER_CALL);
	harness_turn(h, 1);
	assert_non_null(h->later);
	harness_disconnect(&cl);
	harness_turn(h, 2);
	assert_int_equal(conn_set_count(h->set), 0);
	harness_finish_later(h); /* an answer to nobody */
	harness_turn(h, 1);
}

/* The answer itself finds out that the client is gone. */
static void test_client_dies_before_answer(void **state)
{
	struct harness *h = *state;
	struct harness_client cl = harness_connect(h, ACCESS_ADMIN);

	harness_call(&cl, LATER_CALL);
	harness_turn(h, 1);
	harness_disconnect(&cl);
	harness_finish_later(h);
	assert_int_equal(conn_set_count(h->set), 1);
	harness_turn(h, 2);
	assert_int_equal(conn_set_count(h->set), 0);
}

/* A user without rights has a bound of their own; administrators have theirs, and room that is kept for them. */
static void test_room(void **state)
{
	struct rlimit files = { 4096, 4096 };
	struct harness_client clients[STREAM_MAX];
	struct nd_error e = ND_ERROR_INIT;
	struct harness *h = *state;
	size_t cnt = 0;

	setrlimit(RLIMIT_NOFILE, &files);
	for (; cnt < STREAM_UID_MAX; cnt++) {
		assert_int_equal(conn_set_admit(h->set, 1001, false, NULL), 0);
		clients[cnt] = harness_connect(h, ACCESS_NONE); /* as uid 1001 */
	}
	assert_int_equal(conn_set_admit(h->set, 1001, false, &e), ND_LIMIT);
	assert_string_equal(nd_error_text(&e),
			    "uid 1001 has 128 connections to netd open and may have no more");
	assert_int_equal(conn_set_admit(h->set, 1001, true, NULL), 0);
	for (; cnt < STREAM_MAX - STREAM_RESERVE; cnt++) {
		assert_int_equal(conn_set_admit(h->set, 1002, false, NULL), 0);
		clients[cnt] = harness_connect(h, ACCESS_NONE);
	}
	nd_error_reset(&e);
	assert_int_equal(conn_set_admit(h->set, 1002, false, &e), ND_LIMIT);
	assert_string_equal(nd_error_text(&e),
			    "netd has 960 connections open and takes no more: try again later");
	for (; cnt < STREAM_MAX; cnt++) {
		assert_int_equal(conn_set_admit(h->set, 0, true, NULL), 0);
		clients[cnt] = harness_connect(h, ACCESS_ADMIN);
	}
	assert_int_equal(conn_set_admit(h->set, 0, true, NULL), ND_LIMIT);
	while (cnt-- > 0)
		harness_disconnect(&clients[cnt]);
	for (int i = 0; i < 1000 && conn_set_count(h->set) > 0;
	     i++) /* the loop takes some dozens in one turn */
		harness_turn(h, 1);
	assert_int_equal(conn_set_admit(h->set, 1001, false, NULL), 0);
}

static void test_server_ends_with_call_pending(void **state)
{
	struct harness *h = *state;
	struct harness_client cl = harness_connect(h, ACCESS_ADMIN);

	harness_call(&cl, LATER_CALL);
	harness_turn(h, 1);
	conn_set_free(h->set);
	h->set = NULL;
	harness_finish_later(h);
	expect_nothing(&cl);
	assert_true(cl.eof);
	harness_disconnect(&cl);
}

static void test_half_closed_gets_its_answers(void **state)
{
	static const char calls[] = LATER_CALL "\0" ECHO_CALL("last");
	struct harness *h = *state;
	struct harness_client cl = harness_connect(h, ACCESS_ADMIN);

	harness_write(&cl, calls, sizeof(calls));
	shutdown(cl.fd, SHUT_WR);
	harness_turn(h, 3);
	assert_int_equal(conn_set_count(h->set), 1);
	harness_finish_later(h);
	harness_turn(h, 2);
	json_decref(harness_reply(&cl));
	expect_text(&cl, "last");
	expect_nothing(&cl);
	assert_true(cl.eof);
	assert_int_equal(conn_set_count(h->set), 0);
	harness_disconnect(&cl);
}

static void test_stream(void **state)
{
	struct harness *h = *state;
	struct harness_client cl = harness_connect(h, ACCESS_ADMIN);
	json_t *reply;

	harness_call(&cl, STREAM_CALL);
	harness_turn(h, 1);
	harness_stream_send(h, "one");
	harness_stream_send(h, "two");
	expect_nothing(&cl); /* together, at the end of the turn */
	harness_turn(h, 1);
	reply = harness_reply(&cl);
	assert_true(api_get_bool(reply, "continues", false));
	json_decref(reply);
	expect_text(&cl, "two");
	harness_disconnect(&cl);
	harness_turn(h, 2);
	assert_int_equal(h->gone_cnt, 1);
	assert_int_equal(conn_set_count(h->set), 0);
}

static void test_slow_reader_is_cut(void **state)
{
	struct harness *h = *state;
	struct harness_client cl = harness_connect(h, ACCESS_ADMIN);
	nd_autofree char *text = malloc(10001);
	int whole = 0;
	json_t *reply;

	memset(text, 'y', 10000);
	text[10000] = '\0';
	harness_call(&cl, STREAM_CALL);
	harness_turn(h, 1);
	for (int i = 0; i < 300 && !h->gone_cnt; i++) {
		harness_stream_send(h, text);
		harness_turn(h, 1);
	}
	assert_int_equal(h->gone_cnt, 1);
	for (;;) {
		reply = harness_reply(&cl);
		assert_non_null(reply);
		if (json_object_get(reply, "error"))
			break;
		assert_int_equal(
			json_string_length(json_object_get(json_object_get(reply, "parameters"), "text")),
			10000);
		json_decref(reply);
		whole++;
		harness_turn(h, 1);
	}
	assert_true(whole > 0 && whole < 100); /* what the socket held; what waited is dropped */
	assert_string_equal(api_get_string(reply, "error"), "io.netd.Overrun");
	json_decref(reply);
	harness_turn(h, 2);
	expect_nothing(&cl);
	assert_true(cl.eof);
	assert_int_equal(conn_set_count(h->set), 0);
	harness_disconnect(&cl);
}

/* A burst inside one turn, too. */
static void test_burst_is_cut(void **state)
{
	struct harness *h = *state;
	struct harness_client cl = harness_connect(h, ACCESS_ADMIN);

	harness_call(&cl, STREAM_CALL);
	harness_turn(h, 1);
	for (int i = 0; i < 100000; i++)
		harness_stream_send(h, "0123456789");
	harness_turn(h, 3);
	assert_int_equal(h->gone_cnt, 1);
	harness_disconnect(&cl);
	harness_turn(h, 2);
	assert_int_equal(conn_set_count(h->set), 0);
}

static void test_large_replies(void **state)
{
	struct harness *h = *state;
	struct harness_client cl = harness_connect(h, ACCESS_ADMIN);
	json_t *reply = NULL;

	harness_call(&cl, "{\"method\":\"test.api.Large\",\"parameters\":{\"length\":16000000}}");
	for (int i = 0; i < 10000 && !reply; i++) {
		harness_turn(h, 1);
		reply = harness_reply(&cl);
	}
	assert_non_null(reply);
	assert_int_equal(json_string_length(json_object_get(json_object_get(reply, "parameters"), "text")),
			 16000000);
	json_decref(reply);
	harness_call(&cl, "{\"method\":\"test.api.Large\",\"parameters\":{\"length\":17000000}}");
	harness_turn(h, 1);
	expect_error(&cl, "io.netd.Limit");
	harness_call(&cl, ECHO_CALL("on"));
	harness_turn(h, 1);
	expect_text(&cl, "on");
	harness_disconnect(&cl);
}

static void expect_fds(struct harness_client *cl, size_t cnt)
{
	json_t *reply = harness_reply(cl);

	assert_non_null(reply);
	assert_int_equal(json_array_size(json_object_get(json_object_get(reply, "parameters"), "fds")), cnt);
	json_decref(reply);
	assert_int_equal(cl->fd_cnt, cnt);
	for (size_t i = 0; i < cnt; i++) {
		assert_true(fcntl(cl->fds[i], F_GETFD) & FD_CLOEXEC);
		close(cl->fds[i]);
	}
	cl->fd_cnt = 0;
}

static int open_count(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_descriptors(void **state)
{
	struct harness *h = *state;
	struct harness_client cl = harness_connect(h, ACCESS_ADMIN);
	int was = open_count();

	harness_call(&cl, "{\"method\":\"test.api.Open\",\"parameters\":{\"count\":3}}");
	harness_turn(h, 1);
	expect_fds(&cl, 3);
	assert_int_equal(open_count(), was);
	harness_disconnect(&cl);
}

/* The socket is full: the descriptors wait with the reply's first byte. */
static void test_descriptors_wait(void **state)
{
	struct harness *h = *state;
	struct harness_client cl = harness_connect(h, ACCESS_ADMIN);
	static const char filler[] = "{\"filler\":1}";
	int was, fill = 0;
	json_t *reply;

	while (send(cl.server_fd, filler, sizeof(filler), MSG_NOSIGNAL) > 0)
		fill++;
	was = open_count();
	harness_call(&cl, "{\"method\":\"test.api.Open\",\"parameters\":{\"count\":2}}");
	harness_turn(h, 3);
	assert_int_equal(open_count(), was + 2);
	for (; fill > 0; fill--) {
		reply = harness_reply(&cl);
		assert_non_null(json_object_get(reply, "filler"));
		json_decref(reply);
	}
	harness_turn(h, 2);
	expect_fds(&cl, 2);
	assert_int_equal(open_count(), was);
	harness_disconnect(&cl);
}

static void test_descriptors_of_the_dead(void **state)
{
	struct harness *h = *state;
	int was = open_count();
	struct harness_client cl = harness_connect(h, ACCESS_ADMIN);

	harness_call(&cl, "{\"method\":\"test.api.Open\",\"parameters\":{\"count\":2}}");
	harness_disconnect(&cl);
	harness_turn(h, 3);
	assert_int_equal(open_count(), was);
}

/* A client that sends descriptors gets rid of them, nothing else. */
static void test_descriptors_sent_to_us(void **state)
{
	static const char call[] = ECHO_CALL("fd");
	struct harness *h = *state;
	struct harness_client cl = harness_connect(h, ACCESS_ADMIN);
	int was = open_count(), null = 0;

	assert_true(nd_sock_send(cl.fd, call, sizeof(call), &null, 1, NULL) > 0);
	harness_turn(h, 1);
	expect_text(&cl, "fd");
	assert_int_equal(open_count(), was);
	harness_disconnect(&cl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answer_in_one_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_frame_in_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_longest_frame, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pipeline_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_greedy_neighbour, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writer_that_never_reads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deferred_keeps_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_client_dies_with_call_pending, setup, teardown),
		cmocka_unit_test_setup_teardown(test_client_dies_before_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_server_ends_with_call_pending, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_closed_gets_its_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stream, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_reader_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_burst_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_replies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_descriptors_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(test_descriptors_of_the_dead, setup, teardown),
		cmocka_unit_test_setup_teardown(test_descriptors_sent_to_us, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
