/* SPDX-License-Identifier: MIT */
/* Folders of this machine as a store: file:DIRECTORY. Links are reported, and not followed. */
#include "store/names.h"
#include "base/error.h"
#include "base/text.h"
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 200 /* of folders in folders */

static int fail(struct leat_error *error, int code, const char *operation)
{
    char text[128];
    return error_at(error, code, LEAT_SIDE_NONE, "", operation, "%s", error_text(code, text, sizeof(text)));
}

static int tell(const struct names_call *call, const char *path, const struct stat *st, struct leat_error *error)
{
    bool is_folder = S_ISDIR(st->st_mode);
    char *spec = text_join("file:", path, is_folder && path[strlen(path) - 1] != '/' ? "/" : "");
    if (!spec)
        return error_set(error, -ENOMEM, "out of memory");
    const struct leat_store_entry entry = {
        .name = spec + sizeof("file:") - 1,
        .spec = spec,
        .kind = is_folder ? LEAT_STORE_FOLDER : LEAT_STORE_OBJECT,
        .bytes = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : LEAT_STORE_SIZE_UNKNOWN,
        .modified_s = (int64_t)st->st_mtime,
    };
    int r = names_tell(call, &entry, error);
    free(spec);
    return r;
}

/* ---- lists ---- */

static int no_dots(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int list_folder(const struct names_call *call, const char *path, unsigned depth, struct leat_error *error);

/* An entry that was removed since the folder was read is skipped. */
static int tell_name(const struct names_call *call, const char *folder, const char *name, unsigned depth,
                     struct leat_error *error)
{
    struct stat st = {.st_mode = 0};
    int r;
    char *path = text_join(folder, folder[strlen(folder) - 1] == '/' ? "" : "/", name);
    if (!path)
        return error_set(error, -ENOMEM, "out of memory");
    if (lstat(path, &st) < 0)
        r = errno == ENOENT ? 0 : fail(error, -errno, "lstat");
    else if (S_ISDIR(st.st_mode) && call->options->recursive)
        r = list_folder(call, path, depth + 1, error);
    else
        r = tell(call, path, &st, error);
    free(path);
    return r;
}

static int list_folder(const struct names_call *call, const char *path, unsigned depth, struct leat_error *error)
{
    struct dirent **names;
    int r = 0, n = depth < DEPTH_MAX ? scandir(path, &names, no_dots, by_bytes) : -1;
    if (n < 0)
        return fail(error, depth < DEPTH_MAX ? -errno : -ELOOP, "scandir");
    for (int i = 0; i < n; i++) {
        if (r == 0)
            r = tell_name(call, path, names[i]->d_name, depth, error);
        free(names[i]);
    }
    free(names);
    return r;
}

static int check_path(const struct names_call *call, struct leat_error *error)
{
    return call->rest[0] ? 0 : error_set(error, -EINVAL, "'%s' names no file: write file:PATH", call->spec);
}

static int list_names(const struct names_call *call, struct leat_error *error)
{
    int r = check_path(call, error);
    return r < 0 ? r : list_folder(call, call->rest, 0, error);
}

/* ---- one file ---- */

static int stat_name(const struct names_call *call, struct leat_error *error)
{
    struct stat st = {.st_mode = 0};
    int r = check_path(call, error);
    if (r == 0 && stat(call->rest, &st) < 0)
        r = fail(error, -errno, "stat");
    return r < 0 ? r : tell(call, call->rest, &st, error);
}

static int check_name(const struct names_call *call, struct leat_error *error)
{
    return call->options->recursive ? error_set(error, -EOPNOTSUPP, "Folders of this machine are not removed here")
                                    : check_path(call, error);
}

/* A folder that could be replaced by a link in the meantime is no business of a store. */
static int remove_names(const struct names_call *calls, size_t n, struct removal *removal, struct leat_error *error)
{
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++) {
        struct leat_error own = {.size = sizeof(own)};
        if (unlink(calls[i].rest) < 0) {
            fail(&own, -errno, "unlink");
            names_failed(&calls[i], removal, calls[i].spec, &own);
        } else
            r = names_removed(&calls[i], removal, calls[i].rest, calls[i].spec, error);
    }
    return r;
}

const struct names folder_names = {.list = list_names, .stat = stat_name, .check = check_name, .remove = remove_names};
