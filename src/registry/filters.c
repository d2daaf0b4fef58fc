/* SPDX-License-Identifier: MIT */
/* The only list of filters by name, for the text form of a pipeline. To add one: its constructor in src/filter, and a
 * row here. */
#include "registry/filters.h"
#include "base/nearest.h"
#include "bridge/codec.h"
#include <errno.h>

struct filter_request {
    const char *name;
    const char *argument; /* the part behind the colon; NULL: there is no colon */
    const struct leat_digest_options *digests;
    const char **ret_where;
};

static int open_digest(leat_filter **ret, const struct filter_request *r, struct leat_error *error)
{
    struct leat_error own = LEAT_INIT(struct leat_error);
    int result = leat_filter_digest(ret, r->argument, r->digests, &own);
    if (result == -ELIBACC)
        error_operation(error, "digest");
    else if (result < 0 && result != -ENOMEM)
        *r->ret_where = r->argument + own.offset;
    return result < 0 ? error_set(error, result, "%s", own.text) : 0;
}

static int open_meter(leat_filter **ret, const struct filter_request *r UNUSED, struct leat_error *error UNUSED)
{
    return leat_filter_meter(ret);
}

static int read_size(const struct filter_request *r, uint64_t *ret, struct leat_error *error)
{
    int result = leat_size_parse(r->argument, ret);
    if (result < 0)
        error_set(error, result, "'%.40s' is %s: write 4096, 64K, 1.5G or 10MB", r->argument,
                  result == -ERANGE ? "too large" : "no size");
    return result;
}

static int open_rate(leat_filter **ret, const struct filter_request *r, struct leat_error *error)
{
    uint64_t rate;
    int result = read_size(r, &rate, error);
    if (result == 0 && rate == 0)
        return error_set(error, -EINVAL, "A rate must be more than 0");
    return result < 0 ? result : leat_filter_rate(ret, rate);
}

static int open_skip(leat_filter **ret, const struct filter_request *r, struct leat_error *error)
{
    uint64_t bytes;
    int result = read_size(r, &bytes, error);
    return result < 0 ? result : leat_filter_skip(ret, bytes);
}

static int open_head(leat_filter **ret, const struct filter_request *r, struct leat_error *error)
{
    uint64_t bytes;
    int result = read_size(r, &bytes, error);
    return result < 0 ? result : leat_filter_head(ret, bytes);
}

static int open_codec(leat_filter **ret, const struct filter_request *r, struct leat_error *error)
{
    int result = filter_codec(ret, r->name, r->argument, error);
    if (r->argument)
        *r->ret_where = r->argument + error->offset;
    return result;
}

static int open_exec(leat_filter **ret, const struct filter_request *r, struct leat_error *error)
{
    int result = leat_filter_exec(ret, r->argument);
    if (result == -EINVAL)
        error_set(error, result, "'%.40s' names no command: write exec:COMMAND", r->argument);
    return result;
}

static int open_buffer(leat_filter **ret, const struct filter_request *r, struct leat_error *error)
{
    struct leat_buffer_options options = LEAT_INIT(struct leat_buffer_options);
    int result = leat_filter_buffer_parse(&options, r->argument, error);
    if (result < 0)
        *r->ret_where = r->argument + error->offset;
    return result < 0 ? result : leat_filter_buffer(ret, &options, NULL);
}

enum argument {
    ARGUMENT_NONE,
    ARGUMENT_MAYBE,
    ARGUMENT_WANTED,
};

static const struct filter_row {
    const char *name;
    const char *form; /* the form of the text, for messages */
    enum argument argument;
    int (*open)(leat_filter **ret, const struct filter_request *request, struct leat_error *error);
} filters[] = {
    {"digest", "digest:ALG[,ALG]", ARGUMENT_WANTED, open_digest},
    {"meter", "meter", ARGUMENT_NONE, open_meter},
    {"rate", "rate:SIZE", ARGUMENT_WANTED, open_rate},
    {"skip", "skip:SIZE", ARGUMENT_WANTED, open_skip},
    {"head", "head:SIZE", ARGUMENT_WANTED, open_head},
    {"zstd", "zstd[:level=N,workers=N]", ARGUMENT_MAYBE, open_codec},
    {"unzstd", "unzstd[:windowlog=N]", ARGUMENT_MAYBE, open_codec},
    {"gzip", "gzip[:level=N,workers=N]", ARGUMENT_MAYBE, open_codec},
    {"gunzip", "gunzip", ARGUMENT_NONE, open_codec},
    {"exec", "exec:COMMAND", ARGUMENT_WANTED, open_exec},
    {"buffer", "buffer:SIZE[,start=PERCENT,stop=PERCENT,lock,memory=SIZE,file=FOLDER]", ARGUMENT_WANTED, open_buffer},
};

static const struct filter_row *find(const char *word)
{
    size_t n = strcspn(word, ":");
    for (size_t i = 0; i < COUNT(filters); i++)
        if (strlen(filters[i].name) == n && strncmp(filters[i].name, word, n) == 0)
            return &filters[i];
    return NULL;
}

bool filter_known(const char *word)
{
    return find(word) != NULL;
}

static int refuse_unknown(const char *word, struct leat_error *error)
{
    char text[UNKNOWN_MAX];
    const char *words[COUNT(filters) + 1] = {NULL};
    for (size_t i = 0; i < COUNT(filters); i++)
        words[i] = filters[i].name;
    return error_set(error, -EINVAL, "%s", unknown_word(text, "filter", word, strcspn(word, ":"), words));
}

int filter_open(leat_filter **ret, const char *word, const struct leat_digest_options *digests, const char **ret_where,
                struct leat_error *error)
{
    const struct filter_row *row = find(word);
    *ret_where = word;
    if (!row)
        return refuse_unknown(word, error);
    const char *colon = strchr(word, ':');
    char text[128];
    struct filter_request request = {
        .name = row->name, .argument = colon ? colon + 1 : NULL, .digests = digests, .ret_where = ret_where};
    if (colon ? !colon[1] : row->argument == ARGUMENT_WANTED)
        return error_set(error, -EINVAL, "Something is missing: write %s", row->form);
    *ret_where = colon ? colon + 1 : word;
    if (row->argument == ARGUMENT_NONE && colon)
        return error_set(error, -EINVAL, "Nothing belongs behind the name: write %s", row->form);
    int r = row->open(ret, &request, error);
    return r < 0 ? error_set(error, r, "%s", error_text(r, text, sizeof(text))) : 0;
}
