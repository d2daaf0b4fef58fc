/* How servers are spoken to: what the options of an endpoint say about it. The requests of an endpoint share one of
 * these, on several threads; it is constant once it is made. */
#ifndef STORE_HTTP_SETTINGS_H
#define STORE_HTTP_SETTINGS_H

#include "base/base.h"
#include "store/curl.h"
#include <leat/endpoint.h>
#include <stdatomic.h>
#include <stdbool.h>

struct http_settings {
    atomic_uint refs;
    char *cacert, *capath; /* what trusted authorities are in: a file, a folder; NULL: where libcurl has them */
    char *cert, *key;      /* of the client; NULL: none; a certificate without a key has it in the same file */
    /* Of http: alone. */
    char *user, *password; /* NULL: none */
    bool netrc;            /* else those of the host in a file, */
    char *netrc_file;      /* this one; NULL: ~/.netrc */
    char **header;         /* "Name: value" */
    size_t headers;
};

/* "NAME: VALUE", in parts of the text that was given. */
struct http_header {
    const char *name, *value;
    size_t name_length;
};

/* -EINVAL for what is no header, has control characters, or is what leat has to set itself. `number`: of the header,
 * for the sentence. */
int http_header_split(const char *text, size_t number, struct http_header *ret, struct leat_error *error);

/* Reads the options, and the environment where they say nothing. A file that can't be read is refused here. -EINVAL,
 * -ENOMEM, or what open(2) says. */
int http_settings_new(struct http_settings **ret, const struct leat_endpoint_options *options,
                      struct leat_error *error);

/* Adds what the options say for http: alone, and a login of a URL (NULL: it has none). As http_settings_new. Values are
 * not told in errors. */
int http_settings_add(struct http_settings *settings, const struct leat_endpoint_options *options, const char *user,
                      const char *password, struct leat_error *error);

/* NULL is allowed: the usual settings. */
struct http_settings *http_settings_ref(struct http_settings *settings);
void http_settings_unref(struct http_settings *settings);

/* Sets the options of one request of libcurl. `own`: it goes to the server that the endpoint names, so what is secret
 * is sent, too. False: no memory. */
/* Headers are added to the list. */
bool http_settings_apply(const struct http_settings *settings, CURL *easy, struct curl_slist **list, bool own);

#endif
