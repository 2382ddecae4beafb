#include "report/looks.h"

#include <assert.h>

static const char *const class_colors[] = {
    [CLASS_HEALTHY] = GREEN, [CLASS_EXHAUSTED] = YELLOW, [CLASS_DEFERRED] = YELLOW,
    [CLASS_REJECTED] = RED,  [CLASS_TIMEOUT] = RED,      [CLASS_DOWN] = RED,
    [CLASS_BROKEN] = RED,    [CLASS_UNRESOLVED] = RED,   [CLASS_SKIPPED] = DIM,
};
static_assert(ARRAY_LEN(class_colors) == CLASSES, "each class has its colour");

static const struct {
	const char *color;
	char letter;
} verdicts_look[] = {
    [VERDICT_HEALTHY] = {GREEN, '\0'},  [VERDICT_DEGRADED] = {YELLOW, 'D'},
    [VERDICT_FAILING] = {RED, 'F'},     [VERDICT_UNDELIVERABLE] = {RED, 'N'},
    [VERDICT_UNKNOWN] = {MAGENTA, '?'},
};
static_assert(ARRAY_LEN(verdicts_look) == VERDICTS, "each verdict has its looks");

const char *class_color(enum class class)
{
	return class_colors[class];
}

const char *verdict_color(enum verdict verdict)
{
	return verdicts_look[verdict].color;
}

char verdict_letter(enum verdict verdict)
{
	return verdicts_look[verdict].letter;
}

void add_spaces(struct buf *out, size_t n)
{
	while (n--)
		buf_addc(out, ' ');
}

void add_colored(struct buf *out, bool color, const char *how, const char *s, size_t n)
{
	if (color && how)
		buf_addstr(out, how);
	buf_add(out, s, n);
	if (color && how)
		buf_addstr(out, PLAIN);
}

void trim_blanks(struct buf *out, size_t from)
{
	while (out->len > from && out->data[out->len - 1] == ' ')
		out->len--;
}

static const char *cell_text(const struct trend_cell *cell, bool verdicts, char letter[2])
{
	if (cell->worst < 0)
		return STRIP_NOTHING;
	letter[0] = verdicts ? verdict_letter((enum verdict)cell->worst)
			     : class_letter((enum class)cell->worst);
	letter[1] = '\0';
	if (!letter[0])
		return STRIP_HEALTHY;
	if (cell->partly && letter[0] >= 'A' && letter[0] <= 'Z')
		letter[0] = (char)(letter[0] - 'A' + 'a');
	return letter;
}

void add_strip(struct buf *out, const struct trend_cell *cells, size_t n, bool verdicts, bool color)
{
	const char *now = NULL;
	char letter[2];

	for (size_t i = 0; i < n; i++) {
		int worst = cells[i].worst;
		const char *how = worst < 0  ? DIM
				  : verdicts ? verdict_color((enum verdict)worst)
					     : class_color((enum class)worst);

		if (color && how != now) {
			if (now)
				buf_addstr(out, PLAIN);
			buf_addstr(out, how);
			now = how;
		}
		buf_addstr(out, cell_text(&cells[i], verdicts, letter));
	}
	if (now)
		buf_addstr(out, PLAIN);
}
