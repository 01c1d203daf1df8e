// SPDX-License-Identifier: GPL-2.0-or-later
/* The worker as an executable of its own: what `netd --worker dhcp` does after its first two words. */
#include "dhcp/dhcp.h"

int main(int argc, char **argv)
{
	return dhcp_worker_main(argc - 1, argv + 1);
}
