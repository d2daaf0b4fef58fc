/* A blob as a sink: it is uploaded to a registry in pieces, each behind what the registry says that it has. */
#ifndef STORE_OCI_PUSH_H
#define STORE_OCI_PUSH_H

#include "node/endpoint.h"
#include "store/oci/reference.h"
#include "store/session.h"

/* The blob shows when the run commits and the registry, too, has found that its bytes have this digest. Up to twice 4
 * MiB are kept. The run fails with -ESTALE where the registry has lost the upload, which may be begun anew then.
 * -ENOMEM. */
int oci_sink(leat_endpoint **ret, const char *spec, struct session *repository, const char *digest,
             const struct leat_endpoint_options *options, struct leat_error *error);

#endif
