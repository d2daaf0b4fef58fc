/* A user and a password for a registry, from the files where other tools keep them. */
#ifndef STORE_OCI_LOGIN_H
#define STORE_OCI_LOGIN_H

#include "base/base.h"
#include <stdbool.h>

#define HELPER_MAX 128

struct login {
    char *user, *password;   /* NULL: there are none */
    char *refresh;           /* a token that others are had for, instead of a password; or NULL */
    char helper[HELPER_MAX]; /* the program that knows: docker-credential-HELPER; "": none is named */
};

/* Looks for the host, or for the repository on it if the file tells these apart, in the file that REGISTRY_AUTH_FILE
 * names, or else in containers/auth.json (of XDG_RUNTIME_DIR, then of XDG_CONFIG_HOME or ~/.config) and config.json (of
 * DOCKER_CONFIG or ~/.docker). The first file that has it counts. If that names a helper for the host
 * (credHelpers, or credsStore), the helper is asked, and waited for, 30 seconds at most. 0, also if there is none;
 * -EBADMSG: a file is no such JSON; -ENOMEM; what open(2) and read(2) say, except that a file which is not there, or
 * may not be read, is passed over unless REGISTRY_AUTH_FILE names it. On failure *ret_file is the file, to be freed, or
 * NULL. */
int login_find(struct login *ret, const char *host, const char *name, char **ret_file);
void login_clear(struct login *login);

/* The inside of login_find: asks docker-credential-HELPER. 0, also if it knows nothing of the host. -EIO: it failed. */
int login_ask_helper(struct login *ret, const char *helper, const char *host);
/* What a helper says. -EBADMSG, -ENOMEM. */
int login_read_helper(struct login *ret, const char *json, size_t n);

/* The inside of login_find, for one file's content. 1: it has the host. 0: it has not. -EBADMSG, -ENOMEM. */
int login_read(struct login *ret, const char *json, size_t n, const char *host, const char *name);

/* "user:password" in base64, as Basic wants it. NULL: no memory. */
char *login_basic(const struct login *login);

#endif
