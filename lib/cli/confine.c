#include "cli/confine.h"

#include "base/buf.h"
#include "net/http.h"
#include "net/tls.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where trust stores are, and where the links in them lead to. Their folders hold no keys: those
 * are beside them, and stay out of reach. */
static const char *const stores[] = {
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/cert.pem",
    "/etc/pki/ca-trust/extracted",
    "/etc/ca-certificates/extracted",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/usr/share/pki/ca-trust-source",
    "/var/lib/ca-certificates",
};

static bool is_in_store(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(stores); i++) {
		size_t n = strlen(stores[i]);

		if (strncmp(path, stores[i], n) == 0 && path[n] == '/')
			return true;
	}
	return false;
}

/* A folder of certificates: those that lie elsewhere, and are only linked to, are read as well. */
static void allow_folder(struct sandbox *s, const char *path)
{
	DIR *folder = opendir(path);

	sandbox_allow(s, path, SANDBOX_READ);
	for (struct dirent *e; folder && (e = readdir(folder));) {
		char target[PATH_MAX];
		ssize_t n = e->d_type == DT_LNK || e->d_type == DT_UNKNOWN
				? readlinkat(dirfd(folder), e->d_name, target, sizeof target - 1)
				: -1;
		char *whole;

		if (n < 0)
			continue;
		target[n] = '\0';
		if (!strchr(target, '/') || is_in_store(target))
			continue;
		whole = xasprintf("%s/%s", path, e->d_name);
		sandbox_allow(s, whole, SANDBOX_READ); /* what the link leads to */
		free(whole);
	}
	if (folder)
		(void)closedir(folder); /* it was only read */
}

/* Each of a list with colons. */
static void allow_folders(struct sandbox *s, const char *list)
{
	while (list && *list) {
		size_t n = strcspn(list, ":");
		char *path = xstrndup(list, n);

		if (n)
			allow_folder(s, path);
		free(path);
		list += n + (list[n] == ':');
	}
}

static void allow_trust(struct sandbox *s)
{
	const char *file = http_trust_file();

	for (size_t i = 0; i < ARRAY_LEN(stores); i++)
		sandbox_allow(s, stores[i], SANDBOX_READ);
	sandbox_allow(s, tls_trust_file(), SANDBOX_READ);
	allow_folders(s, tls_trust_folders());
	if (file)
		sandbox_allow(s, file, SANDBOX_READ);
}

/* SQLite's file, what it keeps beside it, and its folder, where it removes the latter in the end
 * and our claim goes. Folders are not opened up for writing, unless the file system could do no
 * write-ahead log: then a journal comes and goes. */
static void allow_history(struct sandbox *s, const char *path)
{
	static const char *const beside[] = {"-wal", "-shm"};
	char *whole = realpath(path, NULL), *slash;
	bool all_there = true;

	if (!whole)
		return; /* it was not opened, which was said */
	sandbox_allow(s, whole, SANDBOX_WRITE);
	for (size_t i = 0; i < ARRAY_LEN(beside); i++) {
		char *file = xasprintf("%s%s", whole, beside[i]);

		all_there &= access(file, F_OK) == 0;
		sandbox_allow(s, file, SANDBOX_WRITE);
		free(file);
	}
	slash = strrchr(whole, '/');
	slash[slash == whole] = '\0';
	sandbox_allow(s, whole, SANDBOX_NAMES | (all_there ? 0 : SANDBOX_WRITE));
	free(whole);
}

/* What is opened again in each round. A list may be another file of that name by then. */
static void allow_rounds(struct sandbox *s, const struct options *o, const char *folder)
{
	char *list = o->input ? realpath(o->input, NULL) : NULL, *slash;

	sandbox_allow(s, "/etc/resolv.conf", SANDBOX_READ);
	if (list && (slash = strrchr(list, '/')) != NULL) {
		slash[slash == list] = '\0';
		sandbox_allow(s, list, SANDBOX_READ);
	}
	free(list);
	if (folder)
		sandbox_allow(s, folder, SANDBOX_NAMES | SANDBOX_WRITE);
}

/* What the system's own resolver reads when a webhook's host is looked up, in threads of its own;
 * and where output goes that nobody is to wait for. */
static void allow_webhook(struct sandbox *s)
{
	static const char *const files[] = {
	    "/etc/resolv.conf", "/etc/hosts",       "/etc/nsswitch.conf", "/etc/host.conf",
	    "/etc/gai.conf",    "/etc/ld.so.cache", "/etc/localtime",     "/lib",
	    "/lib64",           "/usr/lib",         "/usr/lib64",
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		sandbox_allow(s, files[i], SANDBOX_READ);
	sandbox_allow(s, "/dev/null", SANDBOX_WRITE);
}

/* Sanitizers name the places in the source where something was wrong. */
static void allow_sanitizers(struct sandbox *s)
{
#ifdef SANDBOX_SANITIZED
	sandbox_allow(s, "/proc", SANDBOX_READ);
	sandbox_allow(s, "/proc/self/exe", SANDBOX_READ);
	sandbox_allow(s, "/usr/lib", SANDBOX_READ);
#else
	(void)s;
#endif
}

void confine_needs(struct sandbox *s, const struct options *o, const struct output *out)
{
	const char *folder = output_folder(out);

	*s =
	    (struct sandbox){.bind = o->bind4.family || o->bind6.family, .dns = o->webhook != NULL};
	sandbox_allow(s, "/dev/urandom", SANDBOX_READ);
	if (o->mode == MODE_PROBE && (o->tls >= TLS_VERIFY || o->mta_sts || o->webhook))
		allow_trust(s);
	if (o->webhook)
		allow_webhook(s);
	if (o->mode == MODE_REPORT && o->input)
		sandbox_allow(s, o->input, SANDBOX_READ);
	if (o->history)
		allow_history(s, o->history);
	/* The new file is open; it will be renamed. */
	if (folder)
		sandbox_allow(s, folder, SANDBOX_NAMES);
	if (o->watch)
		allow_rounds(s, o, folder);
	allow_sanitizers(s);
#ifdef COVERED
	/* A build that counts what its tests run writes that down in the end. */
	sandbox_allow(s, COVERED_FOLDER, SANDBOX_READ | SANDBOX_WRITE | SANDBOX_NAMES);
#endif
}

void confine(const struct options *o, const struct output *out,
	     void (*say)(void *arg, const char *), void *arg)
{
	struct sandbox_state state;
	struct sandbox needs;
	struct buf line = {0};
	char *words;

	if (o->no_sandbox) {
		if (say)
			say(arg, "sandbox none: --no-sandbox");
		return;
	}
	confine_needs(&needs, o, out);
	state = sandbox_enter(&needs);
	sandbox_fini(&needs);
	if (!say)
		return;
	words = sandbox_words(&state);
	buf_printf(&line, "sandbox %s", words);
	say(arg, buf_str(&line));
	free(words);
	buf_fini(&line);
}
