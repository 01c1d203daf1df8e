/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_FOREIGN_PRIVATE_H
#define ND_FOREIGN_PRIVATE_H
/* What foreign/'s readers share. */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h otherwise */

#include "foreign/ruleset.h"
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

struct foreign_ruleset *foreign_ruleset_new(void); /* empty; NULL on ENOMEM */
/* The attribute of that type in a nest, or NULL. */
static inline const struct nlattr *foreign_attr(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a;

	if (!nest)
		return NULL;
	mnl_attr_for_each_nested(a, nest)
	{
		if (mnl_attr_get_type(a) == type)
			return a;
	}
	return NULL;
}
/* A number in network order of four bytes, or the fallback. */
static inline uint32_t foreign_attr_u32(const struct nlattr *nest, uint16_t type, uint32_t fallback)
{
	const struct nlattr *a = foreign_attr(nest, type);

	return a && mnl_attr_get_payload_len(a) == 4 ? ntohl(mnl_attr_get_u32(a)) : fallback;
}
/* A string with its NUL, or NULL. */
static inline const char *foreign_attr_string(const struct nlattr *a)
{
	return a && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0 ? mnl_attr_get_str(a) : NULL;
}
/* NFTA_VERDICT_CODE and _CHAIN; *ret_chain NULL: none. Return: false when there is no verdict. */
static inline bool foreign_attr_verdict(const struct nlattr *data, int *ret_code, const char **ret_chain)
{
	const struct nlattr *v = foreign_attr(data, NFTA_DATA_VERDICT);

	if (!v || !foreign_attr(v, NFTA_VERDICT_CODE))
		return false;
	*ret_code = (int)foreign_attr_u32(v, NFTA_VERDICT_CODE, 0);
	*ret_chain = foreign_attr_string(foreign_attr(v, NFTA_VERDICT_CHAIN));
	return true;
}
#endif
