/* What this build consists of, on Linux: the one place that names every implementation. Lists end in NULL and are tried
 * in their order. */
#include "base/digest_provider.h"

const struct digest_provider *const registry_digest_providers[] = {
    &provider_kernel, &provider_xxhash, &provider_crc32c, &provider_crc, &provider_libcrypto, NULL,
};
