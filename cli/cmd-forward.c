// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the commands on published ports: forward-add, forward-remove, forward-list
 *
 * A forward is written as [tcp|udp] [ADDRESS:]PORT[-PORT] GUEST[:PORT]. IPv6 addresses stand in brackets, on either side, as in URLs;
 * a guest may be a MAC, whose colons are its own.
 */
#include "base/addr.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "cli/cli.h"

#define TEXT_MAX 256

/* 1-65535. Return: false: it is none. */
static bool read_port(const char *s, size_t len, long long *ret)
{
	long long v = 0;

	if (len == 0 || len > 5)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (s[i] - '0');
	}
	*ret = v;
	return v >= 1 && v <= 65535;
}

/*
 * Splits "HEAD:TAIL", "[HEAD]:TAIL" or "[HEAD]". *ret_tail: NULL where there is none. Return: false: too long, or a bracket is not closed.
 */
static bool split(const char *s, char head[TEXT_MAX], const char **ret_tail)
{
	const char *end = s[0] == '[' ? strchr(s, ']') : strrchr(s, ':');
	struct nd_mac mac;
	struct nd_ip ip;

	*ret_tail = NULL;
	if (s[0] == '[') {
		if (!end || (end[1] != '\0' && end[1] != ':'))
			return false;
		*ret_tail = end[1] == ':' ? end + 2 : NULL;
		return nd_strcpyn(head, TEXT_MAX, s + 1, (size_t)(end - s - 1));
	}
	if (!end || nd_mac_from_string(s, &mac) == 0 || nd_ip_from_string(s, &ip) == 0)
		return nd_strcpy(head, TEXT_MAX, s);
	*ret_tail = end + 1;
	return nd_strcpyn(head, TEXT_MAX, s, (size_t)(end - s));
}

/* [ADDRESS:]PORT[-PORT] */
static int read_host(const char *s, json_t *params, struct nd_error *e)
{
	char address[TEXT_MAX];
	const char *ports, *dash;
	long long first, last;

	if (!split(s, address, &ports))
		return nd_fail(e, ND_INVALID, "'%s' is no [ADDRESS:]PORT[-PORT]", s);
	if (ports)
		json_object_set_new(params, "address", json_string(address));
	else
		ports = s;
	dash = strchr(ports, '-');
	if (!read_port(ports, dash ? (size_t)(dash - ports) : strlen(ports), &first) ||
	    (dash && !read_port(dash + 1, strlen(dash + 1), &last)))
		return nd_fail(e, ND_INVALID, "'%s' is no port, nor a range of ports, from 1 to 65535",
			       ports);
	json_object_set_new(params, "port", json_integer(first));
	if (dash)
		json_object_set_new(params, "portEnd", json_integer(last));
	return 0;
}

/* GUEST[:PORT] */
static int read_guest(const char *s, json_t *params, struct nd_error *e)
{
	char guest[TEXT_MAX];
	const char *port;
	long long v;

	if (!split(s, guest, &port) || !guest[0])
		return nd_fail(e, ND_INVALID, "'%s' is no GUEST[:PORT]", s);
	json_object_set_new(params, "guest", json_string(guest));
	if (!port)
		return 0;
	if (!read_port(port, strlen(port), &v))
		return nd_fail(e, ND_INVALID, "'%s' is no port from 1 to 65535", port);
	json_object_set_new(params, "guestPort", json_integer(v));
	return 0;
}

static int read_forward(const struct cli_args *args, bool guest_needed, json_t *params, struct nd_error *e)
{
	char **word = args->rest;
	int cnt = args->rest_cnt;

	if (cnt > 0 && (strcmp(word[0], "tcp") == 0 || strcmp(word[0], "udp") == 0)) {
		json_object_set_new(params, "protocol", json_string(word[0]));
		word++;
		cnt--;
	}
	if (cnt < 1 + guest_needed || cnt > 2)
		return nd_fail(e, ND_INVALID, "a forward is [tcp|udp] [ADDRESS:]PORT[-PORT] GUEST[:PORT]");
	if (read_host(word[0], params, e) < 0)
		return e->code;
	return cnt == 2 ? read_guest(word[1], params, e) : 0;
}

static int change_forward(struct cli *cli, const struct cli_args *args, const char *method, bool guest_needed,
			  const char *said)
{
	json_t *params = json_pack("{s:s}", "network", args->word[0]), *reply = NULL;
	struct nd_error e = ND_ERROR_INIT;
	int status;

	if (read_forward(args, guest_needed, params, &e) < 0) {
		json_decref(params);
		cli_error(cli, &e);
		return CLI_STATUS_USAGE;
	}
	if (args->set[FORWARD_LIVE])
		json_object_set_new(params, "live", json_true());
	if (args->set[FORWARD_CONFIG])
		json_object_set_new(params, "config", json_true());
	status = cli_call(cli, method, params, &reply);
	if (status != 0)
		return status;
	if (cli->json)
		cli_print_json(cli, reply);
	else
		cli_say(cli, "Port %s\n", said);
	json_decref(reply);
	return 0;
}

int cmd_forward_add(struct cli *cli, const struct cli_args *args)
{
	return change_forward(cli, args, "AddForward", true, "published");
}

int cmd_forward_remove(struct cli *cli, const struct cli_args *args)
{
	return change_forward(cli, args, "RemoveForward", false, "published no more");
}

/* "[2001:db8::1]:8080-8089", and "8080" where it has no address. */
static void place(char buf[TEXT_MAX], const char *address, long long first, long long last)
{
	bool brackets = address && strchr(address, ':');
	int len = 0;

	if (address && *address)
		len = snprintf(buf, TEXT_MAX, brackets ? "[%s]:" : "%s:", address);
	len += snprintf(buf + len, TEXT_MAX - (size_t)len, "%lld", first);
	if (last > first)
		snprintf(buf + len, TEXT_MAX - (size_t)len, "-%lld", last);
}

static int print_forwards(struct cli *cli, const json_t *list)
{
	static const char *const header[] = { "Network", "Protocol", "Host", "Guest", "Address", "State" };
	struct table *t = table_new(header, ARRAY_LEN(header));
	char text[TEXT_MAX];

	for (size_t i = 0; t && i < json_array_size(list); i++) {
		const json_t *f = json_array_get(list, i);
		const char *why = api_get_string(f, "reason"), *state = cli_text(f, "state");
		long long first = api_get_int(f, "port", 0), last = api_get_int(f, "portEnd", first);
		long long guest = api_get_int(f, "guestPort", first);

		table_add(t, cli_text(f, "network"));
		table_add(t, cli_text(f, "protocol"));
		place(text, api_get_string(f, "address"), first, last);
		table_add(t, text);
		table_add(t, cli_text(f, "guest"));
		text[0] = '\0';
		if (api_get_string(f, "guestAddress"))
			place(text, api_get_string(f, "guestAddress"), guest, guest + last - first);
		table_add(t, text);
		snprintf(text, sizeof(text), "%s%s%s", state, why ? ": " : "", why ? why : "");
		table_add(t, text);
	}
	return cli_table(cli, t);
}

int cmd_forward_list(struct cli *cli, const struct cli_args *args)
{
	json_t *reply = NULL;
	int status = cli_call(cli, "ListForwards", json_pack("{s:s*}", "network", args->word[0]), &reply);

	if (status != 0)
		return status;
	if (cli->json)
		cli_print_json(cli, reply);
	else
		status = print_forwards(cli, json_object_get(reply, "forwards"));
	json_decref(reply);
	return status;
}
