/* The shared file of credentials that the tools of AWS read: sections in brackets, lines "name = value". */
#ifndef STORE_S3_PROFILE_H
#define STORE_S3_PROFILE_H

#include "store/s3/credentials.h"

/* Reads the section `profile` of the file at `path`. 0: it is there, with a key and its secret. -ENOENT: there is no
 * such file, or no such section in it. -EINVAL: the section lacks one of them, or a value is too long. Else what the
 * file system says. */
int profile_read(struct credentials *ret, const char *path, const char *profile);

#endif
