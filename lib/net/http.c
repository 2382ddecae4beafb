#include "net/http.h"

#ifndef HAVE_CURL

bool http_available(void)
{
	return false;
}

const char *http_trust_file(void)
{
	return NULL;
}

struct http *http_new(struct loop *loop)
{
	(void)loop;
	return NULL;
}

void http_aside(struct http *http)
{
	(void)http;
}

void http_free(struct http *http)
{
	(void)http;
}

struct http_request *http_get(struct http *http, const struct http_get *get,
			      void (*done)(void *arg, const struct http_response *), void *arg)
{
	(void)http, (void)get, (void)done, (void)arg;
	return NULL;
}

struct http_request *http_post(struct http *http, const struct http_post *post,
			       void (*done)(void *arg, const struct http_response *), void *arg)
{
	(void)http, (void)post, (void)done, (void)arg;
	return NULL;
}

void http_cancel(struct http_request *request)
{
	(void)request;
}

#else

#include "base/buf.h"
#include "net/tls.h"

#include <curl/curl.h>
#include <dlfcn.h>

#include <stdlib.h>
#include <string.h>

#ifdef __APPLE__
#define LIBCURL "libcurl.4.dylib"
#else
#define LIBCURL "libcurl.so.4"
#endif

/* What is read of the answer to a POST, only to be able to use the connection again. */
enum { POST_BODY_MAX = 65536 };

struct http {
	struct loop *loop;
	CURLM *multi;
	struct timer timer; /* curl's */
	struct http_request *requests;
	bool aside;
};

struct http_request {
	struct http *http;
	struct http_request *next, **place;
	CURL *easy;
	struct curl_slist *resolve, *headers;
	bool is_post, answered; /* answered: the head of the answer is whole */
	size_t skipped;         /* octets of its body */
	struct buf body;
	void (*done)(void *arg, const struct http_response *);
	void *arg;
	char words[CURL_ERROR_SIZE];
};

/* One of curl's sockets. */
struct http_socket {
	struct http *http;
	curl_socket_t fd;
	struct watch *watch;
};

/* libcurl brings thirty libraries along, whose loading costs more than a probe of sixteen
 * endpoints. So it is loaded when it is needed, which most runs do not. */
#define FUNCTIONS(f)                                                                              \
	f(global_init_mem) f(global_cleanup) f(easy_init) f(easy_setopt) f(easy_getinfo)          \
	    f(easy_cleanup) f(easy_strerror) f(slist_append) f(slist_free_all) f(multi_init)      \
		f(multi_setopt) f(multi_add_handle) f(multi_remove_handle) f(multi_socket_action) \
		    f(multi_assign) f(multi_info_read) f(multi_cleanup) f(version_info)

static struct {
#define DECLARE(name) __typeof__(curl_##name) *name;
	FUNCTIONS(DECLARE)
} curl;

static void *library;

static bool load(void)
{
	if (library)
		return true;
	library = dlopen(LIBCURL, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return false;
		/* A function of the interface that is missing makes the library none. */
#define FIND(name)                                                    \
	*(void **)(void *)&curl.name = dlsym(library, "curl_" #name); \
	if (!curl.name)                                               \
		return false;
	FUNCTIONS(FIND)
	return true;
}

bool http_available(void)
{
	return load();
}

const char *http_trust_file(void)
{
	const curl_version_info_data *about = library ? curl.version_info(CURLVERSION_NOW) : NULL;

	return about && about->age >= CURLVERSION_SEVENTH ? about->cainfo : NULL;
}

static _Noreturn void broken(void)
{
	cannot_go_on("libcurl does not work", NULL);
}

static void forget(struct http_request *r)
{
	*r->place = r->next;
	if (r->next)
		r->next->place = r->place;
	(void)curl.multi_remove_handle(r->http->multi, r->easy);
	curl.easy_cleanup(r->easy);
	curl.slist_free_all(r->resolve);
	curl.slist_free_all(r->headers);
	buf_fini(&r->body);
	free(r);
}

static void finish(struct http_request *r, CURLcode code)
{
	struct http_response response = {0};
	char *type = NULL;

	(void)curl.easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &response.status);
	(void)curl.easy_getinfo(r->easy, CURLINFO_CONTENT_TYPE, &type);
	response.type = type;
	response.body = buf_str(&r->body);
	response.n = r->body.len;
	if (r->is_post && r->answered)
		response.error = NULL;
	else if (r->body.overflow)
		response.error = "the answer is too long";
	else if (code != CURLE_OK)
		response.error = r->words[0] ? r->words : curl.easy_strerror(code);
	else if (r->is_post)
		response.error = "the answer ends before its head does";
	r->done(r->arg, &response);
	forget(r);
}

static void look_for_done(struct http *h)
{
	CURLMsg *message;
	int left;

	while ((message = curl.multi_info_read(h->multi, &left)) != NULL) {
		char *request = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
		finish((struct http_request *)(void *)request, message->data.result);
	}
}

static void on_ready(void *arg, unsigned ready)
{
	struct http_socket *s = arg;
	struct http *h = s->http;
	int running, what = (ready & READY_READ ? CURL_CSELECT_IN : 0) |
			    (ready & READY_WRITE ? CURL_CSELECT_OUT : 0);

	(void)curl.multi_socket_action(h->multi, s->fd, what,
				       &running); /* s may be gone after it */
	look_for_done(h);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct http *h = arg;
	struct http_socket *s = socket_arg;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s)
			watch_free(s->watch);
		free(s);
		return 0;
	}
	if (!s) {
		s = xcalloc(1, sizeof *s);
		s->http = h;
		s->fd = fd;
		s->watch = watch_new_level(h->loop, fd, on_ready, s);
		if (h->aside)
			watch_aside(s->watch);
		(void)curl.multi_assign(h->multi, fd, s);
	}
	watch_want(s->watch, ((what & CURL_POLL_IN) ? READY_READ : 0) |
				 ((what & CURL_POLL_OUT) ? READY_WRITE : 0));
	return 0;
}

static int on_timer_wish(CURLM *multi, long ms, void *arg)
{
	struct http *h = arg;

	(void)multi;
	timer_at(&h->timer, ms < 0 ? USEC_NEVER : loop_now(h->loop) + (usec_t)ms * USEC_PER_MS);
	return 0;
}

static void on_timer(void *arg)
{
	struct http *h = arg;
	int running;

	(void)curl.multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	look_for_done(h);
}

struct http *http_new(struct loop *loop)
{
	struct http *h;

	if (!load())
		return NULL;
	h = xcalloc(1, sizeof *h);
	h->loop = loop;
	tls_begin();
	if (curl.global_init_mem(CURL_GLOBAL_DEFAULT, xmalloc, free, xrealloc, xstrdup, xcalloc) !=
	    CURLE_OK)
		broken();
	h->multi = curl.multi_init();
	if (!h->multi)
		broken();
	timer_init(&h->timer, loop, on_timer, h);
	(void)curl.multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)curl.multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	(void)curl.multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish);
	(void)curl.multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	return h;
}

void http_aside(struct http *h)
{
	h->aside = true;
	timer_aside(&h->timer);
}

void http_free(struct http *h)
{
	if (!h)
		return;
	for (struct http_request *r = h->requests, *next; r; r = next) {
		next = r->next;
		forget(r);
	}
	(void)curl.multi_cleanup(h->multi); /* its sockets are removed through on_socket */
	timer_fini(&h->timer);
	curl.global_cleanup();
	free(h);
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct http_request *r = arg;

	buf_add(&r->body, bytes, size * n);
	return r->body.overflow ? 0 : size * n; /* 0 ends the transfer */
}

/* "HOST:PORT:ADDRESS,ADDRESS": curl asks no resolver of its own. */
static struct curl_slist *resolve_list(const struct http_get *get)
{
	struct buf b = {0};
	char text[ADDR_STRLEN];
	struct curl_slist *list;

	buf_printf(&b, "%s:%u:", get->host, get->port);
	for (size_t i = 0; i < get->n_addrs; i++)
		buf_printf(&b, get->addrs[i].family == AF_INET6 ? "%s[%s]" : "%s%s", i ? "," : "",
			   addr_format(&get->addrs[i], text));
	list = curl.slist_append(NULL, buf_str(&b));
	buf_fini(&b);
	if (!list)
		broken();
	return list;
}

static struct http_request *new_request(struct http *h, const char *url, usec_t timeout,
					void (*done)(void *arg, const struct http_response *),
					void *arg)
{
	struct http_request *r = xcalloc(1, sizeof *r);
	const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");

	r->http = h;
	r->done = done;
	r->arg = arg;
	r->easy = curl.easy_init();
	if (!r->easy)
		broken();
	(void)curl.easy_setopt(r->easy, CURLOPT_URL, url);
	(void)curl.easy_setopt(r->easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl.easy_setopt(r->easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl.easy_setopt(r->easy, CURLOPT_TIMEOUT_MS, (long)(timeout / USEC_PER_MS));
	(void)curl.easy_setopt(r->easy, CURLOPT_USERAGENT, "mxprobe/" MXPROBE_VERSION);
	(void)curl.easy_setopt(r->easy, CURLOPT_WRITEDATA, r);
	(void)curl.easy_setopt(r->easy, CURLOPT_ERRORBUFFER, r->words);
	(void)curl.easy_setopt(r->easy, CURLOPT_PRIVATE, r);
	/* The same trust store as for SMTP. */
	if (file)
		(void)curl.easy_setopt(r->easy, CURLOPT_CAINFO, file);
	if (dir)
		(void)curl.easy_setopt(r->easy, CURLOPT_CAPATH, dir);
	r->place = &h->requests;
	r->next = h->requests;
	if (r->next)
		r->next->place = &r->next;
	h->requests = r;
	return r;
}

static void begin(struct http_request *r)
{
	if (curl.multi_add_handle(r->http->multi, r->easy) != CURLM_OK)
		broken();
}

struct http_request *http_get(struct http *h, const struct http_get *get,
			      void (*done)(void *arg, const struct http_response *), void *arg)
{
	char *url = xasprintf("https://%s:%u%s", get->host, get->port, get->path);
	struct http_request *r = new_request(h, url, get->timeout, done, arg);

	free(url);
	r->resolve = resolve_list(get);
	buf_init(&r->body, (uint32_t)get->most);
	(void)curl.easy_setopt(r->easy, CURLOPT_PROTOCOLS_STR, "https");
	(void)curl.easy_setopt(r->easy, CURLOPT_RESOLVE, r->resolve);
	/* The addresses are known: a proxy that is set for other programs has no part in it. */
	(void)curl.easy_setopt(r->easy, CURLOPT_NOPROXY, "*");
	(void)curl.easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, on_body);
	begin(r);
	return r;
}

/* The empty line ends the head; what comes before 200 is no answer yet (RFC 9110 15.2). */
static size_t on_header(char *bytes, size_t size, size_t n, void *arg)
{
	struct http_request *r = arg;
	long status = 0;

	if (bytes[0] == '\r' || bytes[0] == '\n') {
		(void)curl.easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
		r->answered = status >= 200;
	}
	return size * n;
}

static size_t on_post_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct http_request *r = arg;

	(void)bytes;
	r->skipped += size * n;
	return r->skipped > POST_BODY_MAX ? 0 : size * n;
}

static void add_header(struct http_request *r, const char *line)
{
	r->headers = curl.slist_append(r->headers, line);
	if (!r->headers)
		broken();
}

struct http_request *http_post(struct http *h, const struct http_post *post,
			       void (*done)(void *arg, const struct http_response *), void *arg)
{
	struct http_request *r = new_request(h, post->url, post->timeout, done, arg);

	r->is_post = true;
	for (size_t i = 0; post->headers[i]; i++)
		add_header(r, post->headers[i]);
	add_header(r, "Expect:"); /* a second would be lost where it is not known */
	(void)curl.easy_setopt(r->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl.easy_setopt(r->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl.easy_setopt(r->easy, CURLOPT_POST, 1L);
	(void)curl.easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->n);
	(void)curl.easy_setopt(r->easy, CURLOPT_POSTFIELDS, post->body);
	(void)curl.easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers);
	(void)curl.easy_setopt(r->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	(void)curl.easy_setopt(r->easy, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl.easy_setopt(r->easy, CURLOPT_HEADERDATA, r);
	(void)curl.easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, on_post_body);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Else a name that the system's resolver has no answer to would hold up the loop, and the
	 * sessions on it, for as long as that tries. */
	(void)curl.easy_setopt(r->easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	begin(r);
	return r;
}

void http_cancel(struct http_request *r)
{
	if (r)
		forget(r);
}

#endif
