// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: port-wait
 *
 * For scripts that start a guest and then want to talk to it. It looks, and where that is not enough it waits for an event that can have changed the
 * answer, from the last one before it looked: nothing that happens in between is missed, and nothing is asked for by the clock.
 */
#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"

#include <limits.h>

struct wait {
	struct cli *cli;
	const char *port;
	bool ip;
	uint64_t end_ms; /* 0: none */
};

static int on_event(void *arg, const json_t *reply)
{
	static const char *const kinds[] = { "port-attached", "port-expected", "lease-added",
					     "lease-renewed" };
	const char *kind = api_get_string(json_object_get(reply, "event"), "kind");

	for (size_t i = 0; kind && i < ARRAY_LEN(kinds); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return 1;
	return 0;
}

/* Return: 1 with *ret, 0 when it is not so yet, or an error. */
static int look(const struct wait *w, json_t **ret, long long *ret_last, struct nd_error *e)
{
	json_t *version = NULL;
	const json_t *port;

	*ret = NULL;
	if (cli_try(w->cli, "GetVersion", NULL, &version, e) < 0)
		return e->code;
	*ret_last = api_get_int(version, "lastEvent", 0);
	json_decref(version);
	if (cli_try(w->cli, "GetPort", json_pack("{s:s}", "port", w->port), ret, e) < 0) {
		if (e->code != ND_NOT_FOUND)
			return e->code;
		nd_error_reset(e);
		return 0;
	}
	port = json_object_get(*ret, "port");
	if (strcmp(cli_text(port, "state"), "expected") != 0 && (!w->ip || api_get_string(port, "address")))
		return 1;
	json_decref(*ret);
	return 0;
}

/* On a connection of its own: a stream ends one. */
static int wait_event(const struct wait *w, long long last, struct nd_error *e)
{
	uint64_t now = nd_now_ms();
	int timeout_ms = -1, r;
	struct client *c;

	if (w->end_ms && w->end_ms <= now)
		return nd_fail(e, ND_TIMEOUT, w->ip ? "it has no address" : "it is not there");
	if (w->end_ms)
		timeout_ms = w->end_ms - now < INT_MAX ? (int)(w->end_ms - now) : INT_MAX;
	r = client_open(w->cli->socket, &c, e);
	if (r < 0)
		return r;
	r = client_stream(c, "Monitor", json_pack("{s:I}", "after", (json_int_t)last), timeout_ms, on_event,
			  NULL, e);
	client_close(c);
	if (r != ND_TIMEOUT)
		return r;
	nd_error_reset(e); /* it is looked at once more */
	return 0;
}

static int wait_for(const struct wait *w, json_t **ret, struct nd_error *e)
{
	long long last = 0;
	int r;

	while ((r = look(w, ret, &last, e)) == 0) {
		r = wait_event(w, last, e);
		if (r < 0)
			return r;
	}
	return r;
}

int cmd_port_wait(struct cli *cli, const struct cli_args *args)
{
	struct wait w = { .cli = cli, .port = args->word[0], .ip = args->set[PORT_WAIT_IP] };
	struct nd_error e = ND_ERROR_INIT;
	long long timeout_s = 0;
	json_t *reply = NULL;
	const json_t *port;

	if (!cli_number(cli, args, PORT_WAIT_TIMEOUT, 1, INT_MAX / 1000, &timeout_s))
		return CLI_STATUS_USAGE;
	if (timeout_s)
		w.end_ms = nd_now_ms() + (uint64_t)timeout_s * 1000;
	if (wait_for(&w, &reply, &e) < 0)
		return cli_failed(cli, &e);
	port = json_object_get(reply, "port");
	if (cli->json) {
		cli_print_json(cli, reply);
	} else if (w.ip) {
		output_text(cli->out, cli_text(port, "address"));
		fputc('\n', cli->out);
	}
	json_decref(reply);
	return 0;
}
