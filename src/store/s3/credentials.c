#include "store/s3/credentials.h"
#include "store/s3/profile.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

static int copy_variable(const char *name, char *ret, size_t capacity)
{
    const char *value = getenv(name);
    int n = snprintf(ret, capacity, "%s", value ? value : "");
    return n < 0 || (size_t)n >= capacity ? -EINVAL : 0;
}

/* The file is read where the environment has no key. */
static int find_in_file(struct credentials *ret, const char **ret_why)
{
    const char *file = getenv("AWS_SHARED_CREDENTIALS_FILE"), *home = getenv("HOME"), *profile = getenv("AWS_PROFILE");
    char path[4096];
    bool asked = profile && *profile;
    int n = file && *file ? snprintf(path, sizeof(path), "%s", file)
                          : snprintf(path, sizeof(path), "%s/.aws/credentials", home ? home : "");
    *ret_why = "the path of the credentials file is too long";
    int r = n < (int)sizeof(path) ? profile_read(ret, path, asked ? profile : "default") : -ENAMETOOLONG;
    if (r == -ENOENT && !asked)
        return 0; /* anonymous */
    if (r < 0 && r != -ENAMETOOLONG)
        *ret_why = r == -ENOENT ? "there is no profile of the name in AWS_PROFILE"
                   : r == -EINVAL
                       ? "the profile in the credentials file lacks its key or secret, or a value is too long"
                       : "the credentials file can't be read";
    return r;
}

int credentials_find(struct credentials *ret, const char **ret_why)
{
    *ret = (struct credentials){.key = ""};
    *ret_why = "a value of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN is too long";
    int r = copy_variable("AWS_ACCESS_KEY_ID", ret->key, sizeof(ret->key));
    if (r == 0)
        r = copy_variable("AWS_SECRET_ACCESS_KEY", ret->secret, sizeof(ret->secret));
    if (r == 0)
        r = copy_variable("AWS_SESSION_TOKEN", ret->token, sizeof(ret->token));
    if (r == 0 && !ret->key[0] != !ret->secret[0]) {
        *ret_why = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set together, or neither is";
        r = -EINVAL;
    }
    return r == 0 && !ret->key[0] ? find_in_file(ret, ret_why) : r;
}
