// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: from netd's errors to libvirt's
 *
 * Three tables. The first has a row per libvirt code: its domain and the words that libvirt puts before the
 * text. The second says which code a failure of the core's is: by nd_code, and, where libvirt has several
 * codes for what is one to us, by how the text begins; the first row that fits counts. The third has the
 * codes of what is wrong with a document. Texts that scripts know are the core's own already; here only the
 * frames are left out that libvirt's texts do not have.
 */
#include "netd/libvirt/errors.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/libvirt/xdr.h"

#include <fnmatch.h>

#define LEVEL_ERROR 2

/* Who reports: enum virErrorDomain. */
enum domain { DOMAIN_NONE = 0, DOMAIN_XML = 5, DOMAIN_RPC = 7, DOMAIN_NETWORK = 19 };

static const struct code_row {
	enum libvirt_code code;
	enum domain domain;
	const char *words; /* before the text */
	const char *after; /* behind it; NULL: nothing */
} code_rows[] = {
	{ LIBVIRT_INTERNAL, DOMAIN_NETWORK, "internal error: " },
	{ LIBVIRT_NO_MEMORY, DOMAIN_NETWORK, "out of memory: " },
	{ LIBVIRT_NO_SUPPORT, DOMAIN_NETWORK, "this function is not supported by the connection driver: " },
	{ LIBVIRT_NO_CONNECT, DOMAIN_NONE, "no connection driver available for " },
	{ LIBVIRT_INVALID_ARG, DOMAIN_NETWORK, "invalid argument: " },
	{ LIBVIRT_OPERATION_FAILED, DOMAIN_NETWORK, "operation failed: " },
	{ LIBVIRT_NO_NAME, DOMAIN_NETWORK, "" },
	{ LIBVIRT_XML_ERROR, DOMAIN_NETWORK, "XML error: " },
	{ LIBVIRT_OPERATION_DENIED, DOMAIN_NETWORK, "operation forbidden: " },
	{ LIBVIRT_XML_DETAIL, DOMAIN_XML, "" },
	{ LIBVIRT_SYSTEM, DOMAIN_NETWORK, "" },
	{ LIBVIRT_RPC, DOMAIN_RPC, "" },
	{ LIBVIRT_NO_NETWORK, DOMAIN_NETWORK, "Network not found: " },
	{ LIBVIRT_INVALID_MAC, DOMAIN_NETWORK, "invalid MAC address: " },
	{ LIBVIRT_AUTH_FAILED, DOMAIN_RPC, "authentication failed: " },
	{ LIBVIRT_OPERATION_INVALID, DOMAIN_NETWORK, "Requested operation is not valid: " },
	{ LIBVIRT_CONFIG_UNSUPPORTED, DOMAIN_NETWORK, "unsupported configuration: " },
	{ LIBVIRT_OPERATION_TIMEOUT, DOMAIN_NETWORK, "Timed out during operation: " },
	{ LIBVIRT_OPERATION_UNSUPPORTED, DOMAIN_NETWORK, "Operation not supported: " },
	{ LIBVIRT_RESOURCE_BUSY, DOMAIN_NETWORK, "resource busy: " },
	{ LIBVIRT_XML_INVALID_SCHEMA, DOMAIN_XML, "XML document failed to validate against schema: " },
	{ LIBVIRT_NETWORK_PORT_EXIST, DOMAIN_NETWORK, "network port ", " exists already" },
	{ LIBVIRT_NO_NETWORK_PORT, DOMAIN_NETWORK, "network port not found: " },
	{ LIBVIRT_NO_NETWORK_METADATA, DOMAIN_NETWORK, "metadata not found: " },
};

/* How much of the core's message is told. */
enum extent {
	CAUSE, /* the text alone: libvirt's, which says all */
	BARE,  /* without the network's frame */
	WHOLE
};
static const struct core_row {
	int core;                 /* enum nd_code */
	const char *begins;       /* of the cause; NULL: any */
	enum libvirt_where where; /* it failed */
	enum libvirt_code code;
	enum extent extent;
} core_rows[] = {
	{ ND_UNSUPPORTED, NULL, LIBVIRT_IN_UPDATE, LIBVIRT_OPERATION_UNSUPPORTED, CAUSE },
	{ ND_STATE, NULL, LIBVIRT_IN_UPDATE, LIBVIRT_OPERATION_INVALID, CAUSE },
	{ ND_NOT_FOUND, NULL, LIBVIRT_IN_METADATA, LIBVIRT_NO_NETWORK_METADATA, CAUSE },
	{ ND_EXISTS, "Network port with UUID ", LIBVIRT_IN_PORT, LIBVIRT_NETWORK_PORT_EXIST, CAUSE },
	{ ND_UNSUPPORTED, "Invalid use of 'floor' ", LIBVIRT_ANYWHERE, LIBVIRT_OPERATION_UNSUPPORTED, CAUSE },
	{ ND_EXISTS, "bridge name ", LIBVIRT_ANYWHERE, LIBVIRT_INTERNAL, BARE },
	{ ND_EXISTS, NULL, LIBVIRT_ANYWHERE, LIBVIRT_OPERATION_FAILED, BARE },
	{ ND_STATE, NULL, LIBVIRT_ANYWHERE, LIBVIRT_OPERATION_INVALID, BARE },
	/* What a network needs. That the network itself is not there, the facade says: clients forget it then. */
	{ ND_NOT_FOUND, NULL, LIBVIRT_ANYWHERE, LIBVIRT_OPERATION_FAILED, BARE },
	{ ND_PARSE, NULL, LIBVIRT_ANYWHERE, LIBVIRT_XML_DETAIL, BARE },
	{ ND_INVALID, NULL, LIBVIRT_ANYWHERE, LIBVIRT_INVALID_ARG, BARE },
	{ ND_UNSUPPORTED, NULL, LIBVIRT_ANYWHERE, LIBVIRT_CONFIG_UNSUPPORTED, BARE },
	{ ND_CONFLICT, NULL, LIBVIRT_ANYWHERE, LIBVIRT_INTERNAL, BARE },
	{ ND_DENIED, NULL, LIBVIRT_ANYWHERE, LIBVIRT_AUTH_FAILED, BARE },
	{ ND_BUSY, NULL, LIBVIRT_ANYWHERE, LIBVIRT_RESOURCE_BUSY, WHOLE },
	{ ND_LIMIT, NULL, LIBVIRT_ANYWHERE, LIBVIRT_OPERATION_FAILED, WHOLE },
	{ ND_SYSTEM, NULL, LIBVIRT_ANYWHERE, LIBVIRT_SYSTEM, WHOLE },
	{ ND_PROTOCOL, NULL, LIBVIRT_ANYWHERE, LIBVIRT_RPC, WHOLE },
	{ ND_MEMORY, NULL, LIBVIRT_ANYWHERE, LIBVIRT_NO_MEMORY, WHOLE },
	{ ND_TIMEOUT, NULL, LIBVIRT_ANYWHERE, LIBVIRT_OPERATION_TIMEOUT, WHOLE },
	{ ND_OVERRUN, NULL, LIBVIRT_ANYWHERE, LIBVIRT_INTERNAL, WHOLE },
	{ ND_INTERNAL, NULL, LIBVIRT_ANYWHERE, LIBVIRT_INTERNAL, WHOLE },
};

/*
 * What libvirt says is wrong with a document has many codes, by where its parser looks; the first pattern
 * (fnmatch) that fits the text counts. All others are XML errors.
 */
static const struct text_row {
	const char *pattern;
	enum libvirt_code code;
} text_rows[] = {
	{ "*oute definition*", LIBVIRT_XML_ERROR },
	{ "missing name information*", LIBVIRT_NO_NAME },
	{ "malformed uuid element*", LIBVIRT_INTERNAL },
	{ "network port has no *", LIBVIRT_INTERNAL },
	{ "Unable to parse *", LIBVIRT_INTERNAL },
	{ "Unexpectedly got a network port *", LIBVIRT_INTERNAL },
	{ "network '* in use by network port*", LIBVIRT_INTERNAL },
	{ "network '* uses a direct mode, *", LIBVIRT_INTERNAL },
	{ "network '* requires exclusive access *", LIBVIRT_INTERNAL },
	{ "Port reclaim *", LIBVIRT_INVALID_ARG },
	{ "range *", LIBVIRT_INTERNAL },
	{ "start of range *", LIBVIRT_INTERNAL },
	{ "end of range *", LIBVIRT_INTERNAL },
	{ "Cannot parse socket address *", LIBVIRT_SYSTEM },
	{ "invalid char in name*", LIBVIRT_XML_DETAIL },
	{ "Missing or invalid 'end' attribute in <port>*", LIBVIRT_XML_DETAIL },
	{ "*DNS TXT record*", LIBVIRT_XML_DETAIL },
	{ "*DNS SRV *", LIBVIRT_XML_DETAIL },
	{ "*DNS HOST record*", LIBVIRT_XML_DETAIL },
	{ "Missing mandatory average or floor*", LIBVIRT_XML_DETAIL },
	{ "Only one child <*bound> element allowed*", LIBVIRT_XML_DETAIL },
	{ "classID attribute not supported*", LIBVIRT_XML_DETAIL },
	{ "unknown forwarding type*", LIBVIRT_CONFIG_UNSUPPORTED },
	{ "Unknown forward <driver *", LIBVIRT_CONFIG_UNSUPPORTED },
	{ "unknown address type *", LIBVIRT_CONFIG_UNSUPPORTED },
	{ "unknown virtualport type *", LIBVIRT_CONFIG_UNSUPPORTED },
	{ "Unsupported <*", LIBVIRT_CONFIG_UNSUPPORTED },
	{ "Unsupported network-wide <*", LIBVIRT_CONFIG_UNSUPPORTED },
	{ "multiple <portgroup> elements *", LIBVIRT_CONFIG_UNSUPPORTED },
	{ "* multiple default <portgroup> elements *", LIBVIRT_CONFIG_UNSUPPORTED },
	{ "*floor*attribute *", LIBVIRT_CONFIG_UNSUPPORTED },
	{ "could not convert bandwidth *", LIBVIRT_CONFIG_UNSUPPORTED },
	{ "'peak' and 'burst' require *", LIBVIRT_CONFIG_UNSUPPORTED },
	{ "*amily * for non-IPv[46] address *", LIBVIRT_CONFIG_UNSUPPORTED },
	{ "netmask not allowed for IPv6 *", LIBVIRT_CONFIG_UNSUPPORTED },
	{ "Invalid IPv[46] prefix *", LIBVIRT_CONFIG_UNSUPPORTED },
	{ "* cannot have both a prefix and a netmask*", LIBVIRT_CONFIG_UNSUPPORTED },
	{ "The minimum lease time *", LIBVIRT_CONFIG_UNSUPPORTED },
	{ "unreachable static route gateway *", LIBVIRT_CONFIG_UNSUPPORTED },
};

/* netd's parser's own general texts mean nothing without the place. */
static const char *const placed_texts[] = {
	"attribute '*", "missing attribute '*", "missing element '*", "given more than *", "text is longer *",
};

/* ret's code and whether the place belongs to the text. */
static bool of_document(const char *text, enum libvirt_code *ret)
{
	*ret = LIBVIRT_XML_ERROR;
	for (size_t i = 0; i < ARRAY_LEN(placed_texts); i++)
		if (fnmatch(placed_texts[i], text, 0) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(text_rows); i++)
		if (fnmatch(text_rows[i].pattern, text, 0) == 0) {
			*ret = text_rows[i].code;
			break;
		}
	return false;
}

static const struct code_row *code_row(enum libvirt_code code)
{
	for (size_t i = 0; i < ARRAY_LEN(code_rows); i++)
		if (code_rows[i].code == code)
			return &code_rows[i];
	return &code_rows[0];
}

/* Whether a document of the caller's was read, and what libvirt calls it; NULL: none. */
static const char *document_name(enum libvirt_where where)
{
	return where == LIBVIRT_IN_PORT                                       ? "(networkport_definition)"
	       : where == LIBVIRT_IN_DEFINITION || where == LIBVIRT_IN_UPDATE ? "(network_definition)"
									      : NULL;
}

static const struct core_row *core_row(const struct nd_error *e, enum libvirt_where where)
{
	const char *text = nd_error_text(e);

	for (size_t i = 0; i < ARRAY_LEN(core_rows); i++) {
		const struct core_row *row = &core_rows[i];

		if (row->core == e->code && (row->where == LIBVIRT_ANYWHERE || row->where == where) &&
		    (!row->begins || !strncmp(text, row->begins, strlen(row->begins))))
			return row;
	}
	return &core_rows[ARRAY_LEN(core_rows) - 1];
}

void libvirt_error_vset(struct libvirt_error *ret, enum libvirt_code code, const char *fmt, va_list ap)
{
	ret->code = code;
	vsnprintf(ret->detail, sizeof ret->detail, fmt, ap);
}

void libvirt_error_set(struct libvirt_error *ret, enum libvirt_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	libvirt_error_vset(ret, code, fmt, ap);
	va_end(ap);
}

void libvirt_error_from_core(struct libvirt_error *ret, const struct nd_error *e, enum libvirt_where where)
{
	const struct core_row *row = core_row(e, where);
	char whole[LIBVIRT_DETAIL_MAX], frame[ND_ERROR_STORE];
	enum extent extent = row->extent;
	size_t skip = 0;

	ret->code = row->code;
	if (e->code == ND_INVALID && document_name(where))
		extent = of_document(nd_error_text(e), &ret->code) ? BARE : CAUSE;
	nd_error_format(e, whole, sizeof whole);
	snprintf(frame, sizeof frame, "%s: ", nd_error_frame(e, 0));
	if (extent == BARE && !strncmp(frame, "network '", strlen("network '")) &&
	    !strncmp(whole, frame, strlen(frame)))
		skip = strlen(frame);
	if (e->code == ND_PARSE && document_name(where) && where != LIBVIRT_IN_UPDATE &&
	    !strncmp(whole + skip, "line ", strlen("line ")))
		snprintf(ret->detail, sizeof ret->detail, "%s:%s", document_name(where),
			 whole + skip + strlen("line "));
	else
		nd_strcpy(ret->detail, sizeof ret->detail, extent == CAUSE ? nd_error_text(e) : whole + skip);
}

int libvirt_error_message(const struct libvirt_error *err, char *buf, size_t size)
{
	const struct code_row *row = code_row(err->code);

	return snprintf(buf, size, "%s%s%s", row->words, err->detail, row->after ? row->after : "");
}

void libvirt_error_put(struct nd_buf *b, const struct libvirt_error *err)
{
	const struct code_row *row = code_row(err->code);
	char text[LIBVIRT_DETAIL_MAX + 100], format[100];

	libvirt_error_message(err, text, sizeof text);
	snprintf(format, sizeof format, "%s%%s%s", row->words, row->after ? row->after : "");
	xdr_put_int(b, err->code);
	xdr_put_int(b, row->domain);
	xdr_put_string_or_none(b, text);
	xdr_put_int(b, LEVEL_ERROR);
	xdr_put_uint(b, 0); /* no domain object */
	xdr_put_string_or_none(b, format);
	xdr_put_string_or_none(b, err->detail);
	xdr_put_string_or_none(b, NULL);
	xdr_put_int(b, -1);
	xdr_put_int(b, -1);
	xdr_put_uint(b, 0); /* no network object */
}
