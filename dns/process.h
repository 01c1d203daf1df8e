/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_DNS_PROCESS_H
#define ND_DNS_PROCESS_H
/* Private to dns/: the files of a server's folder. */
#include "base/error.h"

#define DNS_CONF  "conf"
#define DNS_HOSTS "hosts"
#define DNS_PID   "pid"
#define DNS_LOG   "log"

/* This process, with the time it started at. */
int dns_pid_write(const char *dir, struct nd_error *e);
#endif
