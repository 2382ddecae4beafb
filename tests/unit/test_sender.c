/* deliver() against what the models say in words, played through naively: every order with its
 * probability for up to eight endpoints, many random orders for more. */
#include "judge/sender.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 1000, DRAWS = 3 };
enum { BOTH = 1u << SENDER_POSTFIX | 1u << SENDER_EXIM };

struct fixture {
	struct result r;
	struct endpoint endpoints[MOST];
	struct contact contacts[MOST];
	struct draw draws[MOST][DRAWS];
};

static struct fixture *fixture_new(void)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	f->r.endpoints = f->endpoints;
	return f;
}

static void add(struct fixture *f, int preference, size_t host, uint16_t family, unsigned n,
		const struct draw *draws)
{
	size_t at = f->r.n_endpoints++;
	struct contact *c = &f->contacts[at];

	assert_true(at < MOST && n <= DRAWS);
	*c = (struct contact){.state = CONTACT_DONE, .sessions = n, .addr.family = family};
	for (unsigned i = 0; i < n; i++) {
		f->draws[at][i] = draws[i];
		c->healthy_sessions += draws[i].class == CLASS_HEALTHY;
		/* Which of the failures is shown does not matter here. */
		if (!i || draws[i].class != CLASS_HEALTHY) {
			c->class = draws[i].class;
			c->phase = draws[i].phase;
			c->reason = draws[i].reason;
			c->timing.total = draws[i].total;
		}
	}
	c->draws = f->draws[at];
	f->endpoints[at] =
	    (struct endpoint){.preference = preference, .host_index = host, .contact = c};
}

static const struct draw healthy = {CLASS_HEALTHY, PHASE_MAIL, REASON_OK, 200000};
static const struct draw exhausted = {CLASS_EXHAUSTED, PHASE_MAIL, REASON_MEMORY, 474600};
static const struct draw dead = {CLASS_TIMEOUT, PHASE_CONNECT, REASON_CONNECT, 10000000};
static const struct draw silent = {CLASS_TIMEOUT, PHASE_BANNER, REASON_SILENT, 30000000};
static const struct draw refused = {CLASS_DOWN, PHASE_CONNECT, REASON_REFUSED, 50000};
static const struct draw bounce = {CLASS_REJECTED, PHASE_MAIL, REASON_POLICY, 100000};
static const struct draw early = {CLASS_REJECTED, PHASE_BANNER, REASON_POLICY, 80000};

static void close_to(double a, double b)
{
	if (!(fabs(a - b) <= 1e-9 * (1 + fabs(b))))
		fail_msg("%.12g is not %.12g", a, b);
}

/* ---- the models, in the contract's words ---- */

struct sums {
	double accepted, seconds;
};

static bool in_model(const struct endpoint *e)
{
	return e->contact->class != CLASS_SKIPPED && e->contact->class != CLASS_UNRESOLVED;
}

static double time_of(const struct draw *d, enum sender sender)
{
	if (d->class == CLASS_TIMEOUT && d->reason == REASON_CONNECT)
		return sender == SENDER_POSTFIX ? 30 : 130;
	if (d->class == CLASS_TIMEOUT)
		return 300;
	return d->total == USEC_NONE ? 0 : (double)d->total / 1e6;
}

static double mean_time(const struct contact *c, enum sender sender)
{
	double all = 0;

	for (unsigned i = 0; i < c->sessions; i++)
		all += time_of(&c->draws[i], sender);
	return c->sessions ? all / c->sessions : 0;
}

/* Does this outcome end the attempt, with `used` sessions before it? */
static bool ends(const struct draw *d, enum sender sender, int *used)
{
	if (d->class == CLASS_REJECTED && (sender == SENDER_EXIM || d->phase == PHASE_MAIL))
		return true;
	if (sender == SENDER_POSTFIX && d->phase == PHASE_MAIL)
		return ++*used == 2;
	return false;
}

/* What is to be tried, in order: at most five of the whole list. */
static size_t cut_postfix(const struct endpoint *list[], size_t n)
{
	size_t v4 = 0, v6 = 0, keep4 = 5, keep6 = 5, kept = 0;

	for (size_t i = 0; i < n; i++)
		list[i]->contact->addr.family == AF_INET6 ? v6++ : v4++;
	if (n > 5 && v4 && v6) {
		if (v4 <= 2)
			keep6 = 5 - v4;
		else if (v6 <= 2)
			keep4 = 5 - v6;
		else if (list[0]->contact->addr.family == AF_INET6)
			keep6 = 3, keep4 = 2;
		else
			keep6 = 2, keep4 = 3;
	}
	for (size_t i = 0; i < n && kept < 5; i++) {
		size_t *keep = list[i]->contact->addr.family == AF_INET6 ? &keep6 : &keep4;

		if (*keep) {
			--*keep;
			list[kept++] = list[i];
		}
	}
	return kept;
}

static size_t cut_exim(const struct endpoint *list[], size_t n)
{
	const struct endpoint *sorted[MOST];
	size_t kept = 0;

	for (size_t i = 0, end; i < n; i = end) {
		for (end = i; end < n && list[end]->preference == list[i]->preference;)
			end++;
		for (size_t k = i; k < end; k++)
			if (list[k]->contact->addr.family == AF_INET6)
				sorted[kept++] = list[k];
		for (size_t k = i; k < end; k++)
			if (list[k]->contact->addr.family != AF_INET6)
				sorted[kept++] = list[k];
	}
	memcpy(list, sorted, n * sizeof *list);
	return n < 5 ? n : 5;
}

/* All draws from all sessions along one list. */
static struct sums walk(const struct endpoint *const list[], size_t n, enum sender sender, int used)
{
	const struct contact *c;
	struct sums all = {0};

	if (!n)
		return all;
	c = list[0]->contact;
	if (!c->sessions)
		return walk(list + 1, n - 1, sender, used);
	all.seconds = mean_time(c, sender);
	for (unsigned i = 0; i < c->sessions; i++) {
		int then = used;

		if (c->draws[i].class == CLASS_HEALTHY) {
			all.accepted += 1.0 / c->sessions;
		} else if (!ends(&c->draws[i], sender, &then)) {
			struct sums rest = walk(list + 1, n - 1, sender, then);

			all.accepted += rest.accepted / c->sessions;
			all.seconds += rest.seconds / c->sessions;
		}
	}
	return all;
}

struct enumeration {
	const struct result *r;
	enum sender sender;
	const struct endpoint *list[8];
	size_t n;
	bool used[8];
	long current; /* Exim: the host whose addresses are being placed */
	struct sums sums;
};

/* Places one more endpoint in every possible way. */
static void enumerate(struct enumeration *e, double probability)
{
	const struct result *r = e->r;
	int best = INT32_MAX;
	size_t hosts[8], n_hosts = 0, n_here = 0;
	bool goes_on = false;

	for (size_t i = 0; i < r->n_endpoints; i++)
		if (!e->used[i] && in_model(&r->endpoints[i]) && r->endpoints[i].preference < best)
			best = r->endpoints[i].preference;
	if (best == INT32_MAX) {
		const struct endpoint *list[MOST];
		struct sums s;
		size_t n;

		memcpy(list, e->list, sizeof e->list);
		n = e->sender == SENDER_POSTFIX ? cut_postfix(list, e->n) : cut_exim(list, e->n);
		s = walk(list, n, e->sender, 0);
		e->sums.accepted += probability * s.accepted;
		e->sums.seconds += probability * s.seconds;
		return;
	}
	for (size_t i = 0; i < r->n_endpoints; i++) {
		const struct endpoint *p = &r->endpoints[i];
		bool known = false;

		if (e->used[i] || !in_model(p) || p->preference != best)
			continue;
		n_here++;
		goes_on |= e->current == (long)p->host_index;
		for (size_t h = 0; h < n_hosts; h++)
			known |= hosts[h] == p->host_index;
		if (!known)
			hosts[n_hosts++] = p->host_index;
	}
	for (size_t i = 0; i < r->n_endpoints; i++) {
		const struct endpoint *p = &r->endpoints[i];
		long current = e->current;
		size_t same = 0;
		double share;

		if (e->used[i] || !in_model(p) || p->preference != best)
			continue;
		if (e->sender == SENDER_POSTFIX) {
			share = 1.0 / (double)n_here;
		} else {
			if (goes_on && current != (long)p->host_index)
				continue;
			for (size_t k = 0; k < r->n_endpoints; k++)
				same += !e->used[k] && in_model(&r->endpoints[k]) &&
					r->endpoints[k].preference == best &&
					r->endpoints[k].host_index == p->host_index;
			share = 1.0 / (double)same / (goes_on ? 1.0 : (double)n_hosts);
		}
		e->used[i] = true;
		e->current = (long)p->host_index;
		e->list[e->n++] = p;
		enumerate(e, probability * share);
		e->n--;
		e->used[i] = false;
		e->current = current;
	}
}

/* Random numbers that are the same everywhere (Knuth's MMIX generator). */
static uint64_t seed;
static unsigned dice(unsigned sides)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((seed >> 33) % sides);
}

static void random_endpoint(struct fixture *f, int preference, size_t host, unsigned both_families)
{
	static const struct draw kinds[] = {
	    {CLASS_HEALTHY, PHASE_MAIL, REASON_OK, 200000},
	    {CLASS_HEALTHY, PHASE_MAIL, REASON_OK, 900000},
	    {CLASS_EXHAUSTED, PHASE_MAIL, REASON_MEMORY, 474600},
	    {CLASS_EXHAUSTED, PHASE_BANNER, REASON_CONNECTIONS, 70000},
	    {CLASS_DEFERRED, PHASE_MAIL, REASON_GREYLIST, 300000},
	    {CLASS_DEFERRED, PHASE_EHLO, REASON_OTHER, 220000},
	    {CLASS_REJECTED, PHASE_MAIL, REASON_POLICY, 100000},
	    {CLASS_REJECTED, PHASE_BANNER, REASON_POLICY, 80000},
	    {CLASS_TIMEOUT, PHASE_CONNECT, REASON_CONNECT, 10000000},
	    {CLASS_TIMEOUT, PHASE_MAIL, REASON_SLOW, 30000000},
	    {CLASS_TIMEOUT, PHASE_BANNER, REASON_SILENT, 30000000},
	    {CLASS_DOWN, PHASE_CONNECT, REASON_REFUSED, 50000},
	    {CLASS_DOWN, PHASE_MAIL, REASON_CLOSED, 150000},
	    {CLASS_BROKEN, PHASE_BANNER, REASON_NOT_SMTP, 20000},
	};
	struct draw draws[DRAWS];
	uint16_t family = dice(both_families) ? AF_INET : AF_INET6;
	unsigned n = dice(4) ? 1 : 1 + dice(DRAWS);
	size_t at = f->r.n_endpoints;

	for (unsigned i = 0; i < n; i++)
		draws[i] = kinds[dice(ARRAY_LEN(kinds))];
	add(f, preference, host, family, n, draws);
	switch (dice(16)) {
	case 0:
		f->contacts[at].class = CLASS_SKIPPED;
		break;
	case 1:
		f->contacts[at].class = CLASS_UNRESOLVED;
		break;
	case 2: /* outside the MTA-STS policy */
		f->contacts[at].class = CLASS_BROKEN;
		f->contacts[at].phase = PHASE_CONNECT;
		f->contacts[at].reason = REASON_CERTIFICATE;
		f->contacts[at].sessions = f->contacts[at].healthy_sessions = 0;
		f->contacts[at].draws = NULL;
		f->contacts[at].timing.total = USEC_NONE;
		break;
	}
}

static void random_target(struct fixture *f, size_t n, unsigned host_sides, unsigned pref_sides)
{
	unsigned both_families = 1 + dice(3); /* 1: IPv6 alone */
	int preference = 10;
	size_t host = 0;

	f->r.n_endpoints = 0;
	while (f->r.n_endpoints < n) {
		if (f->r.n_endpoints && !dice(host_sides))
			host++;
		if (f->r.n_endpoints && !dice(pref_sides)) {
			preference += 10;
			host++;
		}
		random_endpoint(f, preference, host, both_families);
	}
}

/* first_try in the contract's words. */
static double naive_first_try(const struct result *r)
{
	int best = INT32_MAX;
	double sum = 0, hosts = 0;

	for (size_t i = 0; i < r->n_endpoints; i++)
		if (in_model(&r->endpoints[i]) && r->endpoints[i].preference < best)
			best = r->endpoints[i].preference;
	for (size_t h = 0; h < MOST; h++) {
		double addresses = 0, share = 0;

		for (size_t i = 0; i < r->n_endpoints; i++) {
			const struct endpoint *e = &r->endpoints[i];

			if (!in_model(e) || e->preference != best || e->host_index != h)
				continue;
			addresses++;
			if (e->contact->sessions)
				share +=
				    (double)e->contact->healthy_sessions / e->contact->sessions;
		}
		if (addresses > 0) {
			hosts++;
			sum += share / addresses;
		}
	}
	return sum / hosts;
}

static void test_every_order(void **state)
{
	static const struct {
		size_t endpoints;
		unsigned targets;
	} rounds[] = {{1, 300},  {2, 500},  {3, 1000}, {4, 2000},
		      {5, 2000}, {6, 2000}, {7, 1000}, {8, 60}};
	struct fixture *f = fixture_new();
	unsigned compared = 0;

	(void)state;
	seed = 2006;
	for (size_t i = 0; i < ARRAY_LEN(rounds); i++) {
		for (unsigned k = 0; k < rounds[i].targets; k++) {
			random_target(f, rounds[i].endpoints, 1 + dice(4), 2 + dice(9));
			deliver(&f->r, BOTH);
			assert_int_equal(f->r.delivery.n_senders, 2);
			if (!f->r.delivery.contacted)
				continue;
			close_to(f->r.delivery.first_try, naive_first_try(&f->r));
			for (int s = 0; s < SENDERS; s++) {
				struct enumeration e = {
				    .r = &f->r, .sender = (enum sender)s, .current = -1};

				enumerate(&e, 1);
				close_to(f->r.delivery.senders[s].accepted, e.sums.accepted);
				close_to(f->r.delivery.senders[s].seconds, e.sums.seconds);
				compared++;
			}
		}
	}
	print_message("report: sender: %u models of up to 8 endpoints equal to all orders\n",
		      compared);
	free(f);
}

/* One random order of the whole, then one walk along it. */
static struct sums play(const struct result *r, enum sender sender)
{
	const struct endpoint *list[MOST];
	struct sums s = {0};
	size_t n = 0;
	int used = 0;

	for (size_t at = 0, end; at < r->n_endpoints; at = end) {
		size_t first = n, key[MOST], hosts[MOST], n_hosts = 0;

		for (end = at; end < r->n_endpoints &&
			       r->endpoints[end].preference == r->endpoints[at].preference;
		     end++)
			if (in_model(&r->endpoints[end]))
				list[n++] = &r->endpoints[end];
		for (size_t i = n; i > first + 1; i--) {
			size_t other = first + dice((unsigned)(i - first));
			const struct endpoint *e = list[other];

			list[other] = list[i - 1];
			list[i - 1] = e;
		}
		if (sender == SENDER_POSTFIX)
			continue;
		/* Hosts in random order, each one's addresses in the order that was just drawn. */
		for (size_t i = first; i < n; i++) {
			size_t h = 0;

			while (h < n_hosts && hosts[h] != list[i]->host_index)
				h++;
			if (h == n_hosts)
				hosts[n_hosts++] = list[i]->host_index;
		}
		for (size_t i = n_hosts; i > 1; i--) {
			size_t other = dice((unsigned)i), h = hosts[other];

			hosts[other] = hosts[i - 1];
			hosts[i - 1] = h;
		}
		for (size_t i = first; i < n; i++)
			for (key[i] = 0; hosts[key[i]] != list[i]->host_index;)
				key[i]++;
		for (size_t i = first + 1; i < n; i++) {
			for (size_t k = i; k > first && key[k - 1] > key[k]; k--) {
				const struct endpoint *e = list[k];
				size_t t = key[k];

				list[k] = list[k - 1], list[k - 1] = e;
				key[k] = key[k - 1], key[k - 1] = t;
			}
		}
	}
	n = sender == SENDER_POSTFIX ? cut_postfix(list, n) : cut_exim(list, n);
	for (size_t i = 0; i < n; i++) {
		const struct contact *c = list[i]->contact;
		const struct draw *d;

		if (!c->sessions)
			continue;
		d = &c->draws[dice(c->sessions)];
		s.seconds += mean_time(c, sender);
		if (d->class == CLASS_HEALTHY) {
			s.accepted = 1;
			break;
		}
		if (ends(d, sender, &used))
			break;
	}
	return s;
}

static void test_random_orders_of_many(void **state)
{
	static const struct {
		size_t endpoints;
		unsigned host_sides, pref_sides, games;
	} rounds[] = {
	    {12, 2, 1000, 20000}, {16, 4, 1000, 20000}, {16, 4, 6, 20000},  {24, 3, 12, 20000},
	    {32, 1, 1000, 20000}, {32, 2, 1000, 20000}, {32, 8, 16, 20000}, {200, 6, 1000, 4000},
	};
	struct fixture *f = fixture_new();

	(void)state;
	seed = 452431;
	for (size_t i = 0; i < ARRAY_LEN(rounds); i++) {
		random_target(f, rounds[i].endpoints, rounds[i].host_sides, rounds[i].pref_sides);
		deliver(&f->r, BOTH);
		for (int s = 0; s < SENDERS; s++) {
			const struct sender_delivery *d = &f->r.delivery.senders[s];
			double n = rounds[i].games, accepted = 0, seconds = 0, squares = 0;

			for (unsigned k = 0; k < rounds[i].games; k++) {
				struct sums one = play(&f->r, (enum sender)s);

				accepted += one.accepted / n;
				seconds += one.seconds / n;
				squares += one.seconds * one.seconds / n;
			}
			/* Five standard errors: with a fixed seed it passes always or never. */
			double off = accepted - d->accepted, off_s = seconds - d->seconds;

			if (off * off > 25 * d->accepted * (1 - d->accepted) / n + 1e-9 ||
			    off_s * off_s > 25 * (squares - seconds * seconds) / n + 1e-9)
				fail_msg("round %zu, %s: %g played, %g computed; %g s and %g s", i,
					 d->name, accepted, d->accepted, seconds, d->seconds);
		}
	}
	free(f);
}

static void check(const struct fixture *f, double postfix, double postfix_s, double exim,
		  double exim_s)
{
	const struct delivery *d = &f->r.delivery;

	assert_true(d->contacted);
	assert_int_equal(d->n_senders, 2);
	assert_string_equal(d->senders[0].name, "postfix");
	assert_string_equal(d->senders[1].name, "exim");
	close_to(d->senders[0].accepted, postfix);
	close_to(d->senders[0].seconds, postfix_s);
	close_to(d->senders[1].accepted, exim);
	close_to(d->senders[1].seconds, exim_s);
}

static void test_documented_example(void **state)
{
	struct fixture *f = fixture_new();

	(void)state;
	add(f, 5, 0, AF_INET, 1, &exhausted);
	add(f, 5, 0, AF_INET, 1, &dead);
	deliver(&f->r, BOTH);
	close_to(f->r.delivery.first_try, 0);
	assert_false(f->r.delivery.possible);
	check(f, 0, 30.4746, 0, 130.4746);
	free(f);
}

/* msn.com of January 2006: four hosts of four addresses, one dead, one out of memory. */
static void test_msn_2006(void **state)
{
	struct fixture *f = fixture_new();

	(void)state;
	for (size_t i = 0; i < 16; i++)
		add(f, 5, i / 4, AF_INET, 1, i == 12 ? &exhausted : i == 13 ? &dead : &healthy);
	deliver(&f->r, BOTH);
	close_to(f->r.delivery.first_try, 0.875);
	assert_true(f->r.delivery.possible);
	/* Both fail only in front of a third, which is healthy: every attempt is accepted. A
	 * healthy end costs 0.2 s, each of the two others its time if it comes before all 14: 1
	 * in 15. */
	close_to(f->r.delivery.senders[0].accepted, 1);
	close_to(f->r.delivery.senders[0].seconds, 0.2 + (30 + 0.4746) / 15);
	close_to(f->r.delivery.senders[1].accepted, 1);
	/* Exim walks host by host: with its host first (1 in 4), one of the two comes before both
	 * healthy addresses of the host with 1 in 3. */
	close_to(f->r.delivery.senders[1].seconds, 0.2 + (130 + 0.4746) / 12);
	free(f);
}

static void test_what_ends_an_attempt(void **state)
{
	struct fixture *f = fixture_new();

	(void)state;
	/* A bounce in MAIL ends both; the second preference is never tried. */
	add(f, 10, 0, AF_INET, 1, &bounce);
	add(f, 20, 1, AF_INET, 1, &healthy);
	deliver(&f->r, BOTH);
	check(f, 0, 0.1, 0, 0.1);

	/* A rejecting banner: Postfix goes on, Exim does not. */
	f->r.n_endpoints = 0;
	add(f, 10, 0, AF_INET, 1, &early);
	add(f, 20, 1, AF_INET, 1, &healthy);
	deliver(&f->r, BOTH);
	check(f, 1, 0.28, 0, 0.08);

	/* Two sessions failed in MAIL: Postfix gives up, Exim does not. */
	f->r.n_endpoints = 0;
	add(f, 10, 0, AF_INET, 1, &exhausted);
	add(f, 20, 1, AF_INET, 1, &exhausted);
	add(f, 30, 2, AF_INET, 1, &healthy);
	deliver(&f->r, BOTH);
	check(f, 0, 2 * 0.4746, 1, 2 * 0.4746 + 0.2);

	/* Five addresses are tried and no sixth. */
	f->r.n_endpoints = 0;
	for (int i = 0; i < 5; i++)
		add(f, i, (size_t)i, AF_INET, 1, &refused);
	add(f, 5, 5, AF_INET, 1, &healthy);
	deliver(&f->r, BOTH);
	check(f, 0, 0.25, 0, 0.25);

	/* But the other family's only address has its place with Postfix. */
	f->endpoints[5].contact = &f->contacts[5];
	f->contacts[5].addr.family = AF_INET6;
	deliver(&f->r, BOTH);
	check(f, 1, 4 * 0.05 + 0.2, 0, 0.25);
	free(f);
}

static void test_families(void **state)
{
	struct fixture *f = fixture_new();

	(void)state;
	/* Within one preference Exim tries IPv6 first, Postfix either. */
	add(f, 10, 0, AF_INET, 1, &healthy);
	add(f, 10, 0, AF_INET6, 1, &silent);
	deliver(&f->r, BOTH);
	check(f, 1, 0.2 + 300 / 2.0, 1, 300.2);
	close_to(f->r.delivery.first_try, 0.5);

	/* More than two of each: the first address's family keeps three. */
	f->r.n_endpoints = 0;
	add(f, 1, 0, AF_INET6, 1, &refused);
	for (int i = 0; i < 3; i++)
		add(f, 2, 1, AF_INET, 1, &refused);
	for (int i = 0; i < 2; i++)
		add(f, 3, 2, AF_INET6, 1, &refused);
	add(f, 4, 3, AF_INET6, 1, &healthy); /* the fourth IPv6 */
	add(f, 5, 4, AF_INET, 1, &healthy);
	deliver(&f->r, BOTH);
	check(f, 0, 0.25, 0, 0.25);
	free(f);
}

static void test_repeat(void **state)
{
	const struct draw half[] = {healthy, dead};
	struct fixture *f = fixture_new();

	(void)state;
	add(f, 10, 0, AF_INET, 2, half);
	deliver(&f->r, BOTH);
	close_to(f->r.delivery.first_try, 0.5);
	assert_true(f->r.delivery.possible);
	check(f, 0.5, 15.1, 0.5, 65.1);

	/* The same address under a second host: another draw. */
	f->endpoints[f->r.n_endpoints++] =
	    (struct endpoint){.preference = 10, .host_index = 1, .contact = &f->contacts[0]};
	deliver(&f->r, BOTH);
	close_to(f->r.delivery.first_try, 0.5);
	check(f, 0.75, 1.5 * 15.1, 0.75, 1.5 * 65.1);
	free(f);
}

static void test_left_out(void **state)
{
	struct fixture *f = fixture_new();

	(void)state;
	/* Nothing contacted: nothing said. */
	deliver(&f->r, BOTH);
	assert_false(f->r.delivery.contacted);
	add(f, 10, 0, AF_INET, 1, &healthy);
	f->contacts[0].class = CLASS_SKIPPED;
	add(f, 20, 1, 0, 1, &healthy);
	f->contacts[1].class = CLASS_UNRESOLVED;
	deliver(&f->r, BOTH);
	assert_false(f->r.delivery.contacted);
	assert_false(f->r.delivery.possible);
	assert_int_equal(f->r.delivery.n_senders, 2);

	/* The next preference is the best one then. */
	add(f, 30, 2, AF_INET, 1, &healthy);
	add(f, 30, 2, AF_INET, 1, &refused);
	add(f, 30, 3, AF_INET, 1, &healthy);
	deliver(&f->r, BOTH);
	close_to(f->r.delivery.first_try, 0.75);
	free(f);
}

static void test_chosen_senders(void **state)
{
	struct fixture *f = fixture_new();

	(void)state;
	add(f, 10, 0, AF_INET, 1, &healthy);
	deliver(&f->r, 1u << SENDER_EXIM);
	assert_int_equal(f->r.delivery.n_senders, 1);
	assert_string_equal(f->r.delivery.senders[0].name, sender_name(SENDER_EXIM));
	deliver(&f->r, 0);
	assert_int_equal(f->r.delivery.n_senders, 0);
	assert_true(f->r.delivery.contacted);
	free(f);
}

static void test_thousand(void **state)
{
	struct fixture *f = fixture_new();

	(void)state;
	for (size_t i = 0; i < MOST; i++)
		add(f, 10, i / 10, i % 2 ? AF_INET : AF_INET6, 1, i % 4 < 2 ? &healthy : &refused);
	deliver(&f->r, BOTH);
	close_to(f->r.delivery.first_try, 0.5);
	assert_true(f->r.delivery.senders[0].accepted > 0.96);
	assert_true(f->r.delivery.senders[0].accepted < 1);
	assert_true(f->r.delivery.senders[1].accepted > 0.96);
	assert_true(f->r.delivery.senders[1].accepted <= 1);
	free(f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_order),
	    cmocka_unit_test(test_random_orders_of_many),
	    cmocka_unit_test(test_documented_example),
	    cmocka_unit_test(test_msn_2006),
	    cmocka_unit_test(test_what_ends_an_attempt),
	    cmocka_unit_test(test_families),
	    cmocka_unit_test(test_repeat),
	    cmocka_unit_test(test_left_out),
	    cmocka_unit_test(test_chosen_senders),
	    cmocka_unit_test(test_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
