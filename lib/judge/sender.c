/* How the models are computed.
 *
 * A sender walks a list of addresses, in an order that is random in part, until one accepts, one
 * ends the attempt, or the list does. Each address does with fixed probabilities one of four
 * things: accept, end the attempt, let it go on, or let it go on with one session used up (Postfix
 * gives up after the second). Where an attempt stands is thus a weight of two numbers: the
 * probability that it gets there with no session used, and with one. To go on past an address
 * multiplies the weight by (go_on + spend x), a polynomial in x, in which x squared is zero: the
 * attempt has ended.
 *
 * What is wanted is the expectation, over all orders, of
 *
 *     sum over positions i of  (product of the weights of the i addresses before) * v
 *
 * with v the probability that the address at position i accepts, or the seconds that it takes. In
 * an even shuffle of n addresses every set of i addresses is equally likely to be the first i, so
 * that the expected product is an elementary symmetric polynomial over a binomial coefficient, and
 * with v of one further address it is the same over the pairs of a set and an address outside it.
 * Both grow one address at a time (struct shuffle). No sender tries more than LIMIT addresses, so
 * only sets of up to LIMIT count, and the cost is linear in the number of addresses: the result is
 * exact for any number of them. All terms are positive, nothing cancels.
 *
 * Postfix shuffles the addresses of one preference and may then keep only some of each family. How
 * many of each is known before the walk, but for one fact: the family of the first address where
 * both have more than 2. The two cases are two scenarios, weighted by how likely each is. An
 * even shuffle of two families is an even shuffle of each and, independent of both, an even
 * interleaving: of i and j addresses drawn, the next is one of the first family with the share of
 * that family in what is left (struct scenario).
 *
 * Exim shuffles hosts, and addresses inside each host. At position p stands an address of some
 * host; before it stand some of that host's addresses, and whole hosts, which matter only by how
 * many they are and how many addresses they have. Sums over such sets of hosts grow one host at a
 * time, too. A preference is walked once for each family. Whether the hosts have the same random
 * order in both walks does not matter: the second comes only when the first was walked whole, and
 * how likely that is depends on no order.
 */
#include "judge/sender.h"

#include <assert.h>

enum { LIMIT = 5 }; /* addresses tried: Postfix smtp_mx_address_limit, Exim hosts_max_try */

/* What one address does to an attempt, drawn evenly from its sessions. What is missing to 1 ends
 * the attempt. */
struct outcome {
	double accept;
	double go_on, spend; /* on to the next address; spend: one session is used up */
	double seconds;
};

/* By how many sessions were used so far. */
struct weight {
	double none, one;
};

struct strategy {
	const char *name;
	double connect_timeout; /* seconds */
	bool bounces_early;     /* a 5xx ends the attempt in any phase, not in MAIL only */
	bool counts_sessions;   /* the second session that failed in MAIL ends the attempt */
	void (*walk)(const struct strategy *, const struct result *, struct sender_delivery *);
	/* Seconds, when the first address accepts, which is one of these. */
	double (*first)(const struct strategy *, const struct result *, size_t at, size_t end);
};

static const double any_timeout = 300; /* seconds, of either sender in any phase after connect */

static struct weight times(struct weight a, struct weight b)
{
	return (struct weight){a.none * b.none, a.none * b.one + a.one * b.none};
}

static double sum(struct weight w)
{
	return w.none + w.one;
}

/* Endpoints that a sender knows nothing of, or passes over without a contact. */
static bool is_left_out(const struct endpoint *e)
{
	return e->contact->class == CLASS_SKIPPED || e->contact->class == CLASS_UNRESOLVED;
}

static bool is_ipv6(const struct endpoint *e)
{
	return e->contact->addr.family == AF_INET6;
}

/* End of the run of endpoints from `at` on that share a preference. */
static size_t preference_end(const struct result *r, size_t at)
{
	size_t end = at;

	while (end < r->n_endpoints && r->endpoints[end].preference == r->endpoints[at].preference)
		end++;
	return end;
}

/* End of the run of endpoints from `at` on, before `end`, that share a host. */
static size_t host_end(const struct result *r, size_t at, size_t end)
{
	size_t stop = at;

	while (stop < end && r->endpoints[stop].host_index == r->endpoints[at].host_index)
		stop++;
	return stop;
}

/* The sessions that say something of an endpoint. One that was never contacted (a host outside the
 * MTA-STS policy) is as if it had one session, of no duration, that ended as its class says. None
 * of those that are left out comes here: what did not leave this machine was no session. */
static const struct draw *draws_of(const struct contact *c, struct draw *instead, size_t *n)
{
	if (c->draws && c->sessions) {
		*n = c->sessions;
		return c->draws;
	}
	*instead = (struct draw){c->class, c->phase, c->reason, c->timing.total};
	*n = 1;
	return instead;
}

static double healthy_share(const struct contact *c)
{
	struct draw instead;
	size_t n, healthy = 0;
	const struct draw *d = draws_of(c, &instead, &n);

	for (size_t i = 0; i < n; i++)
		healthy += d[i].class == CLASS_HEALTHY;
	return (double)healthy / (double)n;
}

static double seconds_of(const struct strategy *s, const struct draw *d)
{
	if (d->class == CLASS_TIMEOUT)
		return d->reason == REASON_CONNECT ? s->connect_timeout : any_timeout;
	return d->total == USEC_NONE ? 0 : (double)d->total / (double)USEC_PER_SEC;
}

static struct outcome outcome_of(const struct strategy *s, const struct contact *c)
{
	struct outcome o = {0};
	struct draw instead;
	size_t n;
	const struct draw *d = draws_of(c, &instead, &n);

	for (size_t i = 0; i < n; i++) {
		o.seconds += seconds_of(s, &d[i]);
		if (d[i].class == CLASS_HEALTHY)
			o.accept++;
		else if (d[i].class == CLASS_REJECTED &&
			 (s->bounces_early || d[i].phase == PHASE_MAIL))
			continue;
		else if (s->counts_sessions && d[i].phase == PHASE_MAIL)
			o.spend++;
		else
			o.go_on++;
	}
	o.accept /= (double)n;
	o.go_on /= (double)n;
	o.spend /= (double)n;
	o.seconds /= (double)n;
	return o;
}

/* Addresses in an even shuffle. First sums over sets, after shuffle_end expectations. */
struct shuffle {
	size_t n;
	struct weight past[LIMIT + 1]; /* the attempt goes on past the first i */
	/* The same and then, at position i, what the address there accepts and takes. */
	struct weight accept[LIMIT], seconds[LIMIT];
};

static void shuffle_begin(struct shuffle *s)
{
	*s = (struct shuffle){.past[0] = {.none = 1}};
}

static struct weight more(struct weight w, struct weight shorter, struct weight step,
			  struct weight past, double value)
{
	struct weight with = times(shorter, step);

	return (struct weight){w.none + with.none + past.none * value,
			       w.one + with.one + past.one * value};
}

static void shuffle_add(struct shuffle *s, const struct outcome *o)
{
	const struct weight step = {o->go_on, o->spend}, zero = {0};
	size_t top = s->n < LIMIT - 1 ? s->n : LIMIT - 1;

	if (s->n < LIMIT)
		s->past[s->n + 1] = times(s->past[s->n], step);
	else
		s->past[LIMIT] =
		    more(s->past[LIMIT], s->past[LIMIT - 1], step, (struct weight){0}, 0);
	/* Downwards, so that each line reads what was there before this address. */
	for (size_t i = top + 1; i-- > 0;) {
		s->accept[i] =
		    more(s->accept[i], i ? s->accept[i - 1] : zero, step, s->past[i], o->accept);
		s->seconds[i] =
		    more(s->seconds[i], i ? s->seconds[i - 1] : zero, step, s->past[i], o->seconds);
		if (i)
			s->past[i] = more(s->past[i], s->past[i - 1], step, zero, 0);
	}
	s->n++;
}

static void scale(struct weight *w, double by)
{
	w->none *= by;
	w->one *= by;
}

static void shuffle_end(struct shuffle *s)
{
	double n = (double)s->n, sets = 1; /* of i addresses out of n */

	for (size_t i = 0; i <= s->n && i <= LIMIT; i++) {
		double left = n - (double)i;

		scale(&s->past[i], 1 / sets);
		if (i < s->n && i < LIMIT) {
			/* Pairs: each set, and one of the addresses outside it. */
			scale(&s->accept[i], 1 / (sets * left));
			scale(&s->seconds[i], 1 / (sets * left));
		}
		sets = sets * left / (double)(i + 1);
	}
}

/* One way in which Postfix keeps addresses of the two families (0: IPv4, 1: IPv6). */
struct scenario {
	double share;   /* how likely it is */
	size_t left[2]; /* addresses of each family still to be kept */
	int first;      /* family of the first address of all; -1: either, or it is passed */
	struct weight at;
};

/* Postfix's smtp_balance_inet_protocols: what is kept of n[0] IPv4 and n[1] IPv6 addresses, of
 * which best[0] and best[1] have the best preference. */
static size_t scenarios(struct scenario s[2], const size_t n[2], const size_t best[2])
{
	const struct scenario plain = {
	    .share = 1, .left = {LIMIT, LIMIT}, .first = -1, .at = {.none = 1}};
	size_t used = 0;

	if (n[0] + n[1] <= LIMIT || !n[0] || !n[1] || n[0] <= LIMIT / 2 || n[1] <= LIMIT / 2) {
		s[0] = plain;
		if (n[0] + n[1] > LIMIT && n[0] <= LIMIT / 2)
			s[0].left[1] = LIMIT - n[0];
		else if (n[0] + n[1] > LIMIT && n[1] <= LIMIT / 2)
			s[0].left[0] = LIMIT - n[1];
		return 1;
	}
	for (int first = 0; first < 2; first++) {
		if (!best[first])
			continue;
		s[used] = plain;
		s[used].share = (double)best[first] / (double)(best[0] + best[1]);
		s[used].left[first] = LIMIT - LIMIT / 2;
		s[used].left[!first] = LIMIT / 2;
		s[used].first = first;
		used++;
	}
	return used;
}

/* One preference, its addresses shuffled together: sh holds the two families. */
static void postfix_preference(struct scenario *s, const struct shuffle sh[2],
			       struct sender_delivery *d)
{
	double reach[LIMIT + 1][LIMIT + 1] = {{1}}; /* that i and j are the kept ones walked */
	size_t keep[2];

	for (int f = 0; f < 2; f++)
		keep[f] = sh[f].n < s->left[f] ? sh[f].n : s->left[f];
	for (size_t i = 0; i <= keep[0]; i++) {
		for (size_t j = 0; j <= keep[1]; j++) {
			double v4 = (double)(sh[0].n - i), v6 = (double)(sh[1].n - j), next;
			struct weight at;

			if (i == keep[0] && j == keep[1])
				break;
			/* Of a family that has all it keeps, the rest is not in the list. */
			if (i == keep[0] || j == keep[1])
				next = i < keep[0];
			else if (s->first >= 0 && !i && !j)
				next = s->first == 0;
			else
				next = v4 / (v4 + v6);
			if (next > 0) {
				at = times(s->at, sh[1].past[j]);
				d->accepted +=
				    s->share * reach[i][j] * next * sum(times(at, sh[0].accept[i]));
				d->seconds += s->share * reach[i][j] * next *
					      sum(times(at, sh[0].seconds[i]));
				reach[i + 1][j] += reach[i][j] * next;
			}
			if (next < 1) {
				at = times(s->at, sh[0].past[i]);
				d->accepted += s->share * reach[i][j] * (1 - next) *
					       sum(times(at, sh[1].accept[j]));
				d->seconds += s->share * reach[i][j] * (1 - next) *
					      sum(times(at, sh[1].seconds[j]));
				reach[i][j + 1] += reach[i][j] * (1 - next);
			}
		}
	}
	s->at = times(s->at, times(sh[0].past[keep[0]], sh[1].past[keep[1]]));
	s->first = -1;
	for (int f = 0; f < 2; f++)
		s->left[f] -= keep[f];
}

static void postfix_walk(const struct strategy *strategy, const struct result *r,
			 struct sender_delivery *d)
{
	struct scenario s[2];
	size_t n[2] = {0}, best[2] = {0}, n_scenarios;

	for (size_t at = 0, end; at < r->n_endpoints; at = end) {
		bool is_best = !n[0] && !n[1];

		end = preference_end(r, at);
		for (size_t i = at; i < end; i++)
			n[is_ipv6(&r->endpoints[i])] += !is_left_out(&r->endpoints[i]);
		if (is_best)
			best[0] = n[0], best[1] = n[1];
	}
	n_scenarios = scenarios(s, n, best);
	for (size_t at = 0, end; at < r->n_endpoints; at = end) {
		struct shuffle sh[2];
		bool goes_on = false;

		for (size_t i = 0; i < n_scenarios; i++)
			goes_on |= (s[i].left[0] || s[i].left[1]) && sum(s[i].at) > 0;
		if (!goes_on)
			break;
		end = preference_end(r, at);
		for (int f = 0; f < 2; f++)
			shuffle_begin(&sh[f]);
		for (size_t i = at; i < end; i++) {
			const struct endpoint *e = &r->endpoints[i];

			if (!is_left_out(e)) {
				struct outcome o = outcome_of(strategy, e->contact);

				shuffle_add(&sh[is_ipv6(e)], &o);
			}
		}
		if (!sh[0].n && !sh[1].n)
			continue;
		for (int f = 0; f < 2; f++)
			shuffle_end(&sh[f]);
		for (size_t i = 0; i < n_scenarios; i++)
			postfix_preference(&s[i], sh, d);
	}
}

/* Exim: addresses of one family in one preference, by host. First sums over sets of hosts, by the
 * number of hosts and of addresses before the place looked at. */
struct hosts {
	size_t n, addresses;
	double sets[LIMIT][LIMIT];                          /* whole hosts before it */
	double accept[LIMIT][LIMIT], seconds[LIMIT][LIMIT]; /* the address there, too */
	double past; /* all; only while there are at most LIMIT */
};

static void hosts_add(struct hosts *h, const struct shuffle *sh)
{
	double past = sh->n <= LIMIT ? sh->past[sh->n].none : 0;

	/* Downwards, so that each line reads what was there before this host. */
	for (size_t c = LIMIT; c-- > 0;) {
		for (size_t p = LIMIT; p-- > c;) {
			for (size_t i = 0; i <= p && i < sh->n; i++) {
				h->accept[c][p] += h->sets[c][p - i] * sh->accept[i].none;
				h->seconds[c][p] += h->sets[c][p - i] * sh->seconds[i].none;
			}
			if (c && p >= sh->n) {
				h->accept[c][p] += h->accept[c - 1][p - sh->n] * past;
				h->seconds[c][p] += h->seconds[c - 1][p - sh->n] * past;
			}
		}
	}
	for (size_t c = LIMIT - 1; c > 0; c--)
		for (size_t p = LIMIT - 1; p >= sh->n && p >= c; p--)
			h->sets[c][p] += h->sets[c - 1][p - sh->n] * past;
	h->past *= past;
	h->addresses += sh->n;
	h->n++;
}

static bool has_family(const struct result *r, size_t at, size_t end, bool v6)
{
	for (; at < end; at++)
		if (is_ipv6(&r->endpoints[at]) == v6)
			return true;
	return false;
}

static void exim_walk(const struct strategy *strategy, const struct result *r,
		      struct sender_delivery *d)
{
	size_t left = LIMIT;
	double at_block = 1; /* the attempt gets there */

	for (size_t at = 0, end; at < r->n_endpoints; at = end) {
		end = preference_end(r, at);
		for (int v6 = 1; v6 >= 0; v6--) {
			if (!has_family(r, at, end, v6))
				continue;

			struct hosts h = {.sets[0][0] = 1, .past = 1};
			double orders = 1; /* hosts' sets of c before one host, times the hosts */

			if (!left || at_block <= 0)
				return;
			for (size_t i = at, stop; i < end; i = stop) {
				struct shuffle sh;

				shuffle_begin(&sh);
				stop = host_end(r, i, end);
				for (; i < stop; i++) {
					const struct endpoint *e = &r->endpoints[i];

					if (!is_left_out(e) && is_ipv6(e) == v6) {
						struct outcome o = outcome_of(strategy, e->contact);

						shuffle_add(&sh, &o);
					}
				}
				if (sh.n) {
					shuffle_end(&sh);
					hosts_add(&h, &sh);
				}
			}
			orders = (double)h.n;
			for (size_t c = 0; c < LIMIT && c < h.n; c++) {
				for (size_t p = c; p < left; p++) {
					d->accepted += at_block * h.accept[c][p] / orders;
					d->seconds += at_block * h.seconds[c][p] / orders;
				}
				orders = orders * (double)(h.n - 1 - c) / (double)(c + 1);
			}
			if (h.addresses >= left)
				return;
			left -= h.addresses;
			at_block *= h.past;
		}
	}
}

/* Mostly every address of the best preference accepts: then the first that is tried is the last,
 * and what it takes is a mean over those that may come first. The walks say the same, at ten times
 * the cost. */
static bool is_sure(const struct result *r, size_t at, size_t end)
{
	for (; at < end; at++)
		if (r->endpoints[at].contact->class != CLASS_HEALTHY &&
		    !is_left_out(&r->endpoints[at]))
			return false;
	return true;
}

/* Postfix: any address. */
static double mean_of_addresses(const struct strategy *s, const struct result *r, size_t at,
				size_t end)
{
	double n = 0, seconds = 0;

	for (; at < end; at++) {
		if (is_left_out(&r->endpoints[at]))
			continue;
		seconds += outcome_of(s, r->endpoints[at].contact).seconds;
		n++;
	}
	return seconds / n;
}

/* Exim: any host, and any of its addresses; those of IPv6, when there are such. */
static double mean_of_hosts(const struct strategy *s, const struct result *r, size_t at, size_t end)
{
	double hosts = 0, seconds = 0;
	bool v6 = false;

	for (size_t i = at; i < end; i++)
		v6 |= is_ipv6(&r->endpoints[i]) && !is_left_out(&r->endpoints[i]);
	for (size_t stop; at < end; at = stop) {
		double addresses = 0, of_host = 0;

		stop = host_end(r, at, end);
		for (size_t i = at; i < stop; i++) {
			const struct endpoint *e = &r->endpoints[i];

			if (is_left_out(e) || is_ipv6(e) != v6)
				continue;
			of_host += outcome_of(s, e->contact).seconds;
			addresses++;
		}
		if (addresses > 0) {
			seconds += of_host / addresses;
			hosts++;
		}
	}
	return seconds / hosts;
}

static const struct strategy strategies[] = {
    [SENDER_POSTFIX] = {.name = "postfix",
			.connect_timeout = 30,
			.counts_sessions = true,
			.walk = postfix_walk,
			.first = mean_of_addresses},
    [SENDER_EXIM] = {.name = "exim",
		     .connect_timeout = 130, /* the kernel gives up before Exim does */
		     .bounces_early = true,
		     .walk = exim_walk,
		     .first = mean_of_hosts},
};
static_assert(ARRAY_LEN(strategies) == SENDERS, "every sender has a strategy");
static_assert((int)SENDERS == (int)SENDERS_MAX, "a result has room for every sender");

const char *sender_name(enum sender sender)
{
	return strategies[sender].name;
}

/* Endpoints from `at` to before `end` are those of the best preference: the mean over the hosts of
 * the mean over each one's addresses. */
static double first_try(const struct result *r, size_t at, size_t end)
{
	double hosts = 0, shares = 0;

	for (size_t stop; at < end; at = stop) {
		double addresses = 0, healthy = 0;

		stop = host_end(r, at, end);
		for (size_t i = at; i < stop; i++) {
			if (is_left_out(&r->endpoints[i]))
				continue;
			addresses++;
			healthy += healthy_share(r->endpoints[i].contact);
		}
		if (addresses > 0) {
			hosts++;
			shares += healthy / addresses;
		}
	}
	return shares / hosts;
}

void deliver(struct result *r, unsigned senders)
{
	struct delivery *d = &r->delivery;
	size_t best = 0, best_end = 0;
	bool sure;

	*d = (struct delivery){0};
	for (size_t at = 0, end; at < r->n_endpoints; at = end) {
		end = preference_end(r, at);
		for (size_t i = at; i < end; i++) {
			const struct endpoint *e = &r->endpoints[i];

			if (is_left_out(e))
				continue;
			if (!d->contacted) {
				d->contacted = true;
				d->first_try = first_try(r, at, end);
				best = at;
				best_end = end;
			}
			d->possible |=
			    e->contact->class == CLASS_HEALTHY || e->contact->healthy_sessions > 0;
		}
	}
	sure = is_sure(r, best, best_end);
	for (int s = 0; s < SENDERS; s++) {
		struct sender_delivery *to = &d->senders[d->n_senders];

		if (!(senders & 1u << s))
			continue;
		d->n_senders++;
		*to = (struct sender_delivery){.name = strategies[s].name};
		if (d->contacted && sure) {
			to->accepted = 1;
			to->seconds = strategies[s].first(&strategies[s], r, best, best_end);
		} else if (d->contacted) {
			strategies[s].walk(&strategies[s], r, to);
		}
		if (to->accepted > 1)
			to->accepted = 1; /* by rounding */
	}
}
