#include "base/sandbox.h"

#include "base/buf.h"
#include "base/landlock.h"
#include "base/pledge.h"
#include "base/seccomp.h"

#include <stdlib.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

void sandbox_allow(struct sandbox *s, const char *path, unsigned may)
{
	struct sandbox_path *p = ARRAY_ADD(s->paths, s->n);

	p->path = xstrdup(path);
	p->may = may;
}

void sandbox_fini(struct sandbox *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->paths[i].path);
	free(s->paths);
	*s = (struct sandbox){0};
}

/* Landlock and seccomp ask for it, unless one is root. */
static bool no_new_privileges(void)
{
#if defined __linux__ && defined PR_SET_NO_NEW_PRIVS
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
#else
	return false;
#endif
}

struct sandbox_state sandbox_enter(const struct sandbox *s)
{
	struct sandbox_state state = {.privileges = no_new_privileges()};

	state.pledge = pledge_enter(s);
	state.landlock = landlock_enter(s, LANDLOCK_NEWEST);
	/* Last: what the others need is not asked of it. */
	state.calls = seccomp_enter();
	return state;
}

char *sandbox_words(const struct sandbox_state *state)
{
	struct buf b = {0};

	if (state->pledge)
		return xstrdup("pledge and unveil");
	buf_addstr(&b, state->privileges ? "no new privileges" : "new privileges not ruled out");
	if (state->landlock)
		buf_printf(&b, ", files by Landlock %d", state->landlock);
	else
		buf_addstr(&b, ", files not confined (no Landlock)");
	buf_addstr(&b, state->calls ? ", system calls by seccomp"
				    : ", system calls not confined (no seccomp)");
	return buf_steal(&b);
}
