// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: any bytes as a network definition
 *
 * What is accepted must be stable: written out and read again it is the same document and no change; a copy
 * writes the same. What is refused must say so, in text that is valid for JSON (no control characters).
 */
#include "base/mem.h"
#include "netd/xml/netdef.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_xml: %s\n", what);
	abort();
}

static void on_warning(void *arg, const struct netdef_warning *w)
{
	unsigned *cnt = arg;

	must(w->line > 0 && w->element[0] && w->text[0], "warning without a place or text");
	must(++*cnt <= 33, "warnings are bounded");
}

static void check_refusal(const struct nd_error *e, int code)
{
	char text[2 * ND_ERROR_STORE];

	must(code < 0 && e->code == code, "code and error differ");
	must(code != ND_MEMORY, "no input of this size can exhaust memory");
	nd_error_format(e, text, sizeof text);
	must(text[0] != '\0', "refused without a text");
	for (const char *p = text; *p; p++)
		must((unsigned char)*p >= 0x20 && *p != 0x7f, "control character in a message");
}

/* The document written from d reads as d. */
static void check_round_trip(const struct netdef *d, const char *text, size_t len)
{
	struct nd_error e = ND_ERROR_INIT;
	struct nd_buf again = { 0 };
	struct netdef *same;

	if (len > NETDEF_XML_MAX)
		return;
	must(netdef_parse(text, len, NULL, NULL, NULL, &same, &e) == 0, "own document refused");
	netdef_format(same, &again);
	must(strcmp(nd_buf_string(&again), text) == 0, "not stable");
	must(netdef_diff(d, same, NULL) == NETDEF_CHANGE_NONE, "reading it again is a change");
	nd_buf_done(&again);
	netdef_free(same);
}

static void check_accepted(struct netdef *d)
{
	struct nd_error e = ND_ERROR_INIT;
	struct nd_buf text = { .max = 8 * NETDEF_XML_MAX }, copied = { .max = 8 * NETDEF_XML_MAX };
	struct netdef *copy = netdef_copy(d);

	netdef_format(d, &text);
	must(!text.bad && text.len > 0, "accepted but not written");
	if (netdef_check(d, &e) == 0)
		must(text.len <= NETDEF_XML_MAX, "checked, but too long to be read again");
	else
		check_refusal(&e, e.code);
	check_round_trip(d, nd_buf_string(&text), text.len);
	must(copy && netdef_size(copy) == netdef_size(d), "copy of another size");
	netdef_format(copy, &copied);
	must(strcmp(nd_buf_string(&text), nd_buf_string(&copied)) == 0, "copy differs");
	nd_buf_done(&text);
	nd_buf_done(&copied);
	netdef_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct nd_error e = ND_ERROR_INIT;
	struct netdef *d = NULL;
	unsigned warnings = 0;
	int code = netdef_parse((const char *)data, len, NULL, on_warning, &warnings, &d, &e);

	if (code < 0) {
		must(d == NULL, "refused, but written");
		check_refusal(&e, code);
		return 0;
	}
	check_accepted(d);
	netdef_free(d);
	return 0;
}
