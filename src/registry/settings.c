/* SPDX-License-Identifier: MIT */
#include "registry/settings.h"
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static int set_mode(struct settings *s, const char *word, enum leat_write_mode mode, struct leat_error *error)
{
    if (s->written && strcmp(s->written, word) != 0)
        return error_set(error, -EINVAL, "append and in-place exclude each other");
    s->written = word;
    s->endpoint.no_clobber &= s->refuses;
    s->endpoint.write_mode = mode;
    return 0;
}

static int set_append(struct settings *s, const char *value UNUSED, struct leat_error *error)
{
    return set_mode(s, "append", LEAT_WRITE_APPEND, error);
}

static int set_in_place(struct settings *s, const char *value UNUSED, struct leat_error *error)
{
    return set_mode(s, "in-place", LEAT_WRITE_IN_PLACE, error);
}

static int set_sync(struct settings *s, const char *value UNUSED, struct leat_error *error UNUSED)
{
    s->endpoint.sync = 1;
    return 0;
}

static int set_preserve(struct settings *s, const char *value UNUSED, struct leat_error *error UNUSED)
{
    s->endpoint.preserve = 1;
    return 0;
}

static int set_no_clobber(struct settings *s, const char *value UNUSED, struct leat_error *error UNUSED)
{
    s->endpoint.no_clobber = s->refuses = 1;
    return 0;
}

/* Undoes a no-clobber that applies to all sinks. */
static int set_replace(struct settings *s, const char *value UNUSED, struct leat_error *error UNUSED)
{
    s->endpoint.no_clobber = s->refuses = 0;
    return 0;
}

static int set_force(struct settings *s, const char *value UNUSED, struct leat_error *error UNUSED)
{
    s->endpoint.force = 1;
    return 0;
}

static int set_drop_attributes(struct settings *s, const char *value UNUSED, struct leat_error *error UNUSED)
{
    s->endpoint.drop_attributes = 1;
    return 0;
}

static int set_slow_sink(struct settings *s, const char *value, struct leat_error *error)
{
    return leat_pipeline_slow_sink_parse(&s->sink, value, error);
}

static int set_time(int32_t *ret_ms, const char *value, struct leat_error *error)
{
    int r = leat_time_parse(value, ret_ms);
    return r < 0 ? error_set(error, r, "'%.40s' is no time: write 5s, 500ms, 2m or none", value) : 0;
}

static int set_connect_timeout(struct settings *s, const char *value, struct leat_error *error)
{
    return set_time(&s->endpoint.connect_timeout_ms, value, error);
}

static int set_idle_timeout(struct settings *s, const char *value, struct leat_error *error)
{
    return set_time(&s->endpoint.idle_timeout_ms, value, error);
}

static int set_retries(struct settings *s, const char *value, struct leat_error *error)
{
    char *end;
    errno = 0;
    long n = strtol(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end || errno || n > INT32_MAX)
        return error_set(error, -EINVAL, "'%.40s' is no number of retries", value);
    s->endpoint.retries = n ? (int32_t)n : -1;
    return 0;
}

static int set_streams(struct settings *s, const char *value, struct leat_error *error)
{
    char *end;
    errno = 0;
    long n = strtol(value, &end, 10);
    bool is_auto = strcmp(value, "auto") == 0;
    if (!is_auto && (!isdigit((unsigned char)value[0]) || *end || errno || n < 1 || n > LEAT_STREAMS_MAX))
        return error_set(error, -EINVAL, "'%.40s' is no number of connections: write 1 to %d, or auto", value,
                         LEAT_STREAMS_MAX);
    s->endpoint.streams = is_auto ? 0 : (int32_t)n;
    return 0;
}

static int set_total_timeout(struct settings *s, const char *value, struct leat_error *error)
{
    return set_time(&s->endpoint.total_timeout_ms, value, error);
}

static int set_part_size(struct settings *s, const char *value, struct leat_error *error)
{
    int r = leat_size_parse(value, &s->endpoint.part_size);
    return r < 0 ? error_set(error, r, "'%.40s' is no size: write 4096, 64K, 1.5G or 10MB", value) : 0;
}

static int set_resume(struct settings *s, const char *value, struct leat_error *error UNUSED)
{
    s->endpoint.resume = value;
    return 0;
}

static int set_cacert(struct settings *s, const char *value, struct leat_error *error UNUSED)
{
    s->endpoint.cacert = value;
    return 0;
}

static int set_cert(struct settings *s, const char *value, struct leat_error *error UNUSED)
{
    s->endpoint.cert = value;
    return 0;
}

static int set_key(struct settings *s, const char *value, struct leat_error *error UNUSED)
{
    s->endpoint.key = value;
    return 0;
}

static int set_netrc(struct settings *s, const char *value UNUSED, struct leat_error *error UNUSED)
{
    s->endpoint.netrc = 1;
    return 0;
}

static int set_netrc_file(struct settings *s, const char *value, struct leat_error *error UNUSED)
{
    s->endpoint.netrc_file = value;
    return 0;
}

/* Adds the header behind the headers that apply to all endpoints. */
static int set_header(struct settings *s, const char *value, struct leat_error *error)
{
    size_t n = 0;
    for (const char *const *had = s->endpoint.headers; had && had[n]; n++) {
        if (n == SETTINGS_HEADERS_MAX)
            break;
        s->header[n] = had[n];
    }
    if (n == SETTINGS_HEADERS_MAX)
        return error_set(error, -E2BIG, "There may be %d headers, not more", SETTINGS_HEADERS_MAX);
    s->header[n] = value;
    s->header[n + 1] = NULL;
    s->endpoint.headers = s->header;
    return 0;
}

static const struct setting {
    const char *name;
    const char *value; /* the form of the value behind "="; NULL: no value */
    bool of_sinks;     /* true: for sinks only */
    int (*set)(struct settings *settings, const char *value, struct leat_error *error);
} table[] = {
    {"append", NULL, true, set_append},
    {"in-place", NULL, true, set_in_place},
    {"sync", NULL, true, set_sync},
    {"preserve", NULL, true, set_preserve},
    {"no-clobber", NULL, true, set_no_clobber},
    {"replace", NULL, true, set_replace},
    {"force", NULL, true, set_force},
    {"drop-attributes", NULL, true, set_drop_attributes},
    {"slow-sink", "wait|drop|spill[:SIZE[,FOLDER]]", true, set_slow_sink},
    {"connect-timeout", "TIME", false, set_connect_timeout},
    {"idle-timeout", "TIME", false, set_idle_timeout},
    {"total-timeout", "TIME", false, set_total_timeout},
    {"retries", "N", false, set_retries},
    {"streams", "N", false, set_streams},
    {"part-size", "SIZE", true, set_part_size},
    {"resume", "FILE", true, set_resume},
    {"cacert", "FILE", false, set_cacert},
    {"cert", "FILE", false, set_cert},
    {"key", "FILE", false, set_key},
    {"header", "'NAME: VALUE'", false, set_header},
    {"netrc", NULL, false, set_netrc},
    {"netrc-file", "FILE", false, set_netrc_file},
};

static const struct setting *find(const char *name, size_t n)
{
    for (size_t i = 0; i < COUNT(table); i++)
        if (strlen(table[i].name) == n && strncmp(table[i].name, name, n) == 0)
            return &table[i];
    return NULL;
}

static int refuse_unknown(const char *word, enum leat_direction direction, struct leat_error *error)
{
    char known[256] = "", near[64];
    size_t name = strcspn(word, "=");
    int length = (int)MIN(name + (word[name] == '='), 30u); /* the value may be secret */
    const char *words[COUNT(table) + 1] = {NULL};
    for (size_t i = 0, n = 0; i < COUNT(table); i++)
        if (direction == LEAT_WRITE || !table[i].of_sinks)
            words[n++] = table[i].name;
    if (leat_text_nearest(near, sizeof(near), word, name, words) > 0)
        return error_set(error, -EINVAL, "'%.*s' is no option of a %s; did you mean %s?", length, word,
                         direction == LEAT_READ ? "source" : "sink", near);
    for (size_t i = 0, n = 0; i < COUNT(table); i++)
        if ((direction == LEAT_WRITE || !table[i].of_sinks) && n < sizeof(known))
            n += (size_t)snprintf(known + n, sizeof(known) - n, "%s%s%s", n ? ", " : "", table[i].name,
                                  table[i].value ? "=" : "");
    return error_set(error, -EINVAL, "'%.*s' is no option of a %s (a name with blanks wants quotes): %s", length, word,
                     direction == LEAT_READ ? "source" : "sink", known);
}

int settings_take(struct settings *settings, enum leat_direction direction, const char *word, const char **ret_where,
                  struct leat_error *error)
{
    size_t n = strcspn(word, "=");
    const struct setting *setting = find(word, n);
    const char *value = word[n] ? word + n + 1 : NULL;
    *ret_where = word;
    if (!setting)
        return refuse_unknown(word, direction, error);
    if (setting->of_sinks && direction == LEAT_READ)
        return error_set(error, -EINVAL, "%s is for sinks, and this is the source", setting->name);
    if (setting->value && !(value && *value))
        return error_set(error, -EINVAL, "Something is missing: write %s=%s", setting->name, setting->value);
    if (!setting->value && value)
        return error_set(error, -EINVAL, "%s takes no value", setting->name);
    if (value)
        *ret_where = value;
    return setting->set(settings, value, error);
}
