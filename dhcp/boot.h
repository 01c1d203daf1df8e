/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_DHCP_BOOT_H
#define ND_DHCP_BOOT_H
/*
 * DOC: which boot file a client is given
 */
#include "dhcp/option.h"

struct dhcp_boot_choice {  /* borrowed from the network, and literals */
	const char *file;  /* NULL: none */
	const char *class; /* option 60 of the reply, which firmware waits for; NULL: none */
	bool is_pxe;       /* it is to look for no boot server beside us */
};
void dhcp_boot_choose(const struct dhcp_network *n, const struct dhcp_asked *asked,
		      struct dhcp_boot_choice *ret);
/* "any" "bios" "x64-uefi" "arm64-uefi" "x64-http" "arm64-http" "ipxe"; NULL: unknown. */
const char *dhcp_boot_kind_to_string(int kind);
#endif
