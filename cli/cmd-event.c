// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: net-event and monitor
 *
 * net-event is virsh's: defining, undefining, starting and stopping look as there, "event 'lifecycle' for
 * network N: Started". Other kinds have their own name and netd's sentence.
 *
 * monitor is for who must not miss anything. It outlives the daemon: it comes back with the last number it
 * saw and the epoch that number is of, so that netd sends what its ring still has since then, or, after a
 * restart, everything of its new life; and it says what got lost on the way.
 *
 * Each line is out at once, for whoever reads the pipe.
 */
#include "base/mem.h"
#include "cli/cli.h"

#include <limits.h>
#include <signal.h>
#include <time.h>

static const struct {
	const char *kind, *word;
} lifecycle_rows[] = {
	{ "network-defined", "Defined" },
	{ "network-undefined", "Undefined" },
	{ "network-started", "Started" },
	{ "network-stopped", "Stopped" },
};

/* Ctrl-C ends the stream, not netdctl: what was received is summed up, and a shell goes on. */

static void on_sigint(int sig)
{
	client_interrupted = 1;
}

static struct sigaction catch_sigint(void)
{
	struct sigaction ours = { .sa_handler = on_sigint }, was;

	sigaction(SIGINT, &ours, &was);
	return was;
}

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

static bool is_wanted(const struct watch *w, const json_t *event, const char *kind)
{
	const char *want = w->args->value[NET_EVENT_EVENT], *network = w->args->value[NET_EVENT_NETWORK];

	if (network && strcmp(network, cli_text(event, "network")) != 0 &&
	    strcasecmp(network, cli_text(event, "networkUuid")) != 0)
		return false;
	if (!want || w->args->set[NET_EVENT_ALL] || strcmp(want, kind) == 0)
		return true;
	return strcmp(want, "lifecycle") == 0 && lifecycle_word(kind);
}

static void print_event(const struct watch *w, const json_t *event, const char *kind)
{
	const char *word = lifecycle_word(kind), *network = api_get_string(event, "network");
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
	output_text(out, word ? word : cli_text(event, "text"));
	fputc('\n', out);
}

static void print_json_line(struct cli *cli, const json_t *object)
{
	json_dumpf(object, cli->out, JSON_COMPACT);
	fputc('\n', cli->out);
}

static int on_reply(void *arg, const json_t *reply)
{
	struct watch *w = arg;
	const json_t *event = json_object_get(reply, "event");
	const char *kind = api_get_string(event, "kind");
	long long lost = api_get_int(reply, "lost", 0);

	if (lost > 0)
		fprintf(w->cli->err, "warning: %lld events before these are not kept any more\n", lost);
	if (!kind || !is_wanted(w, event, kind))
		return 0;
	if (w->cli->json)
		print_json_line(w->cli, event);
	else
		print_event(w, event, kind);
	fflush(w->cli->out);
	return ++w->cnt == w->max;
}

static bool is_kind(const char *word)
{
	const char *list = cli_value_find(cli_command_find("net-event"), "KIND")->list;
	size_t len = strlen(word);

	for (const char *p = list; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");

		if (n == len && strncmp(p, word, n) == 0)
			return true;
		p += n;
	}
	return false;
}

static int list_kinds(struct cli *cli)
{
	const char *list = cli_value_find(cli_command_find("net-event"), "KIND")->list;

	for (const char *p = list; *p; p++)
		fputc(*p == ' ' ? '\n' : *p, cli->out);
	fputc('\n', cli->out);
	return 0;
}

/* Reads what the options say. Return: false after printing what is wrong with them. */
static bool read_watch(struct cli *cli, const struct cli_args *args, struct watch *w,
		       long long *ret_timeout_s, long long *ret_after)
{
	const char *kind = args->value[NET_EVENT_EVENT];
	struct nd_error e = ND_ERROR_INIT;

	if (!cli_number(cli, args, NET_EVENT_COUNT, 1, INT_MAX, &w->max) ||
	    !cli_number(cli, args, NET_EVENT_TIMEOUT, 1, INT_MAX / 1000, ret_timeout_s) ||
	    !cli_number(cli, args, NET_EVENT_AFTER, 0, 1LL << 52, ret_after))
		return false;
	if (kind && !is_kind(kind)) {
		nd_fail(&e, ND_INVALID, "unknown event type %s; --list lists them", kind);
		cli_error(cli, &e);
		return false;
	}
	/* virsh waits for one event of a type unless told to go on. */
	if (kind && !w->max && !args->set[NET_EVENT_LOOP])
		w->max = 1;
	return true;
}

int cmd_net_event(struct cli *cli, const struct cli_args *args)
{
	struct watch w = { .cli = cli, .args = args };
	struct nd_error e = ND_ERROR_INIT;
	long long timeout_s = 0, after = -1;
	struct sigaction was;
	struct client *c;
	int status = 0, r;

	if (args->set[NET_EVENT_LIST])
		return list_kinds(cli);
	if (!read_watch(cli, args, &w, &timeout_s, &after))
		return CLI_STATUS_USAGE;
	c = cli_client(cli, &status);
	if (!c)
		return status;
	was = catch_sigint();
	r = client_stream(c, "Monitor", after >= 0 ? json_pack("{s:I}", "after", (json_int_t)after) : NULL,
			  timeout_s ? (int)timeout_s * 1000 : -1, on_reply, &w, &e);
	sigaction(SIGINT, &was, NULL);
	if (r < 0 && e.code != ND_TIMEOUT && !client_interrupted)
		status = cli_error(cli, &e);
	if (!cli->json && r < 0 && status == 0)
		fprintf(cli->out, "event loop %s\n", client_interrupted ? "interrupted" : "timed out");
	if (!cli->json)
		fprintf(cli->out, "events received: %lld\n", w.cnt);
	client_interrupted = 0;
	/* As in virsh, to have waited in vain for an event of a type is a failure. */
	if (status == 0 && r < 0 && e.code == ND_TIMEOUT && w.cnt == 0 && args->value[NET_EVENT_EVENT])
		status = nd_code_exit_status(ND_TIMEOUT);
	return status;
}

/* monitor */

#define RETRY_MS 200 /* between attempts to reach a daemon that went away */

struct follow {
	struct cli *cli;
	long long max, cnt; /* as in watch */
	long long last;     /* the last number seen; -1: none, and only new ones are wanted */
	long long epoch;    /* which that is of; 0: not known */
	bool again;         /* not the first connection */
	bool waiting;       /* it has been told that there is none */
};

/* The first reply of a connection: what is missing between then and now. */
static void on_begin(struct follow *f, const json_t *reply)
{
	long long epoch = api_get_int(reply, "epoch", 0), lost = api_get_int(reply, "lost", 0);
	bool restarted = f->epoch && epoch != f->epoch;

	if (f->cli->json)
		print_json_line(f->cli, reply);
	else if (restarted)
		fprintf(f->cli->out,
			"netd was restarted: numbers begin again; events of the old one after %lld may be "
			"missing\n",
			f->last);
	else if (f->again)
		fprintf(f->cli->out, "connected again\n");
	if (!f->cli->json && lost > 0)
		fprintf(f->cli->out, "%lld events are lost: netd does not keep them any more\n", lost);
	if (f->last < 0 || restarted)
		f->last = f->last < 0 ? api_get_int(reply, "last", 0) : 0;
	f->epoch = epoch;
	f->again = true;
	f->waiting = false;
}

static void print_followed(struct follow *f, const json_t *event)
{
	char when[OUTPUT_TIME_LEN];
	FILE *out = f->cli->out;

	fprintf(out, "%lld %s %s", f->last, output_timestamp(api_get_int(event, "time", 0), when),
		cli_text(event, "kind"));
	if (*cli_text(event, "network")) {
		fputs(" network ", out);
		output_text(out, cli_text(event, "network"));
	}
	if (*cli_text(event, "port")) {
		fputs(" port ", out);
		output_text(out, cli_text(event, "port"));
	}
	fputs(": ", out);
	output_text(out, cli_text(event, "text"));
	fputc('\n', out);
}

static int on_followed(void *arg, const json_t *reply)
{
	struct follow *f = arg;
	const json_t *event = json_object_get(reply, "event");

	if (!event) {
		on_begin(f, reply);
	} else {
		f->last = api_get_int(event, "sequence", f->last);
		if (f->cli->json)
			print_json_line(f->cli, reply);
		else
			print_followed(f, event);
		f->cnt++;
	}
	fflush(f->cli->out);
	return f->max && f->cnt == f->max;
}

static json_t *follow_params(const struct follow *f)
{
	json_t *params = json_object();

	if (f->last >= 0)
		json_object_set_new(params, "after", json_integer(f->last));
	if (f->epoch)
		json_object_set_new(params, "epoch", json_integer(f->epoch));
	return params;
}

/* One connection to its end. Return: 0 when enough was seen. */
static int follow_once(struct follow *f, struct nd_error *e)
{
	struct client *c;
	int r = cli_connect(f->cli, &c, e);

	if (r == 0)
		r = client_stream(c, "Monitor", follow_params(f), -1, on_followed, f, e);
	cli_done(f->cli);
	return r;
}

/* What a restart of the daemon looks like from here, and what it says to a reader that was too slow. */
static bool may_pass(int code)
{
	return code == ND_SYSTEM || code == ND_PROTOCOL || code == ND_OVERRUN;
}

static int follow(struct follow *f, struct nd_error *e)
{
	static const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };

	while (follow_once(f, e) < 0) {
		if (client_interrupted)
			return 0;
		/* Who was never there is not waited for. */
		if (!f->again || !may_pass(e->code))
			return e->code;
		if (!f->waiting && !f->cli->json)
			fprintf(f->cli->err, "warning: the connection to netd ended; waiting for it\n");
		f->waiting = true;
		if (e->code != ND_OVERRUN)
			nanosleep(&pause, NULL);
		nd_error_reset(e);
	}
	return 0;
}

int cmd_monitor(struct cli *cli, const struct cli_args *args)
{
	struct follow f = { .cli = cli, .last = -1 };
	struct nd_error e = ND_ERROR_INIT;
	struct sigaction was;
	int r;

	if (!cli_number(cli, args, MONITOR_SINCE, 0, 1LL << 52, &f.last) ||
	    !cli_number(cli, args, MONITOR_COUNT, 1, INT_MAX, &f.max))
		return CLI_STATUS_USAGE;
	was = catch_sigint();
	r = follow(&f, &e);
	sigaction(SIGINT, &was, NULL);
	client_interrupted = 0;
	return r < 0 ? cli_failed(cli, &e) : 0;
}
