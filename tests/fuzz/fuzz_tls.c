/* TLS with both ends in memory, and between them somebody who changes octets, adds some, leaves
 * some out, or is the server himself. Whatever comes, the client's end gets no further than it may,
 * and says what it saw as plain text that ends. The input: three octets of configuration, then for
 * each exchange an octet of what is done to the server's octets and what belongs to it. */
#define OPENSSL_SUPPRESS_DEPRECATED /* the one way to choose the random octets */
#include "fuzz.h"

#include "lab/ca.h"
#include "lab/tls_server.h"
#include "made.h"
#include "net/tls.h"

#include <openssl/rand.h>

#include <string.h>

const char fuzz_name[] = "tls";

/* The same input does the same again: nothing in this is secret. */
static uint64_t seed;

static int random_bytes(unsigned char *out, int n)
{
	for (int i = 0; i < n; i++) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		out[i] = (unsigned char)(seed >> 56);
	}
	return 1;
}

static int random_ready(void)
{
	return 1;
}

static struct world {
	struct ca *ca;
	struct tls_context *client;
	struct face faces[6];
} * world;

static void make_world(void)
{
	static const RAND_METHOD method = {
	    .bytes = random_bytes, .pseudorand = random_bytes, .status = random_ready};

	(void)RAND_set_rand_method(&method);
	world = xcalloc(1, sizeof *world);
	world->ca = ca_new();
	world->client = tls_context_new();
	world->faces[0] = (struct face){.cert = CERT_GOOD};
	world->faces[1] = (struct face){.cert = CERT_EXPIRED, .tls_max = TLS1_2_VERSION};
	world->faces[2] = (struct face){.cert = CERT_SELF_SIGNED, .tls_max = TLS1_VERSION};
	world->faces[3] = (struct face){.cert = CERT_ANONYMOUS};
	world->faces[4] = (struct face){.cert = CERT_GOOD,
					.cert_names = "*.example,b\xFC"
						      "cher.example,\x1b[2J,mx.example"};
	world->faces[5] = (struct face){.cert = CERT_SHA1, .tls_max = TLS1_2_VERSION};
}

/* What is on its way to the client, after the fuzzer had it in his hands. */
static void disturb(struct buf *wire, struct octets *o)
{
	unsigned what = made_number(o, 16), n;
	char *text;

	switch (what) {
	case 0: /* nothing */
		break;
	case 1: /* an octet is another one */
		for (n = 1 + made_number(o, 4); n && wire->len; n--) {
			uint32_t at = made_word(o) % wire->len;

			wire->data[at] = (char)made_number(o, 256);
		}
		break;
	case 2: /* the rest is lost */
		if (wire->len)
			wire->len = made_word(o) % wire->len;
		break;
	case 3: /* the beginning is lost */
		if (wire->len)
			buf_consume(wire, made_word(o) % wire->len);
		break;
	case 4: /* something follows */
		text = made_text(o);
		buf_addstr(wire, text);
		free(text);
		break;
	case 5: /* a record of any kind follows */
		n = made_number(o, 64);
		buf_addc(wire, (char)(20 + made_number(o, 6)));
		buf_addc(wire, 3);
		buf_addc(wire, (char)made_number(o, 5));
		buf_addc(wire, 0);
		buf_addc(wire, (char)n);
		for (; n; n--)
			buf_addc(wire, (char)made_number(o, 256));
		break;
	case 6: /* it comes twice */
		n = wire->len;
		text = xmalloc(n + 1);
		if (n)
			memcpy(text, wire->data, n);
		buf_add(wire, text, n);
		free(text);
		break;
	case 7: /* all of it is the fuzzer's */
		buf_clear(wire);
		for (n = made_number(o, 256); n; n--)
			buf_addc(wire, (char)made_number(o, 256));
		break;
	default:
		break;
	}
}

static void check(const char *text, bool needed)
{
	MUST(text || !needed);
	MUST(!text || strlen(text) < 100000);
}

static void check_facts(struct tls *tls, enum tls_state state, const struct tls_want *want)
{
	struct tls_facts *f = tls_get_facts(tls);

	check(f->version, state == TLS_READY || state == TLS_CLOSED);
	check(f->cipher, f->version != NULL);
	check(f->subject, f->issuer != NULL);
	check(f->issuer, f->subject != NULL);
	check(f->error, state == TLS_FAILED || f->fault);
	MUST(f->fault < TLS_FAULTS);
	MUST(f->n_names <= 1000);
	for (size_t i = 0; i < f->n_names; i++)
		check(f->names[i], true);
	for (size_t i = 0; i < f->n_chain; i++)
		check(f->chain[i], true);
	MUST(!f->verified || (want->check == TLS_CHECK_WEBPKI && !f->fault));
	/* None of our servers is one that this machine trusts, nor is there such a record. */
	MUST(!f->verified);
	MUST(f->dane != 1);
	tls_facts_free(f);
}

static void play(struct tls *tls, struct tls_server *server, const struct tls_want *want,
		 struct octets *o)
{
	struct buf to = {0}, from = {0}, plain = {0}, heard = {0};
	enum tls_state state = tls_feed(tls, NULL, 0, &plain, &to), before;
	bool spoke = false;

	for (unsigned turn = 0; turn < 64; turn++) {
		unsigned size = made_number(o, 8) == 7 ? 1 : UINT32_MAX;

		buf_clear(&from);
		if (server)
			(void)tls_server_feed(server, to.data, to.len, &heard, &from);
		if (server && turn > 2 && made_number(o, 4) == 3)
			tls_server_write(server, "250 2.1.0 OK\r\n", 14, &from);
		if (server && turn > 2 && made_number(o, 16) == 15)
			tls_server_close(server, &from);
		if (server && turn > 2 && made_number(o, 8) == 7)
			tls_server_renegotiate(server, &from);
		buf_clear(&to);
		disturb(&from, o);
		for (uint32_t at = 0; at < from.len; at += size) {
			uint32_t piece = from.len - at < size ? from.len - at : size;

			before = state;
			state = tls_feed(tls, from.data + at, piece, &plain, &to);
			/* No way back from the end. */
			MUST(before != TLS_FAILED || state == TLS_FAILED);
			MUST(before != TLS_CLOSED || state == TLS_CLOSED);
			MUST(before != TLS_READY || state != TLS_MORE);
			MUST(state != TLS_MORE || !plain.len);
			if (piece < size)
				break;
		}
		check_facts(tls, state, want);
		if (state == TLS_READY && !spoke) {
			tls_write(tls, "EHLO me.example\r\n", 17, &to);
			spoke = true;
		}
		if (state == TLS_FAILED || state == TLS_CLOSED || !o->n)
			break;
	}
	tls_write(tls, "QUIT\r\n", 6, &to);
	tls_close(tls, &to);
	/* Nobody who changed something could say anything in the server's name. */
	for (uint32_t i = 0; i < plain.len; i++)
		MUST(plain.data[i] == "250 2.1.0 OK\r\n"[i % 14]);
	buf_fini(&to);
	buf_fini(&from);
	buf_fini(&plain);
	buf_fini(&heard);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct octets o = {data, n};
	unsigned shape = made_number(&o, 256);
	uint8_t digest[32];
	struct tlsa record = {.usage = (uint8_t)made_number(&o, 5),
			      .selector = (uint8_t)made_number(&o, 3),
			      .matching = (uint8_t)made_number(&o, 4),
			      .size = sizeof digest,
			      .data = digest};
	struct tls_want want = {.server_name = shape & 1 ? "mx.example" : NULL,
				.check = shape & 2 ? TLS_CHECK_WEBPKI : TLS_CHECK_NONE,
				.lenient = shape & 4,
				.chain = shape & 8};
	const struct face *face;
	struct tls_server *server;
	struct tls *tls;

	if (!world)
		make_world();
	seed = 1;
	memset(digest, (int)shape, sizeof digest);
	if (tlsa_is_usable(&record) && shape & 16) {
		want.server_name = "mx.example";
		want.check = TLS_CHECK_DANE;
		want.tlsa = &record;
		want.n_tlsa = 1;
	}
	face = &world->faces[made_number(&o, ARRAY_LEN(world->faces))];
	server = shape & 32 ? NULL : tls_server_new(ca_context(world->ca, face, "mx.example"));
	tls = tls_new(world->client, &want);
	play(tls, server, &want, &o);
	tls_free(tls);
	tls_server_free(server);
	return 0;
}
