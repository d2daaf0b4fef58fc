/* SPDX-License-Identifier: MIT */
/* Design. `trace_hook` points to the function that is set now. A thread that calls a function counts itself in `calls`
 * of the hook first, and then looks whether the hook is still the current one; leat_trace_set replaces the hook first,
 * and then looks at `calls`. All four accesses are sequentially consistent, so a thread that was not counted in time
 * sees the new hook, and calls no function of the old one.
 *
 * A hook is never freed, because a thread may still be about to count itself there. A hook that no thread is in is used
 * again, so a process has as many hooks as there were functions in use at one time. */
#include "base/trace.h"
#include "base/origin.h"
#include "base/quote.h"
#include "base/spin.h"
#include <stdarg.h>
#include <stdio.h>

struct trace_hook {
    leat_trace_fn function;
    void *user;
    unsigned origin; /* In a child of fork, `calls` of the parent's threads never end. */
    atomic_uint calls;
    atomic_bool taken; /* It is the current hook, or a thread may be in its function. */
    struct trace_hook *next;
};

_Atomic(struct trace_hook *) trace_hook;

static _Atomic(struct trace_hook *) hooks; /* All of them. */
static _Thread_local bool inside;          /* Is this thread in a trace function? */

/* Returns the current hook, in which this thread is counted, or NULL. */
static struct trace_hook *enter(void)
{
    for (;;) {
        struct trace_hook *hook = atomic_load(&trace_hook);
        if (!hook)
            return NULL;
        atomic_fetch_add(&hook->calls, 1);
        if (hook == atomic_load(&trace_hook))
            return hook;
        atomic_fetch_sub(&hook->calls, 1);
    }
}

/* Copies the fields. The texts that were changed are from malloc, in `made`. */
static uint32_t copy_fields(struct leat_trace_field *to, const struct leat_trace_field *from, size_t n, char **made)
{
    n = MIN(n, TRACE_FIELDS_MAX);
    for (size_t i = 0; i < n; i++) {
        to[i] = from[i];
        if (!from[i].text || !strstr(from[i].text, "://"))
            continue;
        made[i] = strdup(from[i].text);
        if (made[i])
            quote_hide_secrets(made[i]);
        to[i].text = made[i] ? made[i] : "";
    }
    return (uint32_t)n;
}

void trace_tell(enum leat_trace_category category, const struct leat_trace_field *field, size_t fields,
                const char *format, ...)
{
    int saved = errno;
    char sentence[TRACE_SENTENCE_MAX], *made[TRACE_FIELDS_MAX] = {NULL};
    struct leat_trace_field own[TRACE_FIELDS_MAX];
    struct trace_hook *hook = inside ? NULL : enter();
    if (!hook)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    quote_hide_secrets(sentence);
    quote_mask(sentence);
    const struct leat_trace_record record = {
        .category = category, .fields = copy_fields(own, field, fields, made), .field = own, .sentence = sentence};
    inside = true;
    hook->function(hook->user, &record);
    inside = false;
    atomic_fetch_sub(&hook->calls, 1);
    for (size_t i = 0; i < record.fields; i++)
        free(made[i]);
    errno = saved;
}

/* Returns a hook that nobody uses. NULL: out of memory. */
static struct trace_hook *take_hook(void)
{
    struct trace_hook *hook = atomic_load(&hooks);
    while (hook && atomic_exchange(&hook->taken, true))
        hook = hook->next;
    if (hook)
        return hook;
    hook = calloc(1, sizeof(*hook));
    if (!hook)
        return NULL;
    atomic_store(&hook->taken, true);
    hook->next = atomic_load(&hooks);
    while (!atomic_compare_exchange_weak(&hooks, &hook->next, hook))
        ;
    return hook;
}

/* Waits until no thread is in the function of this hook, and makes the hook free. A thread that is in a trace function
 * itself might wait for its own end. */
static void wait_for_calls(struct trace_hook *hook)
{
    if (inside || !origin_is_here(hook->origin))
        return;
    SPIN_WHILE(atomic_load(&hook->calls) > 0);
    atomic_store(&hook->taken, false);
}

int leat_trace_set(leat_trace_fn trace, void *user)
{
    struct trace_hook *hook = trace ? take_hook() : NULL;
    if (trace && !hook)
        return -ENOMEM;
    if (hook) {
        hook->function = trace;
        hook->user = user;
        hook->origin = origin_here();
    }
    struct trace_hook *old = atomic_exchange(&trace_hook, hook);
    if (old)
        wait_for_calls(old);
    return 0;
}

const char *leat_trace_name(int32_t category)
{
    static const char *const names[] = {
        [LEAT_TRACE_ENGINE] = "engine",   [LEAT_TRACE_HOP] = "hop",     [LEAT_TRACE_ROUTE] = "route",
        [LEAT_TRACE_SINK] = "sink",       [LEAT_TRACE_STORE] = "store", [LEAT_TRACE_CHILD] = "child",
        [LEAT_TRACE_CHANNEL] = "channel",
    };
    return category >= 0 && (size_t)category < COUNT(names) ? names[category] : NULL;
}
