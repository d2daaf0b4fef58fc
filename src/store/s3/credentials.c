#include "store/s3/credentials.h"
#include <errno.h>
#include <stdio.h>

static int copy_variable(const char *name, char *ret, size_t capacity)
{
    const char *value = getenv(name);
    int n = snprintf(ret, capacity, "%s", value ? value : "");
    return n < 0 || (size_t)n >= capacity ? -EINVAL : 0;
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
    return r;
}
