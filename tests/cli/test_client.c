// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: the client against a daemon that answers, refuses, stops half-way, or is not there. */
#include "base/mem.h"
#include "base/sock.h"
#include "cli/client.h"
#include "tests/cli/stub-server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#define LOG_LEN 4096

static struct client *open_stub(struct stub_server *s, const struct stub_row *rows, size_t cnt)
{
	struct client *c = NULL;

	stub_server_start(s, rows, cnt);
	assert_int_equal(client_open(s->path, &c, NULL), 0);
	return c;
}

static void end_stub(struct stub_server *s, struct client *c, const char *log)
{
	char buf[LOG_LEN];

	client_close(c);
	stub_server_end(s, buf, sizeof(buf));
	assert_string_equal(buf, log);
}

static void expect_message(struct nd_error *e, const char *part)
{
	char line[ND_ERROR_STORE * 2];

	nd_error_format(e, line, sizeof(line));
	if (!strstr(line, part))
		fail_msg("'%s' lacks what was expected", line);
	nd_error_reset(e);
}

static void test_calls(void **state)
{
	static const struct stub_row rows[] = {
		{ "{\"parameters\":{\"version\":\"1\"}}", 0 },
		{ "{}", 0 },
		{ "{\"error\":\"io.netd.NotFound\",\"parameters\":{\"message\":\"m\",\"text\":\"none\","
		  "\"frames\":"
		  "[\"network 'a'\"],\"also\":[]}}",
		  0 },
		{ "{\"parameters\":null}", 0 },
	};
	struct nd_error e = ND_ERROR_INIT;
	struct stub_server s;
	struct client *c = open_stub(&s, rows, ARRAY_LEN(rows));
	json_t *reply = NULL;

	assert_int_equal(client_call(c, "GetVersion", NULL, &reply, &e), 0);
	assert_string_equal(json_string_value(json_object_get(reply, "version")), "1");
	json_decref(reply);
	assert_int_equal(client_call(c, "Detach", json_pack("{s:s}", "port", "p"), NULL, &e), 0);
	assert_int_equal(client_call(c, "GetNetwork", NULL, &reply, &e), ND_NOT_FOUND);
	expect_message(&e, "network 'a': none");
	assert_false(client_broken(c));
	assert_int_equal(client_call(c, "Reload", NULL, &reply, &e), 0);
	assert_int_equal(json_object_size(reply), 0);
	json_decref(reply);
	end_stub(&s, c,
		 "{\"method\":\"io.netd.GetVersion\"}\n"
		 "{\"method\":\"io.netd.Detach\",\"parameters\":{\"port\":\"p\"}}\n"
		 "{\"method\":\"io.netd.GetNetwork\"}\n"
		 "{\"method\":\"io.netd.Reload\"}\n");
}

static void test_descriptors(void **state)
{
	static const struct stub_row rows[] = {
		{ "{\"parameters\":{\"tapFileDescriptors\":[0,1]}}", 2 },
		{ "{\"parameters\":{\"tapFileDescriptors\":[0,1]}}", 1 },
		{ "{\"parameters\":{\"tapFileDescriptors\":[-1]}}", 1 },
		{ "{\"error\":\"io.netd.Busy\",\"parameters\":{\"text\":\"b\"}}", 1 },
	};
	struct nd_error e = ND_ERROR_INIT;
	struct stub_server s;
	struct client *c = open_stub(&s, rows, ARRAY_LEN(rows));
	int fds[4], next = dup(0);
	size_t cnt = 0;
	char text[8];

	assert_int_equal(client_call_fds(c, "Attach", NULL, NULL, fds, 4, &cnt, &e), 0);
	assert_int_equal(cnt, 2);
	assert_int_equal(read(fds[1], text, 8), 7);
	assert_memory_equal(text, "queue1\n", 7);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(client_call_fds(c, "Attach", NULL, NULL, fds, 4, &cnt, &e), ND_PROTOCOL);
	expect_message(&e, "fewer than its reply names");
	assert_int_equal(client_call_fds(c, "Attach", NULL, NULL, fds, 4, &cnt, &e), ND_PROTOCOL);
	nd_error_reset(&e);
	assert_int_equal(client_call_fds(c, "Attach", NULL, NULL, fds, 4, &cnt, &e), ND_BUSY);
	/* what a failed call got is closed */
	close(next);
	assert_int_equal(dup(0), next);
	close(next);
	client_close(c);
	stub_server_end(&s, (char[LOG_LEN]){ "" }, LOG_LEN);
}

static int count_replies(void *arg, const json_t *reply)
{
	int *left = arg;

	assert_non_null(json_object_get(reply, "n"));
	return --*left == 0;
}

#define MORE(n) "{\"parameters\":{\"n\":" n "},\"continues\":true}\0"

static void test_streams(void **state)
{
	static const char three[] = MORE("1") MORE("2") "{\"parameters\":{\"n\":3}}";
	static const char endless[] = MORE("1") MORE("2");
	static const struct stub_row rows[] = {
		{ three, 0, sizeof(three) },
		{ endless, 0, sizeof(endless) - 1 },
	};
	struct nd_error e = ND_ERROR_INIT;
	struct stub_server s;
	struct client *c = open_stub(&s, rows, ARRAY_LEN(rows));
	int left = 10;

	assert_int_equal(client_stream(c, "Monitor", NULL, -1, count_replies, &left, &e), 0);
	assert_int_equal(left, 7);
	assert_false(client_broken(c));
	assert_int_equal(client_stream(c, "Monitor", NULL, 50, count_replies, &left, &e), ND_TIMEOUT);
	nd_error_reset(&e);
	assert_int_equal(left, 5);
	assert_true(client_broken(c));
	assert_int_equal(client_call(c, "Reload", json_object(), NULL, &e), ND_PROTOCOL);
	expect_message(&e, "is over");
	client_close(c);
	stub_server_end(&s, (char[LOG_LEN]){ "" }, LOG_LEN);
}

static void test_stream_ended_by_us(void **state)
{
	static const char endless[] = MORE("1") MORE("2");
	static const struct stub_row rows[] = { { endless, 0, sizeof(endless) - 1 } };
	struct nd_error e = ND_ERROR_INIT;
	struct stub_server s;
	struct client *c = open_stub(&s, rows, ARRAY_LEN(rows));
	int left = 2;

	assert_int_equal(client_stream(c, "Monitor", NULL, -1, count_replies, &left, &e), 0);
	assert_true(client_broken(c));
	client_close(c);
	stub_server_end(&s, (char[LOG_LEN]){ "" }, LOG_LEN);
}

static void test_broken_daemons(void **state)
{
	static const struct {
		struct stub_row row;
		int code;
		const char *part;
	} rows[] = {
		{ { NULL, 0 }, ND_PROTOCOL, "closed the connection before it answered" },
		{ { "{\"parameters\":", 0 }, ND_PARSE, "is not JSON" },
		{ { "[]", 0 }, ND_PARSE, "is not a JSON object" },
		{ { "{\"error\":\"io.netd.New\"}", 0 }, ND_INTERNAL, "io.netd.New" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nd_error e = ND_ERROR_INIT;
		struct stub_server s;
		struct client *c = open_stub(&s, &rows[i].row, 1);

		assert_int_equal(client_call(c, "GetVersion", NULL, NULL, &e), rows[i].code);
		expect_message(&e, rows[i].part);
		client_close(c);
		stub_server_end(&s, (char[LOG_LEN]){ "" }, LOG_LEN);
	}
}

/* A daemon that is full says so and closes: the reason reaches us although our call found nobody. */
static void test_refused_before_the_call(void **state)
{
	static const char reason[] = "{\"error\":\"io.netd.Limit\",\"parameters\":{\"text\":\"too many\"}}";
	char dir[] = "/tmp/netd-client-XXXXXX", path[64];
	struct nd_error e = ND_ERROR_INIT;
	struct client *c = NULL;
	int listener, fd;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sock", dir);
	assert_int_equal(nd_sock_listen(path, 0600, (gid_t)-1, 4, &listener, NULL), 0);
	assert_int_equal(client_open(path, &c, &e), 0);
	fd = accept(listener, NULL, NULL);
	assert_true(nd_sock_send(fd, reason, sizeof(reason), NULL, 0, NULL) > 0);
	close(fd);
	assert_int_equal(client_call(c, "GetVersion", NULL, NULL, &e), ND_LIMIT);
	expect_message(&e, "too many");
	assert_true(client_broken(c));
	client_close(c);
	close(listener);
	/* the file is still there, and nobody listens */
	assert_int_equal(client_open(path, &c, &e), ND_SYSTEM);
	expect_message(&e, "Connection refused (ECONNREFUSED): netd is not running any more");
	unlink(path);
	assert_int_equal(client_open(path, &c, &e), ND_SYSTEM);
	expect_message(&e, "No such file or directory (ENOENT): netd is not running");
	setenv("NETD_SOCKET", path, 1);
	assert_int_equal(client_open(NULL, &c, &e), ND_SYSTEM);
	expect_message(&e, path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),          cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_streams),        cmocka_unit_test(test_stream_ended_by_us),
		cmocka_unit_test(test_broken_daemons), cmocka_unit_test(test_refused_before_the_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
