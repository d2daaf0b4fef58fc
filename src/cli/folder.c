/* SPDX-License-Identifier: MIT */
#include "folder.h"
#include "cli.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The length of "scheme:" at the start of a spec; 0: the spec is a path. */
static size_t scheme_length(const char *spec)
{
    size_t n = strspn(spec, "abcdefghijklmnopqrstuvwxyz0123456789+-");
    return spec[0] >= 'a' && spec[0] <= 'z' && spec[n] == ':' ? n + 1 : 0;
}

static bool has_scheme(const char *spec, const char *scheme)
{
    return strncmp(spec, scheme, strlen(scheme)) == 0;
}

const char *folder_path(const char *spec)
{
    if (has_scheme(spec, "file:"))
        return spec + strlen("file:");
    return strcmp(spec, "-") == 0 || scheme_length(spec) ? NULL : spec;
}

bool folder_is_path(const char *spec)
{
    return folder_path(spec) != NULL;
}

bool folder_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The part of the spec that the name of an object in a store is the end of, without the host or the bucket; its length.
 * NULL: it is none. */
static const char *object_of(const char *spec, size_t *ret_length)
{
    static const char *const schemes[] = {"http://", "https://", "s3://"};
    size_t i = 0;
    while (i < 3 && !has_scheme(spec, schemes[i]))
        i++;
    if (i == 3)
        return NULL;
    const char *place = spec + strlen(schemes[i]);
    const char *version = strstr(place, "?versionId=");
    bool is_key = strcmp(schemes[i], "s3://") == 0; /* it may have any character */
    const char *path = place + strcspn(place, is_key ? "/" : "/?#");
    *ret_length = !is_key ? strcspn(path, "?#") : version && version >= path ? (size_t)(version - path) : strlen(path);
    return path;
}

/* The last part of the name of a file or an object; *ret_length is its length, 0 if there is none. */
static const char *last_part(const char *spec, size_t *ret_length)
{
    const char *name = folder_path(spec);
    size_t end = name ? strlen(name) : 0;
    if (!name)
        name = object_of(spec, &end);
    size_t start = end;
    while (start > 0 && name[start - 1] != '/')
        start--;
    *ret_length = end - start;
    return name ? name + start : NULL;
}

static bool is_name(const char *name, size_t n)
{
    return n > 0 && !(n == 1 && name[0] == '.') && !(n == 2 && name[0] == '.' && name[1] == '.');
}

int folder_enter(const char *command, const char *source, char **spec)
{
    size_t n, folder = strlen(*spec);
    const char *name = last_part(source, &n);
    if (!is_name(name, n))
        return cli_usage(command, "%s is a folder, and %s has no name for a file in it; write the whole name",
                         cli_name(*spec), cli_name(source));
    char *file = malloc(folder + n + 2);
    if (!file) {
        cli_warn("%s: %s", cli_name(*spec), strerror(ENOMEM));
        return EXIT_FAILED;
    }
    snprintf(file, folder + n + 2, "%s%s%.*s", *spec, (*spec)[folder - 1] == '/' ? "" : "/", (int)n, name);
    *spec = file;
    return 0;
}
