// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: everything a client can send over the API's socket
 *
 * The first byte says in pieces of how many bytes the rest arrives, the second what happens meanwhile (bits:
 * late answers are given, stream events come, the client reads, it hangs up at the end without reading).
 * Whatever comes back must be whole frames of JSON; connections must be gone with their client. Each frame is
 * also checked against all rows of io.netd and taken for an error reply, which is what netdctl does with a
 * daemon's bytes.
 */
#include "base/mem.h"
#include "tests/netd/api-harness.h"

#include <stdint.h>

#define TURNS_MAX 4096

enum { ANSWER = 1, EVENTS = 2, READ = 4, HANG_UP = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_replies(struct harness_client *cl)
{
	json_t *reply;

	while ((reply = harness_reply(cl)))
		json_decref(reply);
}

static void serve(const uint8_t *p, size_t len, size_t piece, unsigned what)
{
	struct harness_client cl;
	struct harness h;
	size_t at = 0;

	harness_init(&h);
	cl = harness_connect(&h, what & 16 ? ACCESS_NONE : ACCESS_OBSERVER);
	for (int i = 0; i < TURNS_MAX && (at < len || i < 8); i++) {
		size_t left = len - at;

		if (left > 0)
			at += harness_write(&cl, p + at, left < piece ? left : piece);
		harness_turn(&h, 1);
		if (what & ANSWER)
			harness_finish_later(&h);
		if (what & EVENTS)
			harness_stream_send(&h, "event");
		if (what & READ)
			read_replies(&cl);
	}
	if (!(what & HANG_UP))
		read_replies(&cl);
	harness_disconnect(&cl);
	harness_turn(&h, 3);
	if (conn_set_count(h.set) != 0)
		abort();
	harness_done(&h);
}

static void check_frame(const char *text, size_t len)
{
	struct nd_error e = ND_ERROR_INIT;
	const char *bad = NULL, *name;
	char line[ND_ERROR_STORE * 2];
	json_t *frame = NULL, *params;

	if (api_frame_parse(text, len, &frame, NULL) < 0)
		return;
	params = json_object_get(frame, "parameters");
	for (size_t i = 0; i < api_netd.method_cnt; i++) {
		api_fields_check(api_netd.methods[i].in, api_netd.methods[i].in_cnt, params, &bad);
		api_fields_check(api_netd.methods[i].out, api_netd.methods[i].out_cnt, params, &bad);
	}
	name = api_get_string(frame, "error");
	if (name && api_error_decode(name, params, &e) >= 0)
		abort();
	nd_error_format(&e, line, sizeof(line));
	json_decref(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end;
	size_t at = 2;

	if (size < 2)
		return 0;
	serve(data + 2, size - 2, (size_t)data[0] * 16 + 1, data[1]);
	for (; at < size; at = (size_t)(end - data) + 1) {
		end = memchr(data + at, 0, size - at);
		if (!end)
			end = data + size;
		check_frame((const char *)data + at, (size_t)(end - data) - at);
	}
	return 0;
}
