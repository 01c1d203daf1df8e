// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: everything a client can send over libvirt's sockets
 *
 * The first byte says how the rest is sent (HOW bits), the second in pieces of how many bytes. Either the
 * rest is the stream itself, or, so that the fuzzer need not find out about lengths, a row of messages:
 * procedure (2 bytes; the low 9 bits), body's length (1), body; programs and types are then right. Whatever
 * comes back must be whole messages, each that is no error as its procedure's row says; connections must be
 * gone with their client.
 */
#include "base/mem.h"
#include "tests/netd/libvirt-harness.h"

#include <assert.h>
#include <stdint.h>

#define TURNS_MAX  2048
#define STREAM_MAX (2 * 1024 * 1024)

enum {
	FRAMED = 1,  /* the rest is a row of messages */
	OPENED = 2,  /* the client is authenticated and has opened */
	RO = 4,      /* its socket is the read-only one */
	NOBODY = 8,  /* it has no rights */
	LATER = 16,  /* verbs wait for the disk */
	EVENTS = 32, /* events come */
	READ = 64,   /* it reads what comes */
	HANG_UP = 128
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(struct lv_client *cl)
{
	const struct proc_row *row;
	struct rpc_header h;
	struct nd_reader body;

	while (lv_receive(cl, &h, &body)) {
		row = h.prog == LIBVIRT_PROGRAM ? proc_row(h.proc) : NULL;
		if (h.type == RPC_REPLY && h.status == RPC_OK)
			assert(row && row->name && lv_body_fits(body, row->out));
		else if (h.type == RPC_REPLY)
			assert(h.status == RPC_ERROR && lv_body_fits(body, "iiSiuSSSiiu"));
		else
			assert(h.type == RPC_MESSAGE);
	}
}

/* A network to find: its uuid is all bytes 'u'. */
static void add_network(struct lv *lv)
{
	struct nd_uuid id;
	struct network *n;

	memset(id.b, 'u', sizeof id.b);
	n = model_network_new(&id, "lan");
	assert(n && model_network_add(&lv->model, n) == 0);
	n->config = netdef_new();
	assert(n->config);
	n->config->name = strdup("lan");
}

static void put_message(struct nd_buf *out, uint32_t serial, uint32_t proc, struct nd_reader body)
{
	size_t len = nd_reader_left(&body);
	const uint32_t words[] = { (uint32_t)(RPC_HEADER_LEN + len),
				   LIBVIRT_PROGRAM,
				   LIBVIRT_VERSION,
				   proc,
				   RPC_CALL,
				   serial,
				   RPC_OK };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		xdr_put_uint(out, words[i]);
	nd_buf_append(out, nd_read_view(&body, len), len);
}

static void put_messages(struct nd_buf *out, const uint8_t *p, size_t len)
{
	struct nd_reader r = nd_reader(p, len);

	for (uint32_t serial = 0; nd_reader_left(&r) >= 3 && !out->bad; serial++) {
		uint32_t proc = nd_read_be16(&r) & 511;
		size_t body = nd_read_u8(&r);

		if (body > nd_reader_left(&r))
			body = nd_reader_left(&r);
		put_message(out, serial, proc, nd_read_sub(&r, body));
	}
}

static void serve(const struct nd_buf *stream, unsigned how, size_t piece)
{
	struct event ev = { .kind = EVENT_NETWORK_STARTED, .network = "lan" };
	enum session_socket socket = how & RO ? SESSION_RO : SESSION_RW;
	struct lv_client cl;
	struct lv lv;
	size_t at = 0;

	lv_init(&lv);
	add_network(&lv);
	cl = how & OPENED ? lv_open(&lv, socket)
			  : lv_connect(&lv, socket, how & NOBODY ? ACCESS_NONE : ACCESS_ADMIN);
	lv.later = how & LATER;
	for (int i = 0; i < TURNS_MAX && (at < stream->len || i < 8); i++) {
		size_t left = stream->len - at;

		at += lv_write(&cl, stream->p + at, left < piece ? left : piece);
		lv_turn(&lv, 1);
		if (lv.waiting_cnt > LV_LATER_MAX / 2 || i % 8 == 7)
			lv_finish_later(&lv);
		if (how & EVENTS)
			events_emit(lv.core.events, &ev);
		if (how & READ)
			read_all(&cl);
	}
	if (!(how & HANG_UP))
		read_all(&cl);
	lv_disconnect(&cl);
	lv_turn(&lv, 3);
	assert(rpc_set_count(lv.set) == 0);
	lv_done(&lv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nd_buf stream = { .max = STREAM_MAX };

	if (size < 2)
		return 0;
	if (data[0] & FRAMED)
		put_messages(&stream, data + 2, size - 2);
	else
		nd_buf_append(&stream, data + 2, size - 2);
	if (!stream.bad)
		serve(&stream, data[0], (size_t)data[1] * 16 + 1);
	nd_buf_done(&stream);
	return 0;
}
