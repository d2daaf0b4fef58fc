/* SPDX-License-Identifier: MIT */
/* The options of a buffer as text. */
#include "base/error.h"
#include "base/units.h"
#include <ctype.h>
#include <errno.h>
#include <leat/filter.h>

/* A part of the text, up to the next comma. */
struct buffer_word {
    const char *text;
    size_t n;
};

static int read_size(uint64_t *ret, struct buffer_word value, struct leat_error *error)
{
    int r = size_parse(value.text, value.n, ret);
    if (r < 0)
        return error_set(error, r, "'%.*s' is %s: write 64M, 1.5G or 10MB", (int)MIN(value.n, 40u), value.text,
                         r == -ERANGE ? "too large" : "no size");
    if (!*ret || *ret > INT64_MAX)
        return error_set(error, -EINVAL, "A buffer must have more than 0 bytes, and less than a file may have");
    return 0;
}

static int read_percent(int32_t *ret, struct buffer_word value, int least, struct leat_error *error)
{
    int32_t n = 0;
    size_t i = 0;
    for (; i < value.n && i < 4 && isdigit((unsigned char)value.text[i]); i++)
        n = n * 10 + (value.text[i] - '0');
    if (i == 0 || i != value.n || n < least || n > 100)
        return error_set(error, -EINVAL, "'%.*s' is no percentage: write %d to 100", (int)MIN(value.n, 40u), value.text,
                         least);
    *ret = n;
    return 0;
}

static int set_start(struct leat_buffer_options *o, struct buffer_word value, struct leat_error *error)
{
    return read_percent(&o->start, value, 0, error);
}

static int set_stop(struct leat_buffer_options *o, struct buffer_word value, struct leat_error *error)
{
    return read_percent(&o->stop, value, 1, error);
}

static int set_memory(struct leat_buffer_options *o, struct buffer_word value, struct leat_error *error)
{
    return read_size(&o->memory, value, error);
}

static int set_lock(struct leat_buffer_options *o, struct buffer_word value, struct leat_error *error)
{
    o->lock = 1;
    return value.n ? error_set(error, -EINVAL, "Nothing belongs behind lock") : 0;
}

/* The name is the rest of the text, so it may have commas. */
static int set_file(struct leat_buffer_options *o, struct buffer_word value, struct leat_error *error)
{
    o->file = value.text;
    return *value.text ? 0 : error_set(error, -EINVAL, "Something is missing: write file=FOLDER");
}

static const struct buffer_setting {
    const char *name;
    int (*set)(struct leat_buffer_options *o, struct buffer_word value, struct leat_error *error);
} settings[] = {
    {"start=", set_start}, {"stop=", set_stop}, {"memory=", set_memory}, {"lock", set_lock}, {"file=", set_file},
};

/* Reads one setting. *ret_at is the place of a mistake. */
static int read_setting(struct leat_buffer_options *o, struct buffer_word word, const char **ret_at,
                        struct leat_error *error)
{
    for (size_t i = 0; i < COUNT(settings); i++) {
        size_t n = strlen(settings[i].name);
        if (word.n < n || strncmp(word.text, settings[i].name, n) != 0)
            continue;
        *ret_at = word.text + n;
        return settings[i].set(o, (struct buffer_word){word.text + n, word.n - n}, error);
    }
    return error_set(error, -EINVAL,
                     "'%.*s' is no option of a buffer: write start=PERCENT, stop=PERCENT, lock, "
                     "memory=SIZE or file=FOLDER",
                     (int)MIN(word.n, 40u), word.text);
}

int leat_filter_buffer_parse(struct leat_buffer_options *ret_options, const char *text, struct leat_error *ret_error)
{
    struct leat_buffer_options o = {.size = sizeof(o)};
    struct leat_error error = {.size = sizeof(error)};
    int r = error_begin(ret_error);
    if (r < 0)
        return r;
    const char *at = text;
    struct buffer_word word = {text, strcspn(text, ",")};
    r = read_size(&o.bytes, word, &error);
    while (r == 0 && !o.file && word.text[word.n]) {
        at = word.text += word.n + 1;
        word.n = strcspn(word.text, ",");
        r = read_setting(&o, word, &at, &error);
    }
    if (r == 0 && o.memory && !o.file)
        r = error_set(&error, -EINVAL, "memory=SIZE is how much is not in the file: write file=FOLDER as well");
    error.offset = r < 0 ? (uint64_t)(at - text) : 0;
    return r < 0 ? error_return(ret_error, &error, r) : return_sized(ret_options, &o, sizeof(o));
}
