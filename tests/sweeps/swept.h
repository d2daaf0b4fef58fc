/* What the programs of the sweeps share. Each calls the functions of a header, gives back all that it got wherever a
 * call fails, and says on standard error which one and why: exit code 1 if it is a resource that ran out, else 4. What
 * came out of calls that went well is looked at: if it is wrong, the exit code is 5. */
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

/* The call, or to the label `done`. */
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
