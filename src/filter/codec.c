/* SPDX-License-Identifier: MIT */
/* The filter around a codec. It parses the options, counts the input, and reports where a failure is. */
#include "filter/codec.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>

struct codec_filter {
    leat_filter filter;
    struct filter_ops ops; /* not shared, because `name` is that of the codec */
    const struct codec *codec;
    int value[CODEC_VALUES];
    void *state;
    uint64_t taken; /* input bytes of this run */
};

static int codec_start(leat_filter *filter, uint64_t expected UNUSED, struct leat_error *error UNUSED)
{
    struct codec_filter *c = (struct codec_filter *)filter;
    c->codec->start(c->state);
    c->taken = 0;
    return 0;
}

static int codec_transform(leat_filter *filter, struct filter_buffers *buffers, int mode, struct leat_error *error)
{
    struct codec_filter *c = (struct codec_filter *)filter;
    const char *why = "";
    size_t before = buffers->in_n;
    if (buffers->out_n == 0)
        return before == 0 && mode == LEAT_FILTER_MORE ? LEAT_FILTER_DONE : LEAT_FILTER_FULL;
    int r = c->codec->transform(c->state, buffers, mode, &why);
    c->taken += before - buffers->in_n;
    if (r == -E2BIG)
        error_advise(error, LEAT_ADVICE_WINDOW);
    if (r < 0)
        error_at(error, r, LEAT_SIDE_FILTER, c->codec->name, c->codec->operation, "%s, behind byte %llu of its input",
                 why, (unsigned long long)c->taken);
    return r;
}

static uint64_t codec_memory(const leat_filter *filter)
{
    const struct codec_filter *c = (const struct codec_filter *)filter;
    return c->codec->memory(c->value);
}

static void codec_free(leat_filter *filter)
{
    struct codec_filter *c = (struct codec_filter *)filter;
    c->codec->close(c->state);
    free(c);
}

static const struct filter_ops codec_ops = {
    .caps = FILTER_TRANSFORMS,
    .start = codec_start,
    .transform = codec_transform,
    .memory = codec_memory,
    .free = codec_free,
};

/* ---- options ---- */

/* Sets the offset of the error: the wrong part of `options` starts at `at`. Returns -EINVAL. */
static int wrong(struct leat_error *error, const char *options, const char *at)
{
    if (error)
        error->offset = (uint64_t)(at - options);
    return -EINVAL;
}

static void workers_range(int *ret_least, int *ret_most)
{
    *ret_least = 0;
    *ret_most = 64;
}

static const struct codec_option workers_option = {"workers", 0, workers_range};

/* Returns option i of the codec, or NULL if it has no such option. */
static const struct codec_option *option_at(const struct codec *codec, size_t i)
{
    if (i == CODEC_WORKERS)
        return codec->block ? &workers_option : NULL;
    return codec->option[i].name ? &codec->option[i] : NULL;
}

/* Returns the index of the option with this name, or CODEC_VALUES if there is none. */
static size_t find_option(const struct codec *codec, const char *name, size_t length)
{
    size_t i = 0;
    for (; i < CODEC_VALUES; i++) {
        const struct codec_option *option = option_at(codec, i);
        if (option && strlen(option->name) == length && strncmp(option->name, name, length) == 0)
            break;
    }
    return i;
}

static int unknown_option(const struct codec *codec, const char *name, size_t length, struct leat_error *error)
{
    char names[100] = "";
    for (size_t i = 0; i < CODEC_VALUES; i++) {
        const struct codec_option *option = option_at(codec, i);
        size_t n = strlen(names);
        if (option)
            snprintf(names + n, sizeof(names) - n, "%s%s=N", n ? ", " : "", option->name);
    }
    return error_set(error, -EINVAL, "%s has no option '%.*s', %s%s", codec->name, (int)length, name,
                     names[0] ? "only " : "nor any other", names);
}

/* Parses the integer before the next comma. */
static int read_value(int *ret, const char *text, const struct codec_option *option, struct leat_error *error)
{
    char *end;
    int least, most, length = (int)strcspn(text, ",");
    option->range(&least, &most);
    errno = 0;
    long value = strtol(text, &end, 10);
    if (!strchr("+-0123456789", text[0]) || end == text || end != text + length)
        return error_set(error, -EINVAL, "'%.*s' is no number for %s=N", length, text, option->name);
    if (errno == ERANGE || value < least || value > most)
        return error_set(error, -EINVAL, "%s=%.*s is out of range: it goes from %d to %d", option->name, length, text,
                         least, most);
    *ret = (int)value;
    return 0;
}

/* Parses one option. On success *options is the end of the option, and on failure the part that is wrong. */
static int read_option(const struct codec *codec, int *value, const char **options, struct leat_error *error)
{
    const char *name = *options;
    size_t length = strcspn(name, "=,");
    size_t i = find_option(codec, name, length);
    if (i == CODEC_VALUES)
        return unknown_option(codec, name, length, error);
    const struct codec_option *option = option_at(codec, i);
    if (name[length] != '=')
        return error_set(error, -EINVAL, "'%s' lacks its value: write %s=N", option->name, option->name);
    *options += length + 1;
    int r = read_value(&value[i], *options, option, error);
    if (r == 0)
        *options += strcspn(*options, ",");
    return r;
}

int codec_read_options(const struct codec *codec, int *value, const char *options, struct leat_error *error)
{
    for (size_t i = 0; i < CODEC_VALUES; i++)
        value[i] = option_at(codec, i) ? option_at(codec, i)->usual : 0;
    if (!options || !options[0])
        return 0;
    for (const char *at = options;; at++) {
        if (read_option(codec, value, &at, error) < 0)
            return wrong(error, options, at);
        if (*at == '\0')
            return 0;
    }
}

int codec_plain(leat_filter **ret, const struct codec *codec, const int *value)
{
    struct codec_filter *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->codec = codec;
    c->ops = codec_ops;
    c->ops.name = codec->name;
    memcpy(c->value, value, sizeof(c->value));
    filter_init(&c->filter, &c->ops);
    int r = codec->open(&c->state, value);
    if (r < 0)
        free(c);
    else
        *ret = &c->filter;
    return r;
}
