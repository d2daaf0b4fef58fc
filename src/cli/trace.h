/* SPDX-License-Identifier: MIT */
/* --trace: each record of the library is one line on standard error. */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include "options.h"

enum {
    OPTION_TRACE = 2100
};

/* A row for getopt_long, and its part of a help text. */
/* clang-format off */
#define TRACE_OPTION {"trace", optional_argument, NULL, OPTION_TRACE}
/* clang-format on */
#define TRACE_HELP "  --trace[=text|json]    what is done and decided, one line each, to stderr\n"

/* Reads the value of the option; NULL: there is none. Returns 0, or an exit code after a message. */
int trace_choose(const char *command, const char *value, enum trace_mode *ret);

/* From here on the library's records are printed. Returns 0, or an exit code, which has been explained. */
int trace_begin(enum trace_mode mode);

#endif
