#include "report/block.h"

#include "base/text.h"
#include "report/looks.h"
#include "report/words.h"

#include <string.h>
#include <strings.h>

enum {
	INDENT = 2,
	PROSE_WIDTH = 110 /* lines of sentences are not longer, however wide the terminal */
};

/* Not toupper(): it asks the locale. */
static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static void add_safe(struct buf *out, const char *s)
{
	text_safe(out, s, strlen(s));
}

void block_line(struct buf *out, const struct buf *line, unsigned columns)
{
	if (columns)
		text_fit(out, line->data, line->len, columns);
	else
		buf_add(out, line->data, line->len);
	buf_addc(out, '\n');
}

static bool contains(const char *s, const char *part)
{
	size_t n = strlen(part);

	for (; *s; s++)
		if (!strncasecmp(s, part, n))
			return true;
	return n == 0;
}

void block_name(struct buf *out, const struct result *r)
{
	add_safe(out, r->target ? r->target : "");
	if (r->domain && !contains(r->target ? r->target : "", r->domain) &&
	    r->source != SOURCE_LITERAL) {
		buf_addstr(out, " (");
		add_safe(out, r->domain);
		buf_addc(out, ')');
	}
}

static void count_of(struct buf *out, size_t n, const char *one, const char *many)
{
	buf_printf(out, "%s%zu %s", out->len ? ", " : "", n, n == 1 ? one : many);
}

void block_facts(struct buf *out, const struct result *r)
{
	if (r->index < 0)
		buf_addstr(out, "control target");
	if ((r->error_code && !r->n_endpoints) || !r->has_dns)
		return;
	switch (r->source) {
	case SOURCE_MX:
		count_of(out, r->n_hosts, "MX", "MX");
		break;
	case SOURCE_IMPLICIT:
		buf_printf(out, "%sno MX, own address%s", out->len ? ", " : "",
			   r->n_endpoints == 1 ? "" : "es");
		break;
	case SOURCE_NULL_MX:
		buf_printf(out, "%snull MX", out->len ? ", " : "");
		break;
	default:
		break;
	}
	if (r->n_endpoints)
		count_of(out, r->n_endpoints, "endpoint", "endpoints");
}

void block_verdict(struct buf *out, enum verdict verdict)
{
	for (const char *p = verdict_name(verdict); *p; p++)
		buf_addc(out, upper(*p));
}

void block_heading(struct buf *out, const struct block_heading *h, bool color, unsigned columns,
		   size_t edge)
{
	struct buf name = {0}, facts = {0};
	size_t n_name = text_columns(h->name->data, h->name->len);
	size_t n_facts = text_columns(h->facts->data, h->facts->len);
	size_t left = n_name + (n_facts ? 3 + n_facts : 0), right = strlen(h->right), room;

	if (left + 2 + right > edge)
		edge = left + 2 + right;
	if (columns && edge > columns)
		edge = columns;
	room = edge > right + 2 ? edge - right - 2 : 0;
	if (left > room) {
		n_facts = n_facts && room >= n_name + 3 + 8 ? room - n_name - 3 : 0;
		n_name = n_name < room ? n_name : room;
	}
	text_fit(&name, h->name->data, h->name->len, n_name);
	text_fit(&facts, h->facts->data, h->facts->len, n_facts);
	n_name = text_columns(name.data, name.len);
	n_facts = text_columns(facts.data, facts.len);
	left = n_name + (n_facts ? 3 + n_facts : 0);
	add_colored(out, color, BOLD, name.data, name.len);
	if (n_facts) {
		add_spaces(out, 3);
		buf_add(out, facts.data, facts.len);
	}
	if (edge > left + right)
		add_spaces(out, edge - left - right);
	if (columns && right > columns) {
		text_fit(out, h->right, right, columns);
	} else {
		if (color && h->bold)
			buf_addstr(out, BOLD);
		add_colored(out, color, h->color, h->right, right);
	}
	buf_addc(out, '\n');
	buf_fini(&name);
	buf_fini(&facts);
}

void block_prose(struct buf *out, const char *s, unsigned columns, size_t hang)
{
	size_t at = INDENT, blanks = 0;

	add_spaces(out, INDENT);
	while (*s) {
		size_t n = strcspn(s, " "), width = text_columns(s, n);

		if (blanks && columns && at + blanks + width > columns) {
			buf_addc(out, '\n');
			at = INDENT + hang;
			add_spaces(out, at);
		} else {
			add_spaces(out, blanks);
			at += blanks;
		}
		/* A word longer than the line is cut; there is nowhere else to go. */
		if (columns && at + width > columns)
			text_fit(out, s, n, columns > at ? columns - at : 0);
		else
			buf_add(out, s, n);
		at += width;
		s += n;
		blanks = strspn(s, " ");
		s += blanks;
	}
	buf_addc(out, '\n');
}

/* What there is to say where there is no endpoint. */
static const char *without_endpoints(const struct result *r)
{
	if (r->source == SOURCE_NULL_MX)
		return "The domain accepts no mail, and says so (null MX, RFC 7505).";
	switch (r->status) {
	case DNS_NXDOMAIN:
		return "No such domain: DNS says that it does not exist (NXDOMAIN). Is it spelt "
		       "right? Mail to it comes back at once.";
	case DNS_NO_ADDRESS:
		return "The domain has neither MX nor address records: mail cannot be sent to it.";
	case DNS_SERVFAIL:
		return "DNS gave no usable answer (SERVFAIL): nothing is known of the domain's "
		       "mail servers.";
	case DNS_TIMEOUT:
		return "DNS gave no answer in time: nothing is known of the domain's mail servers.";
	case DNS_INVALID:
		return "DNS leads nowhere from this name: it is no host name, or its CNAME records "
		       "form a loop.";
	case DNS_LOCAL_ERROR:
		return "This machine could not ask the DNS: nothing is known of the domain's mail "
		       "servers.";
	default:
		return "No mail server was found.";
	}
}

void block_reason(struct buf *out, const struct result *r)
{
	if (r->error_code)
		add_safe(out, r->error_message ? r->error_message : r->error_code);
	else if (!r->n_endpoints)
		buf_addstr(out, without_endpoints(r));
}

void block_sums(struct buf *out, const struct summary *s)
{
	buf_printf(out, "%u of %u healthy", s->count[CLASS_HEALTHY], s->endpoints);
	for (int i = CLASS_HEALTHY + 1; i < CLASSES; i++)
		if (s->count[i])
			buf_printf(out, ", %u %s", s->count[i], class_name((enum class)i));
}

static void add_seconds(struct buf *out, double seconds)
{
	words_span_short(out, seconds > 0 ? (usec_t)(seconds * 1e6 + 0.5) : 0);
}

void block_delivery(struct buf *out, const struct delivery *d)
{
	if (!d->contacted)
		return;
	buf_addstr(out, "First contact accepted: ");
	words_percent(out, d->first_try);
	buf_addc(out, '.');
	for (size_t i = 0; i < d->n_senders; i++) {
		const struct sender_delivery *sender = &d->senders[i];

		buf_printf(out, "\nOne %c%s delivery attempt: accepted with ",
			   upper(sender->name[0]), sender->name + 1);
		words_percent(out, sender->accepted);
		buf_addstr(out, ", ");
		add_seconds(out, sender->seconds);
		buf_addstr(out, " on average.");
	}
}

void block_sentences(struct buf *out, const char *s, unsigned columns)
{
	unsigned width = columns && columns < PROSE_WIDTH ? columns : PROSE_WIDTH;
	struct buf line = {0};

	while (*s) {
		size_t n = strcspn(s, "\n");

		if (line.len && INDENT + line.len + 2 + n <= width) {
			add_spaces(&line, 2);
		} else if (line.len) {
			block_prose(out, buf_str(&line), columns, 2);
			buf_clear(&line);
		}
		buf_add(&line, s, n);
		s += n;
		s += *s == '\n';
	}
	if (line.len)
		block_prose(out, buf_str(&line), columns, 2);
	buf_fini(&line);
}

void block_warning(struct buf *out, const char *message, bool color, unsigned columns)
{
	static const char mark[] = "warning:";
	struct buf text = {0}, prose = {0};
	size_t marked = INDENT + strlen(mark);

	buf_printf(&text, "%s ", mark);
	add_safe(&text, message);
	block_prose(&prose, buf_str(&text), columns, 2);
	/* On the narrowest of screens the word itself is cut, and then left as it is. */
	if (prose.len > marked && memcmp(prose.data + INDENT, mark, strlen(mark)) == 0) {
		add_spaces(out, INDENT);
		add_colored(out, color, YELLOW, mark, strlen(mark));
		buf_add(out, prose.data + marked, prose.len - marked);
	} else {
		buf_add(out, prose.data, prose.len);
	}
	buf_fini(&prose);
	buf_fini(&text);
}
