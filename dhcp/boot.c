// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: network boot
 *
 * Firmware says what machine it is by a number (option 93) and how it loads by its vendor class (option 60): PXEClient by TFTP, HTTPClient by a URL. iPXE
 * says so itself (options 77, 175) and comes first: what loaded iPXE would load it again and again, were it given the same file a second time.
 * Where a kind has no file of its own, the one for all is given, but to HTTP boot only if it is a URL.
 *
 * Source: RFC 4578 §2.1 with IANA's registry of "Processor Architecture Types", PXE 2.1 §2.2, UEFI 2.10 §24.7.
 */
#include "dhcp/boot.h"
#include "base/mem.h"
#include "base/strtab.h"
#include <strings.h>

#define CLASS_PXE  "PXEClient"
#define CLASS_HTTP "HTTPClient"

/* Intel's drivers send 9, which is EFI byte code, where the registry has 7 for x64: firmware of both sorts is about. */
static const struct {
	uint16_t arch;
	uint8_t kind;
} arch_rows[] = {
	{ 0, DHCP_BOOT_BIOS },        { 7, DHCP_BOOT_X64_UEFI },  { 9, DHCP_BOOT_X64_UEFI },
	{ 11, DHCP_BOOT_ARM64_UEFI }, { 16, DHCP_BOOT_X64_HTTP }, { 19, DHCP_BOOT_ARM64_HTTP },
};

static const char *const kind_names[] = {
	[DHCP_BOOT_ANY] = "any",           [DHCP_BOOT_BIOS] = "bios",
	[DHCP_BOOT_X64_UEFI] = "x64-uefi", [DHCP_BOOT_ARM64_UEFI] = "arm64-uefi",
	[DHCP_BOOT_X64_HTTP] = "x64-http", [DHCP_BOOT_ARM64_HTTP] = "arm64-http",
	[DHCP_BOOT_IPXE] = "ipxe",
};
_Static_assert(ARRAY_LEN(kind_names) == DHCP_BOOT_CNT_, "a name for each kind");

const char *dhcp_boot_kind_to_string(int kind)
{
	return nd_strtab_to_string(kind_names, ARRAY_LEN(kind_names), kind);
}

static const char *file_of(const struct dhcp_network *n, int kind)
{
	for (uint32_t i = 0; i < n->boot_cnt; i++)
		if (n->boots[i].kind == kind)
			return n->boots[i].file;
	return NULL;
}

/* "PXEClient:Arch:00007:UNDI:003016", or the bare word. */
static bool is_class(const struct dhcp_view *v, const char *class)
{
	size_t len = strlen(class);

	return v->len >= len && memcmp(v->p, class, len) == 0 && (v->len == len || v->p[len] == ':');
}

/* The first file for one of the client's architectures. */
static const char *file_by_arch(const struct dhcp_network *n, const struct dhcp_view *arch)
{
	struct nd_reader r = nd_reader(arch->p, arch->len);
	const char *file = NULL;

	while (!file && nd_reader_left(&r)) {
		uint16_t code = nd_read_be16(&r);

		for (size_t i = 0; i < ARRAY_LEN(arch_rows); i++)
			if (arch_rows[i].arch == code)
				file = file_of(n, arch_rows[i].kind);
	}
	return file;
}

static bool is_url(const char *file)
{
	return strncasecmp(file, "http://", 7) == 0 || strncasecmp(file, "https://", 8) == 0;
}

void dhcp_boot_choose(const struct dhcp_network *n, const struct dhcp_asked *asked,
		      struct dhcp_boot_choice *ret)
{
	bool pxe, http;

	*ret = (struct dhcp_boot_choice){ NULL };
	if (n->boot_cnt == 0)
		return;
	pxe = is_class(&asked->vendor_class, CLASS_PXE);
	http = is_class(&asked->vendor_class, CLASS_HTTP);
	if (asked->is_ipxe)
		ret->file = file_of(n, DHCP_BOOT_IPXE);
	if (!ret->file)
		ret->file = file_by_arch(n, &asked->arch);
	if (!ret->file)
		ret->file = file_of(n, DHCP_BOOT_ANY);
	if (ret->file && http && !is_url(ret->file))
		ret->file = NULL;
	if (!ret->file)
		return;
	ret->class = http ? CLASS_HTTP : pxe ? CLASS_PXE : NULL;
	ret->is_pxe = pxe;
}
