/* Signature Version 4 of AWS, in the form of headers. */
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
    const char *host;    /* as the Host header has it */
    const char *path;    /* percent-encoded */
    const char *query;   /* percent-encoded, parameters in the order of their names, each with "="; "": none */
    const char *payload; /* SHA-256 of the body in hex, or SIGN_UNSIGNED */
    time_t when;
};

/* SHA-256 in hex. Needs libcrypto (-ELIBACC). */
int sign_hash(const char *bytes, size_t n, char ret[65]);

/* Adds the headers host, x-amz-content-sha256, x-amz-date, x-amz-security-token (where there is one) and Authorization.
 * All headers of the request that begin with "x-amz-" are signed; their names must be in lower case. Without
 * credentials the request stays unsigned. -ENOMEM, -E2BIG, -EINVAL; -ELIBACC without libcrypto. */
int sign_request(struct http_request *request, const struct signing *signing);

#endif
