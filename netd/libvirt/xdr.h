/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_LIBVIRT_XDR_H
#define ND_LIBVIRT_XDR_H
/*
 * XDR (RFC 4506) as far as libvirt's protocol needs it, bounded: read by a signature, written piece by piece.
 *
 * A signature has one letter per value:
 *   i int    u unsigned    h hyper    H unsigned hyper    s string    S optional string    U uuid
 *   N network    M optional network (its name is NULL where absent)    P port    p typed parameters
 * and, in what procedures give back, also lists:
 *   I ints    t strings    n networks    o ports    l leases
 */
#include "base/addr.h"
#include "base/bytes.h"

#define XDR_STRING_MAX 4194304 /* bytes; libvirt's REMOTE_STRING_MAX */
#define XDR_PARAMS_MAX 20      /* of one list: 20 for an identity, 16 for a port */
#define XDR_VALUES_MAX 8       /* in one signature */

struct xdr_network {
	char *name; /* heap; from a client: not trusted, the uuid decides */
	struct nd_uuid uuid;
};
struct xdr_port {
	struct xdr_network network;
	struct nd_uuid uuid;
};
enum xdr_param_type {
	XDR_PARAM_INT = 1,
	XDR_PARAM_UINT,
	XDR_PARAM_LLONG,
	XDR_PARAM_ULLONG,
	XDR_PARAM_DOUBLE,
	XDR_PARAM_BOOL,
	XDR_PARAM_STRING
};
struct xdr_param {
	char *name;    /* heap */
	uint32_t type; /* enum xdr_param_type */
	uint64_t bits; /* numbers: sign-extended; double: its bits */
	char *string;  /* heap; NULL but for XDR_PARAM_STRING */
};
struct xdr_params {
	struct xdr_param *list; /* heap, cnt of them */
	size_t cnt;
};
union xdr_value {
	int32_t i;
	uint32_t u;
	int64_t h;
	uint64_t H;
	char *s; /* heap; NULL where an optional one is absent */
	struct nd_uuid uuid;
	struct xdr_network network;
	struct xdr_port port;
	struct xdr_params params;
};

/*
 * Reads exactly what signature says (at most XDR_VALUES_MAX letters, no lists) from bytes that must end
 * there. Strings are copies without a NUL inside. Return: 0; ND_PROTOCOL (too short, too long, over a bound,
 * no memory): then nothing is left to free.
 */
int xdr_read(struct nd_reader r, const char *signature, union xdr_value ret[XDR_VALUES_MAX]);
void xdr_free(const char *signature, union xdr_value values[XDR_VALUES_MAX]);

/* Each appends. s: at most XDR_STRING_MAX bytes, else the buffer turns bad. */
void xdr_put_int(struct nd_buf *b, int32_t v);
void xdr_put_uint(struct nd_buf *b, uint32_t v);
void xdr_put_hyper(struct nd_buf *b, int64_t v);
void xdr_put_string(struct nd_buf *b, const char *s);
void xdr_put_string_or_none(struct nd_buf *b, const char *s /* NULL: none */);
void xdr_put_uuid(struct nd_buf *b, const struct nd_uuid *uuid);
/* One of a list of typed parameters, which begins with their number. */
void xdr_put_param_uint(struct nd_buf *b, const char *name, uint32_t v);
void xdr_put_network(struct nd_buf *b, const char *name, const struct nd_uuid *uuid);
#endif
