// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: bounded bytes
 *
 * nd_read_view() and claim() are the two places that move a position; everything else goes through them, so
 * the bound is checked once for reading and once for writing. Integers are put together byte by byte:
 * packets are not aligned.
 *
 * nd_buf always has one byte more than max could ask for, so that nd_buf_string() can end a full buffer.
 */
#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_MAX_DEFAULT (1024 * 1024)
#define BUF_FIRST       256 /* first allocation: most API messages fit */

struct nd_reader nd_reader(const void *p, size_t len)
{
	return (struct nd_reader){ .base = p, .len = p ? len : 0, .bad = !p && len > 0 };
}

size_t nd_reader_left(const struct nd_reader *r)
{
	return r->bad ? 0 : r->len - r->pos;
}

const uint8_t *nd_read_view(struct nd_reader *r, size_t n)
{
	static const uint8_t nothing[1];
	const uint8_t *p;

	if (r->bad || n > r->len - r->pos) {
		r->bad = true;
		return NULL;
	}
	if (n == 0)
		return r->base ? r->base + r->pos : nothing;
	p = r->base + r->pos;
	r->pos += n;
	return p;
}

static uint64_t read_be(struct nd_reader *r, size_t n)
{
	const uint8_t *p = nd_read_view(r, n);
	uint64_t v = 0;

	for (size_t i = 0; p && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

uint8_t nd_read_u8(struct nd_reader *r)
{
	return (uint8_t)read_be(r, 1);
}

uint16_t nd_read_be16(struct nd_reader *r)
{
	return (uint16_t)read_be(r, 2);
}

uint32_t nd_read_be32(struct nd_reader *r)
{
	return (uint32_t)read_be(r, 4);
}

uint64_t nd_read_be64(struct nd_reader *r)
{
	return read_be(r, 8);
}

void nd_read_copy(struct nd_reader *r, void *dst, size_t n)
{
	const uint8_t *p = nd_read_view(r, n);

	if (n == 0)
		return;
	if (p)
		memcpy(dst, p, n);
	else
		memset(dst, 0, n);
}

void nd_read_skip(struct nd_reader *r, size_t n)
{
	nd_read_view(r, n);
}

struct nd_reader nd_read_sub(struct nd_reader *r, size_t n)
{
	const uint8_t *p = nd_read_view(r, n);

	return (struct nd_reader){ .base = p, .len = p ? n : 0, .bad = !p };
}

struct nd_writer nd_writer(void *p, size_t size)
{
	return (struct nd_writer){ .base = p, .size = p ? size : 0 };
}

/* The next n bytes, or NULL where there are none to be written. */
static uint8_t *claim(struct nd_writer *w, size_t n)
{
	uint8_t *p;

	if (w->bad || n > w->size - w->pos) {
		w->bad = true;
		return NULL;
	}
	if (n == 0)
		return NULL;
	p = w->base + w->pos;
	w->pos += n;
	return p;
}

static void put_be(uint8_t *p, uint64_t v, size_t n)
{
	while (n-- > 0) {
		p[n] = (uint8_t)v;
		v >>= 8;
	}
}

static void write_be(struct nd_writer *w, uint64_t v, size_t n)
{
	uint8_t *p = claim(w, n);

	if (p)
		put_be(p, v, n);
}

void nd_write_u8(struct nd_writer *w, uint8_t v)
{
	write_be(w, v, 1);
}

void nd_write_be16(struct nd_writer *w, uint16_t v)
{
	write_be(w, v, 2);
}

void nd_write_be32(struct nd_writer *w, uint32_t v)
{
	write_be(w, v, 4);
}

void nd_write_be64(struct nd_writer *w, uint64_t v)
{
	write_be(w, v, 8);
}

void nd_write_bytes(struct nd_writer *w, const void *p, size_t n)
{
	uint8_t *to = claim(w, n);

	if (to)
		memcpy(to, p, n);
}

void nd_write_zero(struct nd_writer *w, size_t n)
{
	uint8_t *to = claim(w, n);

	if (to)
		memset(to, 0, n);
}

void nd_write_be16_at(struct nd_writer *w, size_t at, uint16_t v)
{
	if (w->bad || w->pos < 2 || at > w->pos - 2) {
		w->bad = true;
		return;
	}
	put_be(w->base + at, v, 2);
}

void nd_buf_done(struct nd_buf *b)
{
	free(b->p);
	*b = (struct nd_buf){ .max = b->max };
}

void nd_buf_reset(struct nd_buf *b)
{
	b->len = 0;
	b->bad = false;
}

void *nd_buf_reserve(struct nd_buf *b, size_t n)
{
	size_t max = b->max ? b->max : BUF_MAX_DEFAULT, size = b->size ? b->size : BUF_FIRST;
	uint8_t *p;

	if (b->bad || n > max - b->len) {
		b->bad = true;
		return NULL;
	}
	if (b->len + n < b->size)
		return b->p + b->len;
	while (size <= b->len + n)
		size = size > max / 2 ? max + 1 : size * 2;
	p = realloc(b->p, size);
	if (!p) {
		b->bad = true;
		return NULL;
	}
	b->p = p;
	b->size = size;
	return p + b->len;
}

void nd_buf_append(struct nd_buf *b, const void *p, size_t n)
{
	void *to = nd_buf_reserve(b, n);

	if (!to || n == 0)
		return;
	memcpy(to, p, n);
	b->len += n;
}

void nd_buf_append_string(struct nd_buf *b, const char *s)
{
	nd_buf_append(b, s, strlen(s));
}

void nd_buf_printf(struct nd_buf *b, const char *fmt, ...)
{
	va_list ap;
	char *to;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->bad = true;
		return;
	}
	to = nd_buf_reserve(b, (size_t)n);
	if (!to)
		return;
	va_start(ap, fmt);
	vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void nd_buf_consume(struct nd_buf *b, size_t n)
{
	if (n >= b->len) {
		b->len = 0;
		return;
	}
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->len - n);
	b->len -= n;
}

const char *nd_buf_string(struct nd_buf *b)
{
	if (b->bad || b->len == 0)
		return "";
	b->p[b->len] = '\0';
	return (const char *)b->p;
}
