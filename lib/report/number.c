#include "report/number.h"

#include <inttypes.h>

static const int64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000};

void number_add(struct buf *out, double value, unsigned decimals)
{
	const double most = 1e12;
	bool negative = value < 0;
	int64_t scaled, scale;

	if (decimals >= ARRAY_LEN(powers))
		decimals = ARRAY_LEN(powers) - 1;
	if (negative)
		value = -value;
	if (!(value < most))
		value = most;
	scale = powers[decimals];
	scaled = (int64_t)(value * (double)scale + 0.5);
	while (decimals && scaled % 10 == 0) {
		scaled /= 10;
		scale /= 10;
		decimals--;
	}
	if (negative && scaled)
		buf_addc(out, '-');
	buf_printf(out, "%" PRId64, scaled / scale);
	if (decimals)
		buf_printf(out, ".%0*" PRId64, (int)decimals, scaled % scale);
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
