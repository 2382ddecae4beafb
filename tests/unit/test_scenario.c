/* The scenario parser of the lab: what a test asks for is what the lab does, and a slip of the pen
 * is told with its line. */
#include "lab/scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct scenario *parse(const char *text)
{
	char *error;
	struct scenario *s = scenario_parse("test.lab", text, strlen(text), &error);
	if (!s)
		fail_msg("%s", error);
	return s;
}

static void empty(void **state)
{
	(void)state;
	struct scenario *s = parse("# nothing\n\n   # more of it\n");
	assert_int_equal(s->n_places, 0);
	assert_int_equal(s->n_rules, 0);
	assert_int_equal(s->n_resolvers, 1);
	scenario_free(s);
}

static void actions(void **state)
{
	(void)state;
	struct scenario *s = parse("smtp 127.0.0.9\n"
				   "    banner wait 80ms-1.5s say \"220-a\\n220 b\"\n"
				   "    banner raw \"\\x00\\r\\\"\" times 7 drip 5ms 3 close\n"
				   "    mail raw \"x\" forever\n");
	assert_int_equal(s->n_places, 1);
	const struct face *face = &s->places[0].host->base;
	const struct script *banner = &face->script[LAB_BANNER];
	assert_int_equal(banner->n, 5);
	assert_int_equal(banner->actions[0].kind, ACT_WAIT);
	assert_int_equal(banner->actions[0].from, 80000);
	assert_int_equal(banner->actions[0].to, 1500000);
	assert_int_equal(banner->actions[1].kind, ACT_SEND);
	assert_int_equal(banner->actions[1].n, 14);
	assert_memory_equal(banner->actions[1].bytes, "220-a\r\n220 b\r\n", 14);
	assert_int_equal(banner->actions[2].n, 3);
	assert_memory_equal(banner->actions[2].bytes, "\0\r\"", 3);
	assert_int_equal(banner->actions[2].times, 7);
	assert_int_equal(banner->actions[3].kind, ACT_DRIP);
	assert_int_equal(banner->actions[3].from, 5000);
	assert_int_equal(banner->actions[3].times, 3);
	assert_int_equal(banner->actions[4].kind, ACT_CLOSE);
	assert_int_equal(face->script[LAB_MAIL].actions[0].times, 0);
	assert_int_equal(face->script[LAB_EHLO].n, 0);
	scenario_free(s);
}

static void ranges(void **state)
{
	(void)state;
	struct scenario *s = parse("smtp 127.0.0.250-127.0.1.4 refuse\n"
				   "smtp ::1 blackhole\n"
				   "each i 1 3 smtp 127.9.9.0+%i\n");
	assert_int_equal(s->n_places, 11 + 1 + 3);
	char text[ADDR_STRLEN];
	assert_string_equal(addr_format(&s->places[6].addr, text), "127.0.1.0");
	assert_int_equal(s->places[0].host->kind, SMTP_REFUSE);
	assert_ptr_equal(s->places[0].host, s->places[10].host);
	assert_string_equal(addr_format(&s->places[11].addr, text), "::1");
	assert_int_equal(s->places[11].host->kind, SMTP_BLACKHOLE);
	assert_string_equal(addr_format(&s->places[14].addr, text), "127.9.9.3");
	scenario_free(s);
}

static void faces(void **state)
{
	(void)state;
	struct scenario *s = parse("style slow\n"
				   "    banner wait 1s\n"
				   "    certificate expired a.example,b.example\n"
				   "smtp 127.0.0.1 like slow\n"
				   "    extensions SIZE 1, PIPELINING\n"
				   "    first 2\n"
				   "        mail close\n"
				   "    backend one weight 3\n"
				   "    backend two\n"
				   "        protocol 1.0-1.2\n");
	const struct smtp_host *host = s->places[0].host;
	assert_int_equal(host->n_faces, 3);
	assert_int_equal(host->faces[0].first, 2);
	assert_int_equal(host->faces[0].script[LAB_MAIL].n, 1);
	assert_int_equal(host->faces[1].script[LAB_MAIL].n, 0);
	assert_int_equal(host->faces[1].weight, 3);
	assert_string_equal(host->faces[1].name, "one");
	assert_string_equal(host->faces[2].name, "two");
	assert_int_equal(host->faces[2].cert, CERT_EXPIRED);
	assert_string_equal(host->faces[2].cert_names, "a.example,b.example");
	assert_true(host->faces[2].tls_min && host->faces[2].tls_max > host->faces[2].tls_min);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(host->faces[i].script[LAB_BANNER].n, 1);
		assert_string_equal(host->faces[i].extensions, "SIZE 1, PIPELINING");
	}
	scenario_free(s);
}

static void dns_rules(void **state)
{
	(void)state;
	struct scenario *s =
	    parse("dns A.Example. MX first 2 udp wrong-id nxdomain then delay 20ms\n"
		  "dns * * edns formerr no-edns\n"
		  "resolver 127.0.0.2 no-tcp silent\n"
		  "dns x AAAA raw 8180ff cut 5 ancount 9\n");
	assert_int_equal(s->n_rules, 4);
	assert_string_equal(s->rules[0].name, "a.example");
	assert_int_equal(s->rules[0].type, LDNS_RR_TYPE_MX);
	assert_int_equal(s->rules[0].first, 2);
	assert_int_equal(s->rules[0].transport, DNS_UDP);
	assert_int_equal(s->rules[0].n_replies, 2);
	assert_true(s->rules[0].replies[0].wrong_id);
	assert_int_equal(s->rules[0].replies[0].rcode, 3);
	assert_false(s->rules[0].replies[1].wrong_id);
	assert_int_equal(s->rules[0].replies[1].delay, 20000);
	assert_int_equal(s->rules[0].replies[1].rcode, -1);
	assert_int_equal(s->rules[1].edns, 1);
	assert_int_equal(s->rules[1].type, -1);
	assert_int_equal(s->n_resolvers, 2);
	assert_true(s->resolvers[1].no_tcp);
	assert_true(s->rules[2].replies[0].silent);
	assert_int_equal(s->rules[2].server.family, AF_INET);
	assert_int_equal(s->rules[3].replies[0].raw_len, 3);
	assert_int_equal(s->rules[3].replies[0].cut, 5);
	assert_int_equal(s->rules[3].replies[0].count[1], 9);
	scenario_free(s);
}

/* What a resolver would say: chains, wildcards, names that are there but have nothing. */
static void answers(void **state)
{
	(void)state;
	struct scenario *s = parse("rr a.example 60 MX 5 mx.example\n"
				   "rr alias.example CNAME a.example\n"
				   "rr loop.example CNAME loop.example\n"
				   "rr *.wild.example A 127.0.0.1\n"
				   "each i 1 3 rr mx.example A 127.0.0.0+%i\n"
				   "rr text.example TXT \"v=spf1 -all; #\"\n");
	static const struct {
		const char *name;
		ldns_rr_type type;
		size_t records;
		int rcode;
	} cases[] = {
	    {"A.example", LDNS_RR_TYPE_MX, 1, LDNS_RCODE_NOERROR},
	    {"a.example", LDNS_RR_TYPE_A, 0, LDNS_RCODE_NOERROR},
	    {"alias.example", LDNS_RR_TYPE_MX, 2, LDNS_RCODE_NOERROR},
	    {"alias.example", LDNS_RR_TYPE_CNAME, 1, LDNS_RCODE_NOERROR},
	    {"mx.example", LDNS_RR_TYPE_A, 3, LDNS_RCODE_NOERROR},
	    {"gone.example", LDNS_RR_TYPE_A, 0, LDNS_RCODE_NXDOMAIN},
	    {"example", LDNS_RR_TYPE_A, 0, LDNS_RCODE_NOERROR},
	    {"x.y.wild.example", LDNS_RR_TYPE_A, 1, LDNS_RCODE_NOERROR},
	    {"wild.example", LDNS_RR_TYPE_A, 0, LDNS_RCODE_NOERROR},
	    {"text.example", LDNS_RR_TYPE_TXT, 1, LDNS_RCODE_NOERROR},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ldns_rdf *name = ldns_dname_new_frm_str(cases[i].name);
		ldns_rr_list *answer = ldns_rr_list_new();
		int rcode = (int)zone_answer(s->zone, name, cases[i].type, answer);
		if (rcode != cases[i].rcode || ldns_rr_list_rr_count(answer) != cases[i].records)
			fail_msg("%s: %zu records, rcode %d", cases[i].name,
				 ldns_rr_list_rr_count(answer), rcode);
		ldns_rr_list_deep_free(answer);
		ldns_rdf_deep_free(name);
	}
	scenario_free(s);
}

static void expectations(void **state)
{
	(void)state;
	struct scenario *s = parse("args --tls off -t 5\n"
				   "target a.example degraded ok\n"
				   "smtp 127.0.0.1\n"
				   "    expect down/closed banner\n"
				   "expect 127.0.0.2 healthy/ok\n");
	assert_string_equal(s->args, "--tls off -t 5");
	assert_int_equal(s->n_expectations, 3);
	assert_string_equal(s->expectations[0].verdict, "degraded");
	assert_string_equal(s->expectations[1].where, "127.0.0.1");
	assert_string_equal(s->expectations[1].class, "down");
	assert_string_equal(s->expectations[1].reason, "closed");
	assert_string_equal(s->expectations[1].phase, "banner");
	assert_null(s->expectations[2].phase);
	scenario_free(s);
}

static void mistakes(void **state)
{
	(void)state;
	static const struct {
		const char *text, *error;
	} cases[] = {
	    {"frobnicate", "test.lab:1: no such thing: frobnicate"},
	    {"smtp 127.0.0.1\n\n    banner jump", "test.lab:3: no such action: jump"},
	    {"smtp 127.0.0.1\n    banner", "test.lab:2: missing: an action"},
	    {"    banner ok", "test.lab:1: an indented line belongs below an smtp or a style line"},
	    {"smtp 127.0.0.1\n    banner wait soon", "test.lab:2: not a span of time: soon"},
	    {"smtp 127.0.0.1\n    banner wait 5", "test.lab:2: not a span of time: 5"},
	    {"smtp 127.0.0.1\n    banner wait 5s-2s", "test.lab:2: not a span of time: 5s-2s"},
	    {"smtp 127.0.0.1\n    colour red", "test.lab:2: no such setting: colour"},
	    {"smtp 127.0.0.1\n    certificate stale", "test.lab:2: no such certificate: stale"},
	    {"smtp 127.0.0.1\n    protocol 0.9", "test.lab:2: no such version of TLS: 0.9"},
	    {"smtp 127.0.0.1 like nobody", "test.lab:1: no such style: nobody"},
	    {"smtp 127.0.0.1 softly", "test.lab:1: unexpected: softly"},
	    {"smtp localhost", "test.lab:1: not an address, nor FROM-TO: localhost"},
	    {"smtp 127.0.0.1-127.0.0.3\n    expect healthy/ok",
	     "test.lab:2: expect needs exactly one address"},
	    {"smtp 127.0.0.1\n    say \"half", "test.lab:2: a quoted word has no end, or an escape "
					       "that is not known: half"},
	    {"rr a.example MX", "test.lab:1: not a record: a.example 300 IN MX "},
	    {"rr a.example A 127.0.0.300", NULL},
	    {"dns a.example MX sulk", "test.lab:1: no such fault: sulk"},
	    {"dns a.example XYZZY silent", "test.lab:1: no such type: XYZZY"},
	    {"dns a.example MX", "test.lab:1: missing: a fault"},
	    {"dns a.example MX raw 8g", "test.lab:1: not hexadecimal: 8g"},
	    {"include gone.lab", "test.lab:1: No such file or directory: gone.lab"},
	    {"each ij 1 2 rr x A 127.0.0.1", "test.lab:1: not one letter: ij"},
	    {"expect 127.0.0.1 healthy", "test.lab:1: not CLASS/REASON: healthy"},
	    {"style a\nstyle a", "test.lab:2: a style of that name stands above: a"},
	    {"style a\n    backend b", "test.lab:2: only for an smtp address"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *error = NULL;
		struct scenario *s =
		    scenario_parse("test.lab", cases[i].text, strlen(cases[i].text), &error);
		if (s)
			fail_msg("taken: %s", cases[i].text);
		if (cases[i].error)
			assert_string_equal(error, cases[i].error);
		free(error);
	}
}

/* Every prefix of a scenario is one, or is told of: nothing else happens. */
static void cut_anywhere(void **state)
{
	(void)state;
	static const char text[] = "rr a.example 60 MX 5 mx.example\n"
				   "each i 1 3 rr mx.example A 127.0.0.0+%i\n"
				   "dns a.example MX first 1 wrong-id then raw 8180 cut 3\n"
				   "style s\n"
				   "    banner wait 1ms-2ms say \"220 \\x41\\n\"\n"
				   "smtp 127.0.0.1-127.0.0.3 like s\n"
				   "    backend b weight 2\n"
				   "        mail drip 1ms 2 raw \"x\" times 3 close\n"
				   "    certificate good a,b\n"
				   "tlsa mx.example 127.0.0.1 3 1 1 wrong\n"
				   "target a.example healthy ok\n";
	for (size_t n = 0; n < sizeof text; n++) {
		char *error = NULL;
		struct scenario *s = scenario_parse("cut.lab", text, n, &error);
		assert_true((s == NULL) == (error != NULL));
		scenario_free(s);
		free(error);
	}
}

/* A line that is a whole scenario, and the words of faults beneath SMTP. */
static void one_line(void **state)
{
	(void)state;
	struct scenario *s =
	    parse("style s ; name a.example ; mail close\n"
		  "each i 7 8 smtp 127.0.0.%i shuffle like s ; banner cut %i reset ok "
		  "; tls slow 5ms 9 wire \";\" ; chain 3 ; expect down/closed banner\n");
	assert_int_equal(s->n_places, 2);
	assert_int_equal(s->n_expectations, 2);
	assert_string_equal(s->expectations[1].where, "127.0.0.8");
	assert_true(s->places[1].host->shuffle);
	const struct face *face = &s->places[1].host->base;
	assert_string_equal(face->name, "a.example");
	assert_int_equal(face->more_chain, 3);
	assert_int_equal(face->script[LAB_MAIL].actions[0].kind, ACT_CLOSE);
	assert_int_equal(face->script[LAB_BANNER].n, 2);
	assert_int_equal(face->script[LAB_BANNER].actions[0].kind, ACT_CUT);
	assert_int_equal(face->script[LAB_BANNER].actions[0].times, 8);
	assert_true(face->script[LAB_BANNER].actions[0].reset);
	assert_int_equal(face->script[LAB_TLS].actions[0].kind, ACT_SLOW);
	assert_int_equal(face->script[LAB_TLS].actions[0].times, 9);
	assert_memory_equal(face->script[LAB_TLS].actions[1].bytes, ";", 1);
	scenario_free(s);

	s = parse("dns x MX tcp length 9 drip 2ms hang-up poke-end 4 ffff\n");
	const struct dns_reply *reply = &s->rules[0].replies[0];
	assert_int_equal(reply->length, 9);
	assert_int_equal(reply->drip, 2000);
	assert_true(reply->hang_up);
	assert_int_equal(reply->poke_at, -4);
	assert_int_equal(reply->poke_len, 2);
	scenario_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(empty),    cmocka_unit_test(actions),
	    cmocka_unit_test(one_line), cmocka_unit_test(ranges),
	    cmocka_unit_test(faces),    cmocka_unit_test(dns_rules),
	    cmocka_unit_test(answers),  cmocka_unit_test(expectations),
	    cmocka_unit_test(mistakes), cmocka_unit_test(cut_anywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
