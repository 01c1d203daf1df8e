// SPDX-License-Identifier: GPL-2.0-or-later
/* Network boot: which file for whom, and the replies firmware gets, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dhcp/boot.h"
#include "tests/dhcp/harness.h"

#define RAW(bytes) .raw = (const uint8_t *)(bytes), .raw_len = sizeof(bytes) - 1
#define PXE(arch)  "\x3c\x20PXEClient:Arch:00007:UNDI:003016\x5d\2\0" arch
#define HTTP(arch) "\x3c\x0aHTTPClient\x5d\2\0" arch
#define IPXE       "\x4d\4iPXE"

static const struct dhcp_boot every[] = {
	{ DHCP_BOOT_ANY, "any.0" },
	{ DHCP_BOOT_BIOS, "bios.0" },
	{ DHCP_BOOT_X64_UEFI, "x64.efi" },
	{ DHCP_BOOT_ARM64_UEFI, "arm64.efi" },
	{ DHCP_BOOT_X64_HTTP, "http://192.168.122.1/x64.efi" },
	{ DHCP_BOOT_ARM64_HTTP, "http://192.168.122.1/arm64.efi" },
	{ DHCP_BOOT_IPXE, "http://192.168.122.1/boot.ipxe" },
};

static const struct {
	const char *raw;
	size_t len;
	const char *all, *any; /* the file with all of every[], and with its first alone */
	const char *class;
} rows[] = {
#define ROW(options, ...)                                 \
	{                                                 \
		options, sizeof(options) - 1, __VA_ARGS__ \
	}
	ROW("", "any.0", "any.0", NULL),
	ROW(PXE("\0"), "bios.0", "any.0", "PXEClient"),
	ROW(PXE("\7"), "x64.efi", "any.0", "PXEClient"),
	ROW(PXE("\11"), "x64.efi", "any.0", "PXEClient"),
	ROW(PXE("\13"), "arm64.efi", "any.0", "PXEClient"),
	ROW(PXE("\6"), "any.0", "any.0", "PXEClient"), /* 32-bit UEFI: no file of its own */
	ROW("\x5d\4\0\6\0\7", "x64.efi", "any.0", NULL),
	ROW(HTTP("\20"), "http://192.168.122.1/x64.efi", NULL, "HTTPClient"),
	ROW(HTTP("\23"), "http://192.168.122.1/arm64.efi", NULL, "HTTPClient"),
	ROW(HTTP("\22"), NULL, NULL, NULL),
	ROW(PXE("\7") IPXE, "http://192.168.122.1/boot.ipxe", "any.0", "PXEClient"),
	ROW(PXE("\0") "\x4d\5\4iPXE", "http://192.168.122.1/boot.ipxe", "any.0", "PXEClient"),
	ROW("\x4d\x0a\4abcd\4iPXE", "http://192.168.122.1/boot.ipxe", "any.0", NULL),
	ROW("\x4d\5iPXE2", "any.0", "any.0", NULL),
	ROW("\x4d\5\7iPXE", "any.0", "any.0", NULL),
	ROW("\xaf\3\xb0\1\1", "http://192.168.122.1/boot.ipxe", "any.0", NULL),
	ROW("\x3c\x0bPXEClientXY", "any.0", "any.0", NULL),
};

static void start(struct host *h, const struct dhcp_boot *boots, uint32_t cnt)
{
	struct dhcp_network n = host_network();

	n.boots = boots;
	n.boot_cnt = cnt;
	n.next_server_ip4 = T_NET + 5;
	host_init(h);
	assert_int_equal(dhcp_engine_network_set(h->g, &n, NULL), 0);
	host_port(h, 1);
}

static const uint8_t *field(const struct host *h, size_t at)
{
	return host_out(h, OUT_SEND)->frame + DHCP_FRAME_HEADER + at;
}

static void expect(const struct host *h, const char *file, const char *class)
{
	static const uint8_t pxe[] = { 6, 1, 8, 255 };
	struct answer got;

	host_expect(h, DHCP_OFFER, &got);
	assert_string_equal((const char *)field(h, 108), file ? file : "");
	assert_int_equal(field(h, 20)[3], file ? 5 : 0);
	assert_int_equal(got.option_len[DHCP_OPTION_VENDOR_CLASS], class ? strlen(class) : 0);
	if (class)
		assert_memory_equal(got.option[DHCP_OPTION_VENDOR_CLASS], class, strlen(class));
	assert_int_equal(got.option_len[DHCP_OPTION_VENDOR_OPTIONS],
			 class && class[0] == 'P' ? sizeof(pxe) : 0);
	assert_memory_equal(got.option[DHCP_OPTION_VENDOR_OPTIONS], pxe, got.option_len[43]);
}

static void test_choice(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ask a = { .type = DHCP_DISCOVER,
				 .mac = mac_of(1),
				 .raw = (const uint8_t *)rows[i].raw,
				 .raw_len = rows[i].len };
		struct host h;

		start(&h, every, ARRAY_LEN(every));
		host_ask(&h, T_MARK, &a);
		expect(&h, rows[i].all, rows[i].class);
		host_done(&h);
		start(&h, every, 1);
		host_ask(&h, T_MARK, &a);
		expect(&h, rows[i].any, rows[i].any ? rows[i].class : NULL);
		host_done(&h);
		start(&h, NULL, 0);
		host_ask(&h, T_MARK, &a);
		expect(&h, NULL, NULL);
		host_done(&h);
	}
}

/* What is asked for as options stands there, with the NUL that some ROMs need; the machine's id comes back. */
static void test_options(void **state)
{
	static const char raw[] = PXE("\7") "\x61\x11\0ABCDEFGHIJKLMNOP";
	struct ask a = {
		.type = DHCP_DISCOVER, .mac = mac_of(1), .parameters = "\1\3\102\103\53\74", RAW(raw)
	};
	struct answer got;
	struct host h;

	start(&h, every, ARRAY_LEN(every));
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_OFFER, &got);
	assert_int_equal(got.option_len[66], 14);
	assert_memory_equal(got.option[66], "192.168.122.5", 14);
	assert_int_equal(got.option_len[67], 8);
	assert_memory_equal(got.option[67], "x64.efi", 8);
	assert_int_equal(got.option_len[97], 17);
	assert_memory_equal(got.option[97], "\0ABCDEFGHIJKLMNOP", 17);
	assert_memory_equal(got.order, "\65\66\1\3\102\103\53\74", 8);
	a.type = DHCP_REQUEST;
	a.requested = got.yiaddr;
	a.server = T_SERVER;
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_ACK, &got);
	assert_memory_equal(got.option[67], "x64.efi", 8);
	host_done(&h);
	/* Without a file nothing of it is told, and an id of another length is none. */
	start(&h, NULL, 0);
	a = (struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(1), .parameters = "\102\103\53\74", RAW(raw) };
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_OFFER, &got);
	assert_int_equal(got.option_len[66] + got.option_len[67] + got.option_len[97], 0);
	host_done(&h);
	start(&h, every, ARRAY_LEN(every));
	a = (struct ask){ .type = DHCP_DISCOVER, .mac = mac_of(1), RAW(PXE("\7") "\x61\2xx") };
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_OFFER, &got);
	assert_int_equal(got.option_len[97], 0);
	host_done(&h);
}

/* A name too long for its field is an option, asked for or not; the field is then free for others. */
static void test_long_name(void **state)
{
	struct dhcp_boot boot = { .kind = DHCP_BOOT_ANY };
	struct ask a = { .type = DHCP_DISCOVER, .mac = mac_of(1), .parameters = "\1" };
	struct answer got;
	struct host h;

	memset(boot.file, 'a', 127);
	start(&h, &boot, 1);
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_OFFER, &got);
	assert_string_equal((const char *)field(&h, 108), boot.file);
	assert_int_equal(got.option_len[67], 0);
	host_done(&h);
	memset(boot.file, 'a', 200);
	start(&h, &boot, 1);
	host_ask(&h, T_MARK, &a);
	host_expect(&h, DHCP_OFFER, &got);
	assert_string_equal((const char *)field(&h, 108), "");
	assert_int_equal(got.option_len[67], 201);
	host_done(&h);
}

static void test_names(void **state)
{
	for (int i = 0; i < DHCP_BOOT_CNT_; i++)
		assert_non_null(dhcp_boot_kind_to_string(i));
	assert_null(dhcp_boot_kind_to_string(DHCP_BOOT_CNT_));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
