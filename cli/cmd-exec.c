/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: netdctl exec
 *
 * The process becomes the VMM: its pid, signals, cgroup and exit status are the VMM's own, and nothing of netd stays around it. The descriptors are the
 * only tie to the networks: when the VMM ends, or could not be run at all, they close and the kernel takes the devices away.
 *
 * Everything that can be refused without netd is refused before the first network is attached: options, and placeholders, by expanding
 * the command line once for descriptors that are not there yet.
 *
 * Some VMMs take no descriptor below 3, so none is handed over there even if we were started with standard files closed. The environment says the same as the
 * placeholders: NETD_FD, NETD_FDS, NETD_MAC and NETD_IFNAME, and NETD_2_FD and so on for further networks. NETD_FD is only there for a
 * network with one queue.
 */
#include "cli/cmd-exec.h"

#include "base/mem.h"
#include "base/strtab.h"
#include "cli/attach.h"

#include <errno.h>
#include <fcntl.h>

#define NETWORKS_MAX    32  /* --network options: more than any machine type has slots for */
#define EXIT_NETD       125 /* env(1), nohup(1), docker-run(1): the wrapper itself failed */
#define EXIT_CANNOT_RUN 126 /* POSIX sh: found, but not executable */
#define EXIT_NOT_FOUND  127 /* POSIX sh */
#define FIRST_FD        3
#define ENV_NAME_LEN    32

struct exec {
	struct network_option options[NETWORKS_MAX];
	struct placeholder_network networks[NETWORKS_MAX];
	size_t cnt;
	char **command; /* in argv, NULL-ended */
};

static void exec_done(struct exec *x)
{
	for (size_t i = 0; i < x->cnt; i++) {
		network_option_done(&x->options[i]);
		attach_close(&x->networks[i]);
	}
}

static int add_network(struct exec *x, const char *text, struct nd_error *e)
{
	if (x->cnt == NETWORKS_MAX)
		return nd_fail(e, ND_LIMIT, "more than %d --network options", NETWORKS_MAX);
	int rc = network_option_parse(text, &x->options[x->cnt], e);
	if (rc == 0)
		x->cnt++;
	return rc;
}

/* "--network V" or "--network=V". Return: V and the arguments it takes (1 or 2), or NULL. */
static const char *network_value(char **argv, int *ret_used)
{
	static const char name[] = "--network";
	const size_t len = strlen(name);

	*ret_used = 1;
	if (strncmp(argv[0], name, len) != 0)
		return NULL;
	if (argv[0][len] == '=')
		return argv[0] + len + 1;
	*ret_used = 2;
	return argv[0][len] ? NULL : argv[1];
}

/* Options end at "--" or at the first word that is none. */
static int parse_arguments(struct exec *x, int argc, char **argv, struct nd_error *e)
{
	int i = 1, used, rc;

	for (; i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0; i += used) {
		const char *value = network_value(argv + i, &used);
		if (!value && used == 2 && strcmp(argv[i], "--network") == 0)
			return nd_fail(e, ND_INVALID, "--network needs a value");
		if (!value)
			return nd_fail(e, ND_INVALID, "unknown option '%s'", argv[i]);
		rc = add_network(x, value, e);
		if (rc < 0)
			return rc;
	}
	if (i < argc && strcmp(argv[i], "--") == 0)
		i++;
	if (x->cnt == 0)
		return nd_fail(e, ND_INVALID, "no --network is given");
	if (i >= argc)
		return nd_fail(e, ND_INVALID, "no command is given");
	x->command = argv + i;
	return 0;
}

static void strv_freep(char ***v)
{
	for (char **s = *v; s && *s; s++)
		free(*s);
	free(*v);
}

/* *ret: the command line with its placeholders replaced; heap of heap, NULL-ended. */
static int expand_command(const struct exec *x, char ***ret, struct nd_error *e)
{
	size_t cnt = 0;

	while (x->command[cnt])
		cnt++;
	nd_cleanup(strv_freep) char **out = calloc(cnt + 1, sizeof(*out));
	if (!out)
		return nd_fail(e, ND_MEMORY, "command line");
	for (size_t i = 0; i < cnt; i++) {
		int rc = placeholder_expand(x->command[i], x->networks, x->cnt, &out[i], e);
		if (rc < 0)
			return rc;
	}
	*ret = take_ptr(out);
	return 0;
}

/* Expands for networks that have the queues asked for and nothing else, to see whether it can be done. */
static int check_command(struct exec *x, struct nd_error *e)
{
	nd_cleanup(strv_freep) char **out = NULL;

	for (size_t i = 0; i < x->cnt; i++) {
		x->networks[i].fd_cnt = x->options[i].queues;
		memset(x->networks[i].fds, -1, sizeof(x->networks[i].fds));
	}
	int rc = expand_command(x, &out, e);
	for (size_t i = 0; i < x->cnt; i++)
		x->networks[i].fd_cnt = 0;
	return rc;
}

static int keep_on_exec(struct placeholder_network *n, struct nd_error *e)
{
	for (size_t i = 0; i < n->fd_cnt; i++) {
		if (n->fds[i] < FIRST_FD) {
			int fd = fcntl(n->fds[i], F_DUPFD_CLOEXEC, FIRST_FD);
			if (fd < 0)
				return nd_fail_sys(e, errno, NULL, "duplicate a file descriptor");
			close(n->fds[i]);
			n->fds[i] = fd;
		}
		if (fcntl(n->fds[i], F_SETFD, 0) < 0)
			return nd_fail_sys(e, errno, NULL, "keep a file descriptor");
	}
	return 0;
}

static int attach_all(struct exec *x, const char *socket, struct nd_error *e)
{
	struct client *c = NULL;

	int rc = client_open(socket, &c, e);
	for (size_t i = 0; rc == 0 && i < x->cnt; i++) {
		rc = attach_call(c, &x->options[i], true, &x->networks[i], e);
		if (rc == 0)
			rc = attach_mtu(c, &x->options[i], &x->networks[i].mtu, e);
	}
	client_close(c);
	/* Only now: the connection's descriptor may have been one of those below FIRST_FD. */
	for (size_t i = 0; rc == 0 && i < x->cnt; i++)
		rc = keep_on_exec(&x->networks[i], e);
	return rc;
}

static const struct {
	const char *name, *word;
	bool one_queue; /* removed where there are several, so that none is inherited from an outer exec */
} env_rows[] = {
	{ "FD", "fd", true },
	{ "FDS", "fds:" },
	{ "MAC", "mac" },
	{ "IFNAME", "ifname" },
};

/* k counts from 0. */
static int set_variable(const struct exec *x, size_t k, size_t row, struct nd_error *e)
{
	char name[ENV_NAME_LEN], text[ENV_NAME_LEN];
	nd_autofree char *value = NULL;

	if (k == 0)
		snprintf(name, sizeof(name), "NETD_%s", env_rows[row].name);
	else
		snprintf(name, sizeof(name), "NETD_%zu_%s", k + 1, env_rows[row].name);
	if (env_rows[row].one_queue && x->networks[k].fd_cnt > 1) {
		unsetenv(name);
		return 0;
	}
	snprintf(text, sizeof(text), "%%{%zu.%s}", k + 1, env_rows[row].word);
	int rc = placeholder_expand(text, x->networks, x->cnt, &value, e);
	if (rc == 0 && setenv(name, value, 1) < 0)
		rc = nd_fail_sys(e, errno, NULL, "set %s", name);
	return rc;
}

static int set_environment(const struct exec *x, struct nd_error *e)
{
	int rc = 0;

	for (size_t k = 0; k < x->cnt; k++)
		for (size_t row = 0; rc == 0 && row < ARRAY_LEN(env_rows); row++)
			rc = set_variable(x, k, row, e);
	return rc;
}

static void report(const struct nd_error *e)
{
	char line[2 * ND_ERROR_STORE];

	nd_error_format(e, line, sizeof(line));
	fprintf(stderr, "error: %s\n", line);
}

/* Return: the exit status. */
static int run(struct exec *x, const char *socket, struct nd_error *e)
{
	nd_cleanup(strv_freep) char **command = NULL;

	int rc = check_command(x, e);
	if (rc == 0)
		rc = attach_all(x, socket, e);
	if (rc == 0)
		rc = expand_command(x, &command, e);
	if (rc == 0)
		rc = set_environment(x, e);
	if (rc < 0)
		return EXIT_NETD;
	execvp(command[0], command);
	int err = errno;
	nd_fail_sys(e, err, NULL, "run '%s'", command[0]);
	return err == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

int cmd_exec(const char *socket, int argc, char **argv)
{
	struct nd_error e = ND_ERROR_INIT;
	struct exec x = { .cnt = 0 };
	int status = EXIT_NETD;

	if (parse_arguments(&x, argc, argv, &e) == 0)
		status = run(&x, socket, &e);
	report(&e);
	if (!x.command)
		fprintf(stderr, "usage: " CMD_EXEC_USAGE "\n");
	exec_done(&x);
	return status;
}
