/* What a failure of libcurl means. */
#ifndef STORE_FAILURE_H
#define STORE_FAILURE_H

#include "store/curl.h"
#include <leat/base.h>

struct failure {
    int code; /* a negative errno */
    enum leat_advice advice;
    char sentence[CURL_ERROR_SIZE];
};

/* `url`: of the request; `said`: what libcurl has written into its buffer for errors, or "". */
void failure_read(struct failure *ret, CURL *easy, CURLcode result, const char *said, const char *url);

#endif
