/* SPDX-License-Identifier: MIT */
#include "store/oci/login.h"
#include "base/fd.h"
#include "base/json.h"
#include "store/base64.h"
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#define FILE_MAX_BYTES (1024u * 1024)

/* ---- one file ---- */

/* "https://host/v1/" and "host" mean the same host. A path after the host counts, unless it is a version of the
 * interface. */
static size_t key_matches(const char *key, const char *host, const char *name)
{
    if (strncmp(key, "https://", 8) == 0 || strncmp(key, "http://", 7) == 0)
        key = strstr(key, "://") + 3;
    size_t n = strlen(host);
    if (strncmp(key, host, n) != 0)
        return 0;
    const char *path = key + n;
    if (*path == '\0' || strcmp(path, "/") == 0 || strcmp(path, "/v1/") == 0 || strcmp(path, "/v2/") == 0 ||
        strcmp(path, "/v1") == 0 || strcmp(path, "/v2") == 0)
        return n;
    size_t same = 0;
    while (*path == '/' && name[same] && name[same] == path[1 + same])
        same++;
    bool below = *path == '/' && path[1 + same] == '\0' && (name[same] == '/' || name[same] == '\0');
    return below ? n + 1 + same : 0;
}

/* Returns the entry with the longest matching key. */
static json_t *find_entry(json_t *entries, const char *host, const char *name)
{
    const char *key;
    json_t *value, *found = NULL;
    size_t longest = 0;
    json_object_foreach(entries, key, value)
    {
        size_t n = key_matches(key, host, name);
        if (n > longest && json_is_object(value)) {
            longest = n;
            found = value;
        }
    }
    return found;
}

static int set(char **to, json_t *entry, const char *key)
{
    const char *value = json_string_value(json_object_get(entry, key));
    if (!value || !*value)
        return 0;
    return (*to = strdup(value)) ? 0 : -ENOMEM;
}

/* Decodes "user:password" from base64. */
static int set_auth(struct login *login, const char *text)
{
    size_t n;
    char *plain = text ? base64_read(text, &n) : NULL;
    char *colon = plain ? memchr(plain, ':', n) : NULL;
    if (text && (!colon || memchr(plain, '\0', n))) {
        free(plain);
        return -EBADMSG;
    }
    if (!text)
        return 0;
    login->user = strndup(plain, (size_t)(colon - plain));
    login->password = strndup(colon + 1, n - (size_t)(colon - plain) - 1);
    free(plain);
    return login->user && login->password ? 0 : -ENOMEM;
}

/* The name becomes a part of a command. */
static int set_helper(struct login *login, const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (!*name || strlen(name) >= HELPER_MAX || strspn(name, letters) != strlen(name))
        return -EBADMSG;
    strcpy(login->helper, name);
    return 1;
}

static int read_entry(struct login *ret, json_t *entry)
{
    struct login login = {0};
    const char *auth = json_string_value(json_object_get(entry, "auth"));
    int r = set_auth(&login, auth && *auth ? auth : NULL);
    if (r == 0 && !login.user)
        r = set(&login.user, entry, "username");
    if (r == 0 && !login.password)
        r = set(&login.password, entry, "password");
    if (r == 0)
        r = set(&login.refresh, entry, "identitytoken");
    bool any = login.refresh || (login.user && login.password);
    if (r == 0 && any)
        *ret = login;
    else
        login_clear(&login);
    return r < 0 ? r : any;
}

int login_read(struct login *ret, const char *json, size_t n, const char *host, const char *name)
{
    json_t *whole = NULL;
    int read = json_read(&whole, json, n);
    if (!json_is_object(whole)) {
        json_decref(whole);
        return read == -ENOMEM ? read : -EBADMSG;
    }
    json_t *entry = find_entry(json_object_get(whole, "auths"), host, name);
    const char *helper = json_string_value(json_object_get(json_object_get(whole, "credHelpers"), host));
    const char *keychain = json_string_value(json_object_get(whole, "credsStore"));
    int r = helper ? set_helper(ret, helper) : entry ? read_entry(ret, entry) : 0;
    if (r == 0 && keychain && *keychain)
        r = set_helper(ret, keychain);
    json_decref(whole);
    return r;
}

/* ---- where the files are ---- */

static int read_all(int fd, char **ret, size_t *ret_n)
{
    char *bytes = malloc(FILE_MAX_BYTES);
    size_t n = 0;
    ssize_t got = bytes ? 1 : -1;
    while (got > 0 && n < FILE_MAX_BYTES) {
        got = read(fd, bytes + n, FILE_MAX_BYTES - n);
        n += got > 0 ? (size_t)got : 0;
    }
    int r = !bytes ? -ENOMEM : got < 0 ? -errno : n == FILE_MAX_BYTES ? -EFBIG : 0;
    if (r < 0) {
        free(bytes);
        return r;
    }
    *ret = bytes;
    *ret_n = n;
    return 0;
}

static int try_file(struct login *ret, const char *path, bool wanted, const char *host, const char *name)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return wanted || (errno != ENOENT && errno != ENOTDIR && errno != EACCES) ? -errno : 0;
    char *json;
    size_t n;
    int r = read_all(fd, &json, &n);
    fd_close(fd);
    if (r < 0)
        return r;
    r = login_read(ret, json, n, host, name);
    memset(json, 0, n);
    free(json);
    return r;
}

static const struct login_place {
    const char *variable, *under; /* the file is in a folder that this variable names */
    const char *home;             /* otherwise at this path in the home directory; NULL: nowhere */
} places[] = {
    {"XDG_RUNTIME_DIR", "containers/auth.json", NULL},
    {"XDG_CONFIG_HOME", "containers/auth.json", ".config/containers/auth.json"},
    {"DOCKER_CONFIG", "config.json", ".docker/config.json"},
};

/* NULL with *ret_code 0: the path does not exist for this user. */
static char *place_path(const struct login_place *place, int *ret_code)
{
    const char *folder = getenv(place->variable), *file = place->under;
    if (!folder || !*folder) {
        folder = place->home ? getenv("HOME") : NULL;
        file = place->home;
    }
    if (!folder || !*folder)
        return NULL;
    size_t n = strlen(folder) + strlen(file) + 2;
    char *path = malloc(n);
    if (path)
        snprintf(path, n, "%s/%s", folder, file);
    else
        *ret_code = -ENOMEM;
    return path;
}

static int find_in_files(struct login *ret, const char *host, const char *name, char **ret_file)
{
    const char *named = getenv("REGISTRY_AUTH_FILE");
    int r = 0;
    *ret = (struct login){0};
    *ret_file = NULL;
    if (named && *named) {
        r = try_file(ret, named, true, host, name);
        *ret_file = r < 0 ? strdup(named) : NULL;
        return r < 0 ? r : 0;
    }
    for (size_t i = 0; i < COUNT(places) && r == 0; i++) {
        char *path = place_path(&places[i], &r);
        if (!path)
            continue;
        r = try_file(ret, path, false, host, name);
        if (r < 0)
            *ret_file = path;
        else
            free(path);
    }
    return r < 0 ? r : 0;
}

int login_find(struct login *ret, const char *host, const char *name, char **ret_file)
{
    int r = find_in_files(ret, host, name, ret_file);
    if (r < 0 || !ret->helper[0])
        return r;
    r = login_ask_helper(ret, ret->helper, host);
    size_t n = sizeof("docker-credential-") + strlen(ret->helper);
    if (r < 0 && (*ret_file = malloc(n)))
        snprintf(*ret_file, n, "docker-credential-%s", ret->helper);
    return r;
}

static void wipe(char **text)
{
    if (*text)
        memset(*text, 0, strlen(*text));
    free(*text);
    *text = NULL;
}

void login_clear(struct login *login)
{
    wipe(&login->user);
    wipe(&login->password);
    wipe(&login->refresh);
}

char *login_basic(const struct login *login)
{
    size_t n = strlen(login->user) + strlen(login->password) + 2;
    char *plain = malloc(n);
    if (!plain)
        return NULL;
    snprintf(plain, n, "%s:%s", login->user, login->password);
    char *text = base64_write(plain, n - 1);
    memset(plain, 0, n);
    free(plain);
    return text;
}
