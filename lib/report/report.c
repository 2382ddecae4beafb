#include "report/report.h"

void report_begin(struct report *r, const struct report_kind *kind, const struct report_conf *conf)
{
	*r = (struct report){.kind = kind, .conf = *conf};
	if (kind->begin)
		kind->begin(r);
}

void report_target(struct report *r, const struct result *result)
{
	r->kind->target(r, result);
	r->targets++;
}

void report_end(struct report *r)
{
	if (r->kind && r->kind->end)
		r->kind->end(r);
	r->kind = NULL;
}

void report_fini(struct report *r)
{
	report_end(r); /* for the kind's own state, when nobody asked for the text */
	buf_fini(&r->out);
}
