/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_API_PROTO_H
#define ND_API_PROTO_H
/*
 * What netd and its clients share: the methods of io.netd as rows, the check of parameters against them, the
 * interface description made from them, and nd_error as JSON in both directions. Needs base and jansson only.
 *
 * On the wire (https://varlink.org/Method-Call): one JSON object, then a NUL. File descriptors ride beside
 * the first byte of a call's only reply, and the JSON names them by their index in that message.
 */
#include "base/bytes.h"
#include "base/error.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define API_INTERFACE         "io.netd"
#define API_SERVICE_INTERFACE "org.varlink.service"
#define API_SOCKET_DEFAULT    "/run/netd/netd.sock"
#define API_REQUEST_MAX       (1024 * 1024)      /* bytes of one call, without its NUL */
#define API_REPLY_MAX         (16 * 1024 * 1024) /* bytes of one reply, without its NUL */

/* Integers are below 2^53 in either direction, so that every JSON reader keeps them whole. */
enum api_type { API_BOOL, API_INT, API_STRING, API_RECORD, API_TYPE_CNT_ };
enum api_flag {
	API_OPTIONAL = 1 << 0, /* may be missing or null */
	API_ARRAY = 1 << 1,    /* any number of them */
};
struct api_record;
struct api_field {
	const char *name; /* lowerCamelCase */
	enum api_type type;
	const char *text;                /* what it says, where the name does not; else NULL */
	unsigned flags;                  /* enum api_flag */
	const struct api_record *record; /* of API_RECORD, else NULL */
};
struct api_record { /* a type of the interface description */
	const char *name;
	const char *text; /* what it is: one line */
	const struct api_field *fields;
	size_t field_cnt;
};
enum api_access { API_ACCESS_OBSERVER = 1, API_ACCESS_USER, API_ACCESS_ADMIN }; /* as enum access_level */
enum api_more {
	API_MORE_NO,   /* one reply, whatever the call says */
	API_MORE_MUST, /* a stream of replies; a call without "more" is refused */
};
struct api_signature {
	const char *name; /* without the interface */
	const char *text; /* what it does: for the description */
	const struct api_field *in;
	size_t in_cnt;
	const struct api_field *out;
	size_t out_cnt;
	enum api_access access;
	enum api_more more;
	bool fds;        /* the reply carries file descriptors */
	unsigned errors; /* for the description: bit -code for each error a caller should expect */
};
struct api_interface {
	const char *name;
	const char *text;
	const struct api_record *const *records;
	size_t record_cnt;
	const struct api_signature *methods;
	size_t method_cnt;
	const struct api_record *const *errors; /* none: one per error code, with api_error_record's fields */
	size_t error_cnt;
};

/* Index of api_netd.methods. */
enum api_method_id {
	API_GET_VERSION,
	API_LIST_NETWORKS,
	API_GET_NETWORK,
	API_DUMP_NETWORK,
	API_DEFINE_NETWORK,
	API_CREATE_NETWORK,
	API_START_NETWORK,
	API_DESTROY_NETWORK,
	API_UNDEFINE_NETWORK,
	API_SET_AUTOSTART,
	API_LIST_LEASES,
	API_RELEASE_LEASE,
	API_LIST_PORTS,
	API_GET_PORT,
	API_ATTACH,
	API_CREATE_PORT,
	API_DUMP_PORT,
	API_DETACH,
	API_MONITOR,
	API_GET_COUNTERS,
	API_RELOAD,
	API_UPDATE_NETWORK,
	API_GET_METADATA,
	API_SET_METADATA,
	API_PLAN_NETWORK,
	API_APPLY_NETWORK,
	API_ADD_FORWARD,
	API_REMOVE_FORWARD,
	API_LIST_FORWARDS,
	API_DOCTOR,
	API_EXPLAIN,
	API_GET_PORT_BANDWIDTH,
	API_SET_PORT_BANDWIDTH,
	API_CREATE_HOST_BRIDGE,
	API_CONFIRM_HOST_BRIDGE,
	API_REMOVE_HOST_BRIDGE,
	API_LIST_HOST_BRIDGES,
	API_METHOD_CNT_
};
extern const struct api_interface api_netd;
/* Two of its records, for what clients print. */
extern const struct api_record api_event_record;
extern const struct api_record api_plan_record;

/* Index of api_service.methods. */
enum api_service_id { API_GET_INFO, API_GET_INTERFACE_DESCRIPTION, API_SERVICE_CNT_ };
extern const struct api_interface api_service;
/* Index of api_service.errors. */
enum api_service_error {
	API_SERVICE_INTERFACE_NOT_FOUND,
	API_SERVICE_METHOD_NOT_FOUND,
	API_SERVICE_INVALID_PARAMETER,
	API_SERVICE_EXPECTED_MORE,
	API_SERVICE_ERROR_CNT_
};
/* The parameters of every error of io.netd. */
extern const struct api_record api_error_record;

/* What ListNetworks can be filtered by; all given words must hold. The words: see api_filter_to_string. */
enum api_filter {
	API_FILTER_ACTIVE,
	API_FILTER_INACTIVE,
	API_FILTER_PERSISTENT,
	API_FILTER_TRANSIENT,
	API_FILTER_AUTOSTART,
	API_FILTER_NO_AUTOSTART,
	API_FILTER_CNT_
};
const char *api_filter_to_string(int v);
int api_filter_from_string(const char *word);

/* Method of an interface by its name without the interface; NULL when there is none. */
const struct api_signature *api_signature_find(const struct api_interface *itf, const char *name);
/*
 * Whether object (NULL or JSON null: no fields) fits the fields: no other names, types as told, nothing
 * required missing, integers within ±2^53. *ret_field (may be NULL): the offending name, borrowed from object
 * or fields; untouched on success.
 */
bool api_fields_check(const struct api_field *fields, size_t cnt, const json_t *object,
		      const char **ret_field);
/* Appends the interface description (https://varlink.org/Interface-Definition). */
void api_describe(const struct api_interface *itf, struct nd_buf *out);

/*
 * Checked parameters. A missing or null field gives NULL, or the fallback. Strings are borrowed from object.
 */
const char *api_get_string(const json_t *object, const char *name);
long long api_get_int(const json_t *object, const char *name, long long fallback);
bool api_get_bool(const json_t *object, const char *name, bool fallback);

/* A JSON string of any bytes: where s is not UTF-8, every byte above 0x7e is shown as '?'. NULL on ENOMEM. */
json_t *api_string(const char *s);
/*
 * An error's parameters: message (the whole line), text, frames (outermost first), also; and errno,
 * errnoName, kernel where there are any. The error's name is nd_code_api_name(e->code). Return: a new object,
 * NULL on ENOMEM.
 */
json_t *api_error_encode(const struct nd_error *e);
/*
 * The other way, for a client: *e (no error yet) gets what a reply's "error" and "parameters" say, so that
 * formatting it gives the same line as the daemon's own. Names of org.varlink.service become the nearest
 * code, unknown ones ND_INTERNAL with the name in the text. Return: e's code.
 */
int api_error_decode(const char *name, const json_t *parameters, struct nd_error *e);

/*
 * Appends object as compact JSON and the NUL. Return: 0; ND_LIMIT when it does not fit out's max; ND_MEMORY.
 * out is as before on failure.
 */
int api_frame_append(struct nd_buf *out, const json_t *object, struct nd_error *e);
/* One frame without its NUL into an object. Return: 0, or ND_PARSE with what and where. */
int api_frame_parse(const char *text, size_t len, json_t **ret, struct nd_error *e);
#endif
