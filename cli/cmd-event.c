// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: net-event
 *
 * Defining, undefining, starting and stopping look as in virsh: "event 'lifecycle' for network N: Started".
 * Other kinds have their own name and netd's sentence. Each line is out at once, for whoever reads the pipe.
 */
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "netd/api/api-proto.h"

#include <limits.h>

static const struct {
	const char *kind, *word;
} lifecycle_rows[] = {
	{ "network-defined", "Defined" },
	{ "network-undefined", "Undefined" },
	{ "network-started", "Started" },
	{ "network-stopped", "Stopped" },
};

struct watch {
	struct cli *cli;
	const struct cli_args *args;
	long long max; /* 0: no end */
	long long cnt;
};

static const char *lifecycle_word(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(lifecycle_rows); i++)
		if (strcmp(lifecycle_rows[i].kind, kind) == 0)
			return lifecycle_rows[i].word;
	return NULL;
}

static bool is_wanted(const struct watch *w, const char *kind)
{
	const char *want = w->args->value[NET_EVENT_EVENT];

	if (!want || w->args->set[NET_EVENT_ALL] || strcmp(want, kind) == 0)
		return true;
	return strcmp(want, "lifecycle") == 0 && lifecycle_word(kind);
}

static void print_event(const struct watch *w, const json_t *event, const char *kind)
{
	const char *word = lifecycle_word(kind), *network = api_get_string(event, "network");
	const char *sentence = word ? word : api_get_string(event, "text");
	FILE *out = w->cli->out;
	char when[OUTPUT_TIME_LEN];

	if (w->args->set[NET_EVENT_TIMESTAMP])
		fprintf(out, "%s: ", output_timestamp(api_get_int(event, "time", 0), when));
	fprintf(out, "event '%s'", word ? "lifecycle" : kind);
	if (network) {
		fputs(" for network ", out);
		output_text(out, network);
	}
	fputs(": ", out);
	output_text(out, sentence ? sentence : "");
	fputc('\n', out);
}

static int on_reply(void *arg, const json_t *reply)
{
	struct watch *w = arg;
	const json_t *event = json_object_get(reply, "event");
	const char *kind = api_get_string(event, "kind");
	long long lost = api_get_int(reply, "lost", 0);

	if (lost > 0)
		fprintf(w->cli->err, "warning: %lld events before these are not kept any more\n", lost);
	if (!kind || !is_wanted(w, kind))
		return 0;
	if (w->cli->json) {
		json_dumpf(event, w->cli->out, JSON_COMPACT);
		fputc('\n', w->cli->out);
	} else {
		print_event(w, event, kind);
	}
	fflush(w->cli->out);
	return ++w->cnt == w->max;
}

/*
 * A number of an option within 1 and max (or 0 where it is not given). Return: false after printing the
 * error.
 */
static bool number(struct cli *cli, const struct cli_args *args, int option, const char *name, long long min,
		   long long max, long long *ret)
{
	const char *word = args->value[option];
	struct nd_error e = ND_ERROR_INIT;
	char *end;

	if (!word)
		return true;
	*ret = strtoll(word, &end, 10);
	if (*word && !*end && *ret >= min && *ret <= max)
		return true;
	nd_fail(&e, ND_INVALID, "%s: '%s' is not a number between %lld and %lld", name, word, min, max);
	cli_error(cli, &e);
	return false;
}

int cmd_net_event(struct cli *cli, const struct cli_args *args)
{
	struct watch w = { .cli = cli, .args = args };
	struct nd_error e = ND_ERROR_INIT;
	long long timeout_s = 0, after = -1;
	struct client *c;
	int status = 0;

	if (!number(cli, args, NET_EVENT_COUNT, "--count", 1, INT_MAX, &w.max) ||
	    !number(cli, args, NET_EVENT_TIMEOUT, "--timeout", 1, INT_MAX / 1000, &timeout_s) ||
	    !number(cli, args, NET_EVENT_AFTER, "--after", 0, 1LL << 52, &after))
		return CLI_STATUS_USAGE;
	c = cli_client(cli, &status);
	if (!c)
		return status;
	if (client_stream(c, "Monitor", after >= 0 ? json_pack("{s:I}", "after", (json_int_t)after) : NULL,
			  timeout_s ? (int)timeout_s * 1000 : -1, on_reply, &w, &e) < 0 &&
	    e.code != ND_TIMEOUT)
		status = cli_error(cli, &e);
	if (!cli->json)
		fprintf(cli->out, "events received: %lld\n\n", w.cnt);
	return status;
}
