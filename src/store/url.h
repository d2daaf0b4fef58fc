/* SPDX-License-Identifier: MIT */
/* URLs: percent-encoding (RFC 3986), as S3 wants it in URLs and signatures, and parsing. */
#ifndef STORE_URL_H
#define STORE_URL_H

#include "base/base.h"
#include <stdbool.h>
#include <stdio.h>

/* Writes n bytes to `to`. Each byte that is not a letter, a digit or one of -._~ becomes %XX. `path`: slashes stay as
 * they are. */
void url_encode(FILE *to, const char *bytes, size_t n, bool path);

/* Decodes in place what a form or an S3 list has encoded: %XX, and "+" for a space. Returns 0, or -EINVAL for "%00" and
 * for a "%" without two hexadecimal digits. */
int url_decode(char *text);

/* Sets *ret to the start of the host of an http: or https: URL, and returns the length of the host and its port. User
 * and password before the host are skipped. */
size_t url_host(const char *url, const char **ret);

/* Splits off the user and the password of a URL, and decodes them. All three results are from malloc, and NULL where
 * the part is missing. Returns 1 if the URL has a user; 0 if it has none, and then sets nothing; -EINVAL if user or
 * password cannot be decoded; or -ENOMEM. */
int url_take_login(const char *url, char **ret_url, char **ret_user, char **ret_password);

/* A URL in its parts, each from malloc. */
struct url {
    char *scheme; /* "http" or "https" */
    char *host;   /* with the port, as in the Host header; an IPv6 address is in brackets */
    char *path;   /* starts with a slash and includes the query; at least "/" */
};

/* Splits `text` into *ret. Returns 0; -EINVAL if it is not http:// or https:// with a host, or has user information or
 * control characters; or -ENOMEM. After a failure nothing needs to be freed. */
int url_parse(struct url *ret, const char *text);
void url_clear(struct url *url);

#endif
