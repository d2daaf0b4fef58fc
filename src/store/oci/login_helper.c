/* SPDX-License-Identifier: MIT */
#include "store/helper.h"
#include "store/oci/login.h"
#include <jansson.h>
#include <stdio.h>

#define ANSWER_MAX  65536u
#define PATIENCE_MS 30000

int login_read_helper(struct login *ret, const char *json, size_t n)
{
    json_error_t problem;
    json_t *whole = n ? json_loadb(json, n, 0, &problem) : NULL;
    const char *user = json_string_value(json_object_get(whole, "Username"));
    const char *secret = json_string_value(json_object_get(whole, "Secret"));
    int r = user && secret ? 0 : -EBADMSG;
    if (r == 0 && strcmp(user, "<token>") == 0)
        r = (ret->refresh = strdup(secret)) ? 0 : -ENOMEM;
    else if (r == 0) {
        ret->user = strdup(user);
        ret->password = strdup(secret);
        r = ret->user && ret->password ? 0 : -ENOMEM;
    }
    json_decref(whole);
    return r;
}

int login_ask_helper(struct login *ret, const char *helper, const char *host)
{
    char command[HELPER_MAX + 32];
    char *answer = calloc(1, ANSWER_MAX + 1);
    size_t n = 0;
    if (!answer)
        return -ENOMEM;
    snprintf(command, sizeof(command), "docker-credential-%s get", helper);
    int r = helper_run(command, host, answer, ANSWER_MAX, &n, PATIENCE_MS, NULL);
    if (r == 0)
        r = login_read_helper(ret, answer, n);
    else if (strstr(answer, "credentials not found")) /* the helper's message for "nothing found" */
        r = 0;
    memset(answer, 0, ANSWER_MAX);
    free(answer);
    return r;
}
