/* SPDX-License-Identifier: MIT */
/* Makes the filter of a codec: with workers, or without. */
#include "bridge/codec.h"
#include "base/nearest.h"
#include "bridge/workers.h"
#include <errno.h>

static const struct codec *find_codec(const char *name)
{
    const struct codec *const *p = registry_codecs;
    while (*p && strcmp((*p)->name, name) != 0)
        p++;
    return *p;
}

static int unknown_codec(const char *name, struct leat_error *error)
{
    char text[UNKNOWN_MAX];
    const char *words[10] = {NULL};
    for (size_t i = 0; registry_codecs[i] && i + 1 < COUNT(words); i++)
        words[i] = registry_codecs[i]->name;
    return error_set(error, -ENOENT, "%s", unknown_word(text, "codec", name, strlen(name), words));
}

int filter_codec(leat_filter **ret, const char *name, const char *options, struct leat_error *error)
{
    const struct codec *codec = find_codec(name);
    int value[CODEC_VALUES];
    if (!codec)
        return unknown_codec(name, error);
    if (!codec->open)
        return error_set(error, -ENOENT, "There is no '%s': %s", name, codec->without);
    int r = codec_read_options(codec, value, options, error);
    if (r < 0)
        return r;
    r = value[CODEC_WORKERS] > 0 ? workers_filter(ret, codec, value) : codec_plain(ret, codec, value);
    return r < 0 ? error_set(error, r, "There is no memory for %s", name) : 0;
}

int leat_filter_codec(leat_filter **ret_filter, const char *name, const char *options)
{
    return name ? filter_codec(ret_filter, name, options, NULL) : -EINVAL;
}
