// SPDX-License-Identifier: GPL-2.0-or-later
/* Option rows: length rules, host names, and how a reply's options are ordered and spread over three areas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dhcp/option.h"

static void test_rows(void **state)
{
	assert_int_equal(dhcp_option_cnt, DHCP_OPTION_CNT);
	for (size_t i = 0; i < dhcp_option_cnt; i++) {
		const struct dhcp_option *o = &dhcp_options[i];

		assert_ptr_equal(dhcp_option_find(o->code), o);
		assert_non_null(o->name);
		assert_non_null(o->rfc);
		assert_true(o->len_min <= o->len_max && o->len_max <= 255 && o->len_unit > 0);
		/* What has a place in replies can be written, and nothing else. */
		assert_int_equal(o->place != DHCP_PLACE_NONE, o->encode != NULL);
	}
	assert_null(dhcp_option_find(DHCP_OPTION_PAD));
	assert_null(dhcp_option_find(DHCP_OPTION_END));
	assert_null(dhcp_option_find(200));
}

static const struct {
	uint8_t code;
	const char *bytes;
	uint16_t len;
	bool want;
} lengths[] = {
	{ DHCP_OPTION_TYPE, "\1", 1, true },
	{ DHCP_OPTION_TYPE, "", 0, false },
	{ DHCP_OPTION_TYPE, "\1\1", 2, false },
	{ DHCP_OPTION_REQUESTED_IP, "\1\2\3\4", 4, true },
	{ DHCP_OPTION_REQUESTED_IP, "\1\2\3", 3, false },
	{ DHCP_OPTION_SERVER_ID, "\1\2\3\4\5", 5, false },
	{ DHCP_OPTION_LEASE_TIME, "\1\2\3\4", 4, true },
	{ DHCP_OPTION_MAX_SIZE, "\5\334", 2, true },
	{ DHCP_OPTION_MAX_SIZE, "\5", 1, false },
	{ DHCP_OPTION_PARAMETERS, "", 0, false },
	{ DHCP_OPTION_CLIENT_ID, "", 0, false },
	{ DHCP_OPTION_CLIENT_ID, "x", 1, true },
	{ DHCP_OPTION_HOST_NAME, "", 0, true },
	{ DHCP_OPTION_VENDOR_CLASS, "", 0, true },
	{ DHCP_OPTION_RELAY_INFO, "\1", 1, false },
	{ DHCP_OPTION_FQDN, "\0\0", 2, false },
	{ DHCP_OPTION_FQDN, "\4\0\0\77ab", 6, false },   /* label longer than what follows */
	{ DHCP_OPTION_FQDN, "\4\0\0\300\14", 5, false }, /* compression pointer */
	{ DHCP_OPTION_MASK, "\1", 1, true },             /* not read from clients: no rule applies */
};

static void test_lengths(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct dhcp_view v = { (const uint8_t *)lengths[i].bytes, lengths[i].len };
		struct dhcp_asked a = { 0 };

		if (dhcp_option_decode(dhcp_option_find(lengths[i].code), &v, &a) != lengths[i].want)
			fail_msg("row %zu", i);
	}
}

static const struct {
	const char *in, *want; /* NULL: none */
} names[] = {
	{ "web", "web" },
	{ "Web-01", "Web-01" },
	{ "web.example.com", "web" },
	{ "", NULL },
	{ ".com", NULL },
	{ "-web", NULL },
	{ "web-", NULL },
	{ "web-.com", NULL },
	{ "we b", NULL },
	{ "web_1", NULL },
	{ "w\303\266b", NULL },
	{ "$(reboot)", NULL },
	{ "012345678901234567890123456789012345678901234567890123456789012",
	  "012345678901234567890123456789012345678901234567890123456789012" },
	{ "0123456789012345678901234567890123456789012345678901234567890123", NULL },
};

static void test_names(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char got[DHCP_HOSTNAME_MAX] = "";
		bool ok = dhcp_hostname_clean((const uint8_t *)names[i].in, strlen(names[i].in), got);

		assert_int_equal(ok, names[i].want != NULL);
		assert_string_equal(got, ok ? names[i].want : "");
	}
}

static const struct {
	const char *fqdn;
	uint16_t len;
	const char *want;
} fqdns[] = {
	{ "\4\0\0\3web\3lab\0", 12, "web" }, { "\0\0\0web.lab", 10, "web" },
	{ "\4\0\0\3web", 7, "web" },         { "\4\0\0", 3, "host" },
	{ "\4\0\0\0", 4, "host" },           { "\0\0\0a b", 6, "host" },
};

/* 81 counts more than 12, which it replaces (RFC 4702 §3.1). */
static void test_fqdn(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(fqdns); i++) {
		struct dhcp_view v = { (const uint8_t *)fqdns[i].fqdn, fqdns[i].len };
		struct dhcp_asked a = { .hostname = "host" };

		assert_true(dhcp_option_decode(dhcp_option_find(DHCP_OPTION_FQDN), &v, &a));
		assert_string_equal(a.hostname, fqdns[i].want);
	}
}

struct space {
	uint8_t options[1500], file[128], sname[64];
	struct dhcp_areas areas;
};

static bool write_options(struct space *s, const struct dhcp_answer *a, const char *parameters, size_t size)
{
	struct dhcp_view v = { (const uint8_t *)parameters, parameters ? (uint16_t)strlen(parameters) : 0 };

	s->areas = (struct dhcp_areas){ .p = { s->options, s->file, s->sname }, .size = { size, 128, 64 } };
	return dhcp_options_write(a, &v, &s->areas);
}

/* Codes in order, as a string. */
static const char *codes(const struct space *s, int area, char buf[64])
{
	const uint8_t *p = s->areas.p[area];
	size_t n = 0;

	for (size_t i = 0; s->areas.used[area] && p[i] != DHCP_OPTION_END; i += 2u + p[i + 1])
		buf[n++] = (char)p[i];
	buf[n] = '\0';
	return buf;
}

static struct dhcp_answer an_answer(void)
{
	static const uint32_t dns[] = { 1, 2 };

	return (struct dhcp_answer){ .type = DHCP_ACK,
				     .server_ip4 = 9,
				     .lease_s = 3600,
				     .t1_s = 1800,
				     .t2_s = 3150,
				     .prefix_len = 24,
				     .broadcast_ip4 = 255,
				     .router_ip4 = 7,
				     .dns_ip4 = dns,
				     .dns_cnt = 2,
				     .domain = "lab" };
}

static const struct {
	const char *asked, *want;
} orders[] = {
	{ NULL, "\65\66\63\72\73\1\3\6\17\34" }, /* no list: all there is */
	{ "\1\3\6", "\65\66\1\3\6\63\72\73" },   /* the list, then the rest */
	{ "\6\3\1", "\65\66\6\1\3\63\72\73" },   /* mask ahead of router */
	{ "\3", "\65\66\1\3\63\72\73" },
	{ "\73\72\63\1", "\65\66\73\72\63\1" },
	{ "\6\6\6\1\65\66\377\310", "\65\66\6\1\63\72\73" }, /* twice, the first ones, END, unknown */
	{ "\32\14", "\65\66\63\72\73\1" },                   /* nothing to say */
};

static void test_order(void **state)
{
	struct dhcp_answer a = an_answer();
	struct space s;
	char got[64];

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		assert_true(write_options(&s, &a, orders[i].asked, 308));
		assert_string_equal(codes(&s, 0, got), orders[i].want);
		assert_int_equal(s.areas.used[1] + s.areas.used[2], 0);
	}
}

/* What does not fit goes to file and sname; if there is no room at all, what only was asked for stays away. */
static void test_overload(void **state)
{
	static uint8_t big[255];
	static const char domain[] =
		"a-domain-of-more-than-a-hundred-bytes-that-finds-its-place-in-the-file-field-"
		"since-the-options-are-full.example.test";
	struct dhcp_answer a = an_answer();
	struct space s;
	char got[64];

	a.client_id = (struct dhcp_view){ big, 255 };
	a.domain = domain;
	assert_true(write_options(&s, &a, "\17\1\3\6", 308));
	assert_string_equal(codes(&s, 0, got), "\65\66\1\3\63\72\73\75\64");
	assert_int_equal(s.options[s.areas.used[0] - 2], 3);
	assert_string_equal(codes(&s, 1, got), "\17");
	assert_string_equal(codes(&s, 2, got), "\6");
	/* A client with room gets them in one piece. */
	assert_true(write_options(&s, &a, "\17\1\3\6", 1232));
	assert_string_equal(codes(&s, 0, got), "\65\66\17\1\3\6\63\72\73\75");

	a.domain = (char[256]){ [0 ... 254] = 'a' };
	assert_true(write_options(&s, &a, "\17\1", 308));
	assert_string_equal(codes(&s, 0, got), "\65\66\1\63\72\73\75");

	a.relay_info = (struct dhcp_view){ big, 255 };
	assert_false(write_options(&s, &a, "\1", 308));
	a.relay_info.len = 20;
	assert_true(write_options(&s, &a, "\1\3", 1232));
	assert_string_equal(codes(&s, 0, got), "\65\66\1\3\63\72\73\75\122"); /* relay information last */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows), cmocka_unit_test(test_lengths), cmocka_unit_test(test_names),
		cmocka_unit_test(test_fqdn), cmocka_unit_test(test_order),   cmocka_unit_test(test_overload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
