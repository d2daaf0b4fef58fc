/* The options of a pipeline: copies and checks them, and makes filters for those that need one. A wrong option is
 * recorded, and reported by the plan. */
#include "base/error.h"
#include "base/nearest.h"
#include "buffer/pool.h"
#include "flow/pipeline.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

static void check_range(leat_pipeline *p, const char *name, int32_t value, int32_t least, int32_t most)
{
    if (value < least || value > most)
        error_set(&p->bad_options, -EINVAL, "The option %s has no value %d", name, (int)value);
}

static void check_numbers(leat_pipeline *p)
{
    const struct leat_pipeline_options *o = &p->options;
    check_range(p, "stability", o->stability, LEAT_SOURCE_LIVE, LEAT_SOURCE_STABLE);
    check_range(p, "sparse (holes)", o->sparse, LEAT_SPARSE_AUTO, LEAT_SPARSE_NEVER);
    check_range(p, "cache", o->cache, LEAT_CACHE_KEEP, LEAT_CACHE_DIRECT);
    check_range(p, "threads", o->threads, -1, 1);
    check_range(p, "digest_provider", o->digest_provider, LEAT_DIGEST_AUTO, LEAT_DIGEST_KERNEL);
    if (o->offset > INT64_MAX)
        error_set(&p->bad_options, -EINVAL, "The offset is larger than any file");
    if (o->has_length && o->length > INT64_MAX)
        error_set(&p->bad_options, -EINVAL, "The length is larger than any file");
}

static int check_route(leat_pipeline *p)
{
    const char *name = p->route;
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
    return error_set(&p->bad_options, -EINVAL, "%s", unknown_word(text, "route", name, strlen(name), words));
}

static int check_engine(leat_pipeline *p)
{
    const struct engine *engine = engine_by_name(p->engine_name);
    if (engine)
        p->engine = engine;
    if (engine)
        return 0;
    char text[UNKNOWN_MAX];
    const char *words[10] = {"auto"};
    for (size_t i = 0; registry_engines[i] && i + 2 < COUNT(words); i++)
        words[i + 1] = registry_engines[i]->name;
    return error_set(&p->bad_options, -EINVAL, "%s",
                     unknown_word(text, "engine", p->engine_name, strlen(p->engine_name), words));
}

static int parse_expectation(leat_pipeline *p, const char *text, size_t n)
{
    const char *colon = memchr(text, ':', n);
    struct expectation *e = &p->expectation[p->expectations];
    size_t hex = colon ? n - (size_t)(colon - text) - 1 : 0;
    if (!colon || colon == text || hex == 0 || hex % 2 || hex >= sizeof(e->hex) ||
        (size_t)(colon - text) >= sizeof(e->algorithm))
        return error_set(&p->bad_options, -EINVAL, "'%.*s' is no digest: write sha256:HEX", (int)MIN(n, 80), text);
    for (size_t i = 0; i < hex; i++)
        if (!isxdigit((unsigned char)colon[1 + i]))
            return error_set(&p->bad_options, -EINVAL, "'%.*s' is no digest: '%c' is not hexadecimal", (int)MIN(n, 80),
                             text, colon[1 + i]);
    if (p->expectations == EXPECTED_MAX)
        return error_set(&p->bad_options, -E2BIG, "More than %d expected digests", EXPECTED_MAX);
    snprintf(e->algorithm, sizeof(e->algorithm), "%.*s", (int)(colon - text), text);
    snprintf(e->hex, sizeof(e->hex), "%.*s", (int)hex, colon + 1);
    p->expectations++;
    return 0;
}

/* Does a filter compute this digest? *ret_length gets the number of its hexadecimal digits. */
static bool has_digest(const leat_pipeline *p, const char *algorithm, size_t *ret_length)
{
    char hex[LEAT_DIGEST_HEX_MAX];
    for (size_t i = 0; i < p->filters; i++)
        if (p->filter[i]->ops->result && leat_filter_digest_hex(p->filter[i], algorithm, hex, sizeof(hex)) == 0) {
            *ret_length = strlen(hex);
            return true;
        }
    return false;
}

/* A program that expects no digest passes NULL, so an empty word is an error, also between commas. */
static int parse_expectations(leat_pipeline *p)
{
    const char *at = p->expect;
    int r = 0;
    while (at && r == 0) {
        size_t n = strcspn(at, ",");
        r = parse_expectation(p, at, n);
        at = at[n] == ',' ? at + n + 1 : NULL;
    }
    return r;
}

/* Puts the filter before those of the program, because it works on the bytes of the source. */
static void put_in_front(leat_pipeline *p, leat_filter *filter)
{
    for (size_t i = p->filters++; i > p->in_front; i--)
        p->filter[i] = p->filter[i - 1];
    p->filter[p->in_front++] = filter;
}

static int add_digest(leat_pipeline *p, const char *algorithm)
{
    struct leat_digest_options options = {
        .size = sizeof(options), .provider = p->options.digest_provider, .threads = p->options.threads};
    leat_filter *filter;
    int r = leat_filter_digest(&filter, algorithm, &options);
    if (r == 0)
        put_in_front(p, filter);
    return r;
}

/* If the name of the source contains its digest, that digest is expected as well. */
static int expect_name(leat_pipeline *p)
{
    const char *expect = p->source && !p->has_named ? p->source->node.expect : NULL;
    if (!expect)
        return 0;
    p->has_named = true;
    if (p->options.offset || p->options.has_length)
        return error_set(&p->bad_options, -EINVAL, "A part of '%.80s' can't be compared with the digest in its name",
                         p->source->node.name);
    return parse_expectation(p, expect, strlen(expect));
}

/* Adds a filter for each expected digest that no filter computes. */
int options_add_digests(leat_pipeline *p)
{
    int named = expect_name(p);
    if (named < 0)
        return named;
    for (size_t i = 0; i < p->expectations; i++) {
        const char *algorithm = p->expectation[i].algorithm;
        size_t length, given = strlen(p->expectation[i].hex);
        int r = has_digest(p, algorithm, &length) ? 0 : add_digest(p, algorithm);
        if (r < 0 || !has_digest(p, algorithm, &length))
            return error_set(&p->bad_options, r < 0 ? r : -ENOENT, "No %s digest can be computed", algorithm);
        if (given != length)
            return error_set(&p->bad_options, -EINVAL, "A %s digest has %zu hexadecimal digits, not %zu", algorithm,
                             length, given);
    }
    return 0;
}

static int add_rate(leat_pipeline *p)
{
    leat_filter *filter;
    if (p->options.rate == 0)
        return 0;
    int r = leat_filter_rate(&filter, p->options.rate);
    if (r == 0)
        put_in_front(p, filter);
    return r;
}

static int copy_string(char **to, const char **from)
{
    if (*from && !(*to = strdup(*from)))
        return -ENOMEM;
    *from = *to;
    return 0;
}

int options_take(leat_pipeline *p, const struct leat_pipeline_options *options)
{
    int r = options_copy(&p->options, sizeof(p->options), options);
    if (r < 0) {
        p->options.pool = NULL; /* it has no reference yet */
        return r;
    }
    if (p->options.pool)
        pool_ref(p->options.pool);
    r = copy_string(&p->route, &p->options.route);
    if (r == 0)
        r = copy_string(&p->engine_name, &p->options.engine);
    if (r == 0)
        r = copy_string(&p->expect, &p->options.expect);
    if (r < 0)
        return r;
    check_numbers(p);
    if (check_route(p) == 0 && check_engine(p) == 0)
        parse_expectations(p);
    return add_rate(p);
}
