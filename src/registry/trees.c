/* SPDX-License-Identifier: MIT */
/* The ends of trees, and the places where processes share one. The lists end with NULL. */
#include "store/s3/claim.h"
#include "tree/ends.h"
#include "tree/share/claim.h"

const struct tree_source *const registry_tree_sources[] = {
    &source_folder,         &source_s3, &source_tar, &source_oci, &source_docker, &source_oci_archive,
    &source_docker_archive, NULL,
};

const struct tree_sink *const registry_tree_sinks[] = {
    &sink_folder, &sink_s3, &sink_tar, &sink_oci, &sink_docker, &sink_oci_archive, &sink_docker_archive, NULL,
};

const struct claim_place *const registry_claim_places[] = {
    &claim_folder,
    &claim_s3,
    NULL,
};
