/* leat/image.h: images of containers, between registries, folders and archives.
 *
 *     struct leat_error error = LEAT_INIT(struct leat_error);
 *     leat_image_copy("docker://localhost:5000/app:1", "oci:layout:1", NULL, NULL, &error);
 *
 * An image is named as skopeo(1) names it:
 *
 *   docker://HOST/NAME[:TAG|@DIGEST]   in a registry; TAG is "latest" if nothing is said. HOST is never guessed: it
 *                                      has a dot, a port, or is localhost. How a registry is reached, and whose
 *                                      password it gets, stands in leat/endpoint.h, at oci:.
 *   oci:DIRECTORY[:TAG]                in a folder, by the image layout of the Open Container Initiative; the first
 *                                      colon ends the name of the folder. Without a TAG the source is its only image,
 *                                      and the target gets no name.
 *   oci-archive:FILE[:TAG]             the same in a tar file, by libarchive, which is loaded when such a name is met
 *                                      (-ELIBACC without it). A source may be compressed by gzip or zstd, and is a
 *                                      regular file. A target becomes a new archive, as leat/endpoint.h says of files
 *                                      that are published; until all of it is there it waits in a file without a name
 *                                      in TMPDIR, or in /var/tmp.
 *   docker-archive:FILE[:NAME[:TAG]]   in a tar file as docker-save(1) writes it; TAG is "latest" if nothing is said,
 *                                      and docker.io/library/ in front of a name means nothing. Layers are not
 *                                      compressed there. So a source has a manifest that is made, that of an OCI image
 *                                      whose layers are plain tar files, with the digests that the configuration
 *                                      names. A target takes one image: its layers are decompressed (gzip, zstd) and
 *                                      compared with the configuration (-EBADMSG, operation "verify"), and its old
 *                                      manifest is not kept. All else is as of oci-archive.
 *
 * Every byte is compared with its digest while it is written, and a blob appears under its name when it is right, or
 * not at all. Nothing else is converted: manifests, configurations and layers stay as they are, and so do their
 * digests. What the target has is not moved again: a blob of the right size in a layout, which leat image verify
 * compares with its digest. What another repository of the same registry has is mounted from there.
 *
 * What has come of a blob from a registry stays in the layout if the copy is killed, cancelled or fails, as
 * ".leat-sha256-HEX" beside index.json, and the next copy asks for the rest alone. The whole is compared with the
 * digest; what is not right is had anew. A copy that succeeds removes such files if the blob is there, or if nobody has
 * touched them for a week.
 *
 * Archives are untrusted: names in them are looked up and never made, a link leads to another entry of the archive, and
 * an entry that is there twice, has not the bytes that its header promises, or is longer than what it stands for may
 * be, is refused. There are at most 100,000 of them. Manifests are untrusted: one has at most 4 MiB, an index leads to
 * others through at most 4 levels and to at most 4,096 of them, and a digest is sha256: or sha512: with hexadecimal
 * digits, else it is refused (-EBADMSG).
 *
 * Threads: any; each call is on its own. A call blocks until the end.
 */
#ifndef LEAT_IMAGE_H
#define LEAT_IMAGE_H

#include <leat/base.h>
#include <leat/pipeline.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    LEAT_IMAGE_JOBS_MAX = 64
};

struct leat_image_options {
    size_t size;
    int32_t all;          /* not 0: an index with all that it leads to; else the one image for `platform` */
    int32_t insecure;     /* not 0: a registry that is not on loopback may be spoken to without TLS, too */
    int32_t jobs;         /* blobs that move at the same time, at most LEAT_IMAGE_JOBS_MAX; 0: 4 */
    int32_t retries;      /* as in leat_endpoint_options; and of a blob whose upload the registry has lost */
    const char *platform; /* OS/ARCHITECTURE[/VARIANT] as an index has it: "linux/arm64"; NULL: that of this machine */
    /* Optional, for leat_image_verify: a blob that is missing (-ENOENT) or is not what its name says (-EBADMSG). The
     * error's node is its digest; it is valid during the call. */
    void (*problem)(void *user, const struct leat_error *error);
    void *user; /* of `problem` and `tick` */
    /* Optional: how far the call is, in bytes of blobs, of `total` once it is known which of them the target lacks.
     * Called about five times a second by the thread of the call while it waits, and when a signal has interrupted
     * that. Any other answer than 0 ends the call with -ECANCELED: nothing more is published, uploads are given up. */
    int (*tick)(void *user, const struct leat_progress *now);
    /* How registries are spoken to: of these options cacert, cert and key count; borrowed during the call. NULL:
     * nothing is said. */
    const struct leat_endpoint_options *endpoint;
};

#define LEAT_IMAGE_DIGEST_MAX 136

/* What was done. */
struct leat_image_result {
    size_t size;
    char digest[LEAT_IMAGE_DIGEST_MAX]; /* of the manifest or index, "sha256:..."; "" for leat_image_verify */
    uint64_t manifests;                 /* and indexes */
    uint64_t blobs;                     /* that were moved, or compared with their digests */
    uint64_t bytes;                     /* of them */
    uint64_t present;                   /* blobs that the target had */
    uint64_t present_bytes;
    uint64_t mounted; /* blobs that the target took from another repository of the same registry */
    uint64_t mounted_bytes;
    uint64_t problems; /* leat_image_verify: blobs that are missing or wrong */
};

/* Copies an image. *ret_result (may be NULL) is filled on success. On failure the target may have some more blobs, all
 * of them right, and its old images. -EINVAL: a name that makes no sense; -ENOENT: there is no such image, or none for
 * the platform; -EBADMSG: a manifest is none, or, with the operation "verify", bytes are not those of their digest;
 * -ELIBACC, -EACCES and the like as of endpoints. */
LEAT_API int leat_image_copy(const char *source, const char *target, const struct leat_image_options *options,
                             struct leat_image_result *ret_result, struct leat_error *ret_error);

/* What an image consists of: one line of JSON with a newline, see docs/formats.md; leat_free frees *ret_json. With
 * `options->all` an index is told as it is; else the image for the platform. Errors as above. */
LEAT_API int leat_image_inspect(const char *source, const struct leat_image_options *options, char **ret_json,
                                struct leat_error *ret_error);

/* Reads every blob of the layout "oci:DIRECTORY", or just DIRECTORY, of "oci-archive:FILE" or "docker-archive:FILE",
 * and compares it with its name, or what the configuration says of it, and its size with what the manifests say; blobs
 * that none of them names as well. All problems are told to `options->problem`; the first is the error. *ret_result
 * (may be NULL) is filled in this case, too. */
LEAT_API int leat_image_verify(const char *layout, const struct leat_image_options *options,
                               struct leat_image_result *ret_result, struct leat_error *ret_error);

#ifdef __cplusplus
}
#endif
#endif
