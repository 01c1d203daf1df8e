/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_BASE_BYTES_H
#define ND_BASE_BYTES_H
/*
 * The only place where bytes from outside are read and bytes for outside are written. Reader and fixed writer
 * have a sticky error: after the first overrun every call gives 0/NULL/nothing and `bad` stays set, so a parser checks once
 * at the end. nd_buf grows up to a limit.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nd_reader {
	const uint8_t *base; /* borrowed */
	size_t len, pos;
	bool bad;
};
struct nd_reader nd_reader(const void *p, size_t len);
size_t nd_reader_left(const struct nd_reader *r);
uint8_t nd_read_u8(struct nd_reader *r);
uint16_t nd_read_be16(struct nd_reader *r);
uint32_t nd_read_be32(struct nd_reader *r);
uint64_t nd_read_be64(struct nd_reader *r);
/* A view of n bytes, valid as long as the base; NULL when there are fewer. */
const uint8_t *nd_read_view(struct nd_reader *r, size_t n);
void nd_read_copy(struct nd_reader *r, void *dst, size_t n); /* dst is zeroed on overrun */
void nd_read_skip(struct nd_reader *r, size_t n);
struct nd_reader nd_read_sub(struct nd_reader *r, size_t n); /* bad when there are fewer */

struct nd_writer {
	uint8_t *base; /* borrowed */
	size_t size, pos;
	bool bad;
};
struct nd_writer nd_writer(void *p, size_t size);
void nd_write_u8(struct nd_writer *w, uint8_t v);
void nd_write_be16(struct nd_writer *w, uint16_t v);
void nd_write_be32(struct nd_writer *w, uint32_t v);
void nd_write_be64(struct nd_writer *w, uint64_t v);
void nd_write_bytes(struct nd_writer *w, const void *p, size_t n);
void nd_write_zero(struct nd_writer *w, size_t n);
void nd_write_be16_at(struct nd_writer *w, size_t at, uint16_t v); /* at + 2 <= pos */

struct nd_buf {
	uint8_t *p;
	size_t len, size, max; /* max: refuse to grow past it; 0: 1 MiB */
	bool bad;              /* ENOMEM or max reached; sticky */
};
void nd_buf_done(struct nd_buf *b);
void nd_buf_reset(struct nd_buf *b);              /* len 0, memory kept */
void *nd_buf_reserve(struct nd_buf *b, size_t n); /* n writable bytes after len, or NULL */
void nd_buf_append(struct nd_buf *b, const void *p, size_t n);
void nd_buf_append_string(struct nd_buf *b, const char *s);
void nd_buf_printf(struct nd_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void nd_buf_consume(struct nd_buf *b, size_t n); /* drops n bytes from the front */
const char *nd_buf_string(struct nd_buf *b);     /* NUL-terminated view; "" when empty or bad */
#endif
