/* SPDX-License-Identifier: MIT */
/* The names of errno values, for systems whose C library has no function for them. */
#ifndef BASE_ERRNO_NAME_H
#define BASE_ERRNO_NAME_H

/* Returns the name, such as "ENOSPC", or NULL for a value that POSIX does not name. Static. */
const char *errno_name_posix(int code);

#endif
