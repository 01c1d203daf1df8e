// SPDX-License-Identifier: GPL-2.0-or-later
/* DOC: the methods that look for faults: Doctor, Explain. Both answer when the thread of core/foreign is through. */
#include "base/mem.h"
#include "netd/api/methods.h"
#include "netd/core/doctor.h"
#include "netd/core/explain.h"
#include <netinet/in.h>

static json_t *check_json(const struct doctor_result *r)
{
	struct out b = out_new();

	out_string(&b, "name", r->name);
	out_string(&b, "network", r->network);
	out_string(&b, "result", doctor_result_kind_to_string((int)r->kind));
	out_string(&b, "text", r->text);
	out_string(&b, "command", r->command);
	out_bool(&b, "fixed", r->fixed);
	return out_take(&b);
}

static void on_doctor(void *arg, const struct doctor_result *results, size_t cnt, const struct nd_error *e)
{
	struct call *call = arg;
	struct out b;
	json_t *list;
	long long failed = 0;

	if (e->code) {
		call_fail(call, e);
		return;
	}
	b = out_new();
	list = json_array();
	for (size_t i = 0; i < cnt; i++) {
		b.bad = json_array_append_new(list, check_json(&results[i])) < 0 || b.bad;
		failed += results[i].kind == DOCTOR_FAILED;
	}
	out_object(&b, "checks", list);
	out_int(&b, "failed", failed);
	call_reply_new(call, out_take(&b));
}

void method_doctor(struct call *call, const json_t *in)
{
	const char *key = api_get_string(in, "network");
	struct network *n = NULL;

	if (key) {
		n = methods_find_network(call, key);
		if (!n)
			return;
	}
	doctor(call_arg(call), n, api_get_bool(in, "fix", false), (struct doctor_done){ on_doctor, call });
}

static json_t *stage_json(const struct explain_stage *s)
{
	struct out b = out_new();

	out_string(&b, "stage", s->name);
	out_string(&b, "verdict", explain_verdict_to_string((int)s->verdict));
	out_string(&b, "text", s->text);
	return out_take(&b);
}

static void on_explain(void *arg, const struct explain_result *r, const struct nd_error *e)
{
	struct call *call = arg;
	struct out b;
	json_t *list;

	if (e->code) {
		call_fail(call, e);
		return;
	}
	b = out_new();
	list = json_array();
	for (size_t i = 0; i < r->cnt; i++)
		b.bad = json_array_append_new(list, stage_json(&r->stages[i])) < 0 || b.bad;
	out_object(&b, "stages", list);
	out_string(&b, "verdict", explain_verdict_to_string((int)r->verdict));
	out_string(&b, "text", r->text);
	call_reply_new(call, out_take(&b));
}

/* Return: false when the call has been answered. */
static bool read_protocol(struct call *call, const json_t *in, struct explain_request *req)
{
	static const struct {
		const char *word;
		uint8_t proto;
	} rows[] = { { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "icmp", IPPROTO_ICMP } };
	long long port = api_get_int(in, "port", 0);
	const char *word = api_get_string(in, "protocol");
	struct nd_error e = ND_ERROR_INIT;

	req->proto = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(word ? word : port ? "tcp" : "icmp", rows[i].word) == 0)
			req->proto = rows[i].proto;
	req->port = (uint16_t)port;
	if (!req->proto)
		nd_fail(&e, ND_INVALID, "protocol: '%s' is not tcp, udp or icmp", word);
	else if (port < 0 || port > UINT16_MAX || (req->proto != IPPROTO_ICMP) != (port > 0))
		nd_fail(&e, ND_INVALID, "port: tcp and udp want one within 1 and 65535, icmp none");
	if (!e.code)
		return true;
	call_fail(call, &e);
	return false;
}

void method_explain(struct call *call, const json_t *in)
{
	struct explain_request req = { .from = api_get_string(in, "from"), .to = api_get_string(in, "to") };

	if (read_protocol(call, in, &req))
		explain(call_arg(call), &req, (struct explain_done){ on_explain, call });
}
