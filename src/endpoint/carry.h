/* What a file that replaces another one takes over from it besides its name: owner, group, mode, access control list,
 * extended attributes, security label, capabilities, flags of chattr(1). Set-user-ID and set-group-ID are not among it:
 * they belong to the contents, as the kernel sees it. */
#ifndef ENDPOINT_CARRY_H
#define ENDPOINT_CARRY_H

#include "base/base.h"
#include <stdbool.h>
#include <sys/stat.h>

#define CARRY_LOST_MAX 96

struct carried {
    char *from; /* a path to the old file; borrowed */
    unsigned mode;
    uid_t uid;
    gid_t gid;
    bool drops; /* what the new file can't have is left out */
    bool plain; /* carry_try has found that there is nothing to carry but the mode */
};

/* Tries all of it on the new file while that is empty, which nobody else may open meanwhile: mode 0600 in the end.
 * -errno: `lost` names what can't be kept, and *ret_operation the call. */
int carry_try(struct carried *carried, int fd, const char **ret_operation, char lost[CARRY_LOST_MAX]);

/* For good, when all bytes are written. Calls nothing that changes nothing. */
int carry_apply(const struct carried *carried, int fd, const char **ret_operation, char lost[CARRY_LOST_MAX]);

/* fchmod, unless the file has that mode. */
int carry_mode(int fd, unsigned mode);

#endif
