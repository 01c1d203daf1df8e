/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_RECORDS_H
#define ND_CORE_RECORDS_H
/*
 * DOC: what netd writes down
 * CONFIG/networks/NAME.xml persistent definitions (through the disk thread); RUN/networks/UUID.xml live definitions and RUN/ports, a journal of
 * ports, both on tmpfs and written at once. A record that does not parse at start is removed and named in the log: the kernel still says what runs.
 */
#include "netd/core/core.h"
#include "netd/core/model.h"

#define RECORD_PATH_MAX 1024
/* Definition's file name: NAME.xml; a name with '/' or a leading dot cannot be (netdef_check refuses it). */
int records_config_path(const struct core *c, const char *name, char path[RECORD_PATH_MAX],
			struct nd_error *e);
/* At start: nobody else writes there. What was left half-written is removed. */
int records_dirs_make(const struct core *c, struct nd_error *e);
int records_live_write(const struct core *c, const struct network *n, struct nd_error *e);
void records_live_remove(const struct core *c, const struct network *n);

/* The journal of ports; struct core's `records`. */
int records_open(const char *run_dir, struct records **ret, struct nd_error *e);
void records_close(struct records *r); /* NULL-safe */
/* The journal may be written anew in either call, with all ports that are `recorded`: set it before write, clear it before remove. */
int records_port_write(const struct core *c, const struct port *p, struct nd_error *e);
void records_port_remove(const struct core *c, const struct port *p);

/* What the journal holds, at start. */
struct port_record {
	struct nd_map_node node; /* by the port's uuid */
	struct nd_uuid network;
	struct port *port; /* owned; in no model */
};
struct port_records {
	struct nd_map by_uuid;
};
/* Lines that do not parse are logged and skipped. */
int records_ports_read(const struct core *c, struct port_records *all, struct nd_error *e);
/* Takes one out, if its device is ifindex (0: whichever): a port in no model, the caller's. NULL: none. */
struct port *records_port_take(struct port_records *all, const struct nd_uuid *uuid, int ifindex,
			       struct nd_uuid *ret_network /* or NULL */);
/* Takes out one of the external ports, in no order; else the same. NULL: no more. */
struct port *records_port_next_external(struct port_records *all, struct nd_uuid *ret_network);
/* Frees the rest and writes the journal anew with the ports of the model. */
void records_ports_done(const struct core *c, struct port_records *all);
#endif
