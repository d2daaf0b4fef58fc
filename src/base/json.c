/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "base/library.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char replacement[] = "\xEF\xBF\xBD";

/* Returns the length of the UTF-8 character at `text`, 1 to 4, or 0 if the bytes are not valid UTF-8. */
static size_t character_length(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t n = at[0] < 0x80 ? 1 : at[0] < 0xC2 ? 0 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : at[0] < 0xF5 ? 4 : 0;
    for (size_t i = 1; i < n; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xF0 && at[1] < 0x90);
    bool outside = (at[0] == 0xED && at[1] >= 0xA0) || (at[0] == 0xF4 && at[1] >= 0x90);
    return overlong || outside ? 0 : n;
}

/* jansson sets a text if the document is not valid JSON, and none if memory runs out. */
int json_read(json_t **ret, const char *bytes, size_t n)
{
    json_error_t problem = {.text = ""};
    json_t *json = n ? json_loadb(bytes, n, 0, &problem) : NULL;
    if (!json)
        return n && !problem.text[0] ? -ENOMEM : -EBADMSG;
    *ret = json;
    return 0;
}

json_t *json_name(const char *name)
{
    if (!name)
        return json_null();
    size_t n = 0;
    char *text = malloc(strlen(name) * strlen(replacement) + 1);
    if (!text)
        return NULL;
    while (*name) {
        size_t length = character_length(name), written = length ? length : strlen(replacement);
        memcpy(text + n, length ? name : replacement, written);
        n += written;
        name += length ? length : 1;
    }
    json_t *whole = json_stringn(text, n);
    free(text);
    return whole;
}

static void give_up(json_t **whole)
{
    json_decref(*whole);
    *whole = NULL;
}

void json_append(json_t **list, json_t *value)
{
    if (json_array_append_new(*list, value) < 0)
        give_up(list);
}

void json_set(json_t **object, const char *key, json_t *value)
{
    if (json_object_set_new(*object, key, value) < 0)
        give_up(object);
}

char *json_line(json_t *json, size_t flags)
{
    size_t size = json ? json_dumpb(json, NULL, 0, flags) : 0;
    char *line = size ? malloc(size + 2) : NULL;
    if (line && json_dumpb(json, line, size, flags) == size)
        memcpy(line + size, "\n", 2);
    else {
        free(line);
        line = NULL;
    }
    json_decref(json);
    return line;
}

static const char *jansson_version(void)
{
    return JANSSON_VERSION;
}

const struct library library_jansson = {"jansson", "Reports and documents in JSON", jansson_version, false};
