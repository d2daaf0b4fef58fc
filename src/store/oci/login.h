/* SPDX-License-Identifier: MIT */
/* Finds the user and the password for a registry in the files of other tools. */
#ifndef STORE_OCI_LOGIN_H
#define STORE_OCI_LOGIN_H

#include "base/base.h"
#include <stdbool.h>

#define HELPER_MAX 128

struct login {
    char *user, *password;   /* NULL: none */
    char *refresh;           /* a refresh token, used instead of a password; or NULL */
    char helper[HELPER_MAX]; /* the credential helper is docker-credential-HELPER; "": none */
};

/* Looks up the host, or the repository on it if the file distinguishes them. It searches the file that
 * REGISTRY_AUTH_FILE names, or else containers/auth.json (of XDG_RUNTIME_DIR, then of XDG_CONFIG_HOME or ~/.config) and
 * config.json (of DOCKER_CONFIG or ~/.docker). The first file with an entry is used. If it names a helper for the host
 * (credHelpers or credsStore), the call runs the helper and blocks for at most 30 seconds. Returns 0, also if there is
 * no login; -EBADMSG if a file is not such JSON; -ENOMEM; or an error of open(2) or read(2). A file that does not exist
 * or may not be read is skipped, unless REGISTRY_AUTH_FILE names it. After a failure *ret_file is the file's path,
 * which the caller frees, or NULL. */
int login_find(struct login *ret, const char *host, const char *name, char **ret_file);
void login_clear(struct login *login);

/* For login_find and its tests: runs docker-credential-HELPER. Returns 0, also if it has no entry for the host, or -EIO
 * if it failed, or -ETIMEDOUT if it did not end in 30 seconds. */
int login_ask_helper(struct login *ret, const char *helper, const char *host);
/* Parses the output of a helper. Returns 0, -EBADMSG or -ENOMEM. */
int login_read_helper(struct login *ret, const char *json, size_t n);

/* For login_find and its tests: reads the content of one file. Returns 1 if it has the host, 0 if not, -EBADMSG or
 * -ENOMEM. */
int login_read(struct login *ret, const char *json, size_t n, const char *host, const char *name);

/* Returns "user:password" in base64, for Basic; from malloc. NULL: memory is short. */
char *login_basic(const struct login *login);

#endif
