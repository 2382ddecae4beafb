/* mxprobe: is it them or us? Parse, run, report, exit code. */
#include "cli/command.h"
#include "cli/options.h"
#include "cli/report.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_UNKNOWN = 3 };

/* What was printed must have been written: /dev/full is not a place for help. */
static int flushed(int exit)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return exit;
	perror("mxprobe: standard output");
	return EXIT_UNKNOWN;
}

int main(int argc, char **argv)
{
	struct options options;
	char *error = NULL;
	bool good = options_parse(&options, argc, argv, &error);
	int exit;

	options_hide(&options);
	if (!good) {
		command_fail(options.format, "%s", error);
		if (argc < 2)
			options_usage(stderr);
		else
			fputs("Try 'mxprobe --help'.\n", stderr);
		free(error);
		options_fini(&options);
		return EXIT_UNKNOWN;
	}
	switch (options.mode) {
	case MODE_HELP:
		options_help(stdout);
		exit = flushed(options.format == FORMAT_PLUGIN ? EXIT_UNKNOWN : 0);
		break;
	case MODE_VERSION:
		puts("mxprobe " MXPROBE_VERSION);
		exit = flushed(options.format == FORMAT_PLUGIN ? EXIT_UNKNOWN : 0);
		break;
	case MODE_CLASSIFY:
		exit = command_classify(&options);
		break;
	case MODE_REPORT:
		exit = command_report(&options);
		break;
	default:
		exit = command_probe(&options);
		break;
	}
	options_fini(&options);
	return exit;
}
