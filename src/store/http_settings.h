/* SPDX-License-Identifier: MIT */
/* The HTTP settings that the options of an endpoint give. All requests of an endpoint share one of these, on several
 * threads. It is constant once it is made. */
#ifndef STORE_HTTP_SETTINGS_H
#define STORE_HTTP_SETTINGS_H

#include "base/base.h"
#include "store/curl.h"
#include <leat/endpoint.h>
#include <stdatomic.h>
#include <stdbool.h>

struct http_settings {
    atomic_uint refs;
    char *cacert, *capath; /* trusted authorities: a file, a folder; NULL: libcurl's default */
    char *cert,
        *key; /* client certificate and key; NULL: none. If only the key is NULL, the certificate's file has the key */
    /* For http: alone. */
    char *user, *password; /* NULL: none */
    bool netrc;            /* otherwise user and password come from a netrc file: */
    char *netrc_file;      /* this one; NULL: ~/.netrc */
    char **header;         /* "Name: value" */
    size_t headers;
};

/* "NAME: VALUE", split; both point into the text that was given. */
struct http_header {
    const char *name, *value;
    size_t name_length;
};

/* Splits `text`. `number` is that of the header, for the sentence. Returns 0, or -EINVAL if it is not a header, has
 * control characters, or is a header that leat sets itself. */
int http_header_split(const char *text, size_t number, struct http_header *ret, struct leat_error *error);

/* Makes the settings from the options, and from the environment where an option is not set. Opens the files once, so
 * that an unreadable file fails here. Returns 0, -EINVAL, -ENOMEM, or an error of open(2). */
int http_settings_new(struct http_settings **ret, const struct leat_endpoint_options *options,
                      struct leat_error *error);

/* Adds the options for http: alone, and the login of a URL (NULL: none). Returns what http_settings_new returns. Errors
 * do not quote values, which may be secret. */
int http_settings_add(struct http_settings *settings, const struct leat_endpoint_options *options, const char *user,
                      const char *password, struct leat_error *error);

/* Take and drop a reference. NULL is allowed and means the default settings. */
struct http_settings *http_settings_ref(struct http_settings *settings);
void http_settings_unref(struct http_settings *settings);

/* Sets the options of one request of libcurl. `own`: the request goes to the server that the endpoint names, so secrets
 * are sent as well. Returns false if memory is short. */
/* Headers are appended to *list. */
bool http_settings_apply(const struct http_settings *settings, CURL *easy, struct curl_slist **list, bool own);

#endif
