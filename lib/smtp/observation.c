#include "smtp/observation.h"

#include <assert.h>
#include <stdlib.h>

static const char *const phase_names[] = {
    [PHASE_DNS] = "dns",   [PHASE_CONNECT] = "connect",   [PHASE_BANNER] = "banner",
    [PHASE_EHLO] = "ehlo", [PHASE_STARTTLS] = "starttls", [PHASE_TLS] = "tls",
    [PHASE_MAIL] = "mail",
};
static_assert(ARRAY_LEN(phase_names) == PHASES, "each phase has a name");

const char *phase_name(enum phase phase)
{
	return phase_names[phase];
}

void observation_init(struct observation *o)
{
	*o = (struct observation){.first_byte = USEC_NONE, .rtt = USEC_NONE};
	for (int i = 0; i < PHASES; i++)
		o->took[i] = USEC_NONE;
}

void observation_fini(struct observation *o)
{
	reply_fini(&o->reply);
	buf_fini(&o->banner);
	buf_fini(&o->extensions);
	tls_facts_free(o->tls);
	free(o->error);
	observation_init(o);
}

void observation_quote(struct observation *to, const struct observation *from)
{
	observation_init(to);
	to->phase = from->phase;
	to->end = from->end;
	to->notes = from->notes & ~(unsigned)(NOTE_TLS_FALLBACK | NOTE_TLS);
	reply_copy(&to->reply, &from->reply);
	buf_add(&to->banner, from->banner.data, from->banner.len);
	buf_add(&to->extensions, from->extensions.data, from->extensions.len);
}

usec_t observation_total(const struct observation *o)
{
	usec_t total = USEC_NONE;

	for (int i = PHASE_CONNECT; i < PHASES; i++) {
		if (o->took[i] != USEC_NONE)
			total = (total == USEC_NONE ? 0 : total) + o->took[i];
	}
	return total;
}
