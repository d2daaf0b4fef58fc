/* SPDX-License-Identifier: MIT */
/* A profile of AWS, as the credentials file and the config file have it. */
#ifndef STORE_S3_PROFILE_H
#define STORE_S3_PROFILE_H

#include "store/s3/credentials.h"

struct profile {
    char name[128];
    bool is_named; /* AWS_PROFILE names it */
    bool is_there; /* a file has a section of it */
    struct credentials credentials;
    char process[2048]; /* credential_process: a command; here and below, "" means not set */
    char region[64];
    char endpoint[512]; /* endpoint_url, or that of S3 alone from the section of its services */
    char addressing[16];
    char services[128]; /* the name of the section of its services */
    char role[16];      /* not "": the profile wants to assume a role */
};

/* Reads the profile AWS_PROFILE (by default "default") from AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials), and
 * values that this file lacks from AWS_CONFIG_FILE (~/.aws/config). A missing file is not an error. Returns 0; -EACCES
 * or the like if a file cannot be read; or -EINVAL if a value or a path is too long. After an error *ret_why is a
 * static sentence. */
int profile_find(struct profile *ret, const char **ret_why);
/* Erases the secrets of the profile. */
void profile_clear(struct profile *profile);

/* For profile_find and its tests: reads the section `section` of a file; values that are set already stay. `services`:
 * it is a section of services, in which settings follow the name of the service. Returns 1 if the section exists, 0 if
 * not, or a negative errno. */
int profile_read(struct profile *profile, const char *path, const char *section, bool services);

#endif
