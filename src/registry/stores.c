/* SPDX-License-Identifier: MIT */
/* The only list of stores whose objects have names, and the calls that use it: leat_store_list, leat_store_stat and
 * leat_store_remove. To add a store: a `struct names`, a row here, and its refusal in src/store/without_stores.c. */
#include "base/quote.h"
#include "store/names.h"
#include <errno.h>
#include <stdbool.h>

static const struct store_row {
    const char *scheme; /* with the colon */
    const struct names *names;
} rows[] = {
    {"s3:", &s3_names}, {"oci:", &oci_names}, {"http:", &http_names}, {"https:", &http_names}, {"file:", &folder_names},
};

static const struct names *find_names(const char *spec, struct names_call *ret)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t n = strlen(rows[i].scheme);
        if (strncmp(spec, rows[i].scheme, n) == 0) {
            ret->spec = spec;
            ret->rest = spec + n;
            ret->node = quote_without_login(spec);
            return rows[i].names;
        }
    }
    return NULL;
}

/* Copies the caller's options to *ret, and their endpoint options to *endpoint. */
static int take_options(struct leat_store_options *ret, struct leat_endpoint_options *endpoint,
                        const struct leat_store_options *options, bool needs_entry, struct leat_error *error)
{
    int r = options_copy(ret, sizeof(*ret), options);
    if (r == 0)
        r = options_copy(endpoint, sizeof(*endpoint), ret->endpoint);
    ret->endpoint = endpoint;
    if (r < 0)
        return error_set(error, r, "The options are not those of this version");
    if (ret->retries < -1)
        return error_set(error, -EINVAL, "%d is no number of retries", (int)ret->retries);
    if (needs_entry && !ret->entry)
        return error_set(error, -EINVAL, "There is no function that the entries are told to");
    return 0;
}

static int refuse_name(const char *spec, struct leat_error *error)
{
    return error_set(error, -EINVAL, "'%s' is in no store: write s3://, oci://, http:// or file:",
                     spec ? quote_without_login(spec) : "");
}

/* Completes the error of a call and returns it to the caller. If the error has no node, its node becomes `spec`. */
static int finish(struct leat_error *ret_error, struct leat_error *error, const char *spec, int r)
{
    if (r < 0 && !error->node[0])
        error_spec(error, spec);
    if (r < 0)
        error_complete(error, "", "open");
    return error_return(ret_error, error, r);
}

enum verb {
    VERB_LIST,
    VERB_STAT,
};

static int ask_one(const char *spec, const struct leat_store_options *options, enum verb verb,
                   struct leat_error *ret_error)
{
    struct leat_error error = {.size = sizeof(error)};
    struct leat_store_options own;
    struct leat_endpoint_options endpoint;
    struct names_call call = {.options = &own};
    int r = error_begin(ret_error);
    if (r < 0)
        return r;
    r = take_options(&own, &endpoint, options, true, &error);
    call.deadline_ns = names_deadline(&endpoint);
    const struct names *names = r == 0 && spec ? find_names(spec, &call) : NULL;
    if (r == 0 && !names)
        r = refuse_name(spec, &error);
    else if (r == 0 && verb == VERB_LIST)
        r = names->list ? names->list(&call, &error)
                        : error_set(&error, -EOPNOTSUPP, "A web server gives no list of what it has");
    else if (r == 0)
        r = names->stat(&call, &error);
    return finish(ret_error, &error, spec, r);
}

int leat_store_list(const char *spec, const struct leat_store_options *options, struct leat_error *ret_error)
{
    return ask_one(spec, options, VERB_LIST, ret_error);
}

int leat_store_stat(const char *spec, const struct leat_store_options *options, struct leat_error *ret_error)
{
    return ask_one(spec, options, VERB_STAT, ret_error);
}

/* ---- removing ---- */

static int check_name(const char *spec, struct names_call *call, struct leat_error *error)
{
    const struct names *names = spec ? find_names(spec, call) : NULL;
    int r = !names ? refuse_name(spec, error) : names->check ? names->check(call, error) : 0;
    if (r < 0)
        error_spec(error, spec);
    return r;
}

static int remove_all(const char *const *specs, size_t count, const struct leat_store_options *options,
                      struct removal *removal, struct leat_error *error)
{
    struct names_call *calls = count ? calloc(count, sizeof(calls[0])) : NULL;
    const struct names *names;
    int64_t deadline_ns = names_deadline(options->endpoint);
    int r = 0;
    if (!calls || !specs) {
        free(calls);
        return !count ? 0 : error_set(error, specs ? -ENOMEM : -EINVAL, specs ? "out of memory" : "There are no names");
    }
    for (size_t i = 0; i < count && r == 0; i++) { /* checks all names before anything is removed */
        calls[i].options = options;
        calls[i].deadline_ns = deadline_ns;
        r = check_name(specs[i], &calls[i], error);
    }
    for (size_t i = 0, end; i < count && r == 0; i = end) {
        struct names_call unused;
        names = find_names(specs[i], &unused);
        for (end = i + 1; end < count && find_names(specs[end], &unused) == names;)
            end++;
        r = names->remove(calls + i, end - i, removal, error);
    }
    free(calls);
    return r;
}

int leat_store_remove(const char *const *specs, size_t count, const struct leat_store_options *options,
                      struct leat_store_result *ret_result, struct leat_error *ret_error)
{
    struct leat_error error = {.size = sizeof(error)};
    struct leat_store_options own;
    struct leat_endpoint_options endpoint;
    struct removal removal = {.result.size = sizeof(removal.result)};
    int r = error_begin(ret_error);
    if (r < 0)
        return r;
    if (ret_result && options_size(ret_result) < sizeof(size_t))
        r = error_set(&error, -EINVAL, "The result has no size");
    if (r == 0)
        r = take_options(&own, &endpoint, options, false, &error);
    if (r == 0) {
        r = remove_all(specs, count, &own, &removal, &error);
        int told = ret_result ? return_sized(ret_result, &removal.result, sizeof(removal.result)) : 0;
        r = r < 0 ? r : told;
    }
    if (r == 0 && removal.first.code) {
        error = removal.first;
        r = error.code;
    }
    return finish(ret_error, &error, count && specs ? specs[0] : NULL, r);
}
