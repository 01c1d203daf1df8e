/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_DHCP_OPTION_H
#define ND_DHCP_OPTION_H
/*
 * DOC: DHCP options, one row each
 *
 * A row says what an option is called, how long it may be, how it is read from a client and how it is written in a reply. The walker
 * in packet.c and the writer in dhcp_options_write() know no option by name, but for pad, end and overload, which are the format's own.
 * Source: RFC 2132; RFC 3004 (77), RFC 3046 (82), RFC 3396 (long options), RFC 3397 (119), RFC 3442 (121), RFC 4039 (80),
 * RFC 4578 (93, 97), RFC 4702 (81), RFC 6842 (61 in replies); Microsoft's MS-DHCPE (249), iPXE's own 175. The captive portal's 114
 * (RFC 8910) is never sent: no network of netd's has one.
 */
#include "base/bytes.h"
#include "dhcp/config.h"

enum dhcp_message_type { /* RFC 2132 §9.6 */
			 DHCP_DISCOVER = 1,
			 DHCP_OFFER,
			 DHCP_REQUEST,
			 DHCP_DECLINE,
			 DHCP_ACK,
			 DHCP_NAK,
			 DHCP_RELEASE,
			 DHCP_INFORM,
};
#define DHCP_MESSAGE_TYPE_CNT 9

enum dhcp_option_code {
	DHCP_OPTION_PAD = 0,
	DHCP_OPTION_MASK = 1,
	DHCP_OPTION_ROUTER = 3,
	DHCP_OPTION_DNS = 6,
	DHCP_OPTION_HOST_NAME = 12,
	DHCP_OPTION_DOMAIN = 15,
	DHCP_OPTION_MTU = 26,
	DHCP_OPTION_BROADCAST = 28,
	DHCP_OPTION_VENDOR_OPTIONS = 43,
	DHCP_OPTION_REQUESTED_IP = 50,
	DHCP_OPTION_LEASE_TIME = 51,
	DHCP_OPTION_OVERLOAD = 52,
	DHCP_OPTION_TYPE = 53,
	DHCP_OPTION_SERVER_ID = 54,
	DHCP_OPTION_PARAMETERS = 55,
	DHCP_OPTION_MESSAGE = 56,
	DHCP_OPTION_MAX_SIZE = 57,
	DHCP_OPTION_T1 = 58,
	DHCP_OPTION_T2 = 59,
	DHCP_OPTION_VENDOR_CLASS = 60,
	DHCP_OPTION_CLIENT_ID = 61,
	DHCP_OPTION_TFTP_SERVER = 66,
	DHCP_OPTION_BOOT_FILE = 67,
	DHCP_OPTION_USER_CLASS = 77,
	DHCP_OPTION_RAPID_COMMIT = 80,
	DHCP_OPTION_FQDN = 81,
	DHCP_OPTION_RELAY_INFO = 82,
	DHCP_OPTION_ARCH = 93,
	DHCP_OPTION_MACHINE_ID = 97,
	DHCP_OPTION_SEARCH = 119,
	DHCP_OPTION_ROUTES = 121,
	DHCP_OPTION_IPXE = 175,
	DHCP_OPTION_ROUTES_MS = 249,
	DHCP_OPTION_END = 255,
};
#define DHCP_OVERLOAD_FILE  1 /* RFC 2132 §9.3 */
#define DHCP_OVERLOAD_SNAME 2

struct dhcp_view {        /* bytes of the received packet; die with it */
	const uint8_t *p; /* NULL: absent */
	uint16_t len;
};

/* What a client's options say. Zero: not sent. */
struct dhcp_asked {
	uint8_t type; /* enum dhcp_message_type, or a number unknown to us; 0: BOOTP */
	bool has_type, has_requested, has_server;
	bool rapid_commit;      /* 80 */
	bool is_ipxe;           /* 77 or 175 says so */
	uint32_t requested_ip4; /* 50 */
	uint32_t server_ip4;    /* 54 */
	uint32_t lease_s;       /* 51 */
	uint16_t size_max;      /* 57, bytes of the IP datagram */
	struct dhcp_view parameters, vendor_class, client_id, relay_info;
	struct dhcp_view arch;            /* 93: one or more numbers of 16 bits */
	struct dhcp_view machine_id;      /* 97 */
	char hostname[DHCP_HOSTNAME_MAX]; /* 81, else 12; sanitised, "" none */
};

/* What a reply's options are made of. Zero, NULL: the option is left out. Strings and views are borrowed. */
struct dhcp_answer {
	uint8_t type;
	uint32_t server_ip4;
	uint32_t lease_s, t1_s, t2_s;
	uint8_t prefix_len; /* mask and broadcast */
	uint32_t broadcast_ip4;
	uint32_t router_ip4;
	const uint32_t *dns_ip4;
	uint8_t dns_cnt;
	const char *domain, *hostname, *message;
	uint16_t mtu;
	bool rapid_commit;
	const struct dhcp_route *routes;
	uint32_t route_cnt;
	uint32_t client_ip4;      /* who is a route's gateway is not told of it; 0: not known */
	uint32_t next_server_ip4; /* siaddr and option 66 */
	const char *boot_file;    /* the file field, where it is short enough, and option 67 */
	const char *boot_class;   /* option 60: what network boot's firmware looks for */
	bool boot_pxe;            /* option 43: load that file, look for no boot server */
	struct dhcp_view client_id, relay_info, machine_id;
};

/* Where an option stands in a reply. */
enum dhcp_option_place {
	DHCP_PLACE_NONE,   /* only clients send it, or it is the format's own */
	DHCP_PLACE_FIRST,  /* in every reply, ahead of the rest: some boot ROMs look no further */
	DHCP_PLACE_ASKED,  /* when the client's list has it, or it sent no list */
	DHCP_PLACE_LISTED, /* only when the client's list has it */
	DHCP_PLACE_REST,   /* where the list has it, else after the list */
	DHCP_PLACE_LAST,   /* at the end (RFC 3046 §2.2) */
};
struct dhcp_option {
	uint8_t code;
	uint8_t place;             /* enum dhcp_option_place */
	uint16_t len_min, len_max; /* of a received value, bytes */
	uint8_t len_unit;          /* the length is a multiple of it */
	const char *name;
	/* Reads a value that has passed the length rule. Return: false when it is malformed. NULL: ignored. */
	bool (*decode)(const struct dhcp_view *v, struct dhcp_asked *ret);
	/* Writes the value. Return: false when the answer has none; then nothing is written. NULL: never sent. */
	bool (*encode)(const struct dhcp_answer *a, struct nd_writer *w);
	const char *rfc;
};
extern const struct dhcp_option dhcp_options[];
extern const size_t dhcp_option_cnt;
#define DHCP_OPTION_CNT 32 /* rows, for arrays that go with them */

/* Row of a code, NULL: not ours. */
const struct dhcp_option *dhcp_option_find(uint8_t code);
/* One option's whole value (all its parts) → asked. Return: false when its length or contents break the row's rule. */
bool dhcp_option_decode(const struct dhcp_option *o, const struct dhcp_view *v, struct dhcp_asked *asked);

/* Room for options in a reply: the three areas of a BOOTP message, without the cookie. */
#define DHCP_AREA_CNT 3
struct dhcp_areas {
	uint8_t *p[DHCP_AREA_CNT];  /* options, file, sname */
	size_t size[DHCP_AREA_CNT]; /* bytes there are; 0: the area is not for options */
	size_t used[DHCP_AREA_CNT]; /* out: with the END mark; 0: the area holds no options */
};
/*
 * Writes the reply's options: type and server first, then the client's list in its order (mask ahead of router, RFC 2132 §3.3), the rest,
 * relay information last. A boot file whose field cannot hold it is sent as an option, asked for or not. What does not fit the first area goes to file and sname, announced by option 52; where all three are full, options that
 * only were asked for give way to those that have to be there.
 * Return: false when one that has to be there found no room.
 */
bool dhcp_options_write(const struct dhcp_answer *a, const struct dhcp_view *parameters,
			struct dhcp_areas *areas);

/*
 * First label of a guest's host name, when it is one of letters, digits and inner hyphens, at most 63 (RFC 1123 §2.1).
 * Return: whether ret was written. p: any bytes, trailing NULs are ignored.
 */
bool dhcp_hostname_clean(const uint8_t *p, size_t len, char ret[DHCP_HOSTNAME_MAX]);
#endif
