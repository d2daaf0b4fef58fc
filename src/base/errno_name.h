/* The names of errno values where the C library has no call for them. */
#ifndef BASE_ERRNO_NAME_H
#define BASE_ERRNO_NAME_H

/* "ENOSPC"; NULL for a value that POSIX does not name. Static. */
const char *errno_name_posix(int code);

#endif
