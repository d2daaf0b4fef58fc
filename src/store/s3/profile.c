/* SPDX-License-Identifier: MIT */
/* The files have sections with settings, "name = value". A setting without a value may be followed by settings of its
 * own, which are indented: "s3 =" and below it " addressing_style = path" becomes s3.addressing_style here. */
#include "store/s3/profile.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#define LINE_BYTES (TOKEN_MAX + 64)
#define NAME_BYTES 128

struct profile_reading {
    struct profile *profile;
    const char *section;
    bool services;
    bool inside, found;
    char outer[NAME_BYTES]; /* the setting without a value before this line; "": none */
};

/* Removes spaces at both ends. */
static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t n = strlen(text);
    while (n && isspace((unsigned char)text[n - 1]))
        text[--n] = '\0';
    return text;
}

struct profile_setting {
    const char *name;
    char *to;
    size_t capacity;
};

static int set(const struct profile_setting *known, size_t n, const char *name, const char *value)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(known[i].name, name) == 0 && !known[i].to[0])
            return snprintf(known[i].to, known[i].capacity, "%s", value) >= (int)known[i].capacity ? -EINVAL : 0;
    return 0; /* a setting that is not used here, or one that is set already */
}

static int set_value(const struct profile_reading *r, const char *name, const char *value)
{
    struct profile *p = r->profile;
    struct credentials *c = &p->credentials;
    const struct profile_setting of_profile[] = {
        {"aws_access_key_id", c->key, sizeof(c->key)},
        {"aws_secret_access_key", c->secret, sizeof(c->secret)},
        {"aws_session_token", c->token, sizeof(c->token)},
        {"credential_process", p->process, sizeof(p->process)},
        {"region", p->region, sizeof(p->region)},
        {"endpoint_url", p->endpoint, sizeof(p->endpoint)},
        {"s3.addressing_style", p->addressing, sizeof(p->addressing)},
        {"services", p->services, sizeof(p->services)},
    };
    const struct profile_setting of_services[] = {{"s3.endpoint_url", p->endpoint, sizeof(p->endpoint)}};
    if (!r->services && strcmp(name, "role_arn") == 0)
        snprintf(p->role, sizeof(p->role), "yes");
    return r->services ? set(of_services, COUNT(of_services), name, value)
                       : set(of_profile, COUNT(of_profile), name, value);
}

static void begin_section(struct profile_reading *r, char *line)
{
    char *end = strchr(line, ']');
    if (end)
        *end = '\0';
    r->inside = strcmp(trim(line + 1), r->section) == 0;
    r->found |= r->inside;
    r->outer[0] = '\0';
}

static int read_line(struct profile_reading *r, char *line, bool whole)
{
    bool indented = isspace((unsigned char)line[0]);
    char *text = trim(line), *equals = strchr(text, '=');
    if (*text == '\0' || *text == '#' || *text == ';')
        return 0;
    if (*text == '[' && (!indented || !r->outer[0])) {
        begin_section(r, text);
        return 0;
    }
    if (!r->inside || !equals)
        return 0;
    *equals = '\0';
    const char *name = trim(text), *value = trim(equals + 1);
    char inner[2 * NAME_BYTES];
    if (!indented || !r->outer[0]) {
        snprintf(r->outer, sizeof(r->outer), "%s", *value ? "" : name);
        return whole ? set_value(r, name, value) : -EINVAL;
    }
    snprintf(inner, sizeof(inner), "%s.%.100s", r->outer, name);
    return whole ? set_value(r, inner, value) : -EINVAL;
}

int profile_read(struct profile *profile, const char *path, const char *section, bool services)
{
    struct profile_reading r = {.profile = profile, .section = section, .services = services};
    char line[LINE_BYTES];
    int code = 0;
    FILE *from = fopen(path, "re");
    if (!from)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
    while (code == 0 && fgets(line, sizeof(line), from)) {
        bool whole = strchr(line, '\n') || feof(from);
        code = read_line(&r, line, whole);
        while (!whole && fgets(line, sizeof(line), from)) /* the rest of a line that is too long */
            whole = strchr(line, '\n') || feof(from);
    }
    if (code == 0 && ferror(from))
        code = -EIO;
    memset(line, 0, sizeof(line));
    fclose(from);
    return code < 0 ? code : r.found;
}

/* ---- both files ---- */

/* The path from the variable, or else the default in the home directory. */
static int find_path(const char *variable, const char *file, char ret[4096])
{
    const char *path = getenv(variable), *home = getenv("HOME");
    int n = path && *path ? snprintf(ret, 4096, "%s", path) : snprintf(ret, 4096, "%s/.aws/%s", home ? home : "", file);
    return n < 4096 ? 0 : -ENAMETOOLONG;
}

static int read_settings(struct profile *p)
{
    char path[4096], section[160];
    int r = find_path("AWS_CONFIG_FILE", "config", path);
    if (r < 0)
        return r;
    bool is_default = strcmp(p->name, "default") == 0;
    snprintf(section, sizeof(section), "%s%s", is_default ? "" : "profile ", p->name);
    r = profile_read(p, path, section, false);
    if (r == 0 && is_default)
        r = profile_read(p, path, "profile default", false);
    p->is_there |= r > 0;
    if (r < 0 || !p->services[0])
        return MIN(r, 0);
    char of_all[sizeof(p->endpoint)];
    memcpy(of_all, p->endpoint, sizeof(of_all));
    p->endpoint[0] = '\0'; /* the setting of the service has precedence */
    snprintf(section, sizeof(section), "services %s", p->services);
    r = profile_read(p, path, section, true);
    if (!p->endpoint[0])
        memcpy(p->endpoint, of_all, sizeof(of_all));
    return MIN(r, 0);
}

int profile_find(struct profile *ret, const char **ret_why)
{
    const char *name = getenv("AWS_PROFILE");
    char path[4096];
    *ret = (struct profile){.is_named = name && *name};
    *ret_why = "the name in AWS_PROFILE is too long";
    if (snprintf(ret->name, sizeof(ret->name), "%s", ret->is_named ? name : "default") >= (int)sizeof(ret->name))
        return -EINVAL;
    *ret_why = "the path of the credentials file is too long";
    int r = find_path("AWS_SHARED_CREDENTIALS_FILE", "credentials", path);
    if (r < 0)
        return r;
    r = profile_read(ret, path, ret->name, false);
    *ret_why = r == -EINVAL ? "a value of the profile in the credentials file is too long"
                            : "the credentials file can't be read";
    if (r < 0)
        return r;
    ret->is_there = r > 0;
    const struct credentials first = ret->credentials;
    r = read_settings(ret);
    if (first.key[0] || first.secret[0]) /* keys of different files are not combined */
        ret->credentials = first;
    *ret_why = r == -EINVAL         ? "a value of the profile in AWS_CONFIG_FILE is too long"
               : r == -ENAMETOOLONG ? "the path of AWS_CONFIG_FILE is too long"
                                    : "AWS_CONFIG_FILE can't be read";
    return r;
}

void profile_clear(struct profile *profile)
{
    memset(&profile->credentials, 0, sizeof(profile->credentials));
}
