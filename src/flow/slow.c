/* SPDX-License-Identifier: MIT */
/* What a run does about a sink that lags, as text. */
#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"
#include <errno.h>
#include <leat/pipeline.h>

static int read_spill(struct leat_sink_options *o, const char *text, struct leat_error *error)
{
    size_t n = strcspn(text, ",");
    int r = size_parse(text, n, &o->spill);
    if (r == 0 && (!o->spill || o->spill > INT64_MAX))
        r = -ERANGE;
    if (r < 0)
        return error_set(error, r, "'%.*s' is no size of a file: write 64M, 1.5G or 10MB", (int)MIN(n, 40u), text);
    if (text[n] && !text[n + 1])
        return error_set(error, -EINVAL, "A folder is missing behind the comma");
    o->spill_folder = text[n] ? text + n + 1 : NULL;
    return 0;
}

static int parse(struct leat_sink_options *o, const char *text, struct leat_error *error)
{
    static const char *const words[] = {"wait", "drop", "spill", NULL};
    char unknown[UNKNOWN_MAX];
    size_t n = strcspn(text, ":");
    int32_t policy = 0;
    while (words[policy] && (strlen(words[policy]) != n || strncmp(text, words[policy], n) != 0))
        policy++;
    if (!words[policy])
        return error_set(error, -EINVAL, "%s", unknown_word(unknown, "policy for slow sinks", text, n, words));
    if (text[n] && policy != LEAT_SLOW_SPILL)
        return error_set(error, -EINVAL, "Nothing belongs behind %s", words[policy]);
    o->slow = policy;
    o->spill = 0;
    o->spill_folder = NULL;
    return text[n] ? read_spill(o, text + n + 1, error) : 0;
}

int leat_pipeline_slow_sink_parse(struct leat_sink_options *inout_options, const char *text,
                                  struct leat_error *ret_error)
{
    struct leat_sink_options o;
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = error_begin(ret_error);
    if (r == 0 && (r = options_copy(&o, sizeof(o), inout_options)) < 0)
        error_set(&error, r, "The options are not those of this version");
    if (r == 0)
        r = parse(&o, text, &error);
    return r < 0 ? error_return(ret_error, &error, r) : return_sized(inout_options, &o, sizeof(o));
}
