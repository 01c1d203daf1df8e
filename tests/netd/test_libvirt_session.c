// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: framing, order of a session, keepalive, and clients that are slow, greedy, half-finished or gone. */
#include "base/mem.h"
#include "tests/netd/libvirt-harness.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

enum {
	OPEN = 1,
	CLOSE = 2,
	GET_TYPE = 3,
	START = 39,
	DEFINE = 41,
	NUM_NETWORKS = 52,
	FEATURE = 60,
	AUTH_LIST = 66
};
enum { AUTH_POLKIT = 70, REGISTER_CLOSE = 360, UNREGISTER_CLOSE = 361 };
#define XML "<network><name>%s</name><bridge name='br%s'/></network>"

static int setup(void **state)
{
	struct lv *lv = malloc(sizeof *lv);

	lv_init(lv);
	*state = lv;
	return 0;
}

static int teardown(void **state)
{
	lv_done(*state);
	free(*state);
	return 0;
}

static void call(struct lv_client *cl, uint32_t proc)
{
	lv_call_begin(cl, proc);
	lv_send(cl);
}

static void call_open(struct lv_client *cl, const char *uri, uint32_t flags)
{
	struct nd_buf *b = lv_call_begin(cl, OPEN);

	xdr_put_string_or_none(b, uri);
	xdr_put_uint(b, flags);
	lv_send(cl);
}

static void call_define(struct lv_client *cl, const char *name)
{
	char xml[200];

	snprintf(xml, sizeof xml, XML, name, name);
	xdr_put_string(lv_call_begin(cl, DEFINE), xml);
	lv_send(cl);
}

static void call_int(struct lv_client *cl, uint32_t proc, int32_t v)
{
	xdr_put_int(lv_call_begin(cl, proc), v);
	lv_send(cl);
}

static void expect_nothing(struct lv_client *cl)
{
	struct rpc_header h;
	struct nd_reader body;

	lv_turn(cl->lv, 3);
	assert_false(lv_receive(cl, &h, &body));
}

static struct nd_reader expect_reply(struct lv_client *cl, uint32_t proc, uint32_t status)
{
	struct rpc_header h;
	struct nd_reader body;

	lv_turn(cl->lv, 3);
	assert_true(lv_receive(cl, &h, &body));
	assert_int_equal(h.prog, LIBVIRT_PROGRAM);
	assert_int_equal(h.vers, LIBVIRT_VERSION);
	assert_int_equal(h.proc, proc);
	assert_int_equal(h.type, RPC_REPLY);
	assert_int_equal(h.status, status);
	return body;
}

static void expect_ok(struct lv_client *cl, uint32_t proc)
{
	struct nd_reader body = expect_reply(cl, proc, RPC_OK);

	assert_int_equal(cl->serial,
			 nd_read_be32(&(struct nd_reader){ .base = cl->last.p, .len = 28, .pos = 20 }));
	assert_true(lv_body_fits(body, proc_row(proc)->out));
}

static void expect_error(struct lv_client *cl, uint32_t proc, int code, const char *message)
{
	struct nd_reader body = expect_reply(cl, proc, RPC_ERROR);
	union xdr_value v[XDR_VALUES_MAX];
	struct nd_reader head = nd_read_sub(&body, nd_reader_left(&body) - 12);

	/*
	 * code, domain, message, level, no domain object, three texts; then two numbers and no network object
	 */
	assert_int_equal(xdr_read(head, "iiSiuSSS", v), 0);
	assert_int_equal(v[0].i, code);
	assert_string_equal(v[2].s, message);
	assert_int_equal(v[3].i, 2);
	xdr_free("iiSiuSSS", v);
}

static void expect_closed(struct lv_client *cl)
{
	struct rpc_header h;
	struct nd_reader body;

	lv_turn(cl->lv, 3);
	assert_false(lv_receive(cl, &h, &body));
	assert_true(cl->eof);
	assert_int_equal(rpc_set_count(cl->lv->set), 0);
}

/* ---- order ---- */

static void test_sequence(void **state)
{
	struct lv_client cl = lv_connect(*state, SESSION_RW, ACCESS_ADMIN);

	call(&cl, AUTH_LIST);
	expect_ok(&cl, AUTH_LIST);
	call_int(&cl, FEATURE, 10);
	expect_ok(&cl, FEATURE);
	call_open(&cl, "network:///system", 0);
	expect_ok(&cl, OPEN);
	call(&cl, REGISTER_CLOSE);
	expect_ok(&cl, REGISTER_CLOSE);
	call(&cl, NUM_NETWORKS);
	expect_ok(&cl, NUM_NETWORKS);
	call(&cl, UNREGISTER_CLOSE);
	expect_ok(&cl, UNREGISTER_CLOSE);
	call(&cl, CLOSE);
	expect_ok(&cl, CLOSE);
	expect_closed(&cl);
	lv_disconnect(&cl);
}

static void test_before_auth(void **state)
{
	static const uint32_t procs[] = { OPEN, CLOSE, NUM_NETWORKS, DEFINE, FEATURE, 0, 999 };
	struct lv_client cl = lv_connect(*state, SESSION_RW, ACCESS_ADMIN);

	for (size_t i = 0; i < ARRAY_LEN(procs); i++) {
		call(&cl, procs[i]);
		expect_error(&cl, procs[i], LIBVIRT_RPC, "authentication required");
	}
	call(&cl, AUTH_LIST);
	expect_ok(&cl, AUTH_LIST);
	call(&cl, NUM_NETWORKS);
	expect_error(&cl, NUM_NETWORKS, LIBVIRT_INTERNAL, "internal error: connection not open");
	lv_disconnect(&cl);
}

static void test_polkit_is_enough(void **state)
{
	struct lv_client cl = lv_connect(*state, SESSION_RW, ACCESS_ADMIN);

	call(&cl, AUTH_POLKIT);
	expect_ok(&cl, AUTH_POLKIT);
	call_open(&cl, "qemu:///system", 0);
	expect_ok(&cl, OPEN);
	lv_disconnect(&cl);
}

static void test_no_rights(void **state)
{
	static const char text[] =
		"authentication failed: uid 1001 may not change networks (the read-only socket is open "
		"to all): that is for root and members of group 'netd'; an administrator allows it with: "
		"usermod -aG netd USER";
	struct lv_client cl = lv_connect(*state, SESSION_RW, ACCESS_NONE);

	call(&cl, AUTH_LIST);
	expect_error(&cl, AUTH_LIST, LIBVIRT_AUTH_FAILED, text);
	call(&cl, AUTH_POLKIT);
	expect_error(&cl, AUTH_POLKIT, LIBVIRT_AUTH_FAILED, text);
	call_open(&cl, "network:///system", 0);
	expect_error(&cl, OPEN, LIBVIRT_RPC, "authentication required");
	lv_disconnect(&cl);
}

static void test_open(void **state)
{
	static const char *const uris[] = { NULL, "network:///system", "network:///session",
					    "qemu:///system" };
	struct lv_client cl;

	for (size_t i = 0; i < ARRAY_LEN(uris); i++) {
		cl = lv_connect(*state, SESSION_RW, ACCESS_ADMIN);
		call(&cl, AUTH_LIST);
		expect_ok(&cl, AUTH_LIST);
		call_open(&cl, "xen:///system", 0);
		expect_error(&cl, OPEN, LIBVIRT_NO_CONNECT,
			     "no connection driver available for xen:///system");
		call_open(&cl, uris[i], 2);
		expect_error(&cl, OPEN, LIBVIRT_INVALID_ARG,
			     "invalid argument: unsupported flags (0x2) in function virConnectOpen");
		call_open(&cl, uris[i], 0);
		expect_ok(&cl, OPEN);
		call_open(&cl, uris[i], 0);
		expect_error(&cl, OPEN, LIBVIRT_INTERNAL, "internal error: connection already open");
		lv_disconnect(&cl);
	}
}

/* Every row that changes something is refused, before its arguments are looked at. */
static void expect_no_write(struct lv_client *cl)
{
	struct lv *lv = cl->lv;
	char text[200];

	for (uint32_t i = 1; i <= PROC_LAST; i++) {
		if (!(proc_row(i)->flags & PROC_WRITE))
			continue;
		call(cl, i);
		snprintf(text, sizeof text, "operation forbidden: read only access prevents %s",
			 proc_row(i)->api);
		expect_error(cl, i, LIBVIRT_OPERATION_DENIED, text);
	}
	assert_int_equal(lv->verb_cnt, 0);
	call(cl, NUM_NETWORKS);
	expect_ok(cl, NUM_NETWORKS);
}

static void test_read_only_socket(void **state)
{
	struct lv_client cl = lv_open(*state, SESSION_RO);

	expect_no_write(&cl);
	lv_disconnect(&cl);
}

static void test_read_only_open(void **state)
{
	struct lv_client cl = lv_connect(*state, SESSION_RW, ACCESS_ADMIN);

	call(&cl, AUTH_LIST);
	expect_ok(&cl, AUTH_LIST);
	call_open(&cl, "network:///system", 1);
	expect_ok(&cl, OPEN);
	expect_no_write(&cl);
	lv_disconnect(&cl);
}

static void test_unknown(void **state)
{
	struct lv_client cl = lv_open(*state, SESSION_RW);

	call(&cl, 454);
	expect_error(&cl, 454, LIBVIRT_RPC, "unknown procedure: 454");
	call(&cl, 0);
	expect_error(&cl, 0, LIBVIRT_RPC, "unknown procedure: 0");
	call(&cl, 177);
	expect_error(&cl, 177, LIBVIRT_NO_SUPPORT,
		     "this function is not supported by the connection driver: procedure 177");
	call(&cl, 178);
	expect_error(&cl, 178, LIBVIRT_NO_SUPPORT,
		     "this function is not supported by the connection driver: virConnectNumOfNWFilters");
	call(&cl, DEFINE);
	expect_error(&cl, DEFINE, LIBVIRT_RPC, "Unable to decode message payload");
	xdr_put_int(lv_call_begin(&cl, GET_TYPE), 0);
	lv_send(&cl);
	expect_error(&cl, GET_TYPE, LIBVIRT_RPC, "Unable to decode message payload");
	lv_disconnect(&cl);
}

/* ---- programs ---- */

static void send_header(struct lv_client *cl, uint32_t prog, uint32_t vers, uint32_t proc, uint32_t type)
{
	lv_begin(cl,
		 &(struct rpc_header){ .prog = prog, .vers = vers, .proc = proc, .type = type, .serial = 7 });
	lv_send(cl);
}

static void expect_program_error(struct lv_client *cl, uint32_t prog, int code)
{
	struct rpc_header h;
	struct nd_reader body;

	lv_turn(cl->lv, 3);
	assert_true(lv_receive(cl, &h, &body));
	assert_int_equal(h.prog, prog);
	assert_int_equal(h.serial, 7);
	assert_int_equal(h.status, RPC_ERROR);
	assert_int_equal(nd_read_be32(&body), code);
}

static void test_other_programs(void **state)
{
	static const uint32_t others[] = { 0x20008087, 0x00068000, 0, 0xffffffff };
	struct lv_client cl = lv_open(*state, SESSION_RW);

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		send_header(&cl, others[i], 1, 1, RPC_CALL);
		expect_program_error(&cl, others[i], LIBVIRT_RPC);
	}
	send_header(&cl, LIBVIRT_PROGRAM, 2, 1, RPC_CALL);
	expect_program_error(&cl, LIBVIRT_PROGRAM, LIBVIRT_RPC);
	send_header(&cl, ADMIN_PROGRAM, 1, 1, RPC_CALL);
	expect_program_error(&cl, ADMIN_PROGRAM, LIBVIRT_NO_SUPPORT);
	send_header(&cl, 0x20008087, 1, 1, RPC_REPLY);
	expect_closed(&cl);
	lv_disconnect(&cl);
}

static void test_admin_socket(void **state)
{
	struct lv_client cl = lv_connect(*state, SESSION_ADMIN, ACCESS_ADMIN);

	send_header(&cl, ADMIN_PROGRAM, 1, 1, RPC_CALL);
	expect_program_error(&cl, ADMIN_PROGRAM, LIBVIRT_NO_SUPPORT);
	send_header(&cl, LIBVIRT_PROGRAM, 1, AUTH_LIST, RPC_CALL);
	expect_program_error(&cl, LIBVIRT_PROGRAM, LIBVIRT_NO_SUPPORT);
	lv_disconnect(&cl);
}

static void test_not_a_call(void **state)
{
	static const uint32_t types[] = { RPC_REPLY,    RPC_MESSAGE,     RPC_STREAM,
					  RPC_CALL_FDS, RPC_STREAM_HOLE, 99 };

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct lv_client cl = lv_open(*state, SESSION_RW);

		send_header(&cl, LIBVIRT_PROGRAM, LIBVIRT_VERSION, GET_TYPE, types[i]);
		expect_program_error(&cl, LIBVIRT_PROGRAM, LIBVIRT_RPC);
		expect_closed(&cl);
		lv_disconnect(&cl);
	}
}

/* ---- keepalive ---- */

static void test_ping(void **state)
{
	struct lv_client cl = lv_connect(*state, SESSION_RW, ACCESS_ADMIN);
	struct rpc_header h;
	struct nd_reader body;

	send_header(&cl, KEEPALIVE_PROGRAM, 1, 1, RPC_MESSAGE);
	send_header(&cl, KEEPALIVE_PROGRAM, 1, 2, RPC_MESSAGE);
	lv_turn(*state, 3);
	assert_true(lv_receive(&cl, &h, &body));
	assert_int_equal(h.prog, KEEPALIVE_PROGRAM);
	assert_int_equal(h.proc, 2);
	assert_int_equal(h.type, RPC_MESSAGE);
	assert_int_equal(h.serial, 0);
	assert_int_equal(nd_reader_left(&body), 0);
	expect_nothing(&cl);
	lv_disconnect(&cl);
}

static void wait_s(struct lv *lv, double seconds)
{
	ev_tstamp end = ev_time() + seconds;

	while (ev_time() < end) {
		ev_sleep(0.002);
		lv_turn(lv, 1);
	}
}

static unsigned count_pings(struct lv_client *cl)
{
	struct rpc_header h;
	struct nd_reader body;
	unsigned cnt = 0;

	while (lv_receive(cl, &h, &body))
		cnt += h.prog == KEEPALIVE_PROGRAM && h.proc == 1 && h.type == RPC_MESSAGE;
	return cnt;
}

/* Only a client that asked for it is pinged. */
static void test_no_ping_unasked(void **state)
{
	struct lv_client cl = lv_open(*state, SESSION_RW);

	cl.session->silence_s = 0.01;
	call_int(&cl, FEATURE, 14);
	wait_s(*state, 0.1);
	assert_int_equal(count_pings(&cl), 0);
	assert_int_equal(rpc_set_count(cl.lv->set), 1);
	lv_disconnect(&cl);
}

static void test_silent_client(void **state)
{
	struct lv_client cl = lv_open(*state, SESSION_RW);

	cl.session->silence_s = 0.02;
	call_int(&cl, FEATURE, 10);
	wait_s(*state, 0.4);
	assert_int_equal(count_pings(&cl), KEEPALIVE_PINGS);
	expect_closed(&cl);
	lv_disconnect(&cl);
}

/* Whatever it says counts, not only a pong. */
static void test_living_client(void **state)
{
	struct lv_client cl = lv_open(*state, SESSION_RW);
	unsigned pings = 0;

	cl.session->silence_s = 0.02;
	call_int(&cl, FEATURE, 10);
	for (int i = 0; i < 10; i++) {
		wait_s(*state, 0.04);
		pings += count_pings(&cl);
		if (i % 2)
			send_header(&cl, KEEPALIVE_PROGRAM, 1, 2, RPC_MESSAGE);
		else
			call(&cl, NUM_NETWORKS);
	}
	assert_in_range(pings, 5, 20);
	assert_int_equal(rpc_set_count(cl.lv->set), 1);
	lv_disconnect(&cl);
}

static void test_close_callback_twice(void **state)
{
	struct lv_client cl = lv_open(*state, SESSION_RW);

	call(&cl, UNREGISTER_CLOSE);
	expect_error(&cl, UNREGISTER_CLOSE, LIBVIRT_OPERATION_INVALID,
		     "Requested operation is not valid: A different callback was requested");
	call(&cl, REGISTER_CLOSE);
	expect_ok(&cl, REGISTER_CLOSE);
	call(&cl, REGISTER_CLOSE);
	expect_error(&cl, REGISTER_CLOSE, LIBVIRT_OPERATION_INVALID,
		     "Requested operation is not valid: A close callback is already registered");
	lv_disconnect(&cl);
}

/* ---- framing ---- */

static void test_byte_by_byte(void **state)
{
	struct lv_client cl = lv_connect(*state, SESSION_RW, ACCESS_ADMIN);

	lv_call_begin(&cl, AUTH_LIST);
	cl.out.p[3] = (uint8_t)cl.out.len;
	for (size_t i = 0; i < cl.out.len; i++) {
		assert_int_equal(lv_write(&cl, cl.out.p + i, 1), 1);
		if (i + 1 < cl.out.len)
			expect_nothing(&cl);
	}
	expect_ok(&cl, AUTH_LIST);
	lv_disconnect(&cl);
}

static void test_pipeline(void **state)
{
	struct lv_client cl = lv_open(*state, SESSION_RW);
	uint32_t first = cl.serial + 1;

	for (int i = 0; i < 50; i++)
		call(&cl, NUM_NETWORKS);
	lv_turn(*state, 60);
	for (uint32_t i = 0; i < 50; i++) {
		struct rpc_header h;
		struct nd_reader body;

		assert_true(lv_receive(&cl, &h, &body));
		assert_int_equal(h.serial, first + i);
	}
	lv_disconnect(&cl);
}

/* One message per turn: a client that has many here does not keep others out. */
static void test_fair(void **state)
{
	struct lv_client greedy = lv_open(*state, SESSION_RW), other = lv_open(*state, SESSION_RW);
	struct rpc_header h;
	struct nd_reader body;

	for (int i = 0; i < 100; i++)
		call(&greedy, NUM_NETWORKS);
	call(&other, NUM_NETWORKS);
	lv_turn(*state, 2);
	assert_true(lv_receive(&other, &h, &body));
	lv_disconnect(&greedy);
	lv_disconnect(&other);
}

static void test_no_frame(void **state)
{
	static const uint8_t shorter[28] = { 0, 0, 0, 27 }, zero[28] = { 0 };
	struct lv_client cl = lv_connect(*state, SESSION_RW, ACCESS_ADMIN);

	lv_write(&cl, shorter, sizeof shorter);
	expect_closed(&cl);
	lv_disconnect(&cl);
	cl = lv_connect(*state, SESSION_RW, ACCESS_ADMIN);
	lv_write(&cl, zero, sizeof zero);
	expect_closed(&cl);
	lv_disconnect(&cl);
}

/* The header alone decides: nothing of the body is waited for. */
static void test_too_long(void **state)
{
	static const struct {
		enum access_level level;
		uint32_t len;
		const char *text;
	} rows[] = {
		{ ACCESS_ADMIN, RPC_REQUEST_MAX + 1,
		  "a message of 1048577 bytes is longer than the 1048576 this client may send" },
		{ ACCESS_NONE, RPC_READER_MAX + 1,
		  "a message of 16385 bytes is longer than the 16384 this client may send" },
		{ ACCESS_ADMIN, 0xffffffff,
		  "a message of 4294967295 bytes is longer than the 1048576 this client may send" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lv_client cl = lv_connect(*state, SESSION_RO, rows[i].level);
		struct nd_writer w;

		lv_call_begin(&cl, DEFINE);
		w = nd_writer(cl.out.p, 4);
		nd_write_be32(&w, rows[i].len);
		assert_int_equal(lv_write(&cl, cl.out.p, cl.out.len), cl.out.len);
		expect_error(&cl, DEFINE, LIBVIRT_RPC, rows[i].text);
		expect_closed(&cl);
		lv_disconnect(&cl);
	}
}

/* A definition as large as the protocol lets through comes to the parser. */
static void test_long_message(void **state)
{
	struct lv_client cl = lv_open(*state, SESSION_RW);
	nd_autofree char *text = malloc(900 * 1024 + 1);
	size_t at = 0;
	struct nd_writer w;

	memset(text, ' ', 900 * 1024);
	text[900 * 1024] = '\0';
	xdr_put_string(lv_call_begin(&cl, DEFINE), text);
	w = nd_writer(cl.out.p, 4);
	nd_write_be32(&w, (uint32_t)cl.out.len);
	while (at < cl.out.len) {
		at += lv_write(&cl, cl.out.p + at, cl.out.len - at);
		lv_turn(*state, 1);
	}
	expect_error(&cl, DEFINE, LIBVIRT_XML_ERROR,
		     "XML error: 921600 bytes are more than a definition may have (262144)");
	lv_disconnect(&cl);
}

static void test_half_closed(void **state)
{
	struct lv_client cl = lv_open(*state, SESSION_RW);

	call(&cl, NUM_NETWORKS);
	assert_int_equal(shutdown(cl.fd, SHUT_WR), 0);
	expect_ok(&cl, NUM_NETWORKS);
	expect_closed(&cl);
	lv_disconnect(&cl);
}

/* ---- calls that end later ---- */

static void test_out_of_order(void **state)
{
	struct lv *lv = *state;
	struct lv_client cl = lv_open(lv, SESSION_RW);
	uint32_t define;

	lv->later = true;
	call_define(&cl, "lan");
	define = cl.serial;
	call(&cl, NUM_NETWORKS);
	expect_ok(&cl, NUM_NETWORKS);
	expect_nothing(&cl);
	lv_finish_later(lv);
	cl.serial = define;
	expect_ok(&cl, DEFINE);
	lv_disconnect(&cl);
}

/* The disk goes on without the client. */
static void test_gone_meanwhile(void **state)
{
	struct lv *lv = *state;
	struct lv_client cl = lv_open(lv, SESSION_RW);

	lv->later = true;
	call_define(&cl, "lan");
	lv_turn(lv, 3);
	lv_disconnect(&cl);
	lv_turn(lv, 3);
	assert_int_equal(rpc_set_count(lv->set), 0);
	lv_finish_later(lv);
	assert_non_null(model_network_by_name(&lv->model, "lan"));
}

/* One that only ended its sending still hears how its call ended. */
static void test_half_closed_meanwhile(void **state)
{
	struct lv *lv = *state;
	struct lv_client cl = lv_open(lv, SESSION_RW);

	lv->later = true;
	call_define(&cl, "lan");
	shutdown(cl.fd, SHUT_WR);
	expect_nothing(&cl);
	assert_int_equal(rpc_set_count(lv->set), 1);
	lv_finish_later(lv);
	expect_ok(&cl, DEFINE);
	expect_closed(&cl);
	lv_disconnect(&cl);
}

static void test_calls_bounded(void **state)
{
	struct lv *lv = *state;
	struct lv_client cl = lv_open(lv, SESSION_RW);
	char name[20];

	lv->later = true;
	for (int i = 0; i < RPC_CALLS_MAX + 10; i++) {
		snprintf(name, sizeof name, "n%d", i);
		call_define(&cl, name);
	}
	lv_turn(lv, RPC_CALLS_MAX + 20);
	assert_int_equal(lv->verb_cnt, RPC_CALLS_MAX);
	lv_finish_later(lv);
	lv_turn(lv, 20);
	assert_int_equal(lv->verb_cnt, RPC_CALLS_MAX + 10);
	lv_finish_later(lv);
	for (int i = 0; i < RPC_CALLS_MAX + 10; i++)
		expect_reply(&cl, DEFINE, RPC_OK);
	lv_disconnect(&cl);
}

/* ---- readers that do not read ---- */

static void test_does_not_read(void **state)
{
	struct lv *lv = *state;
	struct lv_client cl = lv_open(lv, SESSION_RW);
	size_t sent = 0;

	lv_call_begin(&cl, GET_TYPE);
	cl.out.p[3] = (uint8_t)cl.out.len;
	for (int i = 0; i < 100000; i++) {
		if (lv_write(&cl, cl.out.p, cl.out.len) != cl.out.len)
			break;
		sent++;
		if (i % 16 == 0)
			lv_turn(lv, 16);
	}
	assert_true(sent < 100000); /* it stops itself */
	assert_int_equal(rpc_set_count(lv->set), 1);
	lv_disconnect(&cl);
	lv_turn(lv, 3);
	assert_int_equal(rpc_set_count(lv->set), 0);
}

static void test_events_unread(void **state)
{
	struct lv *lv = *state;
	struct lv_client cl = lv_open(lv, SESSION_RW);
	struct nd_buf *b = lv_call_begin(&cl, 313);
	struct event ev = { .kind = EVENT_NETWORK_DEFINED };

	xdr_put_int(b, 0);
	xdr_put_uint(b, 0);
	lv_send(&cl);
	expect_ok(&cl, 313);
	for (int i = 0; i < 100000 && rpc_set_count(lv->set) == 1; i++) {
		events_emit(lv->core.events, &ev);
		if (i % 64 == 0)
			lv_turn(lv, 1);
	}
	assert_int_equal(rpc_set_count(lv->set), 0);
	lv_disconnect(&cl);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_sequence),
		T(test_before_auth),
		T(test_polkit_is_enough),
		T(test_no_rights),
		T(test_open),
		T(test_read_only_socket),
		T(test_read_only_open),
		T(test_unknown),
		T(test_other_programs),
		T(test_admin_socket),
		T(test_not_a_call),
		T(test_ping),
		T(test_no_ping_unasked),
		T(test_silent_client),
		T(test_living_client),
		T(test_close_callback_twice),
		T(test_byte_by_byte),
		T(test_pipeline),
		T(test_fair),
		T(test_no_frame),
		T(test_too_long),
		T(test_long_message),
		T(test_half_closed),
		T(test_out_of_order),
		T(test_gone_meanwhile),
		T(test_half_closed_meanwhile),
		T(test_calls_bounded),
		T(test_does_not_read),
		T(test_events_unread),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
