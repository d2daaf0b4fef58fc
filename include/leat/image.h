/* SPDX-License-Identifier: MIT */
/** @file leat/image.h
 * Images of containers: copies between registries, folders and archives.
 *
 *     struct leat_error error = LEAT_INIT(struct leat_error);
 *     leat_image_copy("docker://localhost:5000/app:1", "oci:layout:1", NULL, NULL, &error);
 *
 * Names
 * -----
 * An image is named as skopeo(1) names it:
 *
 *   - `docker://HOST/NAME[:TAG|@DIGEST]`: an image in a registry. Without a TAG or DIGEST, TAG is "latest". HOST is
 *     never guessed: it has a dot or a port, or is localhost. leat/endpoint.h says, for oci:, how leat connects to a
 *     registry and which password it sends.
 *   - `oci:DIRECTORY[:TAG]`: an image in a folder, by the image layout of the Open Container Initiative. The first
 *     colon ends the name of the folder. Without a TAG the source is the only image there, and the target gets no name.
 *   - `oci-archive:FILE[:TAG]`: the same in a tar file. libarchive reads and writes it, and is loaded when such a name
 *     is used (-ELIBACC without it). A source may be compressed by gzip or zstd, and is a regular file. A target
 *     becomes a new archive, which is published as a file is (leat/endpoint.h). Until all of it is there, it is kept in
 *     a file without a name in TMPDIR, or in /var/tmp.
 *   - `docker-archive:FILE[:NAME[:TAG]]`: an image in a tar file as docker-save(1) writes it. Without a TAG, TAG is
 *     "latest". A docker.io/library/ in front of a name has no meaning. All else is as for oci-archive.
 *
 * Layers in a docker-archive are not compressed. So leat makes the manifest of a source: that of an OCI image whose
 * layers are plain tar files, with the digests that the configuration names. A target takes one image. Its layers are
 * decompressed (gzip, zstd) and compared with the configuration (-EBADMSG, operation "verify"). Its old manifest is not
 * kept.
 *
 * What is copied
 * --------------
 * Every byte is compared with its digest while it is written. A blob appears under its name when it is right, or not at
 * all. Except in a docker-archive nothing is converted: manifests, configurations, layers and their digests stay as
 * they are.
 *
 * A blob that the target has is not moved again. In a layout a blob of the right size counts as there, and only
 * leat_image_verify compares it with its digest. A blob that another repository of the same registry has is mounted
 * from there.
 *
 * Copies that go on
 * -----------------
 * If a copy is killed, is cancelled or fails, the bytes of a blob that came from a registry stay in the layout, as
 * ".leat-sha256-HEX" beside index.json. The next copy asks for the rest only. The whole blob is compared with its
 * digest, and a blob that is not right is downloaded again. A copy that succeeds removes such a file if its blob is
 * there, or if the file was not changed for a week.
 *
 * What is not trusted
 * -------------------
 * An archive is untrusted. leat looks up the names in it, and never makes files of these names. A link leads to another
 * entry of the archive. An archive has at most 100,000 entries. leat refuses an entry that is there twice, that does
 * not have the bytes that its header promises, or that is longer than the document or blob in it may be.
 *
 * A manifest is untrusted. It has at most 4 MiB. An index leads to others through at most 4 levels, and to at most
 * 4,096 of them. A digest is sha256: or sha512: with hexadecimal digits. Anything else is refused (-EBADMSG).
 *
 * Errors
 * ------
 * `ret_error` is filled on failure. NULL: no details. Besides the codes that a declaration names, a call returns those
 * of endpoints, such as -EACCES and -ELIBACC (leat/endpoint.h); -ECANCELED if `progress` has ended it; and -ENOSYS if
 * leat was built without stores.
 *
 * Threads: any. Calls do not affect each other.
 *
 * Blocking: each call blocks until it is done. `progress` can end it.
 */
#ifndef LEAT_IMAGE_H
#define LEAT_IMAGE_H

#include <leat/base.h>
#include <leat/pipeline.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The most blobs that may move at the same time. */
enum {
    LEAT_IMAGE_JOBS_MAX = 64 /**< See `jobs`. */
};

/** Options of all calls of this header. */
struct leat_image_options {
    size_t size;      /**< Of this struct. */
    int32_t all;      /**< Not 0: an index with all that it leads to. 0: the one image for `platform`. */
    int32_t insecure; /**< Not 0: a registry that is not on loopback may also be used without TLS. */
    int32_t jobs;     /**< How many blobs move at the same time, at most LEAT_IMAGE_JOBS_MAX. 0: 4. */
    /** As in struct leat_endpoint_options. It also bounds how often the upload of a blob is begun anew if the registry
     * has lost it. */
    int32_t retries;
    /** OS/ARCHITECTURE[/VARIANT] as an index has it: "linux/arm64". NULL: that of this machine. */
    const char *platform;
    /** Optional, for leat_image_verify: is called for each blob that is missing (-ENOENT), or whose bytes are not those
     * of its name (-EBADMSG). The error's `node` is the blob's digest. The error is valid until the function returns.
     */
    void (*problem)(void *user, const struct leat_error *error);
    void *user; /**< Is passed to `problem` and `progress`. */
    /** Optional: is called with the progress, in bytes of blobs. `total` is set once it is known which blobs the target
     * lacks. The thread of the call calls it every `progress_ms` while it waits, and when a signal interrupts that
     * wait. If it returns anything but 0, the call ends with -ECANCELED: nothing more is published, and uploads
     * are given up. */
    int (*progress)(void *user, const struct leat_progress *now);
    int32_t progress_ms; /**< Milliseconds between two calls of `progress`; 0: 200. Negative: -EINVAL. */
    /** How registries are connected to: of these options cacert, cert and key count. NULL: the defaults. Borrowed
     * during the call. */
    const struct leat_endpoint_options *endpoint;
};

enum {
    LEAT_IMAGE_DIGEST_MAX = 136 /**< The room for a digest as text, with its NUL. */
};

/** What a call has done. */
struct leat_image_result {
    size_t size;                        /**< Of this struct. */
    char digest[LEAT_IMAGE_DIGEST_MAX]; /**< Of the manifest or index, "sha256:..."; "" for leat_image_verify. */
    uint64_t manifests;                 /**< How many manifests and indexes there are. */
    uint64_t blobs;                     /**< How many blobs were moved, or were compared with their digests. */
    uint64_t bytes;                     /**< The bytes of these blobs. */
    uint64_t present;                   /**< How many blobs the target had. */
    uint64_t present_bytes;             /**< The bytes of these blobs. */
    uint64_t mounted;                   /**< How many blobs were mounted from another repository of the registry. */
    uint64_t mounted_bytes;             /**< The bytes of these blobs. */
    uint64_t problems;                  /**< leat_image_verify: how many blobs are missing or wrong. */
};

/**
 * Copies an image.
 *
 * On failure the target may have some more blobs, which are all right, and it has its old images.
 *
 * @param source      The name of the image.
 * @param target      The name that it gets.
 * @param options     NULL: the defaults.
 * @param ret_result  The caller sets its `size`. It is filled on success. NULL: not wanted.
 *
 * @return 0; -EINVAL: a name or an option makes no sense; -ENOENT: there is no such image, or none for the platform;
 *         -EBADMSG: a manifest is not valid, or, with the operation "verify", bytes are not those of their digest.
 */
LEAT_API int leat_image_copy(const char *source, const char *target, const struct leat_image_options *options,
                             struct leat_image_result *ret_result, struct leat_error *ret_error);

/**
 * Says what an image consists of.
 *
 * With `options->all` the call describes an index as it is, otherwise the image for the platform.
 *
 * @param source    The name of the image.
 * @param options   NULL: the defaults.
 * @param ret_json  One line of JSON with a newline, see docs/formats.md. leat_free frees it.
 *
 * @return As leat_image_copy.
 */
LEAT_API int leat_image_inspect(const char *source, const struct leat_image_options *options, char **ret_json,
                                struct leat_error *ret_error);

/**
 * Verifies every blob of a layout or archive.
 *
 * The call reads each blob, also those that no manifest names. It compares the bytes with the blob's name, or with what
 * the configuration says of the blob, and the size with what the manifests say. Each problem is given to
 * `options->problem`. The call goes on after a problem.
 *
 * @param layout      "oci:DIRECTORY", or just DIRECTORY; "oci-archive:FILE" or "docker-archive:FILE".
 * @param options     NULL: the defaults.
 * @param ret_result  The caller sets its `size`. It is filled on success, and if there are problems. NULL: not wanted.
 *
 * @return 0: all blobs are right; the code of the first problem, -ENOENT or -EBADMSG; -EINVAL: the name or an option
 *         makes no sense.
 */
LEAT_API int leat_image_verify(const char *layout, const struct leat_image_options *options,
                               struct leat_image_result *ret_result, struct leat_error *ret_error);

#ifdef __cplusplus
}
#endif
#endif
