/* SPDX-License-Identifier: MIT */
/* The sources that need no network. */
#include "store/s3/credentials.h"
#include "store/date.h"
#include "store/helper.h"
#include "store/s3/profile.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

/* ---- the environment ---- */

static int copy_variable(const char *name, char *ret, size_t capacity)
{
    const char *value = getenv(name);
    int n = snprintf(ret, capacity, "%s", value ? value : "");
    return n < 0 || (size_t)n >= capacity ? -EINVAL : 0;
}

static int ask_environment(const struct profile *profile UNUSED, struct credentials *ret, char said[SAID_MAX],
                           const atomic_bool *stop UNUSED)
{
    snprintf(said, SAID_MAX, "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN is too long");
    if (copy_variable("AWS_ACCESS_KEY_ID", ret->key, sizeof(ret->key)) < 0 ||
        copy_variable("AWS_SECRET_ACCESS_KEY", ret->secret, sizeof(ret->secret)) < 0 ||
        copy_variable("AWS_SESSION_TOKEN", ret->token, sizeof(ret->token)) < 0)
        return -EINVAL;
    snprintf(said, SAID_MAX, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set together, or neither is");
    if (!ret->key[0] != !ret->secret[0])
        return -EINVAL;
    snprintf(said, SAID_MAX, "not set");
    return ret->key[0] != '\0';
}

const struct credential_source credentials_of_environment = {.name = "environment", .ask = ask_environment};

/* ---- the files ---- */

static int ask_profile(const struct profile *profile, struct credentials *ret, char said[SAID_MAX],
                       const atomic_bool *stop UNUSED)
{
    *ret = profile->credentials;
    snprintf(said, SAID_MAX, "there is no profile of the name in AWS_PROFILE");
    if (profile->is_named && !profile->is_there)
        return -ENOENT;
    snprintf(said, SAID_MAX, "the profile in the credentials file lacks its key or secret");
    if (!ret->key[0] != !ret->secret[0])
        return -EINVAL;
    snprintf(said, SAID_MAX, "it has a role_arn, and no role is assumed by leat");
    if (!ret->key[0] && profile->role[0] && !profile->process[0])
        return -ENOTSUP;
    snprintf(said, SAID_MAX, profile->is_there ? "it has no key" : "not there");
    return ret->key[0] != '\0';
}

const struct credential_source credentials_of_profile = {
    .name = "profile", .changes = true, .is_file = true, .ask = ask_profile};

/* ---- JSON of programs and endpoints ---- */

static int take(const json_t *whole, const char *name, char *ret, size_t capacity)
{
    const char *text = json_string_value(json_object_get(whole, name));
    int n = snprintf(ret, capacity, "%s", text ? text : "");
    return n < 0 || (size_t)n >= capacity ? -EINVAL : 0;
}

int credentials_read(struct credentials *ret, const char *json, size_t n, const char *token)
{
    json_error_t problem;
    *ret = (struct credentials){.key = ""};
    json_t *whole = n ? json_loadb(json, n, 0, &problem) : NULL;
    const char *expires = json_string_value(json_object_get(whole, "Expiration"));
    int r = take(whole, "AccessKeyId", ret->key, sizeof(ret->key));
    if (r == 0)
        r = take(whole, "SecretAccessKey", ret->secret, sizeof(ret->secret));
    if (r == 0)
        r = take(whole, token, ret->token, sizeof(ret->token));
    if (r == 0 && (!ret->key[0] || !ret->secret[0] || (expires && date_read_iso(expires, &ret->expires_s) < 0)))
        r = -EBADMSG;
    json_decref(whole);
    return r;
}

#define ANSWER_BYTES        65536u
#define PROCESS_PATIENCE_MS 60000

/* Checks the version of the answer, which a program must give. */
static bool is_version_1(const char *json, size_t n)
{
    json_error_t problem;
    json_t *whole = n ? json_loadb(json, n, 0, &problem) : NULL;
    bool is = json_integer_value(json_object_get(whole, "Version")) == 1;
    json_decref(whole);
    return is;
}

static int ask_process(const struct profile *profile, struct credentials *ret, char said[SAID_MAX],
                       const atomic_bool *stop)
{
    size_t n = 0;
    said[0] = '\0';
    if (!profile->process[0])
        return 0;
    char *answer = calloc(1, ANSWER_BYTES);
    snprintf(said, SAID_MAX, "out of memory");
    if (!answer)
        return -ENOMEM;
    int r = helper_run(profile->process, "", answer, ANSWER_BYTES, &n, PROCESS_PATIENCE_MS, stop);
    if (r < 0)
        snprintf(said, SAID_MAX, r == -ETIMEDOUT ? "the program did not end" : "the program failed");
    else if (!is_version_1(answer, n)) {
        snprintf(said, SAID_MAX, "the program did not say what is wanted (Version 1)");
        r = -EBADMSG;
    } else if ((r = credentials_read(ret, answer, n, "SessionToken")) < 0)
        snprintf(said, SAID_MAX, "the program said no key and secret, or no date that can be read");
    memset(answer, 0, ANSWER_BYTES);
    free(answer);
    return r < 0 ? r : 1;
}

const struct credential_source credentials_of_process = {
    .name = "credential_process", .changes = true, .ask = ask_process};
