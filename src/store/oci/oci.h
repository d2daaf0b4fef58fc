/* SPDX-License-Identifier: MIT */
/* Blobs of a registry of the Open Container Initiative: oci://HOST/NAME@DIGEST. */
#ifndef STORE_OCI_OCI_H
#define STORE_OCI_OCI_H

#include "node/endpoint.h"
#include "store/session.h"

/* Makes an endpoint. `rest` is the text after "oci:". The pipeline compares the blob with the digest in its name. */
int oci_endpoint(leat_endpoint **ret, const char *spec, const char *rest, enum leat_direction direction,
                 const struct leat_endpoint_options *options, struct leat_error *error);

/* Makes a source that reads "/v2/NAME/" and `path` of a repository. `accept`: the accepted media types, joined by
 * commas, or NULL. The bytes are compared with a digest only if the pipeline is told to. */
int oci_source(leat_endpoint **ret, const char *spec, struct session *repository, const char *path, const char *accept,
               const struct leat_endpoint_options *options, struct leat_error *error);

#endif
