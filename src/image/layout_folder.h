/* SPDX-License-Identifier: MIT */
/* The folders of a layout that is written. Each is opened once. So if another process replaces one of them meanwhile,
 * by a link for example, the replacement is not followed. */
#ifndef IMAGE_LAYOUT_FOLDER_H
#define IMAGE_LAYOUT_FOLDER_H

#include "base/error.h"
#include <leat/endpoint.h>
#include <sys/stat.h>

enum folder {
    FOLDER_ROOT,
    FOLDER_BLOBS,
    FOLDER_SHA256,
    FOLDER_SHA512,
    FOLDERS
};

struct layout_folder {
    const char *path; /* path of the layout; borrowed from the caller */
    int fd[FOLDERS];
};

#define LAYOUT_FOLDER_CLOSED                                                                                           \
    (struct layout_folder)                                                                                             \
    {                                                                                                                  \
        .fd = { -1, -1, -1, -1 }                                                                                       \
    }

/* Creates the missing folders and opens all of them. The layout itself may be a link, because the caller chose it; a
 * folder in it that is a link gives -ELOOP. The caller calls folder_close, also after a failure. */
int folder_open(struct layout_folder *ret, const char *path, struct leat_error *error);
/* Legal on a closed struct. */
void folder_close(struct layout_folder *folder);

/* Returns the folder of the blob with this digest, and its name there. */
enum folder folder_of(const char *digest, const char **ret_name);

/* Looks at a file. It may be missing, and then *ret is zero. Returns 0, -ELOOP if it is a link, or -EINVAL if it is not
 * a regular file. */
int folder_look(const struct layout_folder *folder, enum folder in, const char *name, struct stat *ret,
                struct leat_error *error);
/* Makes a sink that publishes a file with that name. It replaces only a regular file. */
int folder_sink(const struct layout_folder *folder, enum folder in, const char *name, leat_endpoint **ret,
                struct leat_error *error);

#endif
