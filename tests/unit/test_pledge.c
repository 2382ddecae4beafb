/* What OpenBSD would be told, by a pledge() and an unveil() that keep a record of it. The module is
 * taken in as its source: this system's own build has nothing in it. */
#ifndef HAVE_PLEDGE
#define HAVE_PLEDGE
static int unveil(const char *path, const char *may);
static int pledge(const char *what, const char *for_programs);
#endif
#include "base/pledge.c"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct buf record;
static const char *fails; /* the call that is refused */

static int unveil(const char *path, const char *may)
{
	buf_printf(&record, "unveil %s %s\n", path ? path : "-", may ? may : "-");
	return fails && strcmp(fails, path ? "path" : "unveil") == 0 ? -1 : 0;
}

static int pledge(const char *what, const char *for_programs)
{
	assert_null(for_programs);
	buf_printf(&record, "pledge %s\n", what);
	return fails && strcmp(fails, "pledge") == 0 ? -1 : 0;
}

static bool enter(const char *failing)
{
	struct sandbox s = {0};
	bool entered;

	buf_fini(&record);
	fails = failing;
	sandbox_allow(&s, "/etc/ssl/certs", SANDBOX_READ);
	sandbox_allow(&s, "/var/mx.db", SANDBOX_WRITE);
	sandbox_allow(&s, "/var", SANDBOX_NAMES);
	sandbox_allow(&s, "/tmp", SANDBOX_NAMES | SANDBOX_WRITE);
	entered = pledge_enter(&s);
	sandbox_fini(&s);
	return entered;
}

static void what_is_asked(void **state)
{
	(void)state;
	assert_true(enter(NULL));
	assert_string_equal(buf_str(&record),
			    "unveil /etc/ssl/certs r\n"
			    "unveil /var/mx.db rw\n"
			    "unveil /var rwc\n"
			    "unveil /tmp rwc\n"
			    "unveil - -\n"
			    "pledge stdio rpath wpath cpath fattr flock inet tty\n");
}

static void refused(void **state)
{
	(void)state;
	assert_true(enter("path")); /* it is not there: it will not be seen, either */
	assert_false(enter("unveil"));
	assert_false(enter("pledge"));
	buf_fini(&record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_asked),
	    cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
