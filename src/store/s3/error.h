/* SPDX-License-Identifier: MIT */
/* Reads the XML document with which S3 answers a failed request. */
#ifndef STORE_S3_ERROR_H
#define STORE_S3_ERROR_H

#include <stdbool.h>
#include <stddef.h>

/* Writes "NoSuchKey: The specified key does not exist.", or "" if the body is not such a document. Control characters
 * become spaces. */
void s3_error_explain(const char *body, size_t n, char *ret, size_t capacity);

/* Does the document name a temporary failure? */
bool s3_error_is_passing(const char *body, size_t n);

/* Does it say that the object or the version does not exist, in a bucket that does? */
bool s3_error_is_missing(const char *body, size_t n);

/* Does it say that the request was signed with a wrong time? */
bool s3_error_is_of_time(const char *body, size_t n);

/* Does it say that the credentials have expired or are no longer known? */
bool s3_error_is_expiry(const char *body, size_t n);

#endif
