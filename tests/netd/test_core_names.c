// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: what a network's name server reads: configuration and hosts, and who keeps a name. */
#include "base/mem.h"
#include "base/strtab.h"
#include "netd/core/names-text.h"
#include "netd/core/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1000u

struct fixture {
	struct model m;
	struct network *n;
	struct names_guests guests;
};

static void make(struct fixture *f, const char *body)
{
	char xml[4096];
	struct nd_error e = ND_ERROR_INIT;

	snprintf(xml, sizeof(xml),
		 "<network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0' "
		 "xmlns:netd='urn:netd:network:1'><name>lab</name>"
		 "<uuid>11111111-2222-3333-4444-555555555555</uuid>%s</network>",
		 body);
	model_init(&f->m);
	names_guests_init(&f->guests);
	struct netdef *d = NULL;
	assert_int_equal(netdef_parse(xml, strlen(xml), NULL, NULL, NULL, &d, &e), 0);
	f->n = model_network_new(&d->uuid, d->name);
	nd_strcpy(d->bridge, sizeof(d->bridge), "virbr7");
	f->n->live = d;
	assert_int_equal(network_plan(d, &f->n->plan, &e), 0);
	assert_int_equal(model_network_add(&f->m, f->n), 0);
	if (f->n->plan->own_bridge)
		assert_true(model_network_set_bridge(&f->m, f->n, "virbr7"));
}

static void unmake(struct fixture *f)
{
	names_guests_done(&f->guests);
	model_done(&f->m);
}

static void add_port(struct fixture *f, const char *name, const char *address)
{
	static uint8_t next;
	struct nd_uuid uuid = { .b = { ++next } };
	struct port *p = model_port_new(&uuid);
	struct nd_ip ip;

	assert_int_equal(nd_ip_from_string(address, &ip), 0);
	nd_strcpy(p->name, sizeof(p->name), name);
	p->ip4 = nd_ip_to_ip4(&ip);
	p->ifindex = 100 + next;
	p->mark = next;
	assert_int_equal(model_port_add(&f->m, f->n, p), 0);
}

static bool guest(struct fixture *f, const char *address, const char *name, uint64_t expiry_s)
{
	struct nd_ip ip;

	assert_int_equal(nd_ip_from_string(address, &ip), 0);
	return names_guests_put(&f->guests, nd_ip_to_ip4(&ip), name, expiry_s);
}

static void assert_hosts(struct fixture *f, const char *want, uint64_t want_next)
{
	struct nd_buf out = { .max = 100000 };
	uint64_t next;

	assert_int_equal(names_hosts_text(f->n, &f->guests, NOW, &out, &next), 0);
	assert_string_equal(nd_buf_string(&out), want);
	assert_int_equal(next, want_next);
	nd_buf_done(&out);
}

#define SUBNET "<ip address='10.0.0.1' prefix='24'>"

static void test_holders(void **state)
{
	struct fixture f;

	make(&f, "<domain name='lab.example'/><dns><host ip='10.0.0.9'><hostname>printer</hostname>"
		 "<hostname>Twice</hostname></host><host ip='10.0.0.8'><hostname>twice</hostname></host>"
		 "<host ip='10.0.0.7'><hostname>not a name</hostname></host></dns>" SUBNET
		 "<dhcp><host mac='52:54:00:00:00:01' name='fixed' ip='10.0.0.50'/></dhcp></ip>");
	add_port(&f, "web", "10.0.0.20");
	add_port(&f, "PRINTER", "10.0.0.21");
	add_port(&f, "fixed.lab.example", "10.0.0.22");
	assert_true(guest(&f, "10.0.0.30", "web", 2000));
	assert_true(guest(&f, "10.0.0.31", "db.some.domain", 3000));
	assert_true(guest(&f, "10.0.0.32", "db", UINT64_MAX));
	assert_true(guest(&f, "10.0.0.33", "late", NOW));
	assert_hosts(&f,
		     "10.0.0.9 printer.lab.example printer\n10.0.0.9 Twice.lab.example Twice\n"
		     "10.0.0.8 twice.lab.example twice\n10.0.0.50 fixed.lab.example fixed\n"
		     "10.0.0.20 web.lab.example web\n10.0.0.31 db.lab.example db\n",
		     2000);
	unmake(&f);
}

static void test_guests(void **state)
{
	struct fixture f;

	make(&f, SUBNET "</ip>");
	assert_true(guest(&f, "10.0.0.30", "a", 2000));
	assert_false(guest(&f, "10.0.0.30", "a", 3000)); /* renewed */
	assert_true(guest(&f, "10.0.0.31", "a", 4000));
	assert_hosts(&f, "10.0.0.30 a\n", 3000);
	assert_true(guest(&f, "10.0.0.30", "b", 3000)); /* it leaves the name to the next */
	assert_hosts(&f, "10.0.0.31 a\n10.0.0.30 b\n", 3000);
	assert_true(guest(&f, "10.0.0.31", "", 0));
	assert_false(guest(&f, "10.0.0.31", "", 0));
	for (size_t i = 0; i < 3; i++)
		assert_false(guest(&f, "10.0.0.32", (const char *[]){ "wpad", "-x", "no name" }[i], 9000));
	assert_hosts(&f, "10.0.0.30 b\n", 3000);
	unmake(&f);
}

static void assert_config(const char *body, const char *has, const char *has_not)
{
	struct nd_buf out = { .max = 100000 };
	struct nd_error e = ND_ERROR_INIT;
	struct fixture f;

	make(&f, body);
	assert_int_equal(names_config_text(f.n, "/r/dns/x", "/r/dns/servers", &out, &e), 0);
	if (!strstr(nd_buf_string(&out), has) || (has_not && strstr(nd_buf_string(&out), has_not)))
		fail_msg("%s:\n%s", body, nd_buf_string(&out));
	nd_buf_done(&out);
	unmake(&f);
}

static void test_config(void **state)
{
	assert_config("<forward/>" SUBNET "</ip>", "interface=virbr7\n", "local=");
	assert_config("<forward/>" SUBNET "</ip>", "addn-hosts=/r/dns/x/hosts\nservers-file=/r/dns/servers\n",
		      "port=0");
	/* Nobody outside is asked for an isolated network, nor where one is named for all. */
	assert_config(SUBNET "</ip>", "addn-hosts", "servers-file");
	assert_config("<forward/><dns><forwarder addr='192.0.2.1'/></dns>" SUBNET "</ip>",
		      "server=192.0.2.1\n", "servers-file");
	assert_config("<forward/><dns><forwarder domain='a.b' addr='192.0.2.1'/></dns>" SUBNET "</ip>",
		      "servers-file=/r/dns/servers\nserver=/a.b/192.0.2.1\n", NULL);
	assert_config("<domain name='a.b' localOnly='yes'/><dns forwardPlainNames='no'/>"
		      "<ip address='10.0.0.1' prefix='24' localPtr='yes'/>",
		      "domain=a.b\nlocal=/a.b/\ndomain-needed\nlocal=//\nlocal=/0.0.10.in-addr.arpa/\n",
		      NULL);
	assert_config("<dns enable='no'/>" SUBNET "<tftp root='/t'/></ip>",
		      "port=0\nenable-tftp\ntftp-no-fail\ntftp-root=/t\n", "addn-hosts");
	assert_config(SUBNET "</ip><dnsmasq:options><dnsmasq:option value='cache-size=5'/></dnsmasq:options>",
		      "\ncache-size=5\n", NULL);
}

/* Who needs a server at all. */
static void test_plan(void **state)
{
	static const struct {
		const char *body;
		bool dns, resolves, names;
	} rows[] = {
		{ "<forward/>" SUBNET "</ip>", true, true, true },
		{ SUBNET "</ip>", true, false, true },
		{ "", false, false, false },
		{ "<forward/><dns enable='no'/>" SUBNET "</ip>", false, true, false },
		{ "<dns enable='no'/>" SUBNET "<tftp root='/t'/></ip>", false, false, true },
		{ SUBNET "</ip><netd:hostAccess mode='none'/>", false, false, false },
		{ "<forward mode='bridge'/><bridge name='br0'/>", false, false, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture f;

		make(&f, rows[i].body);
		assert_int_equal(f.n->plan->dns, rows[i].dns);
		assert_int_equal(f.n->plan->resolves, rows[i].resolves);
		assert_int_equal(f.n->plan->names, rows[i].names);
		unmake(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holders),
		cmocka_unit_test(test_guests),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_plan),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
