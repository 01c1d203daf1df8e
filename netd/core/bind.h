/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_BIND_H
#define ND_CORE_BIND_H
/*
 * DOC: external ports and the devices others make for them
 *
 * libvirt and QEMU give a guest's TAP the guest's MAC address with another first byte (fe): that tells which link in a network's bridge is the one an
 * external port awaits. While it is there, rules and the mark of its DHCP frames go by its name, as with netd's own. The link itself is another
 * program's: netd never changes, repairs, drains or deletes it.
 */
#include "netd/core/core.h"
#include "netd/core/mirror.h"
#include "netd/core/model.h"

/*
 * A link changed that is no device netd made. Binds it to the port that awaits it, or lets go of it. Return: the port whose device it is now, NULL
 * none.
 */
struct port *bind_on_link(struct core *c, const struct mirror_change *ch);
/* p (in the model, without a device): finds its link, if that is in the bridge already. */
void bind_find(struct core *c, struct port *p);
/* The same at start-up, where rules and record are repaired later, and nothing is told. */
void bind_adopt(struct core *c, struct port *p);
/* After the mirror was read anew: whether its device is still the one it was. */
void bind_check(struct core *c, struct port *p);
/* p's end is done, it is still in the model: its link is now one in the bridge that is no port's. */
void bind_release(struct core *c, struct port *p);
/* One link more (1) or less (-1) in a bridge (0, or one of no network: nothing) that is no port's. Whether the DHCP server probes depends on it. */
void bind_count_foreign(struct core *c, int bridge, int delta);
#endif
