/* Percent-encoding (RFC 3986), as URLs and signatures of S3 want it. */
#ifndef STORE_URL_H
#define STORE_URL_H

#include "base/base.h"
#include <stdbool.h>
#include <stdio.h>

/* Writes `n` bytes; each one that is neither a letter, a digit nor one of -._~ as %XX. `path`: a slash stays as well.
 */
void url_encode(FILE *to, const char *bytes, size_t n, bool path);

/* Decodes in place what a form or a list of S3 has encoded: %XX, and "+" as a blank. -EINVAL: a "%" without two
 * hexadecimal digits, or "%00". */
int url_decode(char *text);

/* Where the host of an http: or https: URL begins, and the length of it and its port; without a password before it. */
size_t url_host(const char *url, const char **ret);

/* A URL that has a user and perhaps a password before its host, without these: they are decoded. All are from malloc,
 * and NULL if they are not there. 1: it has a user; 0: it has none, and nothing is set; -EINVAL: what is there can't be
 * decoded; -ENOMEM. */
int url_take_login(const char *url, char **ret_url, char **ret_user, char **ret_password);

/* A URL in its parts, each from malloc. */
struct url {
    char *scheme; /* "http" or "https" */
    char *host;   /* with a port, as the Host header has it; an IPv6 address is in brackets */
    char *path;   /* begins with a slash and includes the query; at least "/" */
};

/* Splits `text`. -EINVAL: it is not http:// or https:// with a host, or has user information or control characters;
 * -ENOMEM. On failure nothing is to be freed. */
int url_parse(struct url *ret, const char *text);
void url_clear(struct url *url);

#endif
