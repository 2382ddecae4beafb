/* MTA-STS: the record that announces a policy, and the policy. The input: one octet that says
 * which, then its text. */
#include "fuzz.h"

#include "base/buf.h"
#include "dns/sts.h"

#include <ctype.h>
#include <string.h>

const char fuzz_name[] = "sts";

/* Octets as a TXT record holds them, in one record, or one for each NUL between them. */
static void announced(const uint8_t *data, size_t n)
{
	char qname[] = "_mta-sts.example.org", id[STS_ID_MAX + 1];
	struct dns_message m = {.qname = qname, .qtype = TYPE_TXT};
	const char *why;

	while (n && m.n_answers < 8) {
		const uint8_t *nul = memchr(data, 0xFF, n);
		size_t len = nul ? (size_t)(nul - data) : n;
		struct dns_record *r = ARRAY_ADD(m.answers, m.n_answers);
		uint8_t *copy = xmalloc(len + 1);

		len = len < 4096 ? len : 4096;
		memcpy(copy, data, len);
		*r = (struct dns_record){
		    .owner = qname, .type = TYPE_TXT, .data = copy, .size = (uint16_t)len};
		len += nul != NULL && len < n;
		data += len;
		n -= len;
	}
	if (sts_announced(&m, qname, id, &why)) {
		MUST(!why && *id && strlen(id) <= STS_ID_MAX);
		for (const char *c = id; *c; c++)
			MUST(isalnum((unsigned char)*c));
	} else {
		MUST(!*id);
	}
	for (size_t i = 0; i < m.n_answers; i++)
		free(m.answers[i].data);
	free(m.answers);
}

static void policy(const char *text, size_t n)
{
	struct sts_policy p, again;
	const char *why = sts_policy_read(&p, text, n);
	struct buf crlf = {0};

	if (why) {
		MUST(*why && !p.mx && !p.n_mx);
	} else {
		MUST(p.mode < STS_MODES && p.max_age <= STS_MAX_AGE_MOST);
		MUST(p.n_mx || p.mode == STS_NONE);
	}
	for (size_t i = 0; i < p.n_mx; i++) {
		for (const char *c = p.mx[i]; *c; c++)
			MUST(!isupper((unsigned char)*c));
		MUST(sts_allows(&p, p.mx[i])); /* at least itself */
	}
	(void)sts_allows(&p, "mx.example.org");
	(void)sts_allows(&p, ".");
	/* Which end of line it has does not matter (RFC 8461 3.2). */
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			buf_addc(&crlf, '\r');
		buf_addc(&crlf, text[i]);
	}
	MUST(why == sts_policy_read(&again, crlf.data, crlf.len));
	MUST(p.n_mx == again.n_mx && p.mode == again.mode && p.max_age == again.max_age);
	sts_policy_fini(&again);
	sts_policy_fini(&p);
	buf_fini(&crlf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (!n)
		return 0;
	if (data[0] & 1)
		announced(data + 1, n - 1);
	else
		policy((const char *)data + 1, n - 1);
	return 0;
}
