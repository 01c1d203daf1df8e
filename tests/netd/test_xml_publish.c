// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: tests of published ports added and removed one at a time, and of how guests are named */
#include "base/mem.h"
#include "netd/xml/netdef.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define NET(b)                                                                                          \
	"<network xmlns:netd='urn:netd:network:1'><name>n</name><ip address='10.0.0.1' prefix='24'/>" b \
	"</network>"

static struct netdef *parse(const char *xml)
{
	struct netdef *d = NULL;

	assert_int_equal(netdef_parse(xml, strlen(xml), NULL, NULL, NULL, &d, NULL), 0);
	return d;
}

static char *dump(const struct netdef *d)
{
	struct nd_buf out = { 0 };
	char *text;

	netdef_format(d, &out);
	text = strdup(nd_buf_string(&out));
	nd_buf_done(&out);
	return text;
}

static struct nd_ip ip(const char *s)
{
	struct nd_ip ret;

	assert_int_equal(nd_ip_from_string(s, &ret), 0);
	return ret;
}

#define WEB                                        \
	{                                          \
		.port = 80, .guest = (char *)"web" \
	}

static const struct {
	const char *base;
	struct netdef_publish p;
	int code;
	const char *message;
} additions[] = {
	{ NET(""), WEB, 0, NULL },
	{ NET("<netd:forward port='80' guest='web'/>"), WEB, ND_EXISTS,
	  "network 'n' publishes tcp port 80 to 'web' already" },
	{ NET("<netd:forward port='70' end='90' guest='db'/>"), WEB, ND_EXISTS,
	  "network 'n' publishes tcp ports 70 to 90 to 'db' already" },
	{ NET("<netd:forward port='80' address='192.0.2.1' guest='web'/>"), WEB, 0, NULL },
	{ NET("<netd:forward port='80' protocol='udp' guest='web'/>"), WEB, 0, NULL },
	{ NET(""),
	  { .port = 80 },
	  ND_INVALID,
	  "<netd:forward>: guest is a port's name, or a guest's MAC or IP address" },
	{ NET(""),
	  { .port = 0, .guest = (char *)"a" },
	  ND_INVALID,
	  "<netd:forward>: a port is from 1 to 65535" },
	{ NET(""),
	  { .port = 70000, .guest = (char *)"a" },
	  ND_INVALID,
	  "<netd:forward>: a port is from 1 to 65535" },
	{ NET(""),
	  { .protocol = 9, .port = 1, .guest = (char *)"a" },
	  ND_INVALID,
	  "<netd:forward>: protocol is tcp or udp" },
	{ NET(""),
	  { .port = 1, .guest = (char *)"10.0.1.9" },
	  ND_INVALID,
	  "<netd:forward> of tcp port 1 in network 'n': guest '10.0.1.9' lies in no subnet of the network" },
	{ NET("<netd:hostAccess mode='none'/>"), WEB, ND_INVALID,
	  "<netd:hostAccess mode='none'> in network 'n' leaves its bridge without an address, which "
	  "<netd:forward> needs" },
};

static void test_add(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(additions); i++) {
		struct netdef *d = parse(additions[i].base);
		size_t cnt = netdef_rare(d)->publish_cnt;
		nd_autofree char *before = dump(d), *after = NULL;
		struct nd_error e = ND_ERROR_INIT;
		char text[2000] = "";
		int err = netdef_publish_add(d, &additions[i].p, &e);

		if (err < 0)
			nd_error_format(&e, text, sizeof text);
		assert_string_equal(text, additions[i].message ? additions[i].message : "");
		assert_int_equal(err, additions[i].code);
		after = dump(d);
		if (err < 0) {
			assert_string_equal(before, after);
		} else {
			assert_int_equal(netdef_rare(d)->publish_cnt, cnt + 1);
			assert_string_equal(netdef_rare(d)->publishes[cnt].guest, additions[i].p.guest);
			assert_int_equal(netdef_rare(d)->publishes[cnt].protocol, NETDEF_PROTOCOL_TCP);
			assert_int_equal(netdef_publish_remove(d, &additions[i].p, NULL), 0);
			nd_autofree char *undone = dump(d);

			assert_string_equal(before, undone);
		}
		netdef_free(d);
	}
}

#define THREE                                                                                 \
	NET("<netd:forward port='80' guest='web'/>"                                           \
	    "<netd:forward address='192.0.2.1' port='80' end='89' guest='db' guestPort='1'/>" \
	    "<netd:forward protocol='udp' port='80' end='80' guest='web'/>")

static void assert_not_there(struct netdef *d, const struct netdef_publish *p, const char *message)
{
	struct nd_error e = ND_ERROR_INIT;

	assert_int_equal(netdef_publish_remove(d, p, &e), ND_NOT_FOUND);
	assert_string_equal(nd_error_text(&e), message);
	assert_int_equal(netdef_rare(d)->publish_cnt, 3);
}

static void test_remove(void **state)
{
	struct netdef *d = parse(THREE);
	const struct netdef_rare *x = netdef_rare(d);
	struct netdef_publish web = { .port = 80 }, udp = { .protocol = NETDEF_PROTOCOL_UDP, .port = 80 };
	struct netdef_publish db = { .address = ip("192.0.2.1"), .port = 80, .port_end = 88 };

	assert_not_there(d, &(struct netdef_publish){ .port = 81 },
			 "network 'n' does not publish tcp port 81");
	web.guest = (char *)"db";
	assert_not_there(d, &web, "network 'n' does not publish tcp port 80 to 'db'");
	assert_not_there(d, &db, "network 'n' does not publish tcp ports 80 to 88 of 192.0.2.1");
	db.port_end = 89;
	assert_int_equal(netdef_publish_remove(d, &db, NULL), 0);
	udp.guest = (char *)"web";
	assert_int_equal(netdef_publish_remove(d, &udp, NULL), 0);
	assert_int_equal(x->publish_cnt, 1);
	web.guest = NULL;
	assert_int_equal(netdef_publish_remove(d, &web, NULL), 0);
	assert_int_equal(x->publish_cnt, 0);
	assert_null(x->publishes);
	netdef_free(d);
}

static void test_full(void **state)
{
	struct netdef *d = parse(NET(""));
	struct nd_error e = ND_ERROR_INIT;
	struct netdef_publish p = WEB;

	/* As a parsed list of that length, without the time that so many checked additions take. */
	assert_int_equal(netdef_publish_add(d, &p, NULL), 0);
	d->rare->publishes = reallocarray(d->rare->publishes, NETDEF_RECORDS_MAX, sizeof p);
	for (unsigned i = 1; i < NETDEF_RECORDS_MAX; i++) {
		d->rare->publishes[i] = d->rare->publishes[0];
		d->rare->publishes[i].port = 80 + i;
		d->rare->publishes[i].guest = strdup("web");
	}
	d->rare->publish_cnt = NETDEF_RECORDS_MAX;
	p.port = 9999;
	assert_int_equal(netdef_publish_add(d, &p, &e), ND_INVALID);
	assert_string_equal(nd_error_text(&e), "<netd:forward> given more than 4096 times");
	assert_int_equal(netdef_rare(d)->publish_cnt, NETDEF_RECORDS_MAX);
	netdef_free(d);
}

static void test_guest_kind(void **state)
{
	static const struct {
		const char *s;
		int kind;
	} guests[] = {
		{ "web", NETDEF_GUEST_NAME },
		{ "web-1.lan_x", NETDEF_GUEST_NAME },
		{ "52:54:00:00:00:01", NETDEF_GUEST_MAC },
		{ "52-54-00-00-00-01", NETDEF_GUEST_MAC },
		{ "01:00:5e:00:00:01", -1 },
		{ "10.0.0.1", NETDEF_GUEST_ADDRESS },
		{ "fd00::1", NETDEF_GUEST_ADDRESS },
		{ "10.0.0", NETDEF_GUEST_NAME },
		{ "", -1 },
		{ "-a", -1 },
		{ "a/b", -1 },
		{ "a123456789b123456789c123456789d123456789e123456789f123456789012", NETDEF_GUEST_NAME },
		{ "a123456789b123456789c123456789d123456789e123456789f1234567890123", -1 },
	};
	struct nd_mac mac;
	struct nd_ip address;

	for (size_t i = 0; i < ARRAY_LEN(guests); i++)
		assert_int_equal(netdef_guest_kind(guests[i].s, NULL, NULL), guests[i].kind);
	assert_int_equal(netdef_guest_kind("52:54:00:00:00:01", &mac, NULL), NETDEF_GUEST_MAC);
	assert_int_equal(mac.b[5], 1);
	assert_int_equal(netdef_guest_kind("10.0.0.1", NULL, &address), NETDEF_GUEST_ADDRESS);
	assert_true(nd_ip_to_ip4(&address) == 0x0a000001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_guest_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
