/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_CORE_RECORDS_H
#define ND_CORE_RECORDS_H
/*
 * DOC: what netd writes down
 * CONFIG/networks/NAME.xml persistent definitions (through the disk thread); RUN/networks/UUID.xml live definitions and RUN/ports/UUID.json ports,
 * both on tmpfs and written at once. A record that does not parse at start is removed and named in the log: the kernel still says what runs.
 */
#include "netd/core/core.h"
#include "netd/core/model.h"

#define RECORD_PATH_MAX 1024
/* Definition's file name: NAME.xml; a name with '/' or a leading dot cannot be (netdef_check refuses it). */
int records_config_path(const struct core *c, const char *name, char path[RECORD_PATH_MAX],
			struct nd_error *e);
int records_dirs_make(const struct core *c, struct nd_error *e);
int records_live_write(const struct core *c, const struct network *n, struct nd_error *e);
void records_live_remove(const struct core *c, const struct network *n);
int records_port_write(const struct core *c, const struct port *p, struct nd_error *e);
void records_port_remove(const struct core *c, const struct port *p);
/* The port record of that uuid: a port not in the model (caller's), network uuid in *ret_network. ND_NOT_FOUND, ND_PARSE. */
int records_port_read(const struct core *c, const struct nd_uuid *uuid, struct port **ret,
		      struct nd_uuid *ret_network, struct nd_error *e);
/* Removes the records of ports for which keep says false. */
void records_ports_sweep(const struct core *c, bool (*keep)(const struct nd_uuid *port, void *arg),
			 void *arg);
#endif
