#include "dns/message.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_SIZE = 12, LABEL_MAX = 63, NAME_WIRE_MAX = 255, CLASS_IN = 1, TYPE_OPT = 41 };
enum { QUESTION, ANSWER, AUTHORITY, ADDITIONAL, SECTIONS };

bool dns_header_read(struct dns_header *h, const uint8_t *wire, size_t n)
{
	if (n < HEADER_SIZE)
		return false;
	h->id = (uint16_t)(wire[0] << 8 | wire[1]);
	h->response = wire[2] & 0x80;
	h->truncated = wire[2] & 0x02;
	h->rcode = wire[3] & 0x0F;
	h->questions = (unsigned)(wire[4] << 8 | wire[5]);
	return true;
}

/* One octet of a label as text, which may be escaped (RFC 1035 5.1); -1: it is none. */
static int take_octet(const char **at)
{
	const unsigned char *s = (const unsigned char *)*at;
	unsigned value;

	if (*s != '\\') {
		(*at)++;
		return *s;
	}
	if (!isdigit(s[1])) {
		*at += 2;
		return s[1] ? s[1] : -1;
	}
	if (!isdigit(s[2]) || !isdigit(s[3]))
		return -1;
	value = (s[1] - '0') * 100u + (s[2] - '0') * 10u + (s[3] - '0');
	*at += 4;
	return value <= 255 ? (int)value : -1;
}

/* A name as it stands in a message; 0: the text is no domain name. */
static size_t name_to_wire(uint8_t wire[NAME_WIRE_MAX], const char *name)
{
	size_t n = 0;

	if (strcmp(name, ".") == 0)
		name++;
	else if (!*name)
		return 0;
	while (*name) {
		size_t length = n++; /* where the label's length goes */

		while (*name && *name != '.') {
			int octet = take_octet(&name);

			/* The octet behind the last label must have room, too. */
			if (octet < 0 || n - length > LABEL_MAX || n + 1 >= NAME_WIRE_MAX)
				return 0;
			wire[n++] = (uint8_t)octet;
		}
		if (n == length + 1)
			return 0;
		wire[length] = (uint8_t)(n - length - 1);
		if (*name == '.')
			name++;
	}
	wire[n++] = 0;
	return n;
}

/* AD in a query asks to be told (RFC 6840 5.7) without the signatures that DO would bring.
 */
size_t dns_query(uint8_t out[DNS_QUERY_MAX], const char *qname, enum dns_type type, uint16_t id,
		 bool edns)
{
	const uint8_t head[12] = {
	    (uint8_t)(id >> 8), (uint8_t)id, 0x01, 0x20, 0, 1, 0, 0, 0, 0, 0, edns};
	const uint8_t kind[4] = {(uint8_t)(type >> 8), (uint8_t)type, 0, CLASS_IN};
	const uint8_t opt[11] = {0, 0, TYPE_OPT, DNS_UDP_SIZE >> 8, DNS_UDP_SIZE & 0xFF};
	size_t n = name_to_wire(out + sizeof head, qname);

	if (!n)
		return 0;
	memcpy(out, head, sizeof head);
	n += sizeof head;
	memcpy(out + n, kind, sizeof kind);
	n += sizeof kind;
	if (!edns)
		return n;
	memcpy(out + n, opt, sizeof opt);
	return n + sizeof opt;
}

static_assert(DNS_QUERY_MAX == HEADER_SIZE + NAME_WIRE_MAX + 4 + 11, "the longest name fits");

enum dns_asked dns_asked(const uint8_t *wire, size_t n, const char *qname, enum dns_type type)
{
	uint8_t question[NAME_WIRE_MAX + 4];
	struct dns_header h;
	size_t length = name_to_wire(question, qname);

	if (!dns_header_read(&h, wire, n) || h.questions == 0)
		return ASKED_NOTHING;
	if (h.questions > 1 || !length)
		return ASKED_OTHER;
	question[length++] = (uint8_t)(type >> 8);
	question[length++] = (uint8_t)type;
	question[length++] = 0;
	question[length++] = CLASS_IN;
	/* The first name of a message has nothing before it to point at. Lengths of labels are no
	 * letters, so that all of it may be compared without case (RFC 4343). */
	for (size_t i = 0; i < length; i++) {
		if (i == n - HEADER_SIZE)
			return ASKED_NOTHING;
		if (tolower(wire[HEADER_SIZE + i]) != tolower(question[i]))
			return ASKED_OTHER;
	}
	return ASKED_THIS;
}

/* Reading. By hand, too: most of what a long list costs is this. */

/* Octets of a message and a place in it; once `bad`, all that is read is nought. */
struct wire {
	const uint8_t *octets;
	size_t n, at;
	bool bad;
};

static bool has(struct wire *w, size_t n)
{
	if (n > w->n - w->at)
		w->bad = true;
	return !w->bad;
}

static const uint8_t *take(struct wire *w, size_t n)
{
	const uint8_t *octets = w->octets + w->at;

	if (!has(w, n))
		return NULL;
	w->at += n;
	return octets;
}

static unsigned take16(struct wire *w)
{
	const uint8_t *o = take(w, 2);

	return o ? (unsigned)(o[0] << 8 | o[1]) : 0;
}

static uint32_t take32(struct wire *w)
{
	uint32_t high = take16(w);

	return high << 16 | take16(w);
}

enum { NAME_TEXT_SIZE = NAME_WIRE_MAX * 4 }; /* of any name with every octet escaped */

/* Octets that stand as they are. */
static const bool is_plain[256] = {
    ['-'] = true, ['0'] = true, ['1'] = true, ['2'] = true, ['3'] = true, ['4'] = true,
    ['5'] = true, ['6'] = true, ['7'] = true, ['8'] = true, ['9'] = true, ['_'] = true,
    ['a'] = true, ['b'] = true, ['c'] = true, ['d'] = true, ['e'] = true, ['f'] = true,
    ['g'] = true, ['h'] = true, ['i'] = true, ['j'] = true, ['k'] = true, ['l'] = true,
    ['m'] = true, ['n'] = true, ['o'] = true, ['p'] = true, ['q'] = true, ['r'] = true,
    ['s'] = true, ['t'] = true, ['u'] = true, ['v'] = true, ['w'] = true, ['x'] = true,
    ['y'] = true, ['z'] = true,
};

/* RFC 1035 5.1 */
static size_t octet_text(char *out, uint8_t octet)
{
	if (octet == '.' || octet == '\\') {
		out[0] = '\\';
		out[1] = (char)octet;
		return 2;
	}
	if (octet <= ' ' || octet >= 0x7F) {
		out[0] = '\\';
		out[1] = (char)('0' + octet / 100);
		out[2] = (char)('0' + octet / 10 % 10);
		out[3] = (char)('0' + octet % 10);
		return 4;
	}
	out[0] = (char)(octet >= 'A' && octet <= 'Z' ? octet | 0x20 : octet);
	return 1;
}

static size_t label_text(char *out, const uint8_t *label, size_t size)
{
	unsigned others = 0;
	size_t n = 0;

	/* Nearly all are made of these alone. */
	for (size_t i = 0; i < size; i++) {
		others |= !is_plain[label[i]];
		out[i] = (char)label[i];
	}
	if (!others)
		return size;
	for (size_t i = 0; i < size; i++)
		n += octet_text(out + n, label[i]);
	return n;
}

/* A name (RFC 1035 4.1.4), terminated; its length. Without `text` it is passed over. A pointer may
 * go back only, each further than the one before, so that they come to an end. */
static size_t take_name(struct wire *w, char text[NAME_TEXT_SIZE])
{
	size_t at = w->at, after = 0, lowest = w->at, length = 0, n = 0;

	while (!w->bad) {
		unsigned size = at < w->n ? w->octets[at] : 0xFFFF;

		if (size >= 0xC0 && at + 1 < w->n) {
			if (!after)
				after = at + 2;
			at = (size - 0xC0) << 8 | w->octets[at + 1];
			w->bad = at >= lowest || size > 0xFF;
			lowest = at;
			continue;
		}
		length += size + 1;
		if (size > LABEL_MAX || length > NAME_WIRE_MAX || size >= w->n - at) {
			w->bad = true;
			break;
		}
		at++;
		if (!size)
			break;
		if (!text) {
			at += size;
			continue;
		}
		if (n)
			text[n++] = '.';
		n += label_text(text + n, w->octets + at, size);
		at += size;
	}
	if (w->bad)
		n = 0;
	else
		w->at = after ? after : at;
	if (!text)
		return 0;
	if (!n)
		text[n++] = '.';
	text[n] = '\0';
	return n;
}

/* Where the texts of a message go. It goes on counting when there is no room any more. */
struct store {
	char *memory;
	size_t used, size;
};

static char *store_add(struct store *s, const void *bytes, size_t n)
{
	size_t at = s->used;

	s->used += n;
	if (s->used > s->size)
		return NULL;
	memcpy(s->memory + at, bytes, n);
	return s->memory + at;
}

struct reading {
	struct wire wire;
	struct store store;
	struct dns_message *m; /* counts all answers, and takes as many as there is room for */
	size_t room;
	bool opt; /* there was an OPT record */
	char qname[NAME_TEXT_SIZE];
};

static void read_question(struct reading *r)
{
	size_t n = take_name(&r->wire, r->qname);
	unsigned type = take16(&r->wire), class = take16(&r->wire);

	if (class != CLASS_IN) {
		r->qname[0] = '\0';
		return;
	}
	r->m->qname = store_add(&r->store, r->qname, n + 1);
	r->m->qtype = (enum dns_type)type;
}

/* RFC 2308 5: the lesser of the SOA's own TTL and its last field. */
static void read_soa(struct reading *r, uint32_t ttl)
{
	uint32_t minimum;

	(void)take_name(&r->wire, NULL); /* neither is of interest */
	(void)take_name(&r->wire, NULL);
	(void)take(&r->wire, 16);
	minimum = take32(&r->wire);
	r->m->soa = true;
	r->m->negative_ttl = ttl < minimum ? ttl : minimum;
}

/* The data of a record of interest; the message is no good when it is not what the type says. */
static void read_data(struct reading *r, struct dns_record *record, size_t size)
{
	struct wire *w = &r->wire;
	char name[NAME_TEXT_SIZE];
	size_t n;

	switch (record->type) {
	case TYPE_MX:
		record->preference = (uint16_t)take16(w);
		/* fall through */
	case TYPE_CNAME:
		n = take_name(w, name);
		record->name = store_add(&r->store, name, n + 1);
		break;
	default:
		w->bad |= (record->type == TYPE_A && size != 4) ||
			  (record->type == TYPE_AAAA && size != 16) || !has(w, size);
		if (w->bad)
			return;
		record->size = (uint16_t)size;
		record->data = (uint8_t *)store_add(&r->store, take(w, size), size);
		break;
	}
}

/* RFC 6891: the upper bits of the code stand in it (6.1.3), and it stands alone (6.1.1). */
static void read_opt(struct reading *r, uint32_t ttl)
{
	r->m->rcode |= (int)(ttl >> 24) << 4;
	r->wire.bad |= r->opt;
	r->opt = true;
}

static bool of_interest(enum dns_type type)
{
	return type == TYPE_A || type == TYPE_AAAA || type == TYPE_MX || type == TYPE_CNAME ||
	       type == TYPE_TXT || type == TYPE_TLSA;
}

static void read_record(struct reading *r, unsigned section)
{
	struct wire *w = &r->wire;
	struct dns_record record = {0};
	char owner[NAME_TEXT_SIZE];
	/* Most are owned by the name that was asked for, and point at it: they share its text. */
	bool same = r->qname[0] && w->n - w->at >= 2 && w->octets[w->at] == 0xC0 &&
		    w->octets[w->at + 1] == HEADER_SIZE;
	size_t n = take_name(w, same || section != ANSWER ? NULL : owner), end;
	unsigned class;

	record.type = (enum dns_type)take16(w);
	class = take16(w);
	record.ttl = take32(w);
	end = take16(w);
	if (!has(w, end))
		return;
	end += w->at;
	if (section == ANSWER && class == CLASS_IN && of_interest(record.type)) {
		read_data(r, &record, end - w->at);
		if (same || (r->qname[0] && strcmp(owner, r->qname) == 0))
			record.owner = r->m->qname;
		else
			record.owner = store_add(&r->store, owner, n + 1);
		if (r->m->n_answers < r->room)
			r->m->answers[r->m->n_answers] = record;
		r->m->n_answers++;
	} else if (section == AUTHORITY && record.type == TYPE_SOA) {
		read_soa(r, record.ttl);
	} else {
		if (section == ADDITIONAL && record.type == (enum dns_type)TYPE_OPT)
			read_opt(r, record.ttl);
		w->at = end;
	}
	w->bad |= w->at != end;
}

static bool read_all(struct reading *r)
{
	unsigned counts[SECTIONS];

	r->wire.at = 4;
	for (unsigned i = 0; i < SECTIONS; i++)
		counts[i] = take16(&r->wire);
	for (unsigned i = 0; i < SECTIONS; i++) {
		for (unsigned k = 0; k < counts[i] && !r->wire.bad; k++) {
			if (i == QUESTION)
				read_question(r);
			else
				read_record(r, i);
		}
		if (i == QUESTION && counts[i] != 1) {
			r->m->qname = NULL; /* several are as good as none */
			r->qname[0] = '\0';
		}
	}
	return !r->wire.bad;
}

static bool read_into(struct reading *r, struct dns_message *m, struct dns_record *answers,
		      size_t room, char *texts, size_t size)
{
	const uint8_t *wire = r->wire.octets;

	*m = (struct dns_message){
	    .rcode = wire[3] & 0x0F, .authentic = wire[3] & 0x20, .answers = answers};
	r->m = m;
	r->room = room;
	r->store = (struct store){.memory = texts, .size = size};
	r->qname[0] = '\0';
	r->opt = false;
	return read_all(r);
}

/* Where a text stands now that all have moved. */
static void *relocate(const void *text, const char *from, char *to)
{
	return text ? to + ((const char *)text - from) : NULL;
}

/* First into what is at hand, which is enough for nearly all and tells the size of any; what is
 * kept is of that size, in one piece. */
struct dns_message *dns_message_read(const uint8_t *wire, size_t n)
{
	enum { ROOM = 16, SIZE = 1024 };
	struct dns_record answers[ROOM];
	char texts[SIZE];
	struct dns_message *m, at_hand;
	struct reading r = {.wire = {.octets = wire, .n = n}};
	size_t records;
	char *to;

	if (n < HEADER_SIZE || !read_into(&r, &at_hand, answers, ROOM, texts, SIZE))
		return NULL;
	records = at_hand.n_answers * sizeof *answers;
	m = xmalloc(sizeof *m + records + r.store.used);
	to = (char *)(m + 1) + records;
	if (at_hand.n_answers > ROOM || r.store.used > SIZE) {
		/* It has been read before. */
		(void)read_into(&r, m, (struct dns_record *)(m + 1), at_hand.n_answers, to,
				r.store.used);
		return m;
	}
	*m = at_hand;
	m->answers = (struct dns_record *)(m + 1);
	memcpy(m->answers, answers, records);
	memcpy(to, texts, r.store.used);
	m->qname = relocate(m->qname, texts, to);
	for (size_t i = 0; i < m->n_answers; i++) {
		struct dns_record *record = &m->answers[i];

		record->owner = relocate(record->owner, texts, to);
		record->name = relocate(record->name, texts, to);
		record->data = relocate(record->data, texts, to);
	}
	return m;
}

void dns_message_free(struct dns_message *m)
{
	free(m);
}

bool dns_follow(const struct dns_message *m, const char *qname, unsigned *links, const char **end)
{
	bool moved = true;

	*end = qname;
	while (moved) {
		moved = false;
		for (size_t i = 0; i < m->n_answers && !moved; i++) {
			const struct dns_record *r = &m->answers[i];

			if (r->type != TYPE_CNAME || strcmp(r->owner, *end) != 0)
				continue;
			if (++*links > CNAMES_MAX)
				return false;
			*end = r->name;
			moved = true;
		}
	}
	return true;
}
