/* SPDX-License-Identifier: MIT */
/* Tells the program's trace function (leat/trace.h) what happens. No lock is held at a call of trace_tell, because the
 * function of the program may call the library.
 *
 *     if (trace_is_on()) {
 *         const struct leat_trace_field field[] = {trace_text("route", name), trace_number("bytes", n)};
 *         trace_tell(LEAT_TRACE_ROUTE, field, COUNT(field), "The route %s moves the bytes", name);
 *     } */
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include "base/base.h"
#include <leat/trace.h>
#include <stdatomic.h>
#include <stdbool.h>

#define TRACE_FIELDS_MAX   8
#define TRACE_SENTENCE_MAX 512

struct trace_hook;
extern _Atomic(struct trace_hook *) trace_hook; /* NULL: silent. Only trace.c uses what it points to. */

static inline bool trace_is_on(void)
{
    return atomic_load_explicit(&trace_hook, memory_order_relaxed) != NULL;
}

/* Makes a field. A text may be NULL, which is "". */
static inline struct leat_trace_field trace_text(const char *name, const char *text)
{
    return (struct leat_trace_field){.name = name, .text = text ? text : ""};
}

static inline struct leat_trace_field trace_number(const char *name, uint64_t number)
{
    return (struct leat_trace_field){.name = name, .number = number};
}

/* Calls the function, if one is set and this thread is not inside it. There are at most TRACE_FIELDS_MAX fields. Of a
 * URL the function gets neither login nor query; a text for which there is no memory is "". The sentence (a
 * printf format) is cut to one line of less than TRACE_SENTENCE_MAX bytes. errno is left unchanged. */
void trace_tell(enum leat_trace_category category, const struct leat_trace_field *field, size_t fields,
                const char *format, ...) PRINTF(4, 5) COLD;

#endif
