/* SPDX-License-Identifier: MIT */
/* The text form of a pipeline.
 *
 *     text    = source { "|" filter } "|" sink { "&" sink }
 *     source  = spec { option }
 *     sink    = spec { option }
 *     filter  = name [ ":" argument ]
 *
 * A spec, an option and a filter are one word each, see registry/words.h. The position decides the meaning: the first
 * word is the source, and the sinks are behind the last bar. */
#include "base/quote.h"
#include "endpoint/endpoint.h"
#include "registry/filters.h"
#include "registry/schemes.h"
#include "registry/settings.h"
#include "registry/words.h"
#include <errno.h>
#include <leat/pipeline.h>

struct parser {
    struct words words;
    const struct word *word; /* the next word */
    const struct word *last; /* the bar in front of the sinks */
    leat_pipeline *pipeline;
    struct settings settings; /* the defaults for all endpoints */
    struct leat_digest_options digests;
    uint32_t sinks; /* number of sinks before this one */
    struct leat_error *error;
};

static int wrong(struct parser *p, size_t column, const char *sentence)
{
    return error_set(at_column(p->error, column), -EINVAL, "%s", sentence);
}

/* Reports that a word is wrong, from the place `where` in it. */
static int wrong_at(struct parser *p, const struct word *word, const char *where, int code,
                    const struct leat_error *error)
{
    size_t column = where == word->text ? word->column : words_column(&p->words, where);
    if (error->operation[0])
        error_operation(p->error, error->operation);
    error_advise(at_column(p->error, column), error->advice);
    return error_set(p->error, code, "%s", error->text);
}

/* ---- endpoints ---- */

static int take_settings(struct parser *p, struct settings *settings, enum leat_direction direction)
{
    for (; p->word->kind == WORD_TEXT; p->word++) {
        struct leat_error error = {.size = sizeof(error)};
        const char *where;
        int r = settings_take(settings, direction, p->word->text, &where, &error);
        if (r < 0)
            return wrong_at(p, p->word, where, r, &error);
    }
    return 0;
}

/* Reports an endpoint that could not be opened. If the spec is invalid, the operation stays "parse"; if a call on the
 * file or server failed, the operation is that call. */
static int refuse_endpoint(struct parser *p, const struct word *spec, const struct leat_error *error)
{
    p->error->side = error->side;
    p->error->index = p->sinks;
    if (error->code != -EINVAL || strcmp(error->operation, "open") != 0)
        error_operation(p->error, error->operation);
    error_advise(at_column(p->error, spec->column), error->advice);
    return error_set(p->error, error->code, "'%.*s': %s", (int)MIN(quote_length(spec->text), 60u),
                     quote_without_login(spec->text), error->text);
}

static int add_endpoint(struct parser *p, const struct word *spec, leat_endpoint *endpoint,
                        const struct settings *settings)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = endpoint->node.direction == LEAT_READ ? leat_pipeline_source(p->pipeline, endpoint)
                                                  : leat_pipeline_sink(p->pipeline, endpoint, &settings->sink, &error);
    if (r == -E2BIG)
        return error_set(at_column(p->error, spec->column), r, "These are more than %d sinks", LEAT_SINKS_MAX);
    return r < 0 ? error_set(at_column(p->error, spec->column), r, "%s",
                             error.code ? error.text : "It can't be used here")
                 : 0;
}

static int take_endpoint(struct parser *p, enum leat_direction direction)
{
    const struct word *spec = p->word;
    struct settings settings = p->settings;
    struct leat_error error = {.size = sizeof(error)};
    leat_endpoint *endpoint;
    if (spec->kind != WORD_TEXT)
        return wrong(p, spec->column, direction == LEAT_READ ? "The source is missing here" : "A sink is missing here");
    if (filter_known(spec->text) && !scheme_known(spec->text))
        return error_set(at_column(p->error, spec->column), -EINVAL,
                         "'%.40s' is a filter, and here stands a %s (if it is a path, write ./%.40s)", spec->text,
                         direction == LEAT_READ ? "source" : "sink", spec->text);
    p->word++;
    int r = take_settings(p, &settings, direction);
    if (r < 0)
        return r;
    if (leat_endpoint_open(&endpoint, spec->text, direction, &settings.endpoint, &error) < 0)
        return refuse_endpoint(p, spec, &error);
    return add_endpoint(p, spec, endpoint, &settings);
}

static int take_sinks(struct parser *p)
{
    int r = take_endpoint(p, LEAT_WRITE);
    while (r == 0 && p->word->kind == WORD_AND) {
        p->word++;
        p->sinks++;
        r = take_endpoint(p, LEAT_WRITE);
    }
    return r;
}

/* ---- filters ---- */

static int refuse_scheme(struct parser *p, const struct word *word)
{
    return error_set(at_column(p->error, word->column), -EINVAL,
                     "'%.60s' is an endpoint, and between the first and the last bar stand filters",
                     quote_without_login(word->text));
}

static int take_filter(struct parser *p)
{
    const struct word *word = p->word++;
    struct leat_error error = {.size = sizeof(error)};
    const char *where;
    leat_filter *filter;
    if (word->kind != WORD_TEXT)
        return wrong(p, word->column, "A filter is missing here");
    if (!filter_known(word->text) && scheme_known(word->text))
        return refuse_scheme(p, word);
    int r = filter_open(&filter, word->text, &p->digests, &where, &error);
    if (r < 0) {
        p->error->side = LEAT_SIDE_FILTER;
        return wrong_at(p, word, where, r, &error);
    }
    r = leat_pipeline_filter(p->pipeline, filter);
    if (r < 0)
        return error_set(at_column(p->error, word->column), r, "These are more than %d filters", LEAT_FILTERS_MAX);
    if (p->word->kind == WORD_TEXT)
        return wrong(p, p->word->column,
                     "A filter is one word: what it is told stands behind a colon, in quotes if there "
                     "are blanks in it");
    return 0;
}

/* ---- the whole text ---- */

static int take_bar(struct parser *p)
{
    if (p->word->kind == WORD_AND)
        return wrong(p, p->word->column, "'&' stands between sinks, behind the last bar");
    p->word++;
    return 0;
}

static int parse(struct parser *p)
{
    const struct word *end = &p->words.word[p->words.n - 1];
    for (p->word = p->last = p->words.word; p->word != end; p->word++)
        if (p->word->kind == WORD_BAR)
            p->last = p->word;
    p->word = p->words.word;
    if (p->word == end)
        return wrong(p, 0, "There is nothing in it: write SOURCE | SINK");
    int r = take_endpoint(p, LEAT_READ);
    if (r == 0 && p->last->kind != WORD_BAR)
        return wrong(p, p->word->column, "A sink is missing: write SOURCE | SINK");
    while (r == 0 && p->word != p->last) {
        r = take_bar(p);
        if (r == 0)
            r = take_filter(p);
    }
    p->word++;
    return r < 0 ? r : take_sinks(p);
}

static int begin(struct parser *p, const char *text, const struct leat_pipeline_options *options)
{
    struct leat_pipeline_options own;
    int r = options_copy(&own, sizeof(own), options);
    if (r == 0)
        r = options_copy(&p->settings.endpoint, sizeof(p->settings.endpoint), own.endpoints);
    if (r == 0)
        r = options_copy(&p->settings.sink, sizeof(p->settings.sink), own.sinks);
    if (r < 0)
        return error_set(p->error, r, "The options are not those of this version");
    p->digests = (struct leat_digest_options){
        .size = sizeof(p->digests), .provider = own.digest_provider, .threads = own.threads};
    r = text ? 0 : wrong(p, 0, "There is no text");
    if (r == 0)
        r = words_split(&p->words, text, p->error);
    if (r < 0)
        return r;
    r = leat_pipeline_new(&p->pipeline, &own, NULL);
    return r < 0 ? error_set(p->error, r, "Out of memory") : 0;
}

int leat_pipeline_parse(leat_pipeline **ret_pipeline, const char *text, const struct leat_pipeline_options *options,
                        struct leat_error *ret_error)
{
    struct leat_error error = {.size = sizeof(error), .operation = "parse"};
    struct parser p = {.error = &error};
    int r = error_begin(ret_error);
    if (r < 0)
        return r;
    r = begin(&p, text, options);
    if (r == 0)
        r = parse(&p);
    words_free(&p.words);
    if (r == 0) {
        *ret_pipeline = p.pipeline;
        return 0;
    }
    leat_pipeline_free(p.pipeline);
    if (r == -ENOMEM)
        error_operation(&error, "malloc");
    return error_return(ret_error, &error, r);
}
