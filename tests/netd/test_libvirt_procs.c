// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the procedures: what each gives back, refuses, and asks of the core; the table's own rules; events;
 * errors in libvirt's words.
 */
#include "base/mem.h"
#include "tests/netd/libvirt-harness.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum {
	LIST_DEFINED = 36,
	LIST = 38,
	CREATE = 39,
	CREATE_XML = 40,
	DEFINE = 41,
	DESTROY = 42,
	XML_DESC = 43,
	GET_AUTOSTART = 44,
	BRIDGE = 45,
	BY_NAME = 46,
	BY_UUID = 47,
	SET_AUTOSTART = 48,
	UNDEFINE = 49,
	NUM_DEFINED = 50,
	NUM = 52,
	FEATURE = 60,
	IS_ACTIVE = 152,
	IS_PERSISTENT = 153,
	LIST_ALL = 283,
	REGISTER = 313,
	DEREGISTER = 314,
	LEASES = 341,
	LIST_PORTS = 404,
	PORT_LOOKUP = 405,
	PORT_CREATE = 406,
	PORT_GET = 407,
	PORT_SET = 408,
	PORT_XML_DESC = 409,
	PORT_DELETE = 410,
	UPDATE = 291,
	IDENTITY = 419,
	SET_METADATA = 444,
	GET_METADATA = 445,
	DEFINE_FLAGS = 432,
};
#define XML                                                                                             \
	"<network><name>%s</name><uuid>%s</uuid><bridge name='br-%s'/>"                                 \
	"<ip address='10.1.0.1' netmask='255.255.255.0'><dhcp><range start='10.1.0.2' end='10.1.0.9'/>" \
	"</dhcp></ip></network>"
#define LAN  "8a6ce1f4-1111-4222-8333-444455556666"
#define LAB  "8a6ce1f4-1111-4222-8333-444455557777"
#define NONE "00000000-0000-4000-8000-000000000000"

struct fixture {
	struct lv lv;
	struct lv_client cl;
};

static int setup(void **state)
{
	struct fixture *f = malloc(sizeof *f);

	lv_init(&f->lv);
	f->cl = lv_open(&f->lv, SESSION_RW);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lv_disconnect(&f->cl);
	lv_done(&f->lv);
	free(f);
	return 0;
}

static struct nd_uuid uuid(const char *text)
{
	struct nd_uuid u;

	assert_int_equal(nd_uuid_from_string(text, &u), 0);
	return u;
}

static struct nd_buf *begin_on(struct lv_client *cl, uint32_t proc, const char *id)
{
	struct nd_buf *b = lv_call_begin(cl, proc);
	struct nd_uuid u = uuid(id);

	xdr_put_network(b, "its name does not matter", &u);
	return b;
}

static struct nd_reader answer(struct lv_client *cl, uint32_t proc, uint32_t status)
{
	struct rpc_header h;
	struct nd_reader body;

	lv_turn(cl->lv, 2);
	assert_true(lv_receive(cl, &h, &body));
	assert_int_equal(h.prog, LIBVIRT_PROGRAM);
	assert_int_equal(h.proc, proc);
	assert_int_equal(h.serial, cl->serial);
	assert_int_equal(h.status, status);
	return body;
}

static struct nd_reader ok(struct lv_client *cl, uint32_t proc)
{
	struct nd_reader body;

	lv_send(cl);
	body = answer(cl, proc, RPC_OK);
	assert_true(lv_body_fits(body, proc_row(proc)->out));
	return body;
}

static void bad(struct lv_client *cl, uint32_t proc, int code, const char *message)
{
	struct nd_reader body;
	union xdr_value v[XDR_VALUES_MAX];

	lv_send(cl);
	body = answer(cl, proc, RPC_ERROR);
	assert_int_equal(xdr_read(nd_read_sub(&body, nd_reader_left(&body) - 12), "iiSiuSSS", v), 0);
	assert_string_equal(v[2].s, message);
	assert_int_equal(v[0].i, code);
	xdr_free("iiSiuSSS", v);
}

static void expect_int(struct nd_reader body, int32_t want)
{
	assert_int_equal((int32_t)nd_read_be32(&body), want);
}

static int32_t int_of(struct lv_client *cl, uint32_t proc, const char *id)
{
	struct nd_reader body;

	begin_on(cl, proc, id);
	body = ok(cl, proc);
	return (int32_t)nd_read_be32(&body);
}

static char *string_of(struct nd_reader body)
{
	union xdr_value v[XDR_VALUES_MAX];

	assert_int_equal(xdr_read(body, "s", v), 0);
	return v[0].s;
}

static void define(struct lv_client *cl, const char *name, const char *id)
{
	char xml[500];

	snprintf(xml, sizeof xml, XML, name, id, name);
	xdr_put_string(lv_call_begin(cl, DEFINE), xml);
	ok(cl, DEFINE);
}

static void start(struct lv_client *cl, const char *id)
{
	begin_on(cl, CREATE, id);
	ok(cl, CREATE);
}

/* ---- the table ---- */

static void test_rows(void **state)
{
	size_t cnt = 0;

	assert_null(proc_row(0));
	assert_null(proc_row(PROC_LAST + 1));
	for (uint32_t i = 1; i <= PROC_LAST; i++) {
		const struct proc_row *row = proc_row(i);

		if (!row->name)
			continue;
		cnt++;
		assert_non_null(row->in);
		assert_non_null(row->out);
		assert_non_null(row->api);
		assert_true(strlen(row->in) <= XDR_VALUES_MAX);
		if (row->flags & PROC_DEFINITION)
			assert_non_null(strchr(row->in, 's'));
		if (row->flags & PROC_BEFORE_AUTH)
			assert_true(row->flags & PROC_BEFORE_OPEN);
	}
	assert_true(cnt >= 50);
}

/* An empty body, and one with a word too many: every row answers, none takes it for its arguments. */
static void test_wrong_arguments(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 3; i <= PROC_LAST; i++) {
		const struct proc_row *row = proc_row(i);

		if (!row->name || !row->call || i == 67)
			continue;
		if (row->in[0]) {
			lv_call_begin(&f->cl, i);
			bad(&f->cl, i, LIBVIRT_RPC, "Unable to decode message payload");
		}
		for (int words = 0; words < 5; words++)
			xdr_put_uint(words ? &f->cl.out : lv_call_begin(&f->cl, i), 0xdeadbeef);
		bad(&f->cl, i, LIBVIRT_RPC, "Unable to decode message payload");
	}
	assert_int_equal(f->lv.verb_cnt, 0);
}

/* ---- connection ---- */

static void test_features(void **state)
{
	static const int known[] = { 8, 9, 10, 14, 15, 16 }, unknown[] = { 0, 1, 7, 11, 13, 17, -1 };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		xdr_put_int(lv_call_begin(&f->cl, FEATURE), known[i]);
		expect_int(ok(&f->cl, FEATURE), 1);
	}
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
		xdr_put_int(lv_call_begin(&f->cl, FEATURE), unknown[i]);
		expect_int(ok(&f->cl, FEATURE), 0);
	}
}

static void test_answers_about_the_connection(void **state)
{
	static const struct {
		uint32_t proc;
		const char *text;
	} strings[] = { { 3, "network" }, { 110, "network:///system" } };
	static const uint32_t zeros[] = { 25, 51, 71, 73 }, empty[] = { 21, 37, 72, 74 };
	struct fixture *f = *state;
	struct nd_reader body;

	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		nd_autofree char *text = NULL;

		lv_call_begin(&f->cl, strings[i].proc);
		text = string_of(ok(&f->cl, strings[i].proc));
		assert_string_equal(text, strings[i].text);
	}
	lv_call_begin(&f->cl, 157);
	body = ok(&f->cl, 157);
	assert_true(nd_read_be64(&body) == 9000000);
	lv_call_begin(&f->cl, 149);
	expect_int(ok(&f->cl, 149), 1);
	for (size_t i = 0; i < ARRAY_LEN(zeros); i++) {
		lv_call_begin(&f->cl, zeros[i]);
		expect_int(ok(&f->cl, zeros[i]), 0);
		xdr_put_int(lv_call_begin(&f->cl, empty[i]), 100);
		expect_int(ok(&f->cl, empty[i]), 0);
	}
}

static void test_identity(void **state)
{
	struct fixture *f = *state;
	struct nd_buf *b = lv_call_begin(&f->cl, IDENTITY);

	xdr_put_uint(b, 3);
	xdr_put_string(b, "unix-user-id");
	xdr_put_uint(b, XDR_PARAM_ULLONG);
	xdr_put_hyper(b, 1234);
	xdr_put_string(b, "process-id");
	xdr_put_uint(b, XDR_PARAM_LLONG);
	xdr_put_hyper(b, 99);
	xdr_put_string(b, "user-name");
	xdr_put_uint(b, XDR_PARAM_STRING);
	xdr_put_string(b, "somebody");
	xdr_put_uint(b, 0);
	ok(&f->cl, IDENTITY);
	assert_int_equal(f->cl.session->identity.uid, 1234);
	assert_int_equal(f->cl.session->identity.pid, 99);
	assert_int_equal(f->cl.session->peer.cred.uid, 1001);
}

/* ---- networks ---- */

static void expect_not_found(struct lv_client *cl, uint32_t proc)
{
	bad(cl, proc, LIBVIRT_NO_NETWORK,
	    "Network not found: no network with matching uuid '" NONE "' (its name does not matter)");
}

static void test_lookup(void **state)
{
	struct fixture *f = *state;
	nd_autofree char *name = NULL;
	struct nd_uuid id = uuid(LAN);
	struct nd_reader body;

	xdr_put_string(lv_call_begin(&f->cl, BY_NAME), "lan");
	bad(&f->cl, BY_NAME, LIBVIRT_NO_NETWORK, "Network not found: no network with matching name 'lan'");
	model_broken_put(&f->lv.model, "torn", "/etc/netd/networks/torn.xml: line 1");
	xdr_put_string(lv_call_begin(&f->cl, BY_NAME), "torn");
	bad(&f->cl, BY_NAME, LIBVIRT_NO_NETWORK,
	    "Network not found: no network with matching name 'torn': its definition is broken: "
	    "/etc/netd/networks/torn.xml: line 1");
	xdr_put_uuid(lv_call_begin(&f->cl, BY_UUID), &id);
	bad(&f->cl, BY_UUID, LIBVIRT_NO_NETWORK,
	    "Network not found: no network with matching uuid '" LAN "'");
	define(&f->cl, "lan", LAN);
	xdr_put_string(lv_call_begin(&f->cl, BY_NAME), "lan");
	ok(&f->cl, BY_NAME);
	xdr_put_uuid(lv_call_begin(&f->cl, BY_UUID), &id);
	body = ok(&f->cl, BY_UUID);
	name = string_of(nd_read_sub(&body, 8));
	assert_string_equal(name, "lan");
}

/* Each procedure that names a network says the same when there is none. */
static void test_no_network(void **state)
{
	static const uint32_t procs[] = { CREATE, DESTROY,   UNDEFINE,     GET_AUTOSTART,
					  BRIDGE, IS_ACTIVE, IS_PERSISTENT };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(procs); i++) {
		begin_on(&f->cl, procs[i], NONE);
		expect_not_found(&f->cl, procs[i]);
	}
	xdr_put_uint(begin_on(&f->cl, XML_DESC, NONE), 0);
	expect_not_found(&f->cl, XML_DESC);
	xdr_put_uint(begin_on(&f->cl, SET_AUTOSTART, NONE), 1);
	expect_not_found(&f->cl, SET_AUTOSTART);
	assert_int_equal(f->lv.verb_cnt, 0);
}

static void test_life(void **state)
{
	struct fixture *f = *state;

	define(&f->cl, "lan", LAN);
	assert_int_equal(int_of(&f->cl, IS_ACTIVE, LAN), 0);
	assert_int_equal(int_of(&f->cl, IS_PERSISTENT, LAN), 1);
	start(&f->cl, LAN);
	assert_int_equal(int_of(&f->cl, IS_ACTIVE, LAN), 1);
	begin_on(&f->cl, CREATE, LAN);
	bad(&f->cl, CREATE, LIBVIRT_OPERATION_INVALID,
	    "Requested operation is not valid: network is already active");
	begin_on(&f->cl, DESTROY, LAN);
	ok(&f->cl, DESTROY);
	assert_true(f->lv.forced);
	begin_on(&f->cl, DESTROY, LAN);
	bad(&f->cl, DESTROY, LIBVIRT_OPERATION_INVALID,
	    "Requested operation is not valid: network 'lan' is not active");
	begin_on(&f->cl, UNDEFINE, LAN);
	ok(&f->cl, UNDEFINE);
	assert_null(model_network_by_name(&f->lv.model, "lan"));
}

static void test_xml_and_bridge(void **state)
{
	struct fixture *f = *state;
	nd_autofree char *xml = NULL, *bridge = NULL;

	define(&f->cl, "lan", LAN);
	xdr_put_uint(begin_on(&f->cl, XML_DESC, LAN), 1);
	xml = string_of(ok(&f->cl, XML_DESC));
	assert_non_null(strstr(xml, "<name>lan</name>"));
	xdr_put_uint(begin_on(&f->cl, XML_DESC, LAN), 6);
	bad(&f->cl, XML_DESC, LIBVIRT_INVALID_ARG,
	    "invalid argument: unsupported flags (0x6) in function virNetworkGetXMLDesc");
	begin_on(&f->cl, BRIDGE, LAN);
	bridge = string_of(ok(&f->cl, BRIDGE));
	assert_string_equal(bridge, "br-lan");
	model_network_by_name(&f->lv.model, "lan")->config->bridge[0] = '\0';
	begin_on(&f->cl, BRIDGE, LAN);
	bad(&f->cl, BRIDGE, LIBVIRT_INTERNAL, "internal error: network 'lan' does not have a bridge name.");
}

static void set_autostart(struct lv_client *cl, int32_t on)
{
	xdr_put_int(begin_on(cl, SET_AUTOSTART, LAN), on);
	ok(cl, SET_AUTOSTART);
}

static void test_autostart(void **state)
{
	struct fixture *f = *state;
	struct network *n;

	define(&f->cl, "lan", LAN);
	n = model_network_by_name(&f->lv.model, "lan");
	assert_int_equal(int_of(&f->cl, GET_AUTOSTART, LAN), 0);
	set_autostart(&f->cl, 1);
	assert_int_equal(n->autostart, NETDEF_AUTOSTART_BOOT);
	assert_int_equal(int_of(&f->cl, GET_AUTOSTART, LAN), 1);
	n->autostart = NETDEF_AUTOSTART_ON_ATTACH;
	assert_int_equal(int_of(&f->cl, GET_AUTOSTART, LAN), 1);
	set_autostart(&f->cl, 1);
	assert_int_equal(n->autostart, NETDEF_AUTOSTART_ON_ATTACH);
	set_autostart(&f->cl, 0);
	assert_int_equal(n->autostart, NETDEF_AUTOSTART_NO);
}

static void test_lists(void **state)
{
	static const struct {
		uint32_t flags, cnt;
	} rows[] = {
		{ 0, 2 },  { 1, 1 },  { 2, 1 },  { 3, 2 },      { 4, 2 },     { 8, 0 },  { 12, 2 },
		{ 16, 1 }, { 32, 1 }, { 48, 2 }, { 2 | 16, 0 }, { 1 | 4, 1 }, { 63, 2 }, { 2 | 32, 1 },
	};
	struct fixture *f = *state;
	struct nd_reader body;

	define(&f->cl, "lan", LAN);
	define(&f->cl, "lab", LAB);
	start(&f->cl, LAN);
	model_network_by_name(&f->lv.model, "lab")->autostart = NETDEF_AUTOSTART_ON_ATTACH;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (uint32_t need = 0; need < 2; need++) {
			struct nd_buf *b = lv_call_begin(&f->cl, LIST_ALL);

			xdr_put_uint(b, need);
			xdr_put_uint(b, rows[i].flags);
			body = ok(&f->cl, LIST_ALL);
			assert_int_equal(nd_read_be32(&body), need ? rows[i].cnt : 0);
			nd_read_skip(&body, nd_reader_left(&body) - 4);
			assert_int_equal(nd_read_be32(&body), rows[i].cnt);
		}
	}
	lv_call_begin(&f->cl, NUM);
	expect_int(ok(&f->cl, NUM), 1);
	lv_call_begin(&f->cl, NUM_DEFINED);
	expect_int(ok(&f->cl, NUM_DEFINED), 1);
	xdr_put_int(lv_call_begin(&f->cl, LIST), 10);
	expect_int(ok(&f->cl, LIST), 1);
	xdr_put_int(lv_call_begin(&f->cl, LIST_DEFINED), 0);
	expect_int(ok(&f->cl, LIST_DEFINED), 0);
	xdr_put_int(lv_call_begin(&f->cl, LIST), -1);
	bad(&f->cl, LIST, LIBVIRT_RPC, "Too many networks '-1' for limit '16384'");
}

/* ---- definitions ---- */

static void test_define_errors(void **state)
{
	struct fixture *f = *state;

	xdr_put_string(lv_call_begin(&f->cl, DEFINE), "<network>");
	bad(&f->cl, DEFINE, LIBVIRT_XML_DETAIL,
	    "(network_definition):1: Premature end of data in tag network line 1");
	xdr_put_string(lv_call_begin(&f->cl, DEFINE), "<domain/>");
	bad(&f->cl, DEFINE, LIBVIRT_XML_ERROR,
	    "XML error: expecting root element of 'network', not 'domain'");
}

static void test_validate(void **state)
{
	struct fixture *f = *state;
	struct nd_buf *b = lv_call_begin(&f->cl, DEFINE_FLAGS);

	xdr_put_string(b, "<network><name>lan</name><nonsense/></network>");
	xdr_put_uint(b, 1);
	bad(&f->cl, DEFINE_FLAGS, LIBVIRT_XML_INVALID_SCHEMA,
	    "XML document failed to validate against schema: line 1: <nonsense>: unknown element, not kept");
	b = lv_call_begin(&f->cl, DEFINE_FLAGS);
	xdr_put_string(b, "<network><name>lan</name></network>");
	xdr_put_uint(b, 2);
	bad(&f->cl, DEFINE_FLAGS, LIBVIRT_INVALID_ARG,
	    "invalid argument: unsupported flags (0x2) in function virNetworkDefineXMLFlags");
	assert_int_equal(f->lv.verb_cnt, 0);
	b = lv_call_begin(&f->cl, DEFINE_FLAGS);
	xdr_put_string(b, "<network><name>lan</name></network>");
	xdr_put_uint(b, 1);
	ok(&f->cl, DEFINE_FLAGS);
	b = lv_call_begin(&f->cl, DEFINE_FLAGS);
	xdr_put_string(b, "<network><name>lab</name><nonsense/></network>");
	xdr_put_uint(b, 0);
	ok(&f->cl, DEFINE_FLAGS);
}

static void test_identity_of_definitions(void **state)
{
	struct fixture *f = *state;
	char xml[500];

	define(&f->cl, "lan", LAN);
	define(&f->cl, "lan", LAN);
	xdr_put_string(lv_call_begin(&f->cl, DEFINE), "<network><name>lan</name></network>");
	bad(&f->cl, DEFINE, LIBVIRT_OPERATION_FAILED,
	    "operation failed: network 'lan' already exists with uuid " LAN);
	snprintf(xml, sizeof xml, XML, "lan", LAB, "x");
	xdr_put_string(lv_call_begin(&f->cl, DEFINE), xml);
	bad(&f->cl, DEFINE, LIBVIRT_OPERATION_FAILED,
	    "operation failed: network 'lan' already exists with uuid " LAN);
	snprintf(xml, sizeof xml, XML, "other", LAN, "x");
	xdr_put_string(lv_call_begin(&f->cl, CREATE_XML), xml);
	bad(&f->cl, CREATE_XML, LIBVIRT_OPERATION_FAILED,
	    "operation failed: network 'lan' is already defined with uuid " LAN);
	start(&f->cl, LAN);
	snprintf(xml, sizeof xml, XML, "lan", LAN, "x");
	xdr_put_string(lv_call_begin(&f->cl, CREATE_XML), xml);
	bad(&f->cl, CREATE_XML, LIBVIRT_OPERATION_INVALID,
	    "Requested operation is not valid: network is already active as 'lan'");
}

/* What the core says, as libvirt's code and words. */
static void test_core_errors(void **state)
{
	static const struct {
		int nd, code;
		const char *cause, *message;
	} rows[] = {
		{ ND_STATE, 55, "network is busy", "Requested operation is not valid: network is busy" },
		{ ND_EXISTS, 9, "network 'a' already exists with uuid U",
		  "operation failed: network 'a' already exists with uuid U" },
		{ ND_EXISTS, 1, "bridge name 'b' already in use.",
		  "internal error: bridge name 'b' already in use." },
		{ ND_CONFLICT, 1, "Network is already in use by interface eth0",
		  "internal error: Network is already in use by interface eth0" },
		{ ND_UNSUPPORTED, 67, "no", "unsupported configuration: no" },
		{ ND_BUSY, 87, "no", "resource busy: no" },
		{ ND_SYSTEM, 38, "no", "no" },
		{ ND_MEMORY, 2, "no", "out of memory: no" },
		{ ND_LIMIT, 9, "no", "operation failed: no" },
		{ ND_INTERNAL, 1, "no", "internal error: no" },
		{ ND_INVALID, 8, "no", "invalid argument: no" },
	};
	struct fixture *f = *state;

	define(&f->cl, "lan", LAN);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		f->lv.fail = rows[i].nd;
		f->lv.cause = rows[i].cause;
		begin_on(&f->cl, CREATE, LAN);
		bad(&f->cl, CREATE, rows[i].code, rows[i].message);
	}
}

static void test_error_frames(void **state)
{
	struct nd_error e = ND_ERROR_INIT;
	struct libvirt_error err;
	char text[LIBVIRT_DETAIL_MAX];

	nd_fail(&e, ND_STATE, "network is not active");
	nd_wrap(&e, "network 'lan'");
	libvirt_error_from_core(&err, &e, LIBVIRT_ANYWHERE);
	libvirt_error_message(&err, text, sizeof text);
	assert_string_equal(text, "Requested operation is not valid: network is not active");
	nd_error_reset(&e);
	nd_fail(&e, ND_SYSTEM, "create");
	nd_wrap(&e, "bridge 'b'");
	nd_wrap(&e, "network 'lan'");
	libvirt_error_from_core(&err, &e, LIBVIRT_ANYWHERE);
	libvirt_error_message(&err, text, sizeof text);
	assert_string_equal(text, "network 'lan': bridge 'b': create");
	nd_error_reset(&e);
	nd_fail(&e, ND_INVALID, "missing name information");
	nd_wrap(&e, "line 1: <network>");
	libvirt_error_from_core(&err, &e, LIBVIRT_IN_DEFINITION);
	libvirt_error_message(&err, text, sizeof text);
	assert_int_equal(err.code, LIBVIRT_NO_NAME);
	assert_string_equal(text, "missing name information");
	nd_error_reset(&e);
	nd_fail(&e, ND_INVALID, "wrong");
	nd_wrap(&e, "line 3");
	nd_wrap(&e, "network 'lan'");
	libvirt_error_from_core(&err, &e, LIBVIRT_IN_DEFINITION);
	libvirt_error_message(&err, text, sizeof text);
	assert_string_equal(text, "XML error: wrong");
	nd_error_reset(&e);
	nd_fail(&e, ND_INVALID, "attribute 'x': 'y' is not z"); /* the parser's own words need the place */
	nd_wrap(&e, "line 3");
	nd_wrap(&e, "network 'lan'");
	libvirt_error_from_core(&err, &e, LIBVIRT_IN_DEFINITION);
	libvirt_error_message(&err, text, sizeof text);
	assert_string_equal(text, "XML error: line 3: attribute 'x': 'y' is not z");
}

/* Every code of the core has a row, and no two codes of libvirt's get mixed up with none. */
static void test_error_totality(void **state)
{
	struct libvirt_error err;

	for (int code = -1; code > -ND_CODE_CNT; code--) {
		struct nd_error e = ND_ERROR_INIT;

		nd_fail(&e, code, "text");
		libvirt_error_from_core(&err, &e, LIBVIRT_ANYWHERE);
		if (code != ND_INTERNAL && code != ND_CONFLICT && code != ND_OVERRUN)
			assert_int_not_equal(err.code, LIBVIRT_INTERNAL);
	}
}

/* ---- parts ---- */

static void test_update(void **state)
{
	struct fixture *f = *state;
	struct nd_buf *b;

	define(&f->cl, "lan", LAN);
	b = begin_on(&f->cl, UPDATE, LAN);
	xdr_put_uint(b, 3);
	xdr_put_uint(b, 4);
	xdr_put_int(b, -1);
	xdr_put_string(b, "<host/>");
	xdr_put_uint(b, 3);
	ok(&f->cl, UPDATE);
	assert_string_equal(f->lv.told, "3 4 -1 3 <host/>");
	b = begin_on(&f->cl, UPDATE, LAN);
	xdr_put_uint(b, 1);
	xdr_put_uint(b, 9);
	xdr_put_int(b, 2);
	xdr_put_string(b, "");
	xdr_put_uint(b, 4);
	bad(&f->cl, UPDATE, LIBVIRT_INVALID_ARG,
	    "invalid argument: unsupported flags (0x4) in function virNetworkUpdate");
	f->lv.fail = ND_UNSUPPORTED;
	f->lv.cause = "no";
	b = begin_on(&f->cl, UPDATE, LAN);
	xdr_put_uint(b, 1);
	xdr_put_uint(b, 9);
	xdr_put_int(b, 2);
	xdr_put_string(b, "");
	xdr_put_uint(b, 0);
	bad(&f->cl, UPDATE, LIBVIRT_OPERATION_UNSUPPORTED, "Operation not supported: no");
}

static struct nd_buf *begin_metadata(struct fixture *f, int32_t type, const char *value)
{
	struct nd_buf *b = begin_on(&f->cl, SET_METADATA, LAN);

	xdr_put_int(b, type);
	xdr_put_string_or_none(b, value);
	return b;
}

static void ask_metadata(struct fixture *f, int32_t type, const char *uri)
{
	struct nd_buf *b = begin_on(&f->cl, GET_METADATA, LAN);

	xdr_put_int(b, type);
	xdr_put_string_or_none(b, uri);
	xdr_put_uint(b, 0);
}

static void test_metadata_get(void **state)
{
	struct fixture *f = *state;
	nd_autofree char *text = NULL;

	define(&f->cl, "lan", LAN);
	ask_metadata(f, 2, "urn:a");
	text = string_of(ok(&f->cl, GET_METADATA));
	assert_string_equal(text, "urn:a");
	ask_metadata(f, 1, NULL);
	bad(&f->cl, GET_METADATA, LIBVIRT_NO_NETWORK_METADATA,
	    "metadata not found: Requested metadata element is not present");
	ask_metadata(f, -1, NULL);
	bad(&f->cl, GET_METADATA, LIBVIRT_INVALID_ARG, "invalid argument: unknown metadata type -1");
}

static void test_metadata(void **state)
{
	struct fixture *f = *state;
	struct nd_buf *b;

	define(&f->cl, "lan", LAN);
	b = begin_metadata(f, 2, "<a/>");
	xdr_put_string_or_none(b, "key");
	xdr_put_string_or_none(b, "urn:a");
	xdr_put_uint(b, 2);
	ok(&f->cl, SET_METADATA);
	assert_string_equal(f->lv.told, "2 2 <a/> key urn:a");
	b = begin_metadata(f, 1, NULL);
	xdr_put_string_or_none(b, NULL);
	xdr_put_string_or_none(b, NULL);
	xdr_put_uint(b, 0);
	ok(&f->cl, SET_METADATA);
	assert_string_equal(f->lv.told, "1 0 - - -");
	b = begin_metadata(f, 3, NULL);
	xdr_put_string_or_none(b, NULL);
	xdr_put_string_or_none(b, NULL);
	xdr_put_uint(b, 0);
	bad(&f->cl, SET_METADATA, LIBVIRT_INVALID_ARG, "invalid argument: unknown metadata type 3");
}

/* ---- leases ---- */

static void ask_leases(struct lv_client *cl, const char *mac, int32_t need)
{
	struct nd_buf *b = begin_on(cl, LEASES, LAN);

	xdr_put_string_or_none(b, mac);
	xdr_put_int(b, need);
	xdr_put_uint(b, 0);
}

static void test_leases(void **state)
{
	struct fixture *f = *state;
	struct nd_reader body;
	union xdr_value v[XDR_VALUES_MAX];

	define(&f->cl, "lan", LAN);
	ask_leases(&f->cl, NULL, 1);
	expect_int(ok(&f->cl, LEASES), 0);
	f->lv.leases[0] = (struct dhcp_lease){ .ip4 = 0x0a010002,
					       .mac = { { 0x52, 0x54, 0, 1, 2, 3 } },
					       .hostname = "guest",
					       .client_id = { .len = 3, .bytes = { 1, 0x52, 0xff } },
					       .expiry_s = 1700000000 };
	f->lv.leases[1] = (struct dhcp_lease){ .ip4 = 0xc0a80001, .expiry_s = UINT64_MAX };
	f->lv.lease_cnt = 2;
	ask_leases(&f->cl, NULL, 0);
	expect_int(ok(&f->cl, LEASES), 0);
	ask_leases(&f->cl, "52:54:00:01:02:03", 1);
	body = ok(&f->cl, LEASES);
	assert_int_equal(nd_read_be32(&body), 2);
	assert_int_equal(nd_read_be32(&body), 6);
	assert_memory_equal(nd_read_view(&body, 8), "br-lan\0", 8);
	assert_true(nd_read_be64(&body) == 1700000000);
	assert_int_equal(nd_read_be32(&body), 0);
	/* mac 4 + 4 + 20, no iaid 4, address 4 + 8, prefix 4, hostname 4 + 4 + 8, client id 4 + 4 + 8 */
	assert_int_equal(xdr_read(nd_read_sub(&body, 80), "SSsuSS", v), 0);
	assert_string_equal(v[0].s, "52:54:00:01:02:03");
	assert_null(v[1].s);
	assert_string_equal(v[2].s, "10.1.0.2");
	assert_int_equal(v[3].u, 24);
	assert_string_equal(v[4].s, "guest");
	assert_string_equal(v[5].s, "01:52:ff");
	xdr_free("SSsuSS", v);
	ask_leases(&f->cl, "nonsense", 1);
	bad(&f->cl, LEASES, LIBVIRT_INVALID_MAC, "invalid MAC address: nonsense");
}

/* The network went while the disk was asked. */
static void test_leases_of_the_gone(void **state)
{
	struct fixture *f = *state;
	struct network *n;

	define(&f->cl, "lan", LAN);
	f->lv.later = true;
	ask_leases(&f->cl, NULL, 1);
	lv_send(&f->cl);
	lv_turn(&f->lv, 2);
	n = model_network_by_name(&f->lv.model, "lan");
	model_network_remove(&f->lv.model, n);
	model_network_free(n);
	lv_finish_later(&f->lv);
	answer(&f->cl, LEASES, RPC_ERROR);
}

/* ---- ports ---- */

static struct port *add_port(struct lv *lv, const char *id)
{
	struct nd_uuid u = uuid(id);
	struct port *p = model_port_new(&u);
	struct network *n = model_network_by_name(&lv->model, "lan");

	p->network = n;
	p->mark = 1;
	p->ifindex = 5;
	assert_int_equal(model_port_add(&lv->model, n, p), 0);
	return p;
}

static void test_ports(void **state)
{
	struct fixture *f = *state;
	struct nd_uuid id = uuid(LAB);
	struct nd_buf *b;

	define(&f->cl, "lan", LAN);
	b = begin_on(&f->cl, LIST_PORTS, LAN);
	xdr_put_int(b, 1);
	xdr_put_uint(b, 0);
	bad(&f->cl, LIST_PORTS, LIBVIRT_OPERATION_INVALID,
	    "Requested operation is not valid: network 'lan' is not active");
	start(&f->cl, LAN);
	b = begin_on(&f->cl, PORT_LOOKUP, LAN);
	xdr_put_uuid(b, &id);
	bad(&f->cl, PORT_LOOKUP, LIBVIRT_NO_NETWORK_PORT,
	    "network port not found: Network port with UUID " LAB " does not exist");
	add_port(&f->lv, LAB);
	b = begin_on(&f->cl, LIST_PORTS, LAN);
	xdr_put_int(b, 1);
	xdr_put_uint(b, 0);
	expect_int(ok(&f->cl, LIST_PORTS), 1);
	b = begin_on(&f->cl, PORT_LOOKUP, LAN);
	xdr_put_uuid(b, &id);
	ok(&f->cl, PORT_LOOKUP);
	b = begin_on(&f->cl, PORT_DELETE, LAN);
	xdr_put_uuid(b, &id);
	xdr_put_uint(b, 0);
	ok(&f->cl, PORT_DELETE);
	assert_null(model_port_by_uuid(&f->lv.model, &id));
}

#define PORT_XML                                                                              \
	"<networkport><uuid>" LAB "</uuid><owner><name>vm</name><uuid>" LAB "</uuid></owner>" \
	"<mac address='52:54:00:00:00:01'/>"

static void create_port(struct lv_client *cl, const char *xml, uint32_t flags)
{
	struct nd_buf *b = begin_on(cl, PORT_CREATE, LAN);

	xdr_put_string(b, xml);
	xdr_put_uint(b, flags);
}

static struct nd_buf *begin_on_port(struct lv_client *cl, uint32_t proc)
{
	struct nd_uuid id = uuid(LAB);
	struct nd_buf *b = begin_on(cl, proc, LAN);

	xdr_put_uuid(b, &id);
	return b;
}

/* Their names and values: "inbound.average=5 …" */
static void expect_parameters(struct lv_client *cl, const char *want)
{
	struct nd_buf *b = begin_on_port(cl, PORT_GET), text = { .max = 0 };
	union xdr_value v[XDR_VALUES_MAX];

	xdr_put_int(b, 16);
	xdr_put_uint(b, 0);
	assert_int_equal(xdr_read(ok(cl, PORT_GET), "pi", v), 0);
	assert_int_equal(v[0].params.cnt, v[1].i);
	for (size_t i = 0; i < v[0].params.cnt; i++) {
		assert_int_equal(v[0].params.list[i].type, XDR_PARAM_UINT);
		nd_buf_printf(&text, "%s=%u ", v[0].params.list[i].name, (unsigned)v[0].params.list[i].bits);
	}
	assert_string_equal(nd_buf_string(&text), want);
	nd_buf_done(&text);
	xdr_free("pi", v);
}

static void test_port_documents(void **state)
{
	struct fixture *f = *state;
	union xdr_value v[XDR_VALUES_MAX];
	struct nd_buf *b;

	define(&f->cl, "lan", LAN);
	create_port(&f->cl, PORT_XML "</networkport>", 0);
	bad(&f->cl, PORT_CREATE, LIBVIRT_OPERATION_INVALID,
	    "Requested operation is not valid: network 'lan' is not active");
	start(&f->cl, LAN);
	create_port(&f->cl, "<networkport/>", 0);
	bad(&f->cl, PORT_CREATE, LIBVIRT_INTERNAL, "internal error: network port has no uuid");
	create_port(&f->cl, PORT_XML "<plug type='foo'/></networkport>", 0);
	bad(&f->cl, PORT_CREATE, LIBVIRT_XML_ERROR,
	    "XML error: Invalid value for attribute 'type' in element 'plug': 'foo'.");
	create_port(&f->cl, PORT_XML "<foo/></networkport>", 2);
	bad(&f->cl, PORT_CREATE, LIBVIRT_XML_INVALID_SCHEMA,
	    "XML document failed to validate against schema: line 1: <foo>: unknown element, not kept");
	create_port(&f->cl, PORT_XML "</networkport>", 4);
	bad(&f->cl, PORT_CREATE, LIBVIRT_INVALID_ARG,
	    "invalid argument: unsupported flags (0x4) in function virNetworkPortCreateXML");
	create_port(&f->cl, PORT_XML "</networkport>", 2);
	ok(&f->cl, PORT_CREATE);
	create_port(&f->cl, PORT_XML "</networkport>", 1);
	bad(&f->cl, PORT_CREATE, LIBVIRT_NETWORK_PORT_EXIST,
	    "network port Network port with UUID X already exists exists already");
	b = begin_on_port(&f->cl, PORT_XML_DESC);
	xdr_put_uint(b, 0);
	assert_int_equal(xdr_read(ok(&f->cl, PORT_XML_DESC), "s", v), 0);
	assert_non_null(strstr(v[0].s, "  <mac address='52:54:00:00:00:01'/>\n</networkport>\n"));
	xdr_free("s", v);
}

static void test_port_parameters(void **state)
{
	struct fixture *f = *state;
	struct nd_buf *b;

	define(&f->cl, "lan", LAN);
	start(&f->cl, LAN);
	create_port(&f->cl, PORT_XML "</networkport>", 0);
	ok(&f->cl, PORT_CREATE);
	expect_parameters(&f->cl, "");
	b = begin_on_port(&f->cl, PORT_SET);
	xdr_put_uint(b, 3);
	xdr_put_param_uint(b, "inbound.average", 5);
	xdr_put_param_uint(b, "inbound.peak", 6);
	xdr_put_param_uint(b, "unheard.of", 7);
	xdr_put_uint(b, 0);
	ok(&f->cl, PORT_SET);
	expect_parameters(&f->cl, "inbound.average=5 inbound.peak=6 inbound.floor=0 inbound.burst=0 ");
	b = begin_on_port(&f->cl, PORT_SET);
	xdr_put_uint(b, 1);
	xdr_put_param_uint(b, "inbound.floor", 5);
	xdr_put_uint(b, 0);
	bad(&f->cl, PORT_SET, LIBVIRT_OPERATION_UNSUPPORTED,
	    "Operation not supported: Invalid use of 'floor' on interface");
	b = begin_on_port(&f->cl, PORT_SET);
	xdr_put_uint(b, 0);
	xdr_put_uint(b, 0);
	ok(&f->cl, PORT_SET);
	expect_parameters(&f->cl, "");
}

/* ---- events ---- */

static int32_t subscribe(struct lv_client *cl, int32_t event, const char *only)
{
	struct nd_buf *b = lv_call_begin(cl, REGISTER);
	struct nd_reader body;

	xdr_put_int(b, event);
	xdr_put_uint(b, only != NULL);
	if (only) {
		struct nd_uuid u = uuid(only);

		xdr_put_network(b, "name", &u);
	}
	body = ok(cl, REGISTER);
	return (int32_t)nd_read_be32(&body);
}

static void expect_event(struct lv_client *cl, int32_t callback, const char *name, int32_t what)
{
	struct rpc_header h;
	struct nd_reader body;
	union xdr_value v[XDR_VALUES_MAX];

	lv_turn(cl->lv, 2);
	assert_true(lv_receive(cl, &h, &body));
	assert_int_equal(h.proc, PROC_EVENT_LIFECYCLE);
	assert_int_equal(h.type, RPC_MESSAGE);
	assert_int_equal(h.status, RPC_OK);
	assert_int_equal(xdr_read(body, "iNii", v), 0);
	assert_int_equal(v[0].i, callback);
	assert_string_equal(v[1].network.name, name);
	assert_int_equal(v[2].i, what);
	assert_int_equal(v[3].i, 0);
	xdr_free("iNii", v);
}

static void expect_silence(struct lv_client *cl)
{
	struct rpc_header h;
	struct nd_reader body;

	lv_turn(cl->lv, 2);
	assert_false(lv_receive(cl, &h, &body));
}

static void test_events(void **state)
{
	struct fixture *f = *state;
	struct lv_client watcher = lv_open(&f->lv, SESSION_RO);
	int32_t id = subscribe(&watcher, 0, NULL);

	define(&f->cl, "lan", LAN);
	expect_event(&watcher, id, "lan", 0);
	start(&f->cl, LAN);
	expect_event(&watcher, id, "lan", 2);
	begin_on(&f->cl, DESTROY, LAN);
	ok(&f->cl, DESTROY);
	expect_event(&watcher, id, "lan", 3);
	begin_on(&f->cl, UNDEFINE, LAN);
	ok(&f->cl, UNDEFINE);
	expect_event(&watcher, id, "lan", 1);
	xdr_put_int(lv_call_begin(&watcher, DEREGISTER), id);
	ok(&watcher, DEREGISTER);
	define(&f->cl, "lan", LAN);
	expect_silence(&watcher);
	xdr_put_int(lv_call_begin(&watcher, DEREGISTER), id);
	bad(&watcher, DEREGISTER, LIBVIRT_INTERNAL,
	    "internal error: network event callback 0 not registered");
	lv_disconnect(&watcher);
}

/* One message, with what was changed; of other changes nothing is told. */
static void test_event_metadata(void **state)
{
	struct fixture *f = *state;
	struct event ev = { .kind = EVENT_NETWORK_METADATA, .network = "lan", .network_uuid = uuid(LAN) };
	struct rpc_header h;
	struct nd_reader body;
	union xdr_value v[XDR_VALUES_MAX];
	int32_t lifecycle, metadata;

	define(&f->cl, "lan", LAN);
	lifecycle = subscribe(&f->cl, 0, NULL);
	metadata = subscribe(&f->cl, 1, LAN);
	assert_int_not_equal(lifecycle, metadata);
	for (int type = 0; type <= 2; type++) {
		ev.metadata = type;
		snprintf(ev.uri, sizeof ev.uri, "%s", type == 2 ? "http://example.org" : "");
		events_emit(f->lv.core.events, &ev);
		lv_turn(&f->lv, 2);
		assert_true(lv_receive(&f->cl, &h, &body));
		assert_int_equal(h.proc, PROC_EVENT_METADATA_CHANGE);
		assert_int_equal(h.type, RPC_MESSAGE);
		assert_int_equal(xdr_read(body, "iNiS", v), 0);
		assert_int_equal(v[0].i, metadata);
		assert_string_equal(v[1].network.name, "lan");
		assert_int_equal(v[2].i, type);
		if (type == 2)
			assert_string_equal(v[3].s, "http://example.org");
		else
			assert_null(v[3].s);
		xdr_free("iNiS", v);
	}
	ev.kind = EVENT_NETWORK_CHANGED;
	events_emit(f->lv.core.events, &ev);
	expect_silence(&f->cl);
}

static void test_event_filter(void **state)
{
	struct fixture *f = *state;
	struct lv_client watcher = lv_open(&f->lv, SESSION_RO);
	int32_t one, two;

	define(&f->cl, "lan", LAN);
	define(&f->cl, "lab", LAB);
	one = subscribe(&watcher, 0, LAN);
	two = subscribe(&watcher, 0, LAN);
	subscribe(&watcher, 1, NULL); /* metadata */
	assert_int_not_equal(one, two);
	start(&f->cl, LAB);
	expect_silence(&watcher);
	start(&f->cl, LAN);
	expect_event(&watcher, one, "lan", 2);
	expect_event(&watcher, two, "lan", 2);
	expect_silence(&watcher);
	lv_disconnect(&watcher);
}

static void test_event_limits(void **state)
{
	struct fixture *f = *state;
	struct nd_buf *b;

	b = lv_call_begin(&f->cl, REGISTER);
	xdr_put_int(b, 2);
	xdr_put_uint(b, 0);
	bad(&f->cl, REGISTER, LIBVIRT_INTERNAL, "internal error: unsupported network event ID 2");
	f->cl.session->peer.level = ACCESS_NONE;
	for (int i = 0; i < OTHERS_CALLBACK_MAX; i++)
		subscribe(&f->cl, 0, NULL);
	b = lv_call_begin(&f->cl, REGISTER);
	xdr_put_int(b, 0);
	xdr_put_uint(b, 0);
	bad(&f->cl, REGISTER, LIBVIRT_OPERATION_FAILED,
	    "operation failed: this client may register 16 callbacks at most");
	f->cl.session->peer.level = ACCESS_ADMIN;
	for (int i = OTHERS_CALLBACK_MAX; i < SESSION_CALLBACK_MAX; i++)
		subscribe(&f->cl, 0, NULL);
	b = lv_call_begin(&f->cl, REGISTER);
	xdr_put_int(b, 0);
	xdr_put_uint(b, 0);
	bad(&f->cl, REGISTER, LIBVIRT_OPERATION_FAILED,
	    "operation failed: this client may register 256 callbacks at most");
}

/* A long name is not the cut one of the core's event. */
static void test_event_long_name(void **state)
{
	char name[151], xml[500];
	struct fixture *f = *state;
	int32_t id = subscribe(&f->cl, 0, NULL);

	memset(name, 'x', 150);
	name[150] = '\0';
	snprintf(xml, sizeof xml, "<network><name>%s</name></network>", name);
	xdr_put_string(lv_call_begin(&f->cl, DEFINE), xml);
	lv_send(&f->cl);
	expect_event(&f->cl, id, name, 0); /* it happened before the call was answered */
	answer(&f->cl, DEFINE, RPC_OK);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_error_frames),
		cmocka_unit_test(test_error_totality),
		T(test_wrong_arguments),
		T(test_features),
		T(test_answers_about_the_connection),
		T(test_identity),
		T(test_lookup),
		T(test_no_network),
		T(test_life),
		T(test_xml_and_bridge),
		T(test_autostart),
		T(test_lists),
		T(test_define_errors),
		T(test_validate),
		T(test_identity_of_definitions),
		T(test_core_errors),
		T(test_update),
		T(test_metadata),
		T(test_metadata_get),
		T(test_leases),
		T(test_leases_of_the_gone),
		T(test_ports),
		T(test_port_documents),
		T(test_port_parameters),
		T(test_events),
		T(test_event_metadata),
		T(test_event_filter),
		T(test_event_limits),
		T(test_event_long_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
