// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the daemon's main
 *
 * Options, then the order of start (each step may rely on those before it): settings, capabilities, run-dir lock, network-namespace lock, disk
 * threads, netlink, nft tables, mirror, DHCP worker, adoption, socket, readiness. Stopping walks back and leaves networks, ports and tables as they are:
 * guests must not notice. `netd --worker dhcp` is the same program as the DHCP worker, `netd --worker dns` what becomes dnsmasq.
 *
 * One netd per network namespace, by two locks. The abstract socket is found from every mount namespace, but any local user can take its name first;
 * a holder who is another user, or does not say who he is, gets a warning and no more. The file NETD_RUNDIR_DEFAULT/netns-INODE.lock is root's
 * alone; it counts even where --run-dir leads elsewhere. Where it cannot be made the socket alone has to do, and must be had.
 */
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "base/sock.h"
#include "bridge/bridge.h"
#include "dhcp/dhcp.h"
#include "dns/dns.h"
#include "nat/nat.h"
#include "netd/api/server.h"
#include "netd/core/adopt.h"
#include "netd/core/connections.h"
#include "netd/core/disk.h"
#include "netd/core/event.h"
#include "netd/core/foreign.h"
#include "netd/core/holders.h"
#include "netd/core/hostbridge.h"
#include "netd/core/leases.h"
#include "netd/core/mirror.h"
#include "netd/core/model.h"
#include "netd/core/monitor.h"
#include "netd/core/names.h"
#include "netd/core/network.h"
#include "netd/core/reaper.h"
#include "netd/core/records.h"
#include "netd/core/repair.h"
#include "netd/core/settings.h"
#include "netd/core/supervisor.h"
#include "netd/libvirt/server.h"
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#define NAMESPACE_LOCK "netd" /* abstract socket: one per network namespace */
#define API_BACKLOG    4096   /* a burst of clients waits here; the kernel cuts it to net.core.somaxconn */

struct daemon {
	struct settings settings;
	struct core core;
	struct model model;
	struct api_server *server;
	struct libvirt_server *libvirt;
	const char *libvirt_dir; /* as given; NULL: the default */
	struct ev_signal term, interrupt, hangup;
	int run_lock, namespace_lock, namespace_file;
	bool notified;
	bool socket_made; /* the API's: else systemd's, which outlives us */
};

static const char usage_text[] =
	"Usage: netd [OPTION]...\n"
	"Virtual networks for the virtual machines of this host.\n\n"
	"  --config-dir DIR   definitions and netd.conf (default " NETD_SYSCONFDIR_DEFAULT ")\n"
	"  --state-dir DIR    leases (default " NETD_STATEDIR_DEFAULT ")\n"
	"  --run-dir DIR      socket and records of what runs (default " NETD_RUNDIR_DEFAULT ")\n"
	"  --libvirt-socket-dir DIR\n"
	"                     sockets for libvirt's clients (default " LIBVIRT_SOCKET_DIR_DEFAULT
	"), or none\n"
	"  --log-level LEVEL  error, warning, notice, info (default) or debug\n"
	"  --help             show this text\n"
	"  --version          show the version\n\n"
	"SIGHUP reads the definitions again; SIGTERM stops netd and leaves networks and guests running.\n"
	"See netd(8).\n";

/* ---- options ---- */

enum option_id {
	OPT_CONFIG_DIR = 256,
	OPT_STATE_DIR,
	OPT_RUN_DIR,
	OPT_LIBVIRT_SOCKET_DIR,
	OPT_LOG_LEVEL,
	OPT_HELP,
	OPT_VERSION
};
static const struct option options[] = {
	{ "config-dir", required_argument, NULL, OPT_CONFIG_DIR },
	{ "state-dir", required_argument, NULL, OPT_STATE_DIR },
	{ "run-dir", required_argument, NULL, OPT_RUN_DIR },
	{ "libvirt-socket-dir", required_argument, NULL, OPT_LIBVIRT_SOCKET_DIR },
	{ "log-level", required_argument, NULL, OPT_LOG_LEVEL },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static void set_dir(char **field, const char *dir)
{
	free(*field);
	*field = dir[0] == '/' ? strdup(dir) : realpath(dir, NULL);
}

/* Return: -1 to go on, else the exit status. */
static int parse_options(struct daemon *d, int argc, char **argv, int *ret_level)
{
	struct settings *s = &d->settings;
	int opt;
	enum nd_log_level level;
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case OPT_CONFIG_DIR: set_dir(&s->config_dir, optarg); break;
		case OPT_STATE_DIR: set_dir(&s->state_dir, optarg); break;
		case OPT_RUN_DIR: set_dir(&s->run_dir, optarg); break;
		case OPT_LIBVIRT_SOCKET_DIR: d->libvirt_dir = optarg; break;
		case OPT_LOG_LEVEL:
			if (nd_log_level_from_string(optarg, &level) < 0) {
				fprintf(stderr,
					"netd: --log-level '%s': expected error, warning, notice, info or "
					"debug\n",
					optarg);
				return 2;
			}
			*ret_level = (int)level;
			break;
		case OPT_HELP: fputs(usage_text, stdout); return 0;
		case OPT_VERSION: puts("netd " NETD_VERSION); return 0;
		default: fputs(usage_text, stderr); return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "netd: unexpected argument '%s'\n", argv[optind]);
		return 2;
	}
	if (!s->config_dir || !s->state_dir || !s->run_dir) {
		fprintf(stderr, "netd: a folder given with a relative path does not exist\n");
		return 2;
	}
	if (d->libvirt_dir && d->libvirt_dir[0] != '/' && strcmp(d->libvirt_dir, "none")) {
		fprintf(stderr, "netd: --libvirt-socket-dir '%s': expected an absolute path or none\n",
			d->libvirt_dir);
		return 2;
	}
	return -1;
}

static int read_settings(struct settings *s, int level, struct nd_error *e)
{
	char path[RECORD_PATH_MAX];
	snprintf(path, sizeof path, "%s/netd.conf", s->config_dir);
	if (settings_read(s, path, e) < 0)
		return e->code;
	if (level >= 0)
		s->log_level = (enum nd_log_level)level;
	nd_log_init("netd", s->log_level);
	return 0;
}

/* ---- signals ---- */

static void on_stop(struct ev_loop *loop, struct ev_signal *w, int revents)
{
	nd_log(ND_LOG_INFO, "stopping on signal %d; networks and guests go on", w->signum);
	ev_break(loop, EVBREAK_ALL);
}

static void on_hangup(struct ev_loop *loop, struct ev_signal *w, int revents)
{
	struct daemon *d = container_of(w, struct daemon, hangup);
	struct timespec now; /* not nd_now_ms(), which counts suspension too */
	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
		   (unsigned long long)now.tv_sec * 1000000u + (unsigned long long)now.tv_nsec / 1000u);
	size_t broken = network_reload(&d->core);
	nd_log(ND_LOG_INFO, "definitions were read again%s", broken ? "; some are broken" : "");
	sd_notify(0, "READY=1");
}

static void watch_signals(struct daemon *d)
{
	signal(SIGPIPE, SIG_IGN);
	ev_signal_init(&d->term, on_stop, SIGTERM);
	ev_signal_init(&d->interrupt, on_stop, SIGINT);
	ev_signal_init(&d->hangup, on_hangup, SIGHUP);
	ev_signal_start(d->core.loop, &d->term);
	ev_signal_start(d->core.loop, &d->interrupt);
	ev_signal_start(d->core.loop, &d->hangup);
}

/* ---- start ---- */

/* Root's alone: of the namespace's inode, in a folder that does not depend on --run-dir. */
static int take_namespace_file(struct daemon *d, struct nd_error *e)
{
	char path[RECORD_PATH_MAX];
	struct stat ns;
	if (stat("/proc/self/ns/net", &ns) < 0)
		return nd_fail_sys(e, errno, NULL, "/proc/self/ns/net");
	if (nd_dir_make(NETD_RUNDIR_DEFAULT, 0755, e) < 0)
		return e->code;
	snprintf(path, sizeof path, NETD_RUNDIR_DEFAULT "/netns-%llu.lock", (unsigned long long)ns.st_ino);
	return nd_file_lock(path, &d->namespace_file, e);
}

static int take_namespace_locks(struct daemon *d, struct nd_error *e)
{
	struct nd_error taken = ND_ERROR_INIT, failed = ND_ERROR_INIT;
	int name = nd_sock_lock(NAMESPACE_LOCK, &d->namespace_lock, &taken);
	int file = name < 0 && name != ND_EXISTS ? name : take_namespace_file(d, &failed);
	if (name < 0 && name != ND_EXISTS)
		nd_error_copy(e, &taken);
	else if (file == ND_BUSY || (file < 0 && name < 0))
		nd_error_copy(e, &failed);
	if (e->code)
		return nd_wrap(e, e->code == ND_BUSY ? "another netd serves this network namespace"
						     : "lock of the network namespace");
	if (name < 0)
		nd_log_error(ND_LOG_WARNING, &taken,
			     "somebody who is not another netd took its name in this network namespace");
	return 0;
}

static int take_locks(struct daemon *d, struct nd_error *e)
{
	char path[RECORD_PATH_MAX];
	if (nd_dir_make(d->settings.run_dir, 0755, e) < 0)
		return nd_wrap(e, "run folder");
	snprintf(path, sizeof path, "%s/netd.lock", d->settings.run_dir);
	if (nd_file_lock(path, &d->run_lock, e) < 0)
		return nd_wrap(
			e, e->code == ND_BUSY ? "another netd uses the run folder '%s'" : "run folder '%s'",
			d->settings.run_dir);
	return take_namespace_locks(d, e);
}

static int open_services(struct daemon *d, struct nd_error *e)
{
	struct core *c = &d->core;
	char *warning = NULL;
	c->events = events_new();
	c->mirror = mirror_new();
	c->sysctls = bridge_sysctls_new();
	c->leases = leases_new(c);
	if (!c->events || !c->mirror || !c->sysctls || !c->leases)
		return nd_fail(e, ND_MEMORY, "start");
	if (records_dirs_make(c, e) < 0 || records_open(d->settings.run_dir, &c->records, e) < 0 ||
	    disk_new(c->loop, d->settings.state_dir, &c->disk, &warning, e) < 0)
		return e->code;
	if (warning)
		nd_log(ND_LOG_ERR, "%s", warning);
	free(warning);
	leases_clock_load(c->leases);
	if (nd_nl_new(NETLINK_ROUTE, &c->nl, e) < 0 || reaper_new(c->loop, &c->reaper, e) < 0)
		return nd_wrap(e, "netlink");
	if (hostbridges_new(c, &c->hostbridges, e) < 0)
		return nd_wrap(e, "host bridges");
	if (nat_new(d->settings.nft_table_owner, &c->nat, e) < 0 || nat_open(c->nat, e) < 0)
		return nd_wrap(e, "nftables");
	if (holders_new(c, &c->holders, e) < 0)
		return e->code;
	if (connections_new(c->loop, &c->connections, e) < 0)
		return e->code;
	if (monitor_new(c, &c->monitor, e) < 0 || supervisor_new(c, &c->supervisor, e) < 0)
		return e->code;
	if (names_new(c, &c->names, e) < 0)
		return nd_wrap(e, "names");
	return repair_new(c, &c->repair, e);
}

/* fd: taken; systemd's, or -1. */
static int open_api(struct daemon *d, int fd, struct nd_error *e)
{
	char path[RECORD_PATH_MAX];
	snprintf(path, sizeof path, "%s/netd.sock", d->settings.run_dir);
	/* Anyone may connect, to be told by name what would allow them; credentials decide. */
	d->socket_made = fd < 0;
	if (fd < 0 && nd_sock_listen(path, 0666, (gid_t)-1, API_BACKLOG, &fd, e) < 0)
		return nd_wrap(e, "socket");
	return api_server_new(&d->core, fd, &d->server, e);
}

/* Networks matter more than who else may ask about them: only what was asked for in so many words must work. */
static int open_libvirt(struct daemon *d, struct nd_error *e)
{
	const char *dir = d->libvirt_dir ? d->libvirt_dir : LIBVIRT_SOCKET_DIR_DEFAULT;
	struct nd_error failed = ND_ERROR_INIT;
	if (d->libvirt || !strcmp(dir, "none") ||
	    libvirt_server_new(&d->core, dir, &d->libvirt, &failed) == 0)
		return 0;
	if (d->libvirt_dir && failed.code != ND_BUSY) {
		nd_error_copy(e, &failed);
		return nd_wrap(e, "sockets for libvirt's clients");
	}
	nd_log_error(ND_LOG_WARNING, &failed, "libvirt's clients are not served");
	return 0;
}

static int take_libvirt(struct daemon *d, int fd, struct nd_error *e)
{
	if (!d->libvirt && libvirt_server_new(&d->core, NULL, &d->libvirt, e) < 0)
		return e->code;
	return libvirt_server_take(d->libvirt, fd, e);
}

static int open_sockets(struct daemon *d, struct nd_error *e)
{
	int passed = sd_listen_fds(1), api_fd = -1;
	for (int i = 0; i < passed; i++) {
		int fd = SD_LISTEN_FDS_START + i;
		/* systemd's are blocking unless the unit says NonBlocking=; the loop must never wait in accept(2). */
		if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
			return nd_fail_sys(e, errno, NULL, "socket %d that systemd passed", fd);
		if (libvirt_server_wants(fd)) {
			if (take_libvirt(d, fd, e) < 0)
				return e->code;
		} else if (api_fd < 0) {
			api_fd = fd;
		} else {
			return nd_fail(e, ND_INVALID,
				       "systemd passed more than one socket for netd's own API");
		}
	}
	return open_api(d, api_fd, e) < 0 ? e->code : open_libvirt(d, e);
}

static int drop_capabilities(struct nd_error *e)
{
	static const int caps[] = { CAP_NET_ADMIN, CAP_NET_RAW,    CAP_NET_BIND_SERVICE,
				    CAP_SETUID,    CAP_SETGID,     CAP_SYS_CHROOT,
				    CAP_KILL,      CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH,
				    CAP_SETPCAP };
	return nd_capabilities_limit(caps, ARRAY_LEN(caps), e);
}

/* Each port takes one descriptor for a moment, each client one; a platform attaches many at once. */
static void raise_limits(void)
{
	struct rlimit lim;
	if (getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur < lim.rlim_max) {
		lim.rlim_cur = lim.rlim_max;
		setrlimit(RLIMIT_NOFILE, &lim);
	}
}

static void check_group(const struct settings *s)
{
	gid_t gid;
	if (nd_group_find(s->group, &gid, NULL) < 0)
		nd_log(ND_LOG_NOTICE,
		       "there is no group '%s': only root may use netd; systemd-sysusers(8) makes it",
		       s->group);
}

static int start(struct daemon *d, struct nd_error *e)
{
	struct core *c = &d->core;
	raise_limits();
	umask(022);
	if (geteuid() != 0)
		return nd_fail(e, ND_DENIED, "netd must run as root: it makes devices, addresses and rules");
	/* Capabilities are each thread's: before there are any. */
	if (drop_capabilities(e) < 0 || take_locks(d, e) < 0)
		return e->code;
	c->loop = ev_default_loop(EVFLAG_NOENV);
	if (!c->loop)
		return nd_fail(e, ND_SYSTEM, "event loop");
	model_init(&d->model);
	c->model = &d->model;
	c->settings = &d->settings;
	watch_signals(d);
	if (open_services(d, e) < 0 || adopt(c, e) < 0)
		return e->code;
	monitor_start(c->monitor);
	hostbridges_start(c->hostbridges);
	network_autostart(c);
	if (foreign_new(c, &c->foreign, e) < 0)
		return e->code;
	if (open_sockets(d, e) < 0)
		return e->code;
	check_group(&d->settings);
	nd_log(ND_LOG_INFO, "netd " NETD_VERSION " serves %u networks, %u of them active, and %u ports",
	       c->model->network_cnt, c->model->active_cnt, c->model->port_cnt);
	sd_notify(0, "READY=1");
	d->notified = true;
	return 0;
}

static void stop(struct daemon *d)
{
	struct core *c = &d->core;
	char path[RECORD_PATH_MAX];
	if (d->notified)
		sd_notify(0, "STOPPING=1");
	libvirt_server_free(d->libvirt);
	api_server_free(d->server);
	if (d->server && d->socket_made) {
		snprintf(path, sizeof path, "%s/netd.sock", d->settings.run_dir);
		unlink(path);
	}
	if (c->model)
		network_give_up(c);
	/* Before all that the ends of its jobs use: they send answers, talk to the worker, and take back what could not be written. */
	disk_free(c->disk);
	foreign_free(
		c->foreign); /* doctor and explain end with their calls, which the server's end has cut */
	monitor_free(c->monitor);
	repair_free(c->repair);
	names_free(c->names);
	hostbridges_free(c->hostbridges);
	supervisor_free(c->supervisor);
	reaper_free(c->reaper);
	holders_free(c->holders);
	connections_free(c->connections);
	leases_free(c->leases);
	records_close(c->records);
	nat_free(c->nat);
	nd_nl_free(c->nl);
	if (c->model)
		model_done(c->model);
	bridge_sysctls_free(c->sysctls);
	mirror_free(c->mirror);
	events_free(c->events);
	nd_closep(&d->namespace_lock);
	nd_closep(&d->namespace_file);
	nd_closep(&d->run_lock);
}

static int run(int argc, char **argv)
{
	struct daemon d = { .run_lock = -1, .namespace_lock = -1, .namespace_file = -1 };
	struct nd_error e = ND_ERROR_INIT;
	int level = -1, status;
	nd_log_init("netd", ND_LOG_INFO);
	settings_init(&d.settings);
	status = parse_options(&d, argc, argv, &level);
	if (status < 0) {
		status = 0;
		if (read_settings(&d.settings, level, &e) < 0 || start(&d, &e) < 0) {
			nd_log_error(ND_LOG_ERR, &e, "cannot start");
			status = nd_code_exit_status(e.code);
		} else {
			ev_run(d.core.loop, 0);
		}
		stop(&d);
	}
	settings_done(&d.settings);
	return status;
}

int main(int argc, char **argv)
{
	if (argc >= 3 && !strcmp(argv[1], "--worker") && !strcmp(argv[2], "dhcp"))
		return dhcp_worker_main(argc - 3, argv + 3);
	if (argc >= 3 && !strcmp(argv[1], "--worker") && !strcmp(argv[2], "dns"))
		dns_launch_main(argc - 2, argv + 2);
	return run(argc, argv);
}
