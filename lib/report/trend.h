/* What the history says, for people and for programs. Everything that servers said is made safe
 * here.
 */
#ifndef MXPROBE_REPORT_TREND_H
#define MXPROBE_REPORT_TREND_H

#include "base/buf.h"
#include "judge/trend.h"
#include "report/report.h"

#include <stddef.h>

/* Cells of a strip for a screen of that width (0: no limit is known): the slices to ask for. */
size_t trend_text_slices(unsigned width);

/* Appends a table of the endpoints and a strip of the span for each. Of conf, colour and width. */
void trend_text(struct buf *, const struct trend *, const struct report_conf *conf);

/* Appends one line of schema mxprobe-report/1. */
void trend_json(struct buf *, const struct trend *);

/* One HTML document on any number of targets, complete in itself: begin, each target, end. The
 * trends need slices of about TREND_HTML_SLICES, and the phases. */
enum { TREND_HTML_SLICES = 168 };
void trend_html_begin(struct buf *, const char *title);
void trend_html(struct buf *, const struct trend *);
void trend_html_end(struct buf *);

#endif
