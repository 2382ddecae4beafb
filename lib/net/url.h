/* URLs of webhooks: what is one, and what of it others may see. A login, a path and a query may all
 * be secrets (chat services put their tokens there), so that only scheme, host and port are shown.
 */
#ifndef MXPROBE_URL_H
#define MXPROBE_URL_H

/* NULL: an http:// or https:// URL (RFC 3986) with a host; else what is wrong with it, a constant.
 */
const char *url_problem(const char *text);

/* "https://example.org:8443/…", of what is no URL as much as cannot be a secret; caller frees. */
char *url_shown(const char *text);

/* The URL without "user:password@"; caller frees. */
char *url_without_login(const char *text);

/* Writes asterisks over all that url_shown leaves out, where it stands. */
void url_hide(char *text);

#endif
