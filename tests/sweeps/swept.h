/* SPDX-License-Identifier: MIT */
/* Shared by the programs of the sweeps. Each program calls the functions of a header. If a call fails, the program
 * gives back everything that it got, and names the call and the reason on standard error. The exit code is 1 if a
 * resource ran out, 4 after another failure, and 5 if the result of a successful call is wrong. */
#ifndef SWEPT_H
#define SWEPT_H

#include <errno.h>
#include <leat/leat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int swept_result;

static inline void swept_failed(const char *call, int code)
{
    fprintf(stderr, "swept: %.*s: %s\n", (int)strcspn(call, "("), call, strerror(-code));
    if (swept_result == 0)
        swept_result = code == -ENOMEM || code == -EAGAIN || code == -EMFILE || code == -ENFILE ? 1 : 4;
}

/* Makes the call. If it fails, goes to the label `done`. */
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        int tried = (call);                                                                                            \
        if (tried < 0) {                                                                                               \
            swept_failed(#call, tried);                                                                                \
            goto done;                                                                                                 \
        }                                                                                                              \
    } while (0)

#define EXPECT(what)                                                                                                   \
    do {                                                                                                               \
        if (!(what)) {                                                                                                 \
            fprintf(stderr, "swept: expected: %s\n", #what);                                                           \
            swept_result = 5;                                                                                          \
            goto done;                                                                                                 \
        }                                                                                                              \
    } while (0)

#endif
