/* The XML that S3 answers a failed request with. */
#ifndef STORE_S3_ERROR_H
#define STORE_S3_ERROR_H

#include <stdbool.h>
#include <stddef.h>

/* "NoSuchKey: The specified key does not exist.", or "" if the body is no such document. Control characters become
 * blanks. */
void s3_error_explain(const char *body, size_t n, char *ret, size_t capacity);

/* Does the document name a failure that passes by itself? */
bool s3_error_is_passing(const char *body, size_t n);

/* Does it say that the object or the version is not there, in a bucket that is? */
bool s3_error_is_missing(const char *body, size_t n);

/* Does it say that the request was signed at a wrong time? */
bool s3_error_is_of_time(const char *body, size_t n);

/* Does it say that the credentials have expired, or are not known any more? */
bool s3_error_is_expiry(const char *body, size_t n);

#endif
