/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: one Attach call
 *
 * The reply's descriptors beyond the TAP's own (vhost) are closed: neither caller has a place to name them in.
 */
#include "cli/attach.h"

#include "base/mem.h"
#include "base/sock.h"
#include "base/strtab.h"
#include "netd/api/api-proto.h"

#define MTU_DEFAULT 1500 /* a network whose definition has none */

/* NULL: out of memory. */
static json_t *attach_params(const struct network_option *what, bool vnet_header)
{
	char mac[ND_MAC_STRLEN];

	json_t *params = json_pack("{s:s, s:I, s:b}", "network", what->network, "queues",
				   (json_int_t)what->queues, "vnetHeader", vnet_header);
	if (!params)
		return NULL;
	int bad = 0;
	if (what->name)
		bad |= json_object_set_new(params, "name", json_string(what->name));
	if (what->portgroup)
		bad |= json_object_set_new(params, "portgroup", json_string(what->portgroup));
	if (what->mac_set)
		bad |= json_object_set_new(params, "mac", json_string(nd_mac_to_string(&what->mac, mac)));
	if (what->mac_unknown)
		bad |= json_object_set_new(params, "macGuard", json_false());
	if (bad) {
		json_decref(params);
		return NULL;
	}
	return params;
}

/* Takes the queues out of fds: their entries there are -1 afterwards. Return: false when the list is not one of queue_cnt different ones. */
static bool take_queues(const json_t *list, size_t queue_cnt, int *fds, size_t fd_cnt,
			struct placeholder_network *n)
{
	if (json_array_size(list) != queue_cnt)
		return false;
	for (; n->fd_cnt < queue_cnt; n->fd_cnt++) {
		json_int_t at = json_integer_value(json_array_get(list, n->fd_cnt));
		if (at < 0 || (size_t)at >= fd_cnt || fds[at] < 0)
			return false;
		n->fds[n->fd_cnt] = take_fd(fds[at]);
	}
	return true;
}

static bool read_reply(const json_t *reply, const struct network_option *what, int *fds, size_t fd_cnt,
		       struct placeholder_network *n)
{
	const json_t *port = json_object_get(reply, "port");
	const char *mac = api_get_string(port, "mac"), *ifname = api_get_string(port, "interface");

	return mac && ifname && nd_strcpy(n->mac, sizeof(n->mac), mac) &&
	       nd_strcpy(n->ifname, sizeof(n->ifname), ifname) &&
	       take_queues(json_object_get(reply, "tapFileDescriptors"), what->queues, fds, fd_cnt, n);
}

int attach_call(struct client *c, const struct network_option *what, bool vnet_header,
		struct placeholder_network *ret, struct nd_error *e)
{
	struct placeholder_network n = { .fd_cnt = 0 };
	int fds[ND_SOCK_FDS_MAX];
	size_t fd_cnt = 0;
	json_t *reply = NULL;
	int rc;

	json_t *params = attach_params(what, vnet_header);
	if (!params)
		return nd_fail(e, ND_MEMORY, "attach");
	rc = client_call_fds(c, "Attach", params, &reply, fds, ARRAY_LEN(fds), &fd_cnt, e);
	if (rc < 0)
		return rc;
	if (!read_reply(reply, what, fds, fd_cnt, &n)) {
		rc = nd_fail(e, ND_PROTOCOL, "netd's reply has no port with %u queues in it", what->queues);
		nd_wrap(e, "network '%s'", what->network);
		attach_close(&n);
	} else {
		*ret = n;
	}
	for (size_t i = 0; i < fd_cnt; i++)
		nd_closep(&fds[i]);
	json_decref(reply);
	return rc;
}

int attach_mtu(struct client *c, const struct network_option *what, unsigned *ret, struct nd_error *e)
{
	json_t *reply = NULL;

	int rc = client_call(c, "GetNetwork", json_pack("{s:s}", "name", what->network), &reply, e);
	if (rc < 0)
		return rc;
	*ret = (unsigned)api_get_int(json_object_get(reply, "network"), "mtu", MTU_DEFAULT);
	json_decref(reply);
	return 0;
}

void attach_close(struct placeholder_network *n)
{
	for (size_t i = 0; i < n->fd_cnt; i++)
		nd_closep(&n->fds[i]);
	n->fd_cnt = 0;
}
