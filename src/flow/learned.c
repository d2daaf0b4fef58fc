/* SPDX-License-Identifier: MIT */
#include "flow/learned.h"
#include "base/units.h"

static const char *name_of(const struct learn *learn, const struct rung *rung, size_t route)
{
    return rung[learn->rung[route]].route->name;
}

bool learned_something(const struct learn *learn)
{
    size_t tried = 0;
    for (size_t i = 0; i < learn->trial.routes; i++)
        tried += learn->trial.sum[i].windows > 0;
    return tried > 1;
}

json_t *learned_json(const struct learn *learn, const struct rung *rung)
{
    json_t *routes = json_array();
    for (size_t i = 0; i < learn->trial.routes; i++) {
        const struct trial_sample *sum = &learn->trial.sum[i];
        if (sum->windows)
            json_append(&routes, json_pack("{s:s, s:i, s:I, s:f, s:f}", "route", name_of(learn, rung, i), "windows",
                                           (int)sum->windows, "bytes", (json_int_t)sum->bytes, "seconds",
                                           (double)sum->ns / 1e9, "cpu_seconds", (double)sum->cpu_ns / 1e9));
    }
    return json_pack("{s:s, s:I, s:i, s:o}", "route", name_of(learn, rung, learn->trial.home), "since",
                     (json_int_t)learn->since, "changes", (int)learn->trial.changes, "compared", routes);
}

void learned_print(FILE *to, const struct learn *learn, const struct rung *rung)
{
    const char *separator = "";
    fputs("  compared: ", to);
    for (size_t i = 0; i < learn->trial.routes; i++) {
        const struct trial_sample *sum = &learn->trial.sum[i];
        char rate[32];
        if (sum->windows == 0)
            continue;
        uint64_t per_second = sum->ns > 0 ? (uint64_t)((double)sum->bytes * 1e9 / (double)sum->ns) : 0;
        fprintf(to, "%s%s %s/s in %u windows", separator, name_of(learn, rung, i),
                size_format(per_second, rate, sizeof(rate)), sum->windows);
        separator = ", ";
    }
    fprintf(to, "; %s", name_of(learn, rung, learn->trial.home));
    if (learn->trial.changes)
        fprintf(to, " from byte %llu on\n", (unsigned long long)learn->since);
    else
        fputs(" stays\n", to);
}
