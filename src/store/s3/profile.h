/* A profile of AWS: what the files of credentials and of settings say of it. */
#ifndef STORE_S3_PROFILE_H
#define STORE_S3_PROFILE_H

#include "store/s3/credentials.h"

struct profile {
    char name[128];
    bool is_named; /* by AWS_PROFILE */
    bool is_there; /* a file has it */
    struct credentials credentials;
    char process[2048]; /* credential_process: a command; "" as in the following: nothing is said */
    char region[64];
    char endpoint[512]; /* endpoint_url; or of S3 alone, in the section of its services */
    char addressing[16];
    char services[128]; /* the section of its services */
    char role[16];      /* not "": it is to assume a role */
};

/* The profile AWS_PROFILE (default) of AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials), and what that does not say, of
 * AWS_CONFIG_FILE (~/.aws/config). A file that is not there says nothing. -EACCES and the like: a file can't be read;
 * -EINVAL: a value or a path is too long; *ret_why is then a static sentence. */
int profile_find(struct profile *ret, const char **ret_why);
/* Forgets its secrets. */
void profile_clear(struct profile *profile);

/* The inside of profile_find: reads the section `section` of a file; a value that is known stays. `services`: it is one
 * of services, in which settings stand behind the name of the service. 1: the section is there; 0: it is not. */
int profile_read(struct profile *profile, const char *path, const char *section, bool services);

#endif
