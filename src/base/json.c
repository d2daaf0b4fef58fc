#include "base/json.h"
#include <stdlib.h>
#include <string.h>

static const char replacement[] = "\xEF\xBF\xBD";

/* The length of the character that begins here, if jansson takes it; else 0. */
static size_t character_length(const char *at, size_t left)
{
    for (size_t n = 1; n <= 4 && n <= left; n++) {
        json_t *one = json_stringn(at, n);
        json_decref(one);
        if (one)
            return n;
    }
    return 0;
}

json_t *json_name(const char *name)
{
    if (!name)
        return json_null();
    json_t *whole = json_string(name);
    if (whole)
        return whole;
    size_t left = strlen(name), n = 0;
    char *text = malloc(left * 3 + 1);
    while (text && left) {
        size_t length = character_length(name, left), taken = length ? length : 1;
        memcpy(text + n, length ? name : replacement, length ? length : 3);
        n += length ? length : 3;
        name += taken;
        left -= taken;
    }
    whole = text ? json_stringn(text, n) : json_null();
    free(text);
    return whole;
}
