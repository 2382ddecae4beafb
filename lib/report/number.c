#include "report/number.h"

static const int64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000};

void number_add(struct buf *out, double value, unsigned decimals)
{
	const double most = 1e12;
	bool negative = value < 0;
	char text[32];
	size_t at = sizeof text;
	unsigned digits = 0;
	int64_t scaled;

	if (decimals >= ARRAY_LEN(powers))
		decimals = ARRAY_LEN(powers) - 1;
	if (negative)
		value = -value;
	if (!(value < most))
		value = most;
	scaled = (int64_t)(value * (double)powers[decimals] + 0.5);
	while (decimals && scaled % 10 == 0) {
		scaled /= 10;
		decimals--;
	}
	if (negative && scaled)
		buf_addc(out, '-');
	/* From the last digit to the first, printf() would take ten times as long. */
	do {
		if (decimals && digits == decimals)
			text[--at] = '.';
		text[--at] = (char)('0' + scaled % 10);
		scaled /= 10;
		digits++;
	} while (scaled || digits <= decimals);
	buf_add(out, text + at, sizeof text - at);
}

bool number_read(const char *text, const char **end, double *value)
{
	/* Up to 15 digits and 22 places are exact in a double, so that one division rounds as
	 * strtod would, which reads what the locale says. */
	const double most = 1e300;
	bool negative = *text == '-', digits = false;
	double sum = 0, scale = 1;

	for (text += negative; *text >= '0' && *text <= '9'; text++) {
		sum = sum * 10 + (*text - '0');
		digits = true;
	}
	if (*text == '.') {
		for (text++; *text >= '0' && *text <= '9'; text++) {
			digits = true;
			if (scale < 1e15) {
				sum = sum * 10 + (*text - '0');
				scale *= 10;
			}
		}
	}
	*end = text;
	*value = (negative ? -sum : sum) / scale;
	return digits && sum < most;
}
