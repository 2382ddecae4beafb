#include "report/range.h"

#include "report/number.h"

static bool read_end(struct range_end *end, const char **at, bool shares)
{
	if (!number_read(*at, at, &end->value))
		return false;
	if (shares && **at == '%') {
		end->share = true;
		++*at;
	}
	return true;
}

const char *range_parse(struct range *range, const char *text, bool shares)
{
	struct range r = {.inside = *text == '@'};

	text += r.inside;
	if (!*text)
		return "there is no number";
	if (*text == '~') {
		r.start.open = true;
		if (*++text != ':')
			return "'~' is not followed by ':'";
	} else if (*text != ':') {
		if (!read_end(&r.end, &text, shares))
			return "that is no number";
		if (*text == ':') {
			r.start = r.end;
			r.end = (struct range_end){0};
		}
	} else if (!text[1]) {
		return "there is no number";
	}
	if (*text == ':') {
		text++;
		if (!*text)
			r.end.open = true;
		else if (!read_end(&r.end, &text, shares))
			return "what follows ':' is no number";
	}
	if (*text == '%')
		return shares ? "a number has more than one '%'" : "'%' has no meaning here";
	if (*text)
		return "something follows the number";
	/* A share and a count can only be compared once the total is known. */
	if (!r.start.open && !r.end.open &&
	    (r.start.share == r.end.share || (!r.start.value && !r.start.share)) &&
	    r.start.value > r.end.value)
		return "it ends before it starts";
	*range = r;
	return NULL;
}

/* Below 0, 0, above 0: how the value compares with a limit. Shares are compared without a division,
 * so that 7 of 25 is 28 % and nothing else. */
static double against(double value, const struct range_end *end, double total)
{
	return end->share ? value * 100 - end->value * total : value - end->value;
}

bool range_alerts(const struct range *r, double value, double total)
{
	bool within = (r->start.open || against(value, &r->start, total) >= 0) &&
		      (r->end.open || against(value, &r->end, total) <= 0);

	return within == r->inside;
}

static struct range_end mirrored(const struct range_end *end, double whole, double total)
{
	double value = end->share ? end->value * total / 100 : end->value;

	return (struct range_end){.value = whole - value, .open = end->open};
}

struct range range_mirror(const struct range *r, double whole, double total)
{
	return (struct range){.start = mirrored(&r->end, whole, total),
			      .end = mirrored(&r->start, whole, total),
			      .inside = r->inside};
}

static void format_end(struct buf *out, const struct range_end *end)
{
	number_add(out, end->value, 6);
	if (end->share)
		buf_addc(out, '%');
}

void range_format(struct buf *out, const struct range *r)
{
	if (r->inside)
		buf_addc(out, '@');
	if (r->start.open) {
		buf_addstr(out, "~:");
	} else if (r->start.value || r->start.share || r->end.open) {
		format_end(out, &r->start);
		buf_addc(out, ':');
	}
	if (!r->end.open)
		format_end(out, &r->end);
}
