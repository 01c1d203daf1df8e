/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TESTS_FAKE_WORKER_H
#define ND_TESTS_FAKE_WORKER_H
/*
 * DOC: a DHCP worker in the test's own hands
 *
 * tests/fake/worker.c stands in for base/spawn.c and dhcp/socket.c, so that the real supervisor runs without privilege: what it spawns is a child
 * that sleeps until it is killed, and the test has the worker's end of the channel.
 */
#include <stdbool.h>
#include <sys/types.h>

struct worker {
	unsigned spawned;
	pid_t pid; /* of the child spawned last */
	int fd;    /* the worker's end of the channel to it; -1: closed by the test */
};
extern struct worker fake_worker;
/* The next spawns fail. */
void fake_worker_spawn_fails(bool fails);
/* What netd sent since the last call: one letter a message. N network begun, C committed, D gone; P port, Q port gone; L lease; S stored, R refused, F freed; H hello; '.': other. */
const char *fake_worker_read(void);
#endif
