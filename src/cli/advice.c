/* SPDX-License-Identifier: MIT */
/* The library does not know the options of the command. This file maps the advice of an error to the option that
 * follows it. */
#include "cli.h"

static const char *const advices[] = {
    [LEAT_ADVICE_IN_PLACE] = "--in-place writes through the existing file",
    [LEAT_ADVICE_DROP_ATTRIBUTES] =
        "--in-place writes through the existing file and keeps them, --drop-attributes replaces it without them",
    [LEAT_ADVICE_REPLACE] = "--replace allows that",
    [LEAT_ADVICE_FORCE] = "--force replaces it all the same",
    [LEAT_ADVICE_LENGTH] = "--length N takes that many bytes",
    [LEAT_ADVICE_CONNECT_TIMEOUT] = "--connect-timeout TIME allows more",
    [LEAT_ADVICE_IDLE_TIMEOUT] = "--idle-timeout TIME allows more",
    [LEAT_ADVICE_USER_DIGEST] = "--digest-provider user computes it without the kernel",
    [LEAT_ADVICE_SOURCE_STABLE] = "--source stable allows it if nobody changes the source meanwhile",
    [LEAT_ADVICE_WINDOW] = "unzstd:windowlog=31 allows the largest",
    [LEAT_ADVICE_MEMORY] = "--memory-limit SIZE allows more",
    [LEAT_ADVICE_CACERT] = "--cacert FILE names the authority that signed it",
};

const char *cli_advice(const struct leat_error *error)
{
    size_t count = sizeof(advices) / sizeof(advices[0]);
    return error->advice > 0 && (size_t)error->advice < count ? advices[error->advice] : NULL;
}
