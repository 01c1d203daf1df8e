// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: any bytes as a network definition
 *
 * What is accepted must be stable: written out and read again it is the same document and no change; a copy
 * writes the same. What is refused must say so, in text that is valid for JSON (no control characters).
 *
 * The same bytes are then given to net-update as a record, in every section and command, to a definition that
 * has records of all kinds: it is changed into one that is accepted, or not at all. And they are a title, a
 * description and an element of metadata.
 *
 * They are also a <networkport>, with the same demands.
 */
#include "base/mem.h"
#include "netd/xml/netdef.h"
#include "netd/xml/portdef.h"

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
	if (netdef_supported(d, &e) < 0 && e.code == ND_UNSUPPORTED)
		check_refusal(&e, ND_UNSUPPORTED);
	check_round_trip(d, nd_buf_string(&text), text.len);
	must(copy && netdef_size(copy) == netdef_size(d), "copy of another size");
	netdef_format(copy, &copied);
	must(strcmp(nd_buf_string(&text), nd_buf_string(&copied)) == 0, "copy differs");
	nd_buf_done(&text);
	nd_buf_done(&copied);
	netdef_free(copy);
}

static const char base_xml[] = "<network><name>n</name><forward mode='bridge'><interface dev='e0'/></forward>"
			       "<portgroup name='a' default='yes'/></network>";
static const char records_xml[] =
	"<network><name>n</name><dns><txt name='t' value='1'/><srv service='s' protocol='tcp'/>"
	"<host ip='1.1.1.1'><hostname>a</hostname></host></dns>"
	"<ip address='10.0.0.1' prefix='24'><dhcp><range start='10.0.0.9' end='10.0.0.20'/>"
	"<host mac='52:54:00:00:00:01' name='a' ip='10.0.0.2'/></dhcp></ip>"
	"<ip family='ipv6' address='fd00::1' prefix='64'/></network>";

static struct netdef *definition(const char *xml)
{
	struct netdef *d = NULL;

	must(netdef_parse(xml, strlen(xml), NULL, NULL, NULL, &d, NULL) == 0, "own base refused");
	return d;
}

static void check_changed(const struct netdef *d, int code, const struct nd_error *e,
			  const struct netdef *was)
{
	struct nd_buf text = { .max = 8 * NETDEF_XML_MAX };

	if (code < 0) {
		check_refusal(e, code);
		must(netdef_diff(d, was, NULL) == NETDEF_CHANGE_NONE, "refused, but changed");
		return;
	}
	must(netdef_check(d, NULL) == 0, "changed into what is not accepted");
	netdef_format(d, &text);
	check_round_trip(d, nd_buf_string(&text), text.len);
	nd_buf_done(&text);
}

static void try_update(const char *base, const char *record, unsigned section, unsigned command)
{
	struct netdef *d = definition(base), *was = definition(base);
	struct nd_error e = ND_ERROR_INIT;
	int code = netdef_update(d, (enum netdef_section)section, (enum netdef_command)command,
				 section % 3 ? -1 : 1, record, &e);

	check_changed(d, code, &e, was);
	netdef_free(d);
	netdef_free(was);
}

static void try_metadata(const char *value, enum netdef_metadata type)
{
	struct netdef *d = definition(base_xml), *was = definition(base_xml);
	struct nd_error e = ND_ERROR_INIT;
	char *got = NULL;
	int code = netdef_metadata_set(d, type, value, "k", "urn:k", &e);

	check_changed(d, code, &e, was);
	if (code == 0 && *value)
		must(netdef_metadata_get(d, type, "urn:k", &got, NULL) == 0, "set, but not there");
	free(got);
	netdef_free(d);
	netdef_free(was);
}

static void check_as_record(const uint8_t *data, size_t len)
{
	static const char *const records[] = {
		"<host", "<range", "<interface", "<portgroup", "<txt", "<srv"
	};
	char *text = strndup((const char *)data, len);
	bool record = false;

	must(text != NULL, "no memory");
	for (size_t i = 0; i < ARRAY_LEN(records); i++)
		record = record || strncmp(text, records[i], strlen(records[i])) == 0;
	/* Others are refused by their first element: one try tells. */
	try_update(records_xml, text, NETDEF_SECTION_DHCP_HOST, NETDEF_COMMAND_ADD_LAST);
	for (unsigned section = 0; record && section <= NETDEF_SECTION_DNS_SRV; section++)
		for (unsigned command = NETDEF_COMMAND_MODIFY; command <= NETDEF_COMMAND_ADD_FIRST;
		     command++) {
			try_update(base_xml, text, section, command);
			try_update(records_xml, text, section, command);
		}
	for (int type = NETDEF_METADATA_DESCRIPTION; type <= NETDEF_METADATA_ELEMENT; type++)
		try_metadata(text, (enum netdef_metadata)type);
	free(text);
}

static void check_as_port(const uint8_t *data, size_t len)
{
	struct nd_error e = ND_ERROR_INIT;
	struct nd_buf text = { .max = 8 * NETDEF_XML_MAX }, again = { .max = 8 * NETDEF_XML_MAX };
	struct portdef *p = NULL, *same = NULL;
	int code = portdef_parse((const char *)data, len, false, NULL, NULL, &p, &e);

	if (code < 0) {
		must(p == NULL, "refused, but written");
		check_refusal(&e, code);
		return;
	}
	portdef_format(p, &text);
	must(!text.bad && text.len > 0, "accepted but not written");
	if (text.len <= NETDEF_XML_MAX) {
		must(portdef_parse(nd_buf_string(&text), text.len, true, NULL, NULL, &same, &e) == 0,
		     "own port refused");
		/* What says nothing is written once, as libvirt does, and read as nothing. */
		same->bandwidth.given = p->bandwidth.given;
		same->class_id = p->class_id;
		portdef_format(same, &again);
		must(strcmp(nd_buf_string(&text), nd_buf_string(&again)) == 0, "port not stable");
	}
	nd_buf_done(&text);
	nd_buf_done(&again);
	portdef_free(p);
	portdef_free(same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct nd_error e = ND_ERROR_INIT;
	struct netdef *d = NULL, *same = NULL;
	unsigned warnings = 0;
	int code = netdef_parse((const char *)data, len, NULL, on_warning, &warnings, &d, &e), strict;

	strict = netdef_parse_flags((const char *)data, len, NETDEF_PARSE_VALIDATE, NULL, NULL, NULL, &same,
				    NULL);
	must(code < 0 ? strict < 0 : (strict == 0) == (warnings == 0),
	     "a warning is no error, or the other way");
	netdef_free(same);
	check_as_record(data, len);
	check_as_port(data, len);
	if (code < 0) {
		must(d == NULL, "refused, but written");
		check_refusal(&e, code);
		return 0;
	}
	check_accepted(d);
	netdef_free(d);
	return 0;
}
