/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_TESTS_FAKE_CONNTRACK_H
#define ND_TESTS_FAKE_CONNTRACK_H
/* tests/fake/conntrack.c stands in for nat/conntrack.c. */
#include "nat/conntrack.h"

/* All that was asked to end since fake_reset, in order; borrowed. */
const struct nat_connections *fake_conntrack_asked(size_t *ret_cnt);
#endif
