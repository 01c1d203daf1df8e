/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_LIBVIRT_NEEDS_H
#define ND_LIBVIRT_NEEDS_H
/*
 * What the facade wants of the core beyond what every netd has. Where a function below is not linked in, its procedure answers "not supported".
 *
 * Declared by netd/core/change.h:
 *   change_update    command and section in libvirt's numbers (1 modify, 2 delete, 3 add-last, 4 add-first; 1 bridge … 12 dns-srv), targets as
 *                    libvirt's flags (1 live, 2 config, 0 current)
 *   change_metadata  type and targets in libvirt's numbers
 *
 * Procedures whose rows have no function yet, and what each would call:
 *   network_get_metadata        int network_metadata(const struct network *n, enum change_metadata_type type, const char *uri,
 *                               unsigned targets, struct nd_buf *out, struct nd_error *e);
 *                               appends title, description or the element of that namespace; ND_NOT_FOUND where there is none
 *   network_port_create_xml     void port_create(struct core *c, struct network *n, const char *xml, bool reclaim,
 *                               const struct nd_peer *owner, struct port_done done);
 *                               from <networkport>, with its uuid, owner, MAC, group; the caller makes the device. Without reclaim a <plug> is
 *                               ND_INVALID, with reclaim it is required; a known uuid is ND_EXISTS; an inactive network is ND_STATE or is
 *                               started (autostart on-attach)
 *   network_port_get_xml_desc   void port_format(const struct port *p, struct nd_buf *out);
 *                               <networkport> with <plug>, also of ports that attach made
 *   network_port_get_parameters, network_port_set_parameters
 *                               the port's bandwidth: inbound average, peak, burst, floor, outbound average, peak, burst
 *   the event metadata-change   an event kind with the metadata's type and namespace
 */
#include "netd/core/change.h"

#pragma weak change_update
#pragma weak change_metadata
#endif
