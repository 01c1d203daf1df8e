// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: XDR, bounded
 *
 * RFC 4506: everything is big-endian and a multiple of four bytes; a string is its length, its bytes, and
 * zeros up to the next multiple; a list is its count and its items; an optional value is a list of at most
 * one. Nothing is allocated from a length or a count alone: a string's bytes must be there, and a list grows
 * item by item.
 *
 * One row per letter of a signature: read, free. The same rows' order is no part of the protocol.
 */
#include "netd/libvirt/xdr.h"
#include "base/mem.h"

static size_t padding(size_t len)
{
	return -len & 3;
}

/* ---- reading ---- */

/* Heap copy, NULL with r->bad. Padding is zero in what libvirt sends, but nobody checks it there either. */
static char *read_string(struct nd_reader *r)
{
	size_t len = nd_read_be32(r);
	const uint8_t *p = len <= XDR_STRING_MAX ? nd_read_view(r, len) : NULL;
	char *s;

	nd_read_skip(r, padding(len));
	if (r->bad || len > XDR_STRING_MAX || (len > 0 && memchr(p, 0, len))) {
		r->bad = true;
		return NULL;
	}
	s = malloc(len + 1);
	if (!s) {
		r->bad = true;
		return NULL;
	}
	if (len > 0)
		memcpy(s, p, len);
	s[len] = '\0';
	return s;
}

static bool read_present(struct nd_reader *r)
{
	uint32_t v = nd_read_be32(r);

	if (v > 1)
		r->bad = true;
	return v == 1 && !r->bad;
}

static void read_u32(struct nd_reader *r, union xdr_value *v)
{
	v->u = nd_read_be32(r);
}

static void read_u64(struct nd_reader *r, union xdr_value *v)
{
	v->H = nd_read_be64(r);
}

static void read_text(struct nd_reader *r, union xdr_value *v)
{
	v->s = read_string(r);
}

static void read_text_or_none(struct nd_reader *r, union xdr_value *v)
{
	if (read_present(r))
		v->s = read_string(r);
}

static void read_uuid(struct nd_reader *r, union xdr_value *v)
{
	nd_read_copy(r, v->uuid.b, sizeof v->uuid.b);
}

static void read_network_to(struct nd_reader *r, struct xdr_network *n)
{
	n->name = read_string(r);
	nd_read_copy(r, n->uuid.b, sizeof n->uuid.b);
}

static void read_network(struct nd_reader *r, union xdr_value *v)
{
	read_network_to(r, &v->network);
}

static void read_network_or_none(struct nd_reader *r, union xdr_value *v)
{
	if (read_present(r))
		read_network_to(r, &v->network);
}

static void read_port(struct nd_reader *r, union xdr_value *v)
{
	read_network_to(r, &v->port.network);
	nd_read_copy(r, v->port.uuid.b, sizeof v->port.uuid.b);
}

static void read_param(struct nd_reader *r, struct xdr_param *p)
{
	p->name = read_string(r);
	p->type = nd_read_be32(r);
	switch (p->type) {
	case XDR_PARAM_INT: p->bits = (uint64_t)(int64_t)(int32_t)nd_read_be32(r); break;
	case XDR_PARAM_UINT:
	case XDR_PARAM_BOOL: p->bits = nd_read_be32(r); break;
	case XDR_PARAM_LLONG:
	case XDR_PARAM_ULLONG:
	case XDR_PARAM_DOUBLE: p->bits = nd_read_be64(r); break;
	case XDR_PARAM_STRING: p->string = read_string(r); break;
	default: r->bad = true; /* from the peer, any number */
	}
}

static void read_params(struct nd_reader *r, union xdr_value *v)
{
	uint32_t cnt = nd_read_be32(r);

	if (cnt > XDR_PARAMS_MAX)
		r->bad = true;
	if (r->bad || cnt == 0)
		return;
	v->params.list = calloc(cnt, sizeof *v->params.list);
	if (!v->params.list) {
		r->bad = true;
		return;
	}
	for (; v->params.cnt < cnt && !r->bad; v->params.cnt++)
		read_param(r, &v->params.list[v->params.cnt]);
}

static void free_text(union xdr_value *v)
{
	free(v->s);
}

static void free_network(union xdr_value *v)
{
	free(v->network.name);
}

static void free_port(union xdr_value *v)
{
	free(v->port.network.name);
}

static void free_params(union xdr_value *v)
{
	for (size_t i = 0; i < v->params.cnt; i++) {
		free(v->params.list[i].name);
		free(v->params.list[i].string);
	}
	free(v->params.list);
}

static const struct type_row {
	char letter;
	void (*read)(struct nd_reader *r, union xdr_value *v /* zeroed; safe to free whatever was read */);
	void (*free)(union xdr_value *v); /* NULL: nothing on the heap */
} type_rows[] = {
	{ 'i', read_u32, NULL },
	{ 'u', read_u32, NULL },
	{ 'h', read_u64, NULL },
	{ 'H', read_u64, NULL },
	{ 's', read_text, free_text },
	{ 'S', read_text_or_none, free_text },
	{ 'U', read_uuid, NULL },
	{ 'N', read_network, free_network },
	{ 'M', read_network_or_none, free_network },
	{ 'P', read_port, free_port },
	{ 'p', read_params, free_params },
};

static const struct type_row *type_row(char letter)
{
	for (size_t i = 0; i < ARRAY_LEN(type_rows); i++)
		if (type_rows[i].letter == letter)
			return &type_rows[i];
	return NULL;
}

int xdr_read(struct nd_reader r, const char *signature, union xdr_value ret[XDR_VALUES_MAX])
{
	memset(ret, 0, XDR_VALUES_MAX * sizeof *ret);
	for (size_t i = 0; signature[i]; i++) {
		const struct type_row *row = i < XDR_VALUES_MAX ? type_row(signature[i]) : NULL;

		if (row)
			row->read(&r, &ret[i]);
		else
			r.bad = true;
	}
	if (!r.bad && nd_reader_left(&r) == 0)
		return 0;
	xdr_free(signature, ret);
	return ND_PROTOCOL;
}

void xdr_free(const char *signature, union xdr_value values[XDR_VALUES_MAX])
{
	for (size_t i = 0; signature[i] && i < XDR_VALUES_MAX; i++) {
		const struct type_row *row = type_row(signature[i]);

		if (row && row->free)
			row->free(&values[i]);
	}
	memset(values, 0, XDR_VALUES_MAX * sizeof *values);
}

/* ---- writing ---- */

void xdr_put_uint(struct nd_buf *b, uint32_t v)
{
	uint8_t p[4];
	struct nd_writer w = nd_writer(p, sizeof p);

	nd_write_be32(&w, v);
	nd_buf_append(b, p, sizeof p);
}

void xdr_put_int(struct nd_buf *b, int32_t v)
{
	xdr_put_uint(b, (uint32_t)v);
}

void xdr_put_hyper(struct nd_buf *b, int64_t v)
{
	uint8_t p[8];
	struct nd_writer w = nd_writer(p, sizeof p);

	nd_write_be64(&w, (uint64_t)v);
	nd_buf_append(b, p, sizeof p);
}

void xdr_put_string(struct nd_buf *b, const char *s)
{
	static const uint8_t zeros[3];
	size_t len = strlen(s);

	if (len > XDR_STRING_MAX) {
		b->bad = true;
		return;
	}
	xdr_put_uint(b, (uint32_t)len);
	nd_buf_append(b, s, len);
	nd_buf_append(b, zeros, padding(len));
}

void xdr_put_string_or_none(struct nd_buf *b, const char *s)
{
	xdr_put_uint(b, s != NULL);
	if (s)
		xdr_put_string(b, s);
}

void xdr_put_uuid(struct nd_buf *b, const struct nd_uuid *uuid)
{
	nd_buf_append(b, uuid->b, sizeof uuid->b);
}

void xdr_put_param_uint(struct nd_buf *b, const char *name, uint32_t v)
{
	xdr_put_string(b, name);
	xdr_put_int(b, XDR_PARAM_UINT);
	xdr_put_uint(b, v);
}

void xdr_put_network(struct nd_buf *b, const char *name, const struct nd_uuid *uuid)
{
	xdr_put_string(b, name);
	xdr_put_uuid(b, uuid);
}
