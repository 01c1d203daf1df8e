// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: libvirt-publish: netd's networks for a monolithic libvirtd
 *
 * Such a libvirtd (Debian 12's, for one) never asks another daemon for networks. But it plugs guests into a
 * bridge that exists, where a network of its own says <forward mode='bridge'/>: that network is what this
 * makes, with the name of netd's. A modular libvirt asks netd itself and needs none of it.
 *
 * What is there is compared with what is wanted, and only what differs is done, so it can be run at any time
 * and any number of times. What netdctl made bears an element of metadata with the UUID of netd's network;
 * a network without it is somebody's, and is neither changed nor removed.
 *
 * --watch stays, and does the same again with every event of the network: published while it is active,
 * stopped there while it is not, gone when it is undefined. netd or libvirtd may be away for a while.
 */
#include "base/addr.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "cli/cli.h"
#include "cli/virsh.h"
#include "cli/xpath.h"

#include <time.h>

#define NS          "urn:netd:libvirt-publish:1"
#define DEFAULT_URI "qemu:///system"
#define PAUSE_S     2 /* until libvirt is asked again, or netd looked for again */
/* The element that says what is whose; %s: more about it. */
#define MARK "metadata/*[local-name()='published' and namespace-uri()='" NS "'%s]"

/* What there is of the network in libvirt when netdctl is done. */
enum state { PUBLISHED, STOPPED, REMOVED };
static const struct {
	const char *word, *done;
} states[] = {
	[PUBLISHED] = { "published", "published to" },
	[STOPPED] = { "stopped", "stopped in" },
	[REMOVED] = { "removed", "removed from" },
};

struct publish {
	struct cli *cli;
	char name[256]; /* of the network, here and there */
	const char *uri;
	bool remove, watch;
	/* From netd. */
	bool known, active;
	char uuid[ND_UUID_STRLEN];
	char bridge[ND_IFNAMSIZ]; /* "" none */
	/* From libvirt. */
	bool there, ours, same, runs, autostarts;
	bool changed; /* something was done */
	/* Of --watch. */
	bool was_connected;
	bool told;           /* that something is in the way was the last that was said */
	struct nd_error why; /* what ended the stream of events from here; code 0: nothing did */
};

/* netd's side */

static void take_network(struct publish *p, const json_t *reply)
{
	const json_t *n = json_object_get(reply, "network");

	p->known = true;
	p->active = json_is_true(json_object_get(n, "active"));
	nd_strcpy(p->name, sizeof p->name, cli_text(n, "name"));
	nd_strcpy(p->uuid, sizeof p->uuid, cli_text(n, "uuid"));
	nd_strcpy(p->bridge, sizeof p->bridge, cli_text(n, "bridge"));
}

static int ask_netd(struct publish *p, struct nd_error *e)
{
	json_t *reply = NULL;
	int r = cli_try(p->cli, "GetNetwork", json_pack("{s:s}", "name", p->name), &reply, e);

	p->known = p->active = false;
	p->bridge[0] = '\0';
	if (r == 0)
		take_network(p, reply);
	json_decref(reply);
	return r;
}

/* libvirt's side */

/* One line of virsh's output is the name. */
static bool has_line(const char *lines, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = lines; *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (strncmp(p, name, len) == 0 && (p[len] == '\n' || p[len] == '\0'))
			return true;
	return false;
}

static int is_listed(const struct publish *p, const char *option, bool *ret, struct nd_error *e)
{
	const char *words[] = { "net-list", "--name", option, NULL, NULL };
	nd_autofree char *out = NULL;
	int r;

	if (option && strcmp(option, "--all") != 0)
		words[3] = "--all";
	r = virsh_run(p->uri, words, NULL, &out, e);
	if (r == 0)
		*ret = has_line(out, p->name);
	return r;
}

/* A virsh command about the network. */
static int on_network(const struct publish *p, const char *command, const char *option, char **ret_out,
		      struct nd_error *e)
{
	nd_autofree char *network = NULL;
	const char *words[] = { command, NULL, option, NULL };

	if (asprintf(&network, "--network=%s", p->name) < 0)
		return nd_fail(e, ND_MEMORY, "virsh's command");
	words[1] = network;
	return virsh_run(p->uri, words, NULL, ret_out, e);
}

/* Whether the document is a network for which the condition holds. */
static int satisfies(const char *xml, const char *condition, bool *ret, struct nd_error *e)
{
	nd_autofree char *expression = NULL, *found = NULL;
	int r;

	if (asprintf(&expression, "/network[%s]/name", condition) < 0)
		return nd_fail(e, ND_MEMORY, "condition");
	r = xpath_find(xml, expression, false, &found, e);
	if (r == 0)
		*ret = *found != '\0';
	return r;
}

/* Whose the network there is, and whether it is as it should be. */
static int judge(struct publish *p, const char *xml, struct nd_error *e)
{
	nd_autofree char *ours = NULL, *same = NULL, *uuid = NULL, *itself = NULL;
	bool netd = false;
	int r;

	if (asprintf(&uuid, " and @uuid='%s'", p->uuid) < 0 || asprintf(&ours, MARK, "") < 0 ||
	    asprintf(&itself, "uuid='%s'", p->uuid) < 0 ||
	    asprintf(&same, MARK " and forward/@mode='bridge' and bridge/@name=\"%s\"", uuid, p->bridge) < 0)
		return nd_fail(e, ND_MEMORY, "condition");
	r = satisfies(xml, itself, &netd, e);
	if (r == 0)
		r = satisfies(xml, ours, &p->ours, e);
	if (r == 0)
		r = satisfies(xml, same, &p->same, e);
	if (r < 0 || p->ours)
		return r;
	return nd_fail(
		e, ND_EXISTS,
		netd ? "it asks netd for networks itself: nothing is to be published"
		     : "a network of that name is there which netdctl did not make; it is left as it is");
}

static int ask_libvirt(struct publish *p, struct nd_error *e)
{
	nd_autofree char *xml = NULL;
	int r = is_listed(p, "--all", &p->there, e);

	p->ours = p->same = p->runs = p->autostarts = false;
	if (r < 0 || !p->there)
		return r;
	r = on_network(p, "net-dumpxml", "--inactive", &xml, e);
	if (r == 0)
		r = judge(p, xml, e);
	if (r == 0)
		r = is_listed(p, NULL, &p->runs, e);
	if (r == 0)
		r = is_listed(p, "--autostart", &p->autostarts, e);
	return r;
}

static void put_escaped(struct nd_buf *out, const char *s)
{
	static const char *const entities[] = { ['&'] = "&amp;", ['<'] = "&lt;", ['\''] = "&apos;" };

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < ARRAY_LEN(entities) && entities[c])
			nd_buf_append_string(out, entities[c]);
		else
			nd_buf_append(out, s, 1);
	}
}

/* A UUID of its own, always the same: a libvirt that asks netd too would else know one network twice. */
static void put_network(struct nd_buf *out, const struct publish *p)
{
	struct nd_uuid netd = { { 0 } }, own;
	char uuid[ND_UUID_STRLEN];

	nd_uuid_from_string(p->uuid, &netd);
	nd_uuid_from_name(&netd, NS, strlen(NS), &own);
	nd_buf_append_string(out, "<network>\n  <name>");
	put_escaped(out, p->name);
	nd_buf_printf(out,
		      "</name>\n  <uuid>%s</uuid>\n  <metadata>\n    <netd:published xmlns:netd='" NS
		      "' uuid='%s'/>\n  </metadata>\n  <forward mode='bridge'/>\n  <bridge name='",
		      nd_uuid_to_string(&own, uuid), p->uuid);
	put_escaped(out, p->bridge);
	nd_buf_append_string(out, "'/>\n</network>\n");
}

static int define(const struct publish *p, struct nd_error *e)
{
	static const char *const words[] = { "net-define", "/dev/stdin", NULL };
	struct nd_buf xml = { .max = 16384 };
	int r;

	put_network(&xml, p);
	r = xml.bad ? nd_fail(e, ND_MEMORY, "network for libvirt")
		    : virsh_run(p->uri, words, nd_buf_string(&xml), NULL, e);
	nd_buf_done(&xml);
	return r;
}

static int take_away(struct publish *p, struct nd_error *e)
{
	int r = 0;

	if (!p->there)
		return 0;
	p->changed = true;
	if (p->runs)
		r = on_network(p, "net-destroy", NULL, NULL, e);
	if (r == 0)
		r = on_network(p, "net-undefine", NULL, NULL, e);
	p->there = p->runs = p->autostarts = false;
	return r;
}

static int stop_there(struct publish *p, struct nd_error *e)
{
	if (!p->runs)
		return 0;
	p->changed = true;
	return on_network(p, "net-destroy", NULL, NULL, e);
}

/*
 * Anew, where it is not as it should be: another UUID cannot be defined over it, and another bridge takes
 * effect with a start. Guests stay in the bridge they are in.
 */
static int put_there(struct publish *p, struct nd_error *e)
{
	int r = p->same ? 0 : take_away(p, e);

	p->changed = p->changed || !p->there || !p->runs || !p->autostarts;
	if (r == 0 && !p->there)
		r = define(p, e);
	if (r == 0 && !p->runs)
		r = on_network(p, "net-start", NULL, NULL, e);
	if (r == 0 && !p->autostarts)
		r = on_network(p, "net-autostart", NULL, NULL, e);
	return r;
}

/* Both sides */

/* What is to be there. Without --watch, only an active network can be published. */
static int choose(struct publish *p, enum state *ret, struct nd_error *e)
{
	int r;

	*ret = REMOVED;
	if (p->remove)
		return 0;
	r = ask_netd(p, e);
	if (r == ND_NOT_FOUND && p->watch) {
		nd_error_reset(e);
		return 0;
	}
	if (r < 0)
		return r;
	*ret = p->active ? PUBLISHED : STOPPED;
	if (!p->active && !p->watch)
		return nd_fail(e, ND_STATE, "network '%s' is not active", p->name);
	if (p->active && !p->bridge[0])
		return nd_fail(e, ND_UNSUPPORTED,
			       "network '%s' has no bridge that guests could be plugged into", p->name);
	return 0;
}

static void say(const struct publish *p, enum state state)
{
	json_t *o;

	if (p->watch && !p->changed)
		return;
	if (p->cli->json) {
		o = json_pack("{s:s, s:s, s:s, s:s, s:b}", "network", p->name, "connect", p->uri, "state",
			      states[state].word, "bridge", p->bridge, "changed", p->changed);
		json_dumpf(o, p->cli->out, JSON_COMPACT);
		fputc('\n', p->cli->out);
		json_decref(o);
	} else if (p->changed) {
		cli_say(p->cli, "Network %s %s %s\n", p->name, states[state].done, p->uri);
	} else {
		cli_say(p->cli, "Network %s was %s %s already\n", p->name, states[state].done, p->uri);
	}
	fflush(p->cli->out);
}

static int bring_in_step(struct publish *p, struct nd_error *e)
{
	static int (*const doings[])(struct publish * p, struct nd_error * e) = {
		[PUBLISHED] = put_there,
		[STOPPED] = stop_there,
		[REMOVED] = take_away,
	};
	enum state state;
	int r = choose(p, &state, e);

	if (r < 0)
		return r;
	p->changed = false;
	r = ask_libvirt(p, e);
	if (r == 0)
		r = doings[state](p, e);
	if (r < 0)
		return nd_wrap(e, "libvirt at %s", p->uri);
	say(p, state);
	return 0;
}

/* --watch */

static void on_signal(int sig)
{
	client_interrupted = 1;
}

/* What brings a bridge, takes it away or makes it another. */
static bool concerns(const struct publish *p, const json_t *event)
{
	static const char *const kinds[] = { "network-defined", "network-undefined", "network-changed",
					     "network-started", "network-stopped" };
	const char *kind = cli_text(event, "kind");

	if (strcmp(cli_text(event, "network"), p->name) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return false;
}

/* The first reply, without an event, says that no further one will be missed. */
static int on_reply(void *arg, const json_t *reply)
{
	struct publish *p = arg;
	const json_t *event = json_object_get(reply, "event");

	p->was_connected = true;
	if (event && !concerns(p, event))
		return 0;
	if (bring_in_step(p, &p->why) < 0)
		return 1;
	p->told = false;
	return client_interrupted;
}

/* One connection to its end, which has always a reason. */
static int watch_once(struct publish *p, struct nd_error *e)
{
	struct client *events;
	int r = client_open(p->cli->socket, &events, e);

	nd_error_reset(&p->why);
	if (r < 0)
		return r;
	r = client_stream(events, "Monitor", NULL, -1, on_reply, p, e);
	client_close(events);
	if (p->why.code == 0)
		return r;
	nd_error_copy(e, &p->why);
	return e->code;
}

/* What another try may find otherwise: a daemon that is not there. Not: somebody's network, no virsh. */
static bool may_pass(const struct publish *p, int code)
{
	return p->was_connected && code != ND_EXISTS && code != ND_NOT_FOUND && code != ND_DENIED;
}

static void warn_once(struct publish *p, const struct nd_error *e)
{
	char text[2 * ND_ERROR_STORE];

	if (p->told)
		return;
	nd_error_format(e, text, sizeof text);
	fprintf(p->cli->err, "warning: %s; trying again\n", text);
	fflush(p->cli->err);
	p->told = true;
}

static int watch(struct publish *p, struct nd_error *e)
{
	static const struct timespec pause = { .tv_sec = PAUSE_S };

	while (watch_once(p, e) < 0 && !client_interrupted) {
		if (!may_pass(p, e->code))
			return e->code;
		if (e->code != ND_OVERRUN) {
			warn_once(p, e);
			nanosleep(&pause, NULL);
		}
		nd_error_reset(e);
	}
	return 0;
}

static int watch_until_signal(struct publish *p, struct nd_error *e)
{
	struct sigaction ours = { .sa_handler = on_signal }, was_int, was_term;
	int r;

	sigaction(SIGINT, &ours, &was_int);
	sigaction(SIGTERM, &ours, &was_term);
	r = watch(p, e);
	sigaction(SIGINT, &was_int, NULL);
	sigaction(SIGTERM, &was_term, NULL);
	client_interrupted = 0;
	return r;
}

int cmd_libvirt_publish(struct cli *cli, const struct cli_args *args)
{
	struct publish p = {
		.cli = cli,
		.uri = args->value[LIBVIRT_PUBLISH_CONNECT],
		.remove = args->set[LIBVIRT_PUBLISH_REMOVE],
		.watch = args->set[LIBVIRT_PUBLISH_WATCH],
	};
	struct nd_error e = ND_ERROR_INIT;

	p.uri = p.uri ? p.uri : DEFAULT_URI;
	if (p.remove && p.watch) {
		nd_fail(&e, ND_INVALID, "--remove and --watch exclude each other");
		cli_error(cli, &e);
		return CLI_STATUS_USAGE;
	}
	if (!nd_strcpy(p.name, sizeof p.name, args->word[0])) {
		nd_fail(&e, ND_NOT_FOUND, "Network not found: no network with matching name '%s'",
			args->word[0]);
		return cli_failed(cli, &e);
	}
	return (p.watch ? watch_until_signal(&p, &e) : bring_in_step(&p, &e)) < 0 ? cli_failed(cli, &e) : 0;
}
