// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the step between netd and dnsmasq
 *
 * netd executes itself, and that process becomes dnsmasq after it has limited itself: no user but its own, no capability but the one for ports
 * below 1024, no new privileges, less of the machine's memory and files than anybody would notice, and none of the system calls that change the
 * machine. A filter of what is let in would have to know another program's and its libraries' every call; this one knows what is refused.
 *
 * The pid is written before anything else, so that whoever comes after a netd that was killed in the middle finds it. There is no limit of
 * processes: the kernel counts those of all networks' servers together.
 */
#include "base/file.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "base/spawn.h"
#include "dns/dns.h"
#include "dns/process.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXIT_FAILED 1

static const struct {
	int which;
	rlim_t max;
} limits[] = {
	{ RLIMIT_CORE, 0 },        { RLIMIT_NOFILE, 1024 },
	{ RLIMIT_FSIZE, 1 << 20 }, /* of the log alone: it writes nothing else */
	{ RLIMIT_AS, 512 << 20 },  { RLIMIT_MEMLOCK, 64 << 10 },
};

#define ANY(call)                            \
	{                                    \
		.syscall = (call), .arg = -1 \
	}
static const struct nd_sandbox_rule refused[] = {
	ANY(SCMP_SYS(acct)),
	ANY(SCMP_SYS(add_key)),
	ANY(SCMP_SYS(adjtimex)),
	ANY(SCMP_SYS(bpf)),
	ANY(SCMP_SYS(chroot)),
	ANY(SCMP_SYS(clock_adjtime)),
	ANY(SCMP_SYS(clock_settime)),
	ANY(SCMP_SYS(delete_module)),
	ANY(SCMP_SYS(finit_module)),
	ANY(SCMP_SYS(fsconfig)),
	ANY(SCMP_SYS(fsmount)),
	ANY(SCMP_SYS(fsopen)),
	ANY(SCMP_SYS(fspick)),
	ANY(SCMP_SYS(init_module)),
	ANY(SCMP_SYS(io_uring_enter)),
	ANY(SCMP_SYS(io_uring_register)),
	ANY(SCMP_SYS(io_uring_setup)),
	ANY(SCMP_SYS(kexec_file_load)),
	ANY(SCMP_SYS(kexec_load)),
	ANY(SCMP_SYS(keyctl)),
	ANY(SCMP_SYS(mount)),
	ANY(SCMP_SYS(mount_setattr)),
	ANY(SCMP_SYS(move_mount)),
	ANY(SCMP_SYS(name_to_handle_at)),
	ANY(SCMP_SYS(open_by_handle_at)),
	ANY(SCMP_SYS(open_tree)),
	ANY(SCMP_SYS(perf_event_open)),
	ANY(SCMP_SYS(personality)),
	ANY(SCMP_SYS(pivot_root)),
	ANY(SCMP_SYS(process_vm_readv)),
	ANY(SCMP_SYS(process_vm_writev)),
	ANY(SCMP_SYS(ptrace)),
	ANY(SCMP_SYS(quotactl)),
	ANY(SCMP_SYS(reboot)),
	ANY(SCMP_SYS(request_key)),
	ANY(SCMP_SYS(setdomainname)),
	ANY(SCMP_SYS(sethostname)),
	ANY(SCMP_SYS(setns)),
	ANY(SCMP_SYS(settimeofday)),
	ANY(SCMP_SYS(swapoff)),
	ANY(SCMP_SYS(swapon)),
	ANY(SCMP_SYS(umount2)),
	ANY(SCMP_SYS(unshare)),
	ANY(SCMP_SYS(userfaultfd)),
};
static const int kept[] = { CAP_NET_BIND_SERVICE };

struct launch {
	const char *dir, *dnsmasq;
	unsigned long uid, gid;
};

static bool parse(struct launch *l, int argc, char **argv)
{
	static const struct option options[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "dnsmasq", required_argument, NULL, 'x' },
		{ "uid", required_argument, NULL, 'u' },
		{ "gid", required_argument, NULL, 'g' },
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	optind = 0; /* the caller has used it */
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'd': l->dir = optarg; break;
		case 'x': l->dnsmasq = optarg; break;
		case 'u': l->uid = strtoul(optarg, NULL, 10); break;
		case 'g': l->gid = strtoul(optarg, NULL, 10); break;
		default: return false;
		}
	}
	return l->dir && l->dnsmasq;
}

/* What it says goes to its log from here on. */
static int take_log(const struct launch *l, struct nd_error *e)
{
	char path[DNS_PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/" DNS_LOG, l->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
		return nd_fail_sys(e, errno, NULL, "%s", path);
	close(fd);
	return 0;
}

static int limit(struct nd_error *e)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct rlimit lim;

		if (getrlimit(limits[i].which, &lim) < 0)
			return nd_fail_sys(e, errno, NULL, "resource limit %d", limits[i].which);
		if (lim.rlim_max > limits[i].max)
			lim.rlim_max = limits[i].max;
		lim.rlim_cur = lim.rlim_max;
		if (setrlimit(limits[i].which, &lim) < 0)
			return nd_fail_sys(e, errno, NULL, "resource limit %d", limits[i].which);
	}
	return 0;
}

static int become(const struct launch *l, struct nd_error *e)
{
	char conf[DNS_PATH_MAX + 16];
	const struct nd_sandbox sandbox = {
		.uid = (uid_t)l->uid,
		.gid = (gid_t)l->gid,
		.rules = refused,
		.rule_cnt = ARRAY_LEN(refused),
		.deny = true,
		.keep = kept,
		.keep_cnt = ARRAY_LEN(kept),
	};
	snprintf(conf, sizeof(conf), "--conf-file=%s/" DNS_CONF, l->dir);
	char *const argv[] = { (char *)l->dnsmasq, conf, NULL };
	char *const envp[] = { NULL };

	/* The limits last: nothing of this process's own must fail by them. */
	if (take_log(l, e) < 0 || dns_pid_write(l->dir, e) < 0 || nd_sandbox_enter(&sandbox, e) < 0 ||
	    limit(e) < 0)
		return e->code;
	execve(l->dnsmasq, argv, envp);
	return nd_fail_sys(e, errno, NULL, "%s", l->dnsmasq);
}

void dns_launch_main(int argc, char **argv)
{
	struct launch l = { .uid = (uid_t)-1, .gid = (gid_t)-1 };
	struct nd_error e = ND_ERROR_INIT;
	char text[512];

	if (!parse(&l, argc, argv))
		nd_fail(&e, ND_INVALID, "arguments of the DNS launcher");
	else
		become(&l, &e);
	nd_error_format(&e, text, sizeof(text));
	dprintf(STDERR_FILENO, "%s\n", text);
	_exit(EXIT_FAILED); /* there is nothing to put in order, and by now little to do it with */
}

int dns_launch(const struct dns_launch *l, struct dns_process *ret, struct nd_error *e)
{
	char uid[16], gid[16];
	const char *const argv[] = { "netd",     "--worker", "dns", "--dir", l->dir, "--dnsmasq",
				     l->dnsmasq, "--uid",    uid,   "--gid", gid,    NULL };
	const struct nd_spawn spawn = { .path = "/proc/self/exe", .argv = argv };
	struct dns_process p = { .fd = -1 };

	snprintf(uid, sizeof(uid), "%u", (unsigned)l->uid);
	snprintf(gid, sizeof(gid), "%u", (unsigned)l->gid);
	if (nd_spawn(&spawn, &p.pid, e) < 0)
		return nd_wrap_code(e, ND_SYSTEM, "dnsmasq");
	p.fd = (int)syscall(SYS_pidfd_open, p.pid, 0); /* it is our child: its number is still its own */
	if (p.fd < 0)
		return nd_fail_sys(e, errno, NULL, "pidfd of dnsmasq %d", (int)p.pid);
	*ret = p;
	return 0;
}
