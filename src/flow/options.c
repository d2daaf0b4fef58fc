/* SPDX-License-Identifier: MIT */
/* The options of a pipeline: copies and checks them, and makes filters for those that need one. A wrong option is
 * recorded, and reported by the plan. */
#include "base/error.h"
#include "base/nearest.h"
#include "buffer/pool.h"
#include "flow/parts.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

static void check_range(struct parts *parts, const char *name, int32_t value, int32_t least, int32_t most)
{
    if (value < least || value > most)
        error_set(&parts->bad_options, -EINVAL, "The option %s has no value %d", name, (int)value);
}

static void check_numbers(struct parts *parts)
{
    const struct leat_pipeline_options *o = &parts->options;
    check_range(parts, "stability", o->stability, LEAT_SOURCE_LIVE, LEAT_SOURCE_STABLE);
    check_range(parts, "sparse (holes)", o->sparse, LEAT_SPARSE_AUTO, LEAT_SPARSE_NEVER);
    check_range(parts, "cache", o->cache, LEAT_CACHE_KEEP, LEAT_CACHE_DIRECT);
    check_range(parts, "threads", o->threads, -1, 1);
    check_range(parts, "digest_provider", o->digest_provider, LEAT_DIGEST_AUTO, LEAT_DIGEST_KERNEL);
    check_range(parts, "progress_ms", o->progress_ms, 0, INT32_MAX);
    if (o->pipe_size < -1)
        error_set(&parts->bad_options, -EINVAL, "The option pipe_size has no value %lld", (long long)o->pipe_size);
    if (o->offset > INT64_MAX)
        error_set(&parts->bad_options, -EINVAL, "The offset is larger than any file");
    if (o->has_length && o->length > INT64_MAX)
        error_set(&parts->bad_options, -EINVAL, "The length is larger than any file");
}

static int check_route(struct parts *parts)
{
    const char *name = parts->route;
    if (!name || strcmp(name, "auto") == 0)
        return 0;
    if (strncmp(name, "prefer:", 7) == 0)
        name += 7;
    for (size_t i = 0; registry_routes[i]; i++)
        if (strcmp(registry_routes[i]->name, name) == 0)
            return 0;
    char text[UNKNOWN_MAX];
    const char *words[ROUTE_IDS + 3] = {"auto"};
    size_t n = 1;
    for (size_t i = 0; registry_routes[i]; i++)
        words[n++] = registry_routes[i]->name;
    words[n] = "prefer:ROUTE";
    return error_set(&parts->bad_options, -EINVAL, "%s", unknown_word(text, "route", name, strlen(name), words));
}

static int check_engine(struct parts *parts)
{
    const struct engine *engine = engine_by_name(parts->engine_name);
    if (engine)
        parts->engine = engine;
    if (engine)
        return 0;
    char text[UNKNOWN_MAX];
    return error_set(&parts->bad_options, -EINVAL, "%s", engine_unknown(text, parts->engine_name));
}

static int parse_expectation(struct parts *parts, const char *text, size_t n)
{
    const char *colon = memchr(text, ':', n);
    struct expectation *e = &parts->expectation[parts->expectations];
    size_t hex = colon ? n - (size_t)(colon - text) - 1 : 0;
    if (!colon || colon == text || hex == 0 || hex % 2 || hex >= sizeof(e->hex) ||
        (size_t)(colon - text) >= sizeof(e->algorithm))
        return error_set(&parts->bad_options, -EINVAL, "'%.*s' is no digest: write sha256:HEX", (int)MIN(n, 80), text);
    for (size_t i = 0; i < hex; i++)
        if (!isxdigit((unsigned char)colon[1 + i]))
            return error_set(&parts->bad_options, -EINVAL, "'%.*s' is no digest: '%c' is not hexadecimal",
                             (int)MIN(n, 80), text, colon[1 + i]);
    if (parts->expectations == EXPECTED_MAX)
        return error_set(&parts->bad_options, -E2BIG, "More than %d expected digests", EXPECTED_MAX);
    snprintf(e->algorithm, sizeof(e->algorithm), "%.*s", (int)(colon - text), text);
    snprintf(e->hex, sizeof(e->hex), "%.*s", (int)hex, colon + 1);
    parts->expectations++;
    return 0;
}

/* Returns 1 if a filter computes this digest, and stores the number of its hexadecimal digits; 0: none does. Negative:
 * the one that does has failed. */
static int has_digest(const struct parts *parts, const char *algorithm, size_t *ret_length)
{
    char hex[LEAT_DIGEST_HEX_MAX];
    int r = -ENOENT;
    for (size_t i = 0; i < parts->filters && r == -ENOENT; i++)
        if (parts->filter[i]->ops->result)
            r = leat_filter_digest_hex(parts->filter[i], algorithm, hex, sizeof(hex));
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    *ret_length = strlen(hex);
    return 1;
}

/* A program that expects no digest passes NULL, so an empty word is an error, also between commas. */
static int parse_expectations(struct parts *parts)
{
    const char *at = parts->expect;
    int r = 0;
    while (at && r == 0) {
        size_t n = strcspn(at, ",");
        r = parse_expectation(parts, at, n);
        at = at[n] == ',' ? at + n + 1 : NULL;
    }
    return r;
}

/* Puts the filter before those of the program, because it works on the bytes of the source. */
static void put_in_front(struct parts *parts, leat_filter *filter)
{
    for (size_t i = parts->filters++; i > parts->in_front; i--)
        parts->filter[i] = parts->filter[i - 1];
    parts->filter[parts->in_front++] = filter;
}

static int add_digest(struct parts *parts, const char *algorithm)
{
    struct leat_digest_options options = {
        .size = sizeof(options), .provider = parts->options.digest_provider, .threads = parts->options.threads};
    leat_filter *filter;
    int r = leat_filter_digest(&filter, algorithm, &options, NULL);
    if (r == 0)
        put_in_front(parts, filter);
    return r;
}

/* If the name of the source contains its digest, that digest is expected as well. */
static int expect_name(struct parts *parts)
{
    const char *expect = parts->source && !parts->has_named ? parts->source->node.expect : NULL;
    if (!expect)
        return 0;
    parts->has_named = true;
    if (parts->options.offset || parts->options.has_length)
        return error_set(&parts->bad_options, -EINVAL,
                         "A part of '%.80s' can't be compared with the digest in its name", parts->source->node.name);
    return parse_expectation(parts, expect, strlen(expect));
}

/* Adds a filter for each expected digest that no filter computes. */
int options_add_digests(struct parts *parts)
{
    int named = expect_name(parts);
    if (named < 0)
        return named;
    for (size_t i = 0; i < parts->expectations; i++) {
        const char *algorithm = parts->expectation[i].algorithm;
        size_t length, given = strlen(parts->expectation[i].hex);
        int r = has_digest(parts, algorithm, &length);
        if (r == 0 && (r = add_digest(parts, algorithm)) == 0)
            r = has_digest(parts, algorithm, &length);
        if (r <= 0)
            return error_set(&parts->bad_options, r < 0 ? r : -ENOENT, "No %s digest can be computed", algorithm);
        if (given != length)
            return error_set(&parts->bad_options, -EINVAL, "A %s digest has %zu hexadecimal digits, not %zu", algorithm,
                             length, given);
    }
    return 0;
}

static int add_rate(struct parts *parts)
{
    leat_filter *filter;
    if (parts->options.rate == 0)
        return 0;
    int r = leat_filter_rate(&filter, parts->options.rate);
    if (r == 0)
        put_in_front(parts, filter);
    return r;
}

static int add_buffer(struct parts *parts)
{
    struct leat_buffer_options options = LEAT_INIT(struct leat_buffer_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_filter *filter;
    if (!parts->buffer)
        return 0;
    if (leat_filter_buffer_parse(&options, parts->buffer, &error) < 0) {
        error_set(&parts->bad_options, error.code, "The buffer '%.40s': %.150s", parts->buffer, error.text);
        return 0;
    }
    int r = leat_filter_buffer(&filter, &options, NULL);
    if (r == 0)
        put_in_front(parts, filter);
    return r;
}

static int copy_string(char **to, const char **from)
{
    if (*from && !(*to = strdup(*from)))
        return -ENOMEM;
    *from = *to;
    return 0;
}

int options_take(struct parts *parts, const struct leat_pipeline_options *options, struct leat_error *error)
{
    int r = options_copy(&parts->options, sizeof(parts->options), options);
    if (r < 0) {
        parts->options.pool = NULL; /* it has no reference yet */
        return error_at(error, r, LEAT_SIDE_NONE, "pipeline", "new", "The options are not those of this version");
    }
    if (parts->options.pool)
        pool_ref(parts->options.pool);
    r = copy_string(&parts->route, &parts->options.route);
    if (r == 0)
        r = copy_string(&parts->engine_name, &parts->options.engine);
    if (r == 0)
        r = copy_string(&parts->expect, &parts->options.expect);
    if (r == 0)
        r = copy_string(&parts->buffer, &parts->options.buffer);
    if (r < 0)
        return r;
    check_numbers(parts);
    if (check_route(parts) == 0 && check_engine(parts) == 0)
        parse_expectations(parts);
    r = add_rate(parts);
    return r < 0 ? r : add_buffer(parts);
}
