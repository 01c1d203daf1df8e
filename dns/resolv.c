// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: whom the host asks for names
 *
 * Behind systemd-resolved's stub stand those that it asks itself. They are asked directly: the stub would give a network's own names back to
 * the network's server, and go round in a circle. resolv.conf(5): three servers count; here a few more do no harm.
 */
#include "base/file.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "dns/dns.h"
#include <string.h>

#define FILE_MAX (64 * 1024)

static void add(struct nd_ip *ret, size_t *cnt, const char *word)
{
	struct nd_ip ip;

	if (*cnt == DNS_RESOLVERS_MAX || nd_ip_from_string(word, &ip) < 0)
		return;
	for (size_t i = 0; i < *cnt; i++)
		if (nd_ip_equal(&ret[i], &ip))
			return;
	ret[(*cnt)++] = ip;
}

size_t dns_resolvers_parse(const char *text, struct nd_ip ret[DNS_RESOLVERS_MAX])
{
	static const char keyword[] = "nameserver";
	size_t cnt = 0;

	for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *p = line + strlen(keyword);
		char word[ND_IP_STRLEN];

		if (strncmp(line, keyword, strlen(keyword)) != 0 || (*p != ' ' && *p != '\t'))
			continue;
		p += strspn(p, " \t");
		if (nd_strcpyn(word, sizeof(word), p, strcspn(p, " \t\r\n#;")))
			add(ret, &cnt, word);
	}
	return cnt;
}

static size_t read_file(const char *path, struct nd_ip ret[DNS_RESOLVERS_MAX])
{
	nd_autofree char *text = NULL;
	size_t len;

	return nd_file_read(path, FILE_MAX, &text, &len, NULL) < 0 ? 0 : dns_resolvers_parse(text, ret);
}

/* 127.0.0.53 and 127.0.0.54: systemd-resolved.service(8). */
static bool is_stub(const struct nd_ip *ip)
{
	uint32_t ip4 = ip->family == AF_INET ? nd_ip_to_ip4(ip) : 0;

	return ip4 == 0x7f000035 || ip4 == 0x7f000036;
}

size_t dns_resolvers_read(struct nd_ip ret[DNS_RESOLVERS_MAX])
{
	struct nd_ip behind[DNS_RESOLVERS_MAX];
	size_t cnt = read_file(DNS_RESOLV_CONF, ret), behind_cnt;

	if (cnt == 0 || !is_stub(&ret[0]))
		return cnt;
	behind_cnt = read_file(DNS_RESOLVED_SERVERS, behind);
	if (behind_cnt == 0)
		return cnt;
	memcpy(ret, behind, sizeof(behind));
	return behind_cnt;
}
