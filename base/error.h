/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_BASE_ERROR_H
#define ND_BASE_ERROR_H
/*
 * DOC: the error object
 *
 * One object travels from the kernel call to the client. It says what failed
 * (code), what the system said (errno and the kernel's own text, from netlink
 * extended ACK where there is one), what was being done (a chain of noun
 * frames, outermost first when shown: "network 'lan': bridge 'virbr1': set mtu"),
 * and what else failed while undoing (also). Everything lives inside the struct, so
 * that it works under ENOMEM; text that does not fit is cut at the end with "...".
 *
 * A function with more than one way to fail returns int (0, or a negative
 * enum nd_code) and takes `struct nd_error *e` last. e may be NULL where the caller
 * only wants the code. The first cause wins: nd_fail() on an object that
 * already holds an error keeps that one and records the new failure as also.
 */
#include <stdbool.h>
#include <stddef.h>

/* Stable. Each has one row in error.c: C name, API error name, exit status, default text. */
enum nd_code {
	ND_OK = 0,
	ND_INVALID = -1,     /* an argument or a definition is wrong */
	ND_NOT_FOUND = -2,   /* no such network, port, lease, method */
	ND_EXISTS = -3,      /* name, uuid, bridge, MAC taken */
	ND_BUSY = -4,        /* in use: live ports, device held, second daemon */
	ND_DENIED = -5,      /* the peer may not do this */
	ND_STATE = -6,       /* not valid in this state: start of an active network */
	ND_CONFLICT = -7,    /* subnet collides with the host's addresses or routes */
	ND_UNSUPPORTED = -8, /* known, but not done by this netd or this kernel */
	ND_LIMIT = -9,       /* bridge full, pool exhausted, too many clients */
	ND_SYSTEM = -10,     /* a system call or the kernel refused; errno is set */
	ND_PARSE = -11,      /* XML, JSON or packet not well-formed */
	ND_PROTOCOL = -12,   /* a peer broke the protocol */
	ND_MEMORY = -13,     /* out of memory */
	ND_TIMEOUT = -14,    /* no answer in time */
	ND_OVERRUN = -15,    /* events were lost (netlink ENOBUFS, ring overrun): resync */
	ND_INTERNAL = -16,   /* our own bug or a broken invariant */
};
#define ND_CODE_CNT 17

#define ND_ERROR_STORE  1000 /* bytes of frames and texts an error can hold */
#define ND_ERROR_FRAMES 12
#define ND_ERROR_ALSO   3

struct nd_error {
	int code;              /* enum nd_code; 0: no error */
	int sys;               /* errno value, 0: none */
	unsigned short used;   /* bytes of store used */
	unsigned short text;   /* offset of the origin's text in store */
	unsigned short kernel; /* offset of the kernel's text; 0 with kernel_set false: none */
	bool kernel_set;
	unsigned char frame_cnt, also_cnt;
	unsigned short frame[ND_ERROR_FRAMES]; /* innermost first */
	unsigned short also[ND_ERROR_ALSO];
	char store[ND_ERROR_STORE];
};

#define ND_ERROR_INIT ((struct nd_error){ .code = 0 })

/* Start of a failure. Return: code, always. */
int nd_fail(struct nd_error *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/*
 * The same where the system refused. err: positive errno. kernel_text: what the kernel said
 * beside it, copied, or NULL. Return: ND_SYSTEM, or the code that fits the errno better
 * (EEXIST ND_EXISTS, EBUSY ND_BUSY, ENOMEM ND_MEMORY, EXFULL ND_LIMIT, EPERM/EACCES ND_SYSTEM).
 */
int nd_fail_sys(struct nd_error *e, int err, const char *kernel_text, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Adds one noun frame around what is there. Return: e->code (ND_INTERNAL when e is NULL: there use nd_wrap_code). */
int nd_wrap(struct nd_error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same where e may be NULL. Return: e->code, or code when e is NULL. */
int nd_wrap_code(struct nd_error *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Records in e what failed while undoing; sub's whole message. Return: e->code. */
int nd_also(struct nd_error *e, const struct nd_error *sub);
void nd_error_reset(struct nd_error *e);
/* Replaces *dst. */
void nd_error_copy(struct nd_error *dst, const struct nd_error *src);

/*
 * The whole message in one line without a newline:
 * "network 'lan': bridge 'virbr1': set mtu: Invalid argument (EINVAL): mtu less than device minimum; also: …"
 * Return: length as snprintf's.
 */
int nd_error_format(const struct nd_error *e, char *buf, size_t size);
/* Parts, for the API. Each is "" where absent. i counts from the outermost frame. */
const char *nd_error_text(const struct nd_error *e);
const char *nd_error_kernel(const struct nd_error *e);
const char *nd_error_frame(const struct nd_error *e, unsigned i);
const char *nd_error_also(const struct nd_error *e, unsigned i);

/* Rows. Unknown codes give those of ND_INTERNAL. */
const char *nd_code_name(int code);          /* "ND_NOT_FOUND" */
const char *nd_code_api_name(int code);      /* "io.netd.NotFound" */
int nd_code_from_api_name(const char *name); /* ND_INTERNAL when unknown */
int nd_code_exit_status(int code);           /* netdctl's exit status, documented in netdctl(1) */
const char *nd_errno_name(int err);          /* "EINVAL"; "E?" when unknown */

/* How a changing call that may have to wait for a disk ends: exactly once, now or later. */
struct nd_done {
	void (*fn)(void *arg, const struct nd_error *e /* borrowed; code 0: done */);
	void *arg;
};
static inline void nd_done_call(struct nd_done d, const struct nd_error *e)
{
	if (d.fn)
		d.fn(d.arg, e);
}
#endif
