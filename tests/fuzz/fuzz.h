/* What a fuzz target and the program that replays its corpus share. */
#ifndef MXPROBE_FUZZ_H
#define MXPROBE_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

extern const char fuzz_name[]; /* its corpus is tests/fuzz/corpus/NAME */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What must hold for any input: a failure ends the program, with any compiler. */
#define MUST(condition) ((condition) ? (void)0 : abort())

#endif
