/* SPDX-License-Identifier: MIT */
/* What a file that replaces another one takes over from it besides its name: owner, group, mode, access control list,
 * extended attributes, security label, capabilities, flags of chattr(1). Set-user-ID and set-group-ID are not taken
 * over: the kernel treats them as part of the contents. */
#ifndef ENDPOINT_CARRY_H
#define ENDPOINT_CARRY_H

#include "base/base.h"
#include <stdbool.h>
#include <sys/stat.h>

#define CARRY_LOST_MAX 96

struct carried {
    char *from; /* A path to the old file; borrowed. */
    unsigned mode;
    uid_t uid;
    gid_t gid;
    bool drops; /* What the new file cannot have is left out; otherwise that is a failure. */
    bool plain; /* carry_try has found nothing to carry but the mode. */
};

/* Tries to give the new file all of it, while the file is empty. Afterwards the file again has the mode that it had
 * (0600), so that no other user can open it meanwhile. Returns 0, or a negative errno; then `lost` names what cannot be
 * kept, and *ret_operation the call. */
int carry_try(struct carried *carried, int fd, const char **ret_operation, char lost[CARRY_LOST_MAX]);

/* Gives the new file all of it for good, when all bytes are written. It makes no call that changes nothing. Returns as
 * carry_try. */
int carry_apply(const struct carried *carried, int fd, const char **ret_operation, char lost[CARRY_LOST_MAX]);

/* Sets the mode by fchmod(2), unless the file has it already. Returns 0 or a negative errno. */
int carry_mode(int fd, unsigned mode);

#endif
