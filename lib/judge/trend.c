#include "judge/trend.h"

#include <assert.h>
#include <stdlib.h>

/* Worst is what no retry heals, then what nobody answers, then what passes. */
static const struct {
	char letter;
	int severity;
} classes[] = {
    [CLASS_HEALTHY] = {'\0', 1}, [CLASS_EXHAUSTED] = {'E', 3},  [CLASS_DEFERRED] = {'D', 2},
    [CLASS_REJECTED] = {'R', 8}, [CLASS_TIMEOUT] = {'T', 5},    [CLASS_DOWN] = {'X', 6},
    [CLASS_BROKEN] = {'B', 7},   [CLASS_UNRESOLVED] = {'U', 4}, [CLASS_SKIPPED] = {'S', 0},
};
static_assert(ARRAY_LEN(classes) == CLASSES, "each class has its letter");

/* What is unknown may be well: any trouble that was found is worse. */
static const int verdicts[] = {
    [VERDICT_HEALTHY] = 0,       [VERDICT_DEGRADED] = 2, [VERDICT_FAILING] = 3,
    [VERDICT_UNDELIVERABLE] = 4, [VERDICT_UNKNOWN] = 1,
};
static_assert(ARRAY_LEN(verdicts) == VERDICTS, "each verdict has its place");

int class_severity(enum class class)
{
	return classes[class].severity;
}

int verdict_severity(enum verdict verdict)
{
	return verdicts[verdict];
}

char class_letter(enum class class)
{
	return classes[class].letter;
}

static void free_rows(struct trend_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(rows[i].host);
		free(rows[i].address);
		free(rows[i].cells);
		free(rows[i].phases);
	}
	free(rows);
}

void trend_free(struct trend *t)
{
	if (!t)
		return;
	free_rows(t->endpoints, t->n_endpoints);
	free_rows(t->hosts, t->n_hosts);
	for (size_t i = 0; i < t->n_replies; i++) {
		free(t->replies[i].enhanced);
		free(t->replies[i].text);
	}
	free(t->replies);
	free(t->cells);
	free(t->phases);
	free(t->target);
	free(t);
}
