/* The folders of a layout that is written to, each opened once: what others put in their place meanwhile, such as a
 * link, is not followed. */
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
    const char *path; /* of the layout; the caller's */
    int fd[FOLDERS];
};

#define LAYOUT_FOLDER_CLOSED                                                                                           \
    (struct layout_folder)                                                                                             \
    {                                                                                                                  \
        .fd = { -1, -1, -1, -1 }                                                                                       \
    }

/* Makes those that are missing and opens all. The layout itself may be a link, by the caller's choice; a folder in it
 * that is one is -ELOOP. On failure too folder_close is due. */
int folder_open(struct layout_folder *ret, const char *path, struct leat_error *error);
/* Legal on what is closed. */
void folder_close(struct layout_folder *folder);

/* Where a blob with this digest lies, and its name there. */
enum folder folder_of(const char *digest, const char **ret_name);

/* A regular file, or missing: then *ret is zero. -ELOOP: it is a link; -EINVAL. */
int folder_look(const struct layout_folder *folder, enum folder in, const char *name, struct stat *ret,
                struct leat_error *error);
/* A sink that publishes a file of that name, which is replaced if it is a regular one. */
int folder_sink(const struct layout_folder *folder, enum folder in, const char *name, leat_endpoint **ret,
                struct leat_error *error);

#endif
