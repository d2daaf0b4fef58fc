#include "store/s3/profile.h"
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#define LINE_BYTES (TOKEN_MAX + 64)

/* Cuts blanks off both ends. */
static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t n = strlen(text);
    while (n && isspace((unsigned char)text[n - 1]))
        text[--n] = '\0';
    return text;
}

static int set_value(struct credentials *c, const char *name, const char *value)
{
    const struct {
        const char *name;
        char *to;
        size_t capacity;
    } values[] = {
        {"aws_access_key_id", c->key, sizeof(c->key)},
        {"aws_secret_access_key", c->secret, sizeof(c->secret)},
        {"aws_session_token", c->token, sizeof(c->token)},
    };
    for (size_t i = 0; i < COUNT(values); i++)
        if (strcmp(name, values[i].name) == 0)
            return snprintf(values[i].to, values[i].capacity, "%s", value) >= (int)values[i].capacity ? -EINVAL : 0;
    return 0; /* a setting of something else */
}

/* "[profile]": is it the one? */
static bool is_section(char *line, const char *profile)
{
    char *end = strchr(line, ']');
    if (end)
        *end = '\0';
    return strcmp(trim(line + 1), profile) == 0;
}

static int read_file(struct credentials *c, FILE *from, const char *profile)
{
    char line[LINE_BYTES];
    bool inside = false, found = false;
    int r = 0;
    while (r == 0 && fgets(line, sizeof(line), from)) {
        bool whole = strchr(line, '\n') || feof(from);
        char *text = trim(line), *equals = strchr(text, '=');
        if (*text == '[')
            found |= inside = is_section(text, profile);
        else if (inside && equals && *text != '#' && *text != ';') {
            *equals = '\0';
            r = whole ? set_value(c, trim(text), trim(equals + 1)) : -EINVAL;
        }
        while (!whole && fgets(line, sizeof(line), from)) /* the rest of a line that is too long */
            whole = strchr(line, '\n') || feof(from);
    }
    memset(line, 0, sizeof(line));
    return r < 0 ? r : !found ? -ENOENT : c->key[0] && c->secret[0] ? 0 : -EINVAL;
}

int profile_read(struct credentials *ret, const char *path, const char *profile)
{
    struct credentials read = {.key = ""};
    FILE *from = fopen(path, "re");
    if (!from)
        return -errno;
    int r = read_file(&read, from, profile);
    fclose(from);
    if (r == 0)
        *ret = read;
    memset(&read, 0, sizeof(read));
    return r;
}
