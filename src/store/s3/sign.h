/* SPDX-License-Identifier: MIT */
/* Signs requests by AWS Signature Version 4, in headers. */
#ifndef STORE_S3_SIGN_H
#define STORE_S3_SIGN_H

#include "store/request.h"
#include "store/s3/credentials.h"

#define SIGN_UNSIGNED "UNSIGNED-PAYLOAD"
/* SHA-256 of no bytes. */
#define SIGN_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct signing {
    const struct credentials *credentials;
    const char *region;  /* "us-east-1" */
    const char *service; /* "s3" */
    const char *host;    /* as in the Host header */
    const char *path;    /* percent-encoded */
    const char *query;   /* percent-encoded, parameters sorted by name, each with a "="; "": none */
    const char *payload; /* SHA-256 of the body in hex, or SIGN_UNSIGNED */
    time_t when;
};

/* Writes the SHA-256 of n bytes in hex. Returns 0, or -ELIBACC without libcrypto. */
int sign_hash(const char *bytes, size_t n, char ret[65]);

/* Adds the headers host, x-amz-content-sha256, x-amz-date, x-amz-security-token (if there is one) and Authorization.
 * All headers of the request that start with "x-amz-" are signed; their names must be in lower case. Without
 * credentials the request stays unsigned. Returns 0, -ENOMEM, -E2BIG, -EINVAL, or -ELIBACC without libcrypto. */
int sign_request(struct http_request *request, const struct signing *signing);

#endif
