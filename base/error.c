// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: the error object, implementation
 *
 * All text of an error is in its store, as NUL-terminated pieces one after the other; the object keeps
 * their offsets. Nothing allocates and nothing can fail, so an error survives ENOMEM and can be copied
 * by assignment.
 *
 * A piece is cut with "..." where it exceeds its own bound or the store's rest. The bounds keep room for
 * what comes later: a cause as long as a path must not push out the frame that names the network. A cut never
 * splits a UTF-8 sequence, since the text ends up in JSON.
 *
 * One table row per code gives everything that depends on it. API names and exit statuses are an
 * interface: rows are added, never changed.
 */
#include "base/error.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Bytes a piece may take, its NUL included. */
#define TEXT_MAX   420
#define KERNEL_MAX 200
#define FRAME_MAX  160
#define ALSO_MAX   300
#define CUT        "..."
#define PIECE_MIN  8 /* with less room than this a piece is dropped: it would say nothing */

struct code_row {
	const char *name, *api_name;
	int exit_status;  /* 0 done, 1 internal, 2 is netdctl's own (usage), 126 and up belong to the shell */
	const char *text; /* where the origin gave none */
};
static const struct code_row code_rows[] = {
	[-ND_OK] = { "ND_OK", "", 0, "no error" },
	[-ND_INVALID] = { "ND_INVALID", "io.netd.Invalid", 3, "invalid argument" },
	[-ND_NOT_FOUND] = { "ND_NOT_FOUND", "io.netd.NotFound", 4, "not found" },
	[-ND_EXISTS] = { "ND_EXISTS", "io.netd.Exists", 5, "already exists" },
	[-ND_BUSY] = { "ND_BUSY", "io.netd.Busy", 6, "in use" },
	[-ND_DENIED] = { "ND_DENIED", "io.netd.Denied", 7, "access denied" },
	[-ND_STATE] = { "ND_STATE", "io.netd.State", 8, "not valid in this state" },
	[-ND_CONFLICT] = { "ND_CONFLICT", "io.netd.Conflict", 9, "collides with what the host uses" },
	[-ND_UNSUPPORTED] = { "ND_UNSUPPORTED", "io.netd.Unsupported", 10, "not supported" },
	[-ND_LIMIT] = { "ND_LIMIT", "io.netd.Limit", 11, "limit reached" },
	[-ND_SYSTEM] = { "ND_SYSTEM", "io.netd.System", 12, "the system refused" },
	[-ND_PARSE] = { "ND_PARSE", "io.netd.Parse", 13, "not well-formed" },
	[-ND_PROTOCOL] = { "ND_PROTOCOL", "io.netd.Protocol", 14, "protocol violated" },
	[-ND_MEMORY] = { "ND_MEMORY", "io.netd.Memory", 15, "out of memory" },
	[-ND_TIMEOUT] = { "ND_TIMEOUT", "io.netd.Timeout", 16, "no answer in time" },
	[-ND_OVERRUN] = { "ND_OVERRUN", "io.netd.Overrun", 17, "events were lost" },
	[-ND_INTERNAL] = { "ND_INTERNAL", "io.netd.Internal", 1, "internal error" },
};
static_assert(ARRAY_LEN(code_rows) == ND_CODE_CNT, "one row per code");

/* Where one errno has a code of its own; all others are ND_SYSTEM. */
static const struct {
	int err, code;
} errno_rows[] = {
	{ EEXIST, ND_EXISTS },
	{ EBUSY, ND_BUSY },
	{ ENOMEM, ND_MEMORY },
	{ EXFULL, ND_LIMIT },
};

static const struct code_row *code_row(int code)
{
	if (code > 0 || code <= -ND_CODE_CNT)
		code = ND_INTERNAL;
	return &code_rows[-code];
}

/* A failure always has a code below 0: a wrong one is a bug, which must not read as success. */
static int code_checked(int code)
{
	return code >= 0 || code <= -ND_CODE_CNT ? ND_INTERNAL : code;
}

/* Puts CUT at the end of the string of cap - 1 bytes in s, without leaving half a UTF-8 sequence before it. */
static size_t cut(char *s, size_t cap)
{
	size_t at = cap - sizeof(CUT);

	while (at > 0 && ((unsigned char)s[at] & 0xc0) == 0x80)
		at--;
	memcpy(s + at, CUT, sizeof(CUT));
	return at + sizeof(CUT);
}

/* Adds one piece. Return: whether it is there, with its offset in *ret_at. */
__attribute__((format(printf, 4, 0))) static bool put(struct nd_error *e, size_t max, unsigned short *ret_at,
						      const char *fmt, va_list ap)
{
	size_t cap = sizeof(e->store) - e->used;
	char *s = e->store + e->used;
	int n;

	if (cap > max)
		cap = max;
	if (cap < PIECE_MIN)
		return false;
	n = vsnprintf(s, cap, fmt, ap);
	if (n < 0) {
		s[0] = '\0';
		n = 0;
	}
	*ret_at = e->used;
	e->used += (size_t)n < cap ? (size_t)n + 1 : cut(s, cap);
	return true;
}

__attribute__((format(printf, 4, 5))) static bool putf(struct nd_error *e, size_t max, unsigned short *ret_at,
						       const char *fmt, ...)
{
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	ok = put(e, max, ret_at, fmt, ap);
	va_end(ap);
	return ok;
}

__attribute__((format(printf, 5, 0))) static void fill(struct nd_error *e, int code, int err,
						       const char *kernel_text, const char *fmt, va_list ap)
{
	nd_error_reset(e);
	e->code = code;
	e->sys = err;
	put(e, TEXT_MAX, &e->text, fmt, ap);
	if (kernel_text && *kernel_text)
		e->kernel_set = putf(e, KERNEL_MAX, &e->kernel, "%s", kernel_text);
}

/* The first cause wins: what comes second is kept beside it, as if it had failed while undoing. */
__attribute__((format(printf, 5, 0))) static void record(struct nd_error *e, int code, int err,
							 const char *kernel_text, const char *fmt, va_list ap)
{
	struct nd_error second;

	if (!e)
		return;
	if (e->code == 0) {
		fill(e, code, err, kernel_text, fmt, ap);
		return;
	}
	fill(&second, code, err, kernel_text, fmt, ap);
	nd_also(e, &second);
}

int nd_fail(struct nd_error *e, int code, const char *fmt, ...)
{
	va_list ap;

	code = code_checked(code);
	va_start(ap, fmt);
	record(e, code, 0, NULL, fmt, ap);
	va_end(ap);
	return code;
}

int nd_fail_sys(struct nd_error *e, int err, const char *kernel_text, const char *fmt, ...)
{
	int code = ND_SYSTEM;
	va_list ap;

	for (size_t i = 0; i < ARRAY_LEN(errno_rows); i++)
		if (errno_rows[i].err == err)
			code = errno_rows[i].code;
	va_start(ap, fmt);
	record(e, code, err, kernel_text, fmt, ap);
	va_end(ap);
	return code;
}

/*
 * With every slot taken the newest frame replaces the one before it: the innermost say what failed,
 * the outermost says for whom, and what is between is worth least.
 */
__attribute__((format(printf, 2, 0))) static void wrap(struct nd_error *e, const char *fmt, va_list ap)
{
	unsigned short at;

	if (!put(e, FRAME_MAX, &at, fmt, ap))
		return;
	if (e->frame_cnt == ND_ERROR_FRAMES)
		e->frame_cnt--;
	e->frame[e->frame_cnt++] = at;
}

int nd_wrap(struct nd_error *e, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return ND_INTERNAL;
	e->code = code_checked(e->code);
	va_start(ap, fmt);
	wrap(e, fmt, ap);
	va_end(ap);
	return e->code;
}

int nd_wrap_code(struct nd_error *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code_checked(code);
	if (e->code == 0)
		e->code = code_checked(code);
	va_start(ap, fmt);
	wrap(e, fmt, ap);
	va_end(ap);
	return e->code;
}

int nd_also(struct nd_error *e, const struct nd_error *sub)
{
	char text[ALSO_MAX + 1];
	size_t room, max;

	if (!e)
		return sub ? sub->code : 0;
	if (!sub || sub->code == 0 || e->also_cnt == ND_ERROR_ALSO)
		return e->code;
	/* Half of what is left: the frames that come after this one have to fit as well. */
	room = (sizeof(e->store) - e->used) / 2;
	max = room < ALSO_MAX ? room : ALSO_MAX;
	nd_error_format(sub, text, sizeof(text));
	if (putf(e, max, &e->also[e->also_cnt], "%s", text))
		e->also_cnt++;
	return e->code;
}

void nd_error_reset(struct nd_error *e)
{
	if (!e)
		return;
	memset(e, 0, offsetof(struct nd_error, store));
	e->store[0] = '\0'; /* what an offset of 0 in an empty object shows */
}

void nd_error_copy(struct nd_error *dst, const struct nd_error *src)
{
	if (dst && dst != src)
		*dst = *src;
}

/* snprintf's contract over several calls: len counts what there would be, buf is always terminated. */
struct out {
	char *buf;
	size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void out_add(struct out *o, const char *fmt, ...)
{
	size_t at = o->len < o->size ? o->len : o->size;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(at < o->size ? o->buf + at : NULL, o->size - at, fmt, ap);
	va_end(ap);
	if (n > 0)
		o->len += (size_t)n;
}

static void out_sys(struct out *o, int err)
{
	const char *desc = strerrordesc_np(err);

	if (desc)
		out_add(o, "%s (%s)", desc, nd_errno_name(err));
	else
		out_add(o, "Unknown error %d (%s)", err, nd_errno_name(err));
}

int nd_error_format(const struct nd_error *e, char *buf, size_t size)
{
	struct out o = { buf, size, 0 };
	const char *text = nd_error_text(e);

	if (size > 0)
		buf[0] = '\0';
	for (unsigned i = 0; i < e->frame_cnt; i++)
		out_add(&o, "%s: ", nd_error_frame(e, i));
	if (*text)
		out_add(&o, "%s%s", text, e->sys ? ": " : "");
	else if (!e->sys)
		out_add(&o, "%s", code_row(e->code)->text);
	if (e->sys)
		out_sys(&o, e->sys);
	if (e->kernel_set)
		out_add(&o, ": %s", nd_error_kernel(e));
	for (unsigned i = 0; i < e->also_cnt; i++)
		out_add(&o, "; also: %s", nd_error_also(e, i));
	return (int)o.len;
}

const char *nd_error_text(const struct nd_error *e)
{
	return e->store + e->text;
}

const char *nd_error_kernel(const struct nd_error *e)
{
	return e->kernel_set ? e->store + e->kernel : "";
}

const char *nd_error_frame(const struct nd_error *e, unsigned i)
{
	return i < e->frame_cnt ? e->store + e->frame[e->frame_cnt - 1 - i] : "";
}

const char *nd_error_also(const struct nd_error *e, unsigned i)
{
	return i < e->also_cnt ? e->store + e->also[i] : "";
}

const char *nd_code_name(int code)
{
	return code_row(code)->name;
}

const char *nd_code_api_name(int code)
{
	return code_row(code)->api_name;
}

int nd_code_from_api_name(const char *name)
{
	for (size_t i = 1; name && i < ARRAY_LEN(code_rows); i++)
		if (strcmp(code_rows[i].api_name, name) == 0)
			return -(int)i;
	return ND_INTERNAL;
}

int nd_code_exit_status(int code)
{
	return code_row(code)->exit_status;
}

const char *nd_errno_name(int err)
{
	const char *name = strerrorname_np(err);

	return name ? name : "E?";
}
