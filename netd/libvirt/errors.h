/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_LIBVIRT_ERRORS_H
#define ND_LIBVIRT_ERRORS_H
/*
 * libvirt's errors: numbers, domains, and the words before the text, which clients show and scripts match.
 * Source: libvirt's include/libvirt/virterror.h; the wire form is remote_error.
 */
#include "base/bytes.h"
#include "base/error.h"
#include <stdarg.h>

enum libvirt_code {
	LIBVIRT_INTERNAL = 1,
	LIBVIRT_NO_MEMORY = 2,
	LIBVIRT_NO_SUPPORT = 3,
	LIBVIRT_NO_CONNECT = 5,
	LIBVIRT_INVALID_ARG = 8,
	LIBVIRT_OPERATION_FAILED = 9,
	LIBVIRT_NO_NAME = 21,
	LIBVIRT_XML_ERROR = 27,
	LIBVIRT_OPERATION_DENIED = 29,
	LIBVIRT_XML_DETAIL = 35,
	LIBVIRT_SYSTEM = 38,
	LIBVIRT_RPC = 39,
	LIBVIRT_NO_NETWORK = 43,
	LIBVIRT_INVALID_MAC = 44,
	LIBVIRT_AUTH_FAILED = 45,
	LIBVIRT_OPERATION_INVALID = 55,
	LIBVIRT_CONFIG_UNSUPPORTED = 67,
	LIBVIRT_OPERATION_TIMEOUT = 68,
	LIBVIRT_OPERATION_UNSUPPORTED = 84,
	LIBVIRT_RESOURCE_BUSY = 87,
	LIBVIRT_XML_INVALID_SCHEMA = 92,
	LIBVIRT_NETWORK_PORT_EXIST = 106,
	LIBVIRT_NO_NETWORK_PORT = 107,
	LIBVIRT_NO_NETWORK_METADATA = 111,
};

#define LIBVIRT_DETAIL_MAX (2 * ND_ERROR_STORE) /* bytes of a text, its NUL included */

struct libvirt_error {
	enum libvirt_code code;
	char detail[LIBVIRT_DETAIL_MAX]; /* what follows the code's own words */
};

void libvirt_error_set(struct libvirt_error *ret, enum libvirt_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void libvirt_error_vset(struct libvirt_error *ret, enum libvirt_code code, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));
/* What failed, where one failure of the core's is another of libvirt's. */
enum libvirt_where {
	LIBVIRT_ANYWHERE,
	LIBVIRT_IN_DEFINITION,
	LIBVIRT_IN_UPDATE,
	LIBVIRT_IN_METADATA,
	LIBVIRT_IN_PORT,
};
/* e: a failure of the core's. */
void libvirt_error_from_core(struct libvirt_error *ret, const struct nd_error *e, enum libvirt_where where);
/* The whole message as clients show it. Return: length as snprintf's. */
int libvirt_error_message(const struct libvirt_error *err, char *buf, size_t size);
/* Appends remote_error. */
void libvirt_error_put(struct nd_buf *b, const struct libvirt_error *err);
#endif
