/* SPDX-License-Identifier: MIT */
/* A sink that uploads a blob to a registry in pieces. Each piece starts after the bytes that the registry has
 * confirmed. */
#ifndef STORE_OCI_PUSH_H
#define STORE_OCI_PUSH_H

#include "node/endpoint.h"
#include "store/oci/reference.h"
#include "store/session.h"

/* Makes the sink. The blob becomes visible when the run commits and the registry has also checked its digest. The sink
 * keeps up to twice 4 MiB. The run fails with -ESTALE if the registry has lost the upload; the upload may then be
 * started again. Returns 0 or -ENOMEM. */
int oci_sink(leat_endpoint **ret, const char *spec, struct session *repository, const char *digest,
             const struct leat_endpoint_options *options, struct leat_error *error);

#endif
