/* What is found out about certificates, with both ends in memory: chain, name, TLSA records. The
 * servers' certificates are the lab's. */
#include "net/tls.h"

#include "lab/ca.h"
#include "lab/tls_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NAME "mx.example"

static struct ca *ca;
static char *ca_path;
static struct tls_context *context;

/* The CA knows faces by their addresses, so they are kept until it goes. */
static struct face **faces;
static size_t n_faces;

static struct face *face_of(enum cert_kind kind)
{
	struct face *face = xcalloc(1, sizeof *face), **place = ARRAY_ADD(faces, n_faces);

	face->cert = kind;
	return *place = face;
}

/* A handshake with a server of that face; what came of it. The caller frees. */
static struct tls_facts *facts_of(const struct face *face, const struct tls_want *want)
{
	struct tls_server *server = tls_server_new(ca_context(ca, face, NAME));
	struct tls *tls = tls_new(context, want);
	struct buf to = {0}, from = {0}, plain = {0};
	enum tls_state state = tls_feed(tls, NULL, 0, &plain, &to);
	struct tls_facts *facts;

	while (state == TLS_MORE && to.len) {
		(void)tls_server_feed(server, to.data, to.len, &plain, &from);
		buf_clear(&to);
		state = tls_feed(tls, from.data, from.len, &plain, &to);
		buf_clear(&from);
	}
	facts = tls_get_facts(tls);
	assert_int_equal(state == TLS_READY, facts->version != NULL);
	buf_fini(&to);
	buf_fini(&from);
	buf_fini(&plain);
	tls_free(tls);
	tls_server_free(server);
	return facts;
}

static void test_chain_and_dates(void **state)
{
	static const struct {
		enum cert_kind kind;
		enum tls_fault fault;
		const char *words;
	} rows[] = {
	    {CERT_GOOD, TLS_FAULT_NONE, NULL},
	    {CERT_EXPIRED, TLS_EXPIRED, "expired"},
	    {CERT_FUTURE, TLS_NOT_YET_VALID, "not yet valid"},
	    {CERT_WRONG_NAME, TLS_WRONG_NAME, "mismatch"},
	    {CERT_SELF_SIGNED, TLS_UNTRUSTED, "self"},
	    {CERT_UNTRUSTED, TLS_UNTRUSTED, "chain"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct face *face = face_of(rows[i].kind);
		struct tls_want want = {.server_name = NAME, .check = TLS_CHECK_WEBPKI};
		struct tls_facts *f = facts_of(face, &want);

		assert_non_null(f->version);
		assert_int_equal(f->fault, rows[i].fault);
		assert_int_equal(f->verified, rows[i].fault == TLS_FAULT_NONE);
		assert_int_equal(f->dane, -1);
		if (rows[i].words)
			assert_non_null(strstr(f->error, rows[i].words));
		else
			assert_null(f->error);
		tls_facts_free(f);

		/* Nobody asked: no fault, but all the facts. */
		want.check = TLS_CHECK_NONE;
		f = facts_of(face, &want);
		assert_int_equal(f->fault, TLS_FAULT_NONE);
		assert_false(f->verified);
		assert_null(f->error);
		assert_true(f->not_after > 0);
		assert_int_equal(f->n_names, 1);
		tls_facts_free(f);
	}
}

/* RFC 6125: names in subjectAltName, a wildcard for the leftmost label and all of it. */
static void test_names(void **state)
{
	static const struct {
		const char *in_certificate, *wanted, *also;
		bool good;
	} rows[] = {
	    {"mx.example", "mx.example", NULL, true},
	    {"mx.example", "MX.Example", NULL, true},
	    {"mx.example", "mx2.example", NULL, false},
	    {"other.example,mx.example", "mx.example", NULL, true},
	    {"*.mail.example", "mx.mail.example", NULL, true},
	    {"*.mail.example", "a.mx.mail.example", NULL, false},
	    {"*.mail.example", "mail.example", NULL, false},
	    {"m*.mail.example", "mx.mail.example", NULL, false},
	    {"mx.*.example", "mx.mail.example", NULL, false},
	    {"example", "mx.example", "example", true},
	    {"mx.example", "mx.example", "example", true},
	    {"other.example", "mx.example", "example", false},
	    {"IP:192.0.2.1", "192.0.2.1", NULL, true},
	    {"IP:192.0.2.2", "192.0.2.1", NULL, false},
	    {"IP:2001:db8::1", "2001:db8::1", NULL, true},
	    {"192.0.2.1", "192.0.2.1", NULL, false}, /* an address as a name is none */
	    {"mx.example", "192.0.2.1", NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct face *face = face_of(CERT_GOOD);
		struct tls_want want = {
		    .server_name = rows[i].wanted, .also = rows[i].also, .check = TLS_CHECK_WEBPKI};
		struct tls_facts *f;

		face->cert_names = rows[i].in_certificate;
		f = facts_of(face, &want);
		if (f->verified != rows[i].good ||
		    f->fault != (rows[i].good ? TLS_FAULT_NONE : TLS_WRONG_NAME))
			fail_msg("%s for %s: %s", rows[i].in_certificate, rows[i].wanted,
				 f->error ? f->error : "verified");
		tls_facts_free(f);
	}
}

static void test_server_name(void **state)
{
	static const struct {
		const char *name, *sni;
	} rows[] = {{NAME, NAME}, {"192.0.2.1", "-"}, {"2001:db8::1", "-"}, {NULL, "-"}};
	const struct face *face = face_of(CERT_GOOD);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct tls_want want = {.server_name = rows[i].name};
		struct tls_server *server = tls_server_new(ca_context(ca, face, NAME));
		struct tls *tls = tls_new(context, &want);
		struct buf to = {0}, from = {0}, plain = {0};

		assert_int_equal(tls_feed(tls, NULL, 0, &plain, &to), TLS_MORE);
		(void)tls_server_feed(server, to.data, to.len, &plain, &from);
		assert_string_equal(tls_server_sni(server), rows[i].sni);
		buf_fini(&to);
		buf_fini(&from);
		buf_fini(&plain);
		tls_free(tls);
		tls_server_free(server);
	}
}

/* What opportunistic senders still take, and the library's defaults do not: a check that is only a
 * finding must not change what is offered. */
static void test_lenient(void **state)
{
	struct face *old = face_of(CERT_GOOD);
	const struct face *anonymous = face_of(CERT_ANONYMOUS);
	struct tls_want want = {.server_name = NAME};
	struct tls_facts *f;

	(void)state;
	old->tls_min = old->tls_max = TLS1_VERSION;
	f = facts_of(old, &want);
	assert_string_equal(f->version, "TLSv1");
	tls_facts_free(f);
	want.check = TLS_CHECK_WEBPKI;
	f = facts_of(old, &want);
	assert_null(f->version);
	assert_non_null(f->error);
	tls_facts_free(f);
	want.lenient = true;
	f = facts_of(old, &want);
	assert_string_equal(f->version, "TLSv1");
	tls_facts_free(f);

	f = facts_of(anonymous, &want);
	assert_non_null(f->version);
	assert_null(f->subject);
	assert_false(f->verified);
	assert_int_equal(f->fault, TLS_UNTRUSTED);
	assert_string_equal(f->error, "the server has no certificate");
	tls_facts_free(f);
}

/* The record for a face's certificate; data is the caller's to free. */
static struct tlsa record(const struct face *face, int usage, int selector, int matching,
			  bool wrong)
{
	struct tlsa_wish wish = {
	    .usage = usage, .selector = selector, .matching = matching, .wrong = wrong};
	struct tlsa r = {
	    .usage = (uint8_t)usage, .selector = (uint8_t)selector, .matching = (uint8_t)matching};
	struct buf hex = {0};

	ca_tlsa(ca, face, NAME, &wish, &hex);
	r.size = (uint16_t)(hex.len / 2);
	r.data = xmalloc(r.size);
	for (uint16_t i = 0; i < r.size; i++) {
		char octet[3] = {hex.data[2 * i], hex.data[2 * i + 1], '\0'};

		r.data[i] = (uint8_t)strtoul(octet, NULL, 16);
	}
	buf_fini(&hex);
	return r;
}

static void test_tlsa(void **state)
{
	static const struct {
		enum cert_kind kind;
		int usage;
		bool good;
	} rows[] = {
	    {CERT_GOOD, 3, true},         {CERT_GOOD, 2, true},        {CERT_EXPIRED, 3, true},
	    {CERT_EXPIRED, 2, false},     {CERT_FUTURE, 3, true},      {CERT_FUTURE, 2, false},
	    {CERT_WRONG_NAME, 3, true},   {CERT_WRONG_NAME, 2, false}, {CERT_SELF_SIGNED, 3, true},
	    {CERT_SELF_SIGNED, 2, false}, {CERT_UNTRUSTED, 3, true},   {CERT_UNTRUSTED, 2, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int selector = 0; selector <= 1; selector++)
			for (int matching = 0; matching <= 2; matching++) {
				const struct face *face = face_of(rows[i].kind);
				struct tlsa r =
				    record(face, rows[i].usage, selector, matching, false);
				struct tls_want want = {.server_name = NAME,
							.check = TLS_CHECK_DANE,
							.tlsa = &r,
							.n_tlsa = 1};
				struct tls_facts *f;

				assert_true(tlsa_is_usable(&r));
				f = facts_of(face, &want);
				if (f->dane != rows[i].good ||
				    (f->fault == TLS_FAULT_NONE) != rows[i].good)
					fail_msg("kind %d, %d %d %d: %s", rows[i].kind,
						 rows[i].usage, selector, matching,
						 f->error ? f->error : "matched");
				assert_false(f->verified);
				tls_facts_free(f);
				/* A whole certificate or key is just that. */
				r.size--;
				assert_false(tlsa_is_usable(&r));
				free(r.data);
			}
}

static void test_tlsa_mismatch(void **state)
{
	const struct face *face = face_of(CERT_GOOD);
	struct tlsa r[2] = {record(face, 3, 1, 1, true), record(face, 3, 1, 1, false)};
	struct tls_want want = {
	    .server_name = NAME, .check = TLS_CHECK_DANE, .tlsa = r, .n_tlsa = 1};
	struct tls_facts *f = facts_of(face, &want);

	(void)state;
	assert_int_equal(f->dane, 0);
	assert_int_equal(f->fault, TLS_TLSA_MISMATCH);
	assert_string_equal(tls_fault_name(f->fault), "TLSA mismatch");
	assert_non_null(f->error);
	tls_facts_free(f);
	/* One that matches is enough. */
	want.n_tlsa = 2;
	f = facts_of(face, &want);
	assert_int_equal(f->dane, 1);
	assert_null(f->error);
	tls_facts_free(f);
	free(r[0].data);
	free(r[1].data);
}

/* A trailing octet is one too many. */
static void test_whole_record(void **state)
{
	const struct face *face = face_of(CERT_GOOD);

	(void)state;
	for (int selector = 0; selector <= 1; selector++) {
		struct tlsa r = record(face, 3, selector, 0, false);
		uint8_t *longer = xmalloc(r.size + 1u);

		memcpy(longer, r.data, r.size);
		longer[r.size] = 0;
		free(r.data);
		r.data = longer;
		assert_true(tlsa_is_usable(&r));
		r.size++;
		assert_false(tlsa_is_usable(&r));
		free(longer);
	}
}

static void test_chain_lines(void **state)
{
	const struct face *face = face_of(CERT_GOOD);
	struct tls_want want = {.server_name = NAME};
	struct tls_facts *f = facts_of(face, &want);

	(void)state;
	assert_int_equal(f->n_chain, 0);
	assert_string_equal(f->subject, "CN=" NAME);
	assert_string_equal(f->issuer, "CN=mxprobe lab CA");
	tls_facts_free(f);
	want.chain = true;
	f = facts_of(face, &want);
	assert_int_equal(f->n_chain, 2);
	assert_non_null(
	    strstr(f->chain[0], "certificate 0: CN=" NAME ", issued by CN=mxprobe lab"));
	assert_non_null(strstr(f->chain[1], "certificate 1: CN=mxprobe lab CA, issued by"));
	tls_facts_free(f);
}

static int set_up(void **state)
{
	const char *dir = getenv("TEST_DIR");

	(void)state;
	ca = ca_new();
	ca_path = xasprintf("%s/tls-%ld.pem", dir && *dir ? dir : "/tmp", (long)getpid());
	if (!ca_write(ca, ca_path))
		return -1;
	context = tls_context_new();
	(void)unsetenv("SSL_CERT_DIR");
	return setenv("SSL_CERT_FILE", ca_path, true);
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(ca_path);
	free(ca_path);
	tls_context_free(context);
	ca_free(ca);
	for (size_t i = 0; i < n_faces; i++)
		free(faces[i]);
	free(faces);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_chain_and_dates),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_server_name),
	    cmocka_unit_test(test_lenient),
	    cmocka_unit_test(test_tlsa),
	    cmocka_unit_test(test_tlsa_mismatch),
	    cmocka_unit_test(test_whole_record),
	    cmocka_unit_test(test_chain_lines),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
