/* SPDX-License-Identifier: MIT */
#include "store/names.h"
#include <errno.h>

int names_tell(const struct names_call *call, const struct leat_store_entry *entry, struct leat_error *error)
{
    int r = error_of_answer(call->options->entry(call->options->user, entry));
    return r < 0 ? error_at(error, r, LEAT_SIDE_NONE, "", "entry", "the caller ends it") : 0;
}

int names_removed(const struct names_call *call, struct removal *removal, const char *name, const char *spec,
                  struct leat_error *error)
{
    const struct leat_store_entry entry = {
        .name = name, .spec = spec, .bytes = LEAT_STORE_SIZE_UNKNOWN, .modified_s = LEAT_STORE_TIME_UNKNOWN};
    removal->result.removed++;
    return call->options->entry ? names_tell(call, &entry, error) : 0;
}

void names_failed(const struct names_call *call, struct removal *removal, const char *spec,
                  const struct leat_error *error)
{
    struct leat_error told = *error;
    removal->result.failed++;
    error_spec(&told, spec);
    if (call->options->problem)
        call->options->problem(call->options->user, spec, &told);
    if (removal->first.code == 0) {
        removal->first = *error;
        removal->first.size = sizeof(removal->first);
        error_spec(&removal->first, call->spec);
    }
}
