/* SPDX-License-Identifier: MIT */
/** @file leat/endpoint.h
 * Where bytes come from and where they go: files, descriptors, sockets, objects in stores, child processes, memory.
 *
 *     leat_endpoint_open(&source, "https://example.org/file", LEAT_READ, NULL, &error);
 *     leat_endpoint_open(&sink, "copy", LEAT_WRITE, NULL, &error);
 *     ... a pipeline of leat/pipeline.h moves the bytes, and takes both ...
 *
 * Opening
 * -------
 * Opening an endpoint only resolves it: leat looks at what is there and at what that allows. Nothing is created,
 * truncated or connected before a pipeline runs. Until then the endpoint of a path may hold up to two descriptors of
 * the path (O_PATH), which have no effect on what the path leads to. An endpoint serves one pipeline, once.
 *
 * Specs
 * -----
 * A spec is a path, or a scheme and the scheme's own part. `[a-z][a-z0-9+-]*:` at the start is always a scheme, and an
 * unknown scheme is an error. Write `./odd:name` for such a path.
 *
 *   - `PATH`, `file:PATH`: a file, FIFO, terminal or device. /dev/stdin, /dev/stdout, /dev/stderr, /dev/fd/N and
 *     /proc/self/fd/N mean the descriptor itself, as fd:N does.
 *   - `-`: standard input for a source, standard output for a sink.
 *   - `fd:N`: descriptor N of this process, borrowed. A regular file is used from its current offset. Afterwards the
 *     offset is where the delivered bytes end.
 *   - `null:`: a source has nothing to read; a sink discards everything.
 *   - `zero:`: zero bytes without end. Give a length.
 *   - `tcp:HOST:PORT`: connects. HOST is a name or an address; an IPv6 address stands in brackets: tcp:[::1]:9000.
 *   - `tcp-listen:[HOST:]PORT`: accepts one peer. Without HOST it listens on 127.0.0.1; 0.0.0.0 or [::] mean every
 *     address.
 *   - `unix:PATH`: connects to the stream socket at PATH.
 *   - `unix-listen:PATH`: accepts one peer at PATH. A socket at PATH on which no process listens is replaced. Anything
 *     else is left alone (-EADDRINUSE). PATH is removed when the peer has come, or when no peer comes.
 *   - `channel:N`: an end of a channel (leat/channel.h) whose exported descriptors are N and the numbers that follow
 *     it. If the numbers do not follow each other, `channel:N,M,...` names each. A source yields the bytes of the
 *     messages. A sink makes messages of the stream. A sink that fails leaves the channel as a crashed peer does, so
 *     its receivers are not told of a normal end.
 *   - `exec:COMMAND`: a child process, /bin/sh -c COMMAND. Its standard output is a source, its standard input a sink.
 *   - `http://HOST/PATH`, `https://HOST/PATH`: a source is what a GET of this URL returns; a sink is sent by PUT.
 *     Redirects are followed.
 *   - `s3://BUCKET/KEY[?versionId=VERSION]`: an object in S3, or in a store that speaks its protocol. The key is used
 *     as it is, without decoding.
 *   - `oci://HOST/NAME@DIGEST`: a blob in a registry of images, by its digest (sha256: or sha512:). For a source the
 *     pipeline expects that digest, as the pipeline's option `expect` does, so an offset or a length is -EINVAL. For a
 *     sink the registry compares the digest when the run commits (-EBADMSG).
 *
 * Files: published or in place
 * ----------------------------
 * A sink that names a regular file, or nothing yet, is *published*. leat writes a file without a name in the same
 * directory. The file replaces the old file when everything was right, digests included. Until then, and after any
 * failure, the old file is untouched. Symbolic links are followed to their target.
 *
 * A new file has the source's mode under the umask. An existing target keeps its mode, owner, access control list,
 * extended attributes, security label, capabilities and chattr(1) flags. If the new file can't have one of these, the
 * run is refused before a byte moves, and error->text names it, unless `drop_attributes` is set. Set-user-ID and
 * set-group-ID are not kept.
 *
 * A target without write permission is refused (-EACCES), unless `force` is set. If another file takes the name while
 * the pipeline runs, that file is left alone, and the run fails (-EEXIST). A target with several hard links, or that is
 * a mount point, can't be replaced and is refused; with LEAT_WRITE_IN_PLACE leat writes through it.
 *
 * FIFOs, terminals, devices and descriptors are written in place. So are the files of procfs, sysfs and the like.
 *
 * What close(2) reports of a regular file or device is known before the file is published. For that a pipeline closes a
 * duplicate of a descriptor that it writes to, if the file is on a network file system, FUSE or overlayfs. The process
 * then loses its fcntl(2) locks of that file.
 *
 * Sockets
 * -------
 * Sockets are connected when the pipeline runs, the source first. Looking up a name may block; nothing else does. When
 * everything was delivered and verified, the writing direction is shut down, so that the peer reads the end. "done"
 * means that the kernel has accepted every byte and the end. It does not mean that the peer has read them: only the
 * peer knows that.
 *
 * A pipeline that fails or is cancelled *resets* its TCP connections, so that the peer does not take a part for the
 * whole. In three cases a reset is not possible, and the peer sees a normal end. Verify a digest where that matters.
 *   - A Unix socket has no reset.
 *   - A borrowed descriptor is not reset.
 *   - If the whole process is killed, the kernel closes its TCP connections without a reset.
 *
 * Children
 * --------
 * The child of exec: is started when the pipeline runs. It has the program's environment and LEAT_EXEC, an empty signal
 * mask, and the default action for SIGPIPE. The child of a source reads /dev/null. The child of a sink has the
 * program's standard output. A child has other descriptors of the program only if they are not close-on-exec.
 *
 * "done" means that the child has exited with status 0. The pipeline waits for that before it publishes anything. It
 * closes the input of a sink's child only when everything in front of the sink was right. If the child fails, the error
 * has -EIO, says how the child ended, and contains the last lines that it wrote to standard error. If a sink's child
 * ends well but has not read everything, the error has -EPIPE, and the bytes left in its pipe do not count as
 * delivered.
 *
 * A pipeline that fails or is cancelled stops its children by SIGTERM, and a second later by SIGKILL, and waits until
 * they are gone. It also stops the processes that a child has started, and those that these have started, even if their
 * parents have ended. It does not stop a daemon, which has a session of its own and no parent left. On Linux the
 * processes are found through /proc, and orphans by the variable LEAT_EXEC that each child has in its environment. A
 * process that the program may not signal, because it runs as another user, is left alone. If the child itself is such
 * a process, or does not end for another reason, the pipeline ends three seconds after it began to stop it, and the
 * error says that the child still runs. The input of a sink's child stays open until the program ends.
 *
 * A child stays in the program's process group, so it may use the terminal. If there is neither /proc nor a terminal,
 * the child has a process group of its own, and the whole group is signalled. If there is a terminal and no /proc, only
 * the child is signalled. If the program ignores SIGCHLD, or waits for any child, leat can't learn how a child ended.
 *
 * Stores: how bytes move
 * ----------------------
 * libcurl reads and writes the objects of http:, https:, s3: and oci:, on a thread of its own. It is loaded when the
 * pipeline runs (-ELIBACC without it).
 *
 * Bytes of a source that wait for the pipeline count towards the pipeline's memory limit, up to three quarters of it.
 * When that is used, the transfer pauses. libcurl has up to 512 KiB for each connection beside the limit.
 *
 * With `streams`, several connections read parts of the object, and the parts enter the pipeline in order. For that the
 * server has to send the size and a strong ETag. If leat chooses the number of connections by measurement, the server
 * also has to say that it has ranges. Otherwise there is one connection. A connection that yields no byte for 30 s, or
 * for half of `idle_timeout_ms` if that is shorter, is replaced, once the server has answered for the object.
 *
 * Stores: verification
 * --------------------
 * leat compares the digests of the whole object that the server sends, when the object was read to its end: those of
 * Repr-Digest, Content-Digest, Content-MD5, x-amz-checksum-sha256, -sha1, -crc32, -crc32c and -crc64nvme. For s3: an
 * ETag that is an MD5 counts if there is no other digest. A difference is -EBADMSG, operation "verify", and nothing is
 * published.
 *
 * A body without a length is whole if the server announces the end of the connection (close_notify). If the server does
 * not, the connection was cut (-ECONNRESET).
 *
 * Stores: retries
 * ---------------
 * If a connection breaks, leat connects again and continues at the byte where it broke, with the same version of the
 * object. For that the server has to send a strong ETag and to answer ranges, otherwise the run fails. If the object
 * was replaced meanwhile, the run fails with -ESTALE.
 *
 * A request that failed for now is repeated after 0.1 s, then after twice as long each time, up to 20 s, each time with
 * a random part. If Retry-After asks for more, leat waits that long. The run fails after `retries` repetitions without
 * a byte, or if the server asks for more than two minutes. A server that has never answered is not asked again if it
 * can't be reached. Connecting takes 30 s at most.
 *
 * Stores: errors
 * --------------
 * The operation of an error of a source is "GET". The codes of an HTTP status are:
 *   - 401, 403, 407: -EACCES
 *   - 404, 410: -ENOENT
 *   - 412: -ESTALE
 *   - 408, 504: -ETIMEDOUT
 *   - 413: -EFBIG
 *   - 429, 503: -EBUSY
 *   - 507: -ENOSPC
 *   - Other statuses: -EPROTO
 *
 * A failure of TLS is final (-EPROTO).
 *
 * Stores: TLS and proxies
 * -----------------------
 * A server with TLS has to show a certificate for its name, by a trusted authority. Trusted authorities are those of
 * `cacert`; else those of the file that CURL_CA_BUNDLE names; else those of SSL_CERT_FILE and SSL_CERT_DIR; else the
 * system's.
 *
 * Proxies are those of http_proxy, https_proxy, all_proxy and no_proxy, as libcurl reads them. A proxy that refuses a
 * login or a tunnel is -EACCES.
 *
 * Stores: redirects
 * -----------------
 * Redirects (301, 302, 303, 307, 308) of http:, https: and oci: are followed, at most 10 in a row (-ELOOP). A request
 * that sends a body follows only those that keep the method and the body (307, 308). A redirect from https: to http:,
 * or to anything that is no URL of either, is -EPROTO.
 *
 * Passwords, tokens and the client's certificate are sent to the server that the endpoint names, and to no other host,
 * port or scheme. Later requests of the same source go to the place that was found. If the place has gone (400, 401,
 * 403, 404 or 410, as with a signed URL), leat asks the endpoint's URL again.
 *
 * Stores: logins and headers
 * --------------------------
 * For http: and https: a user and a password are sent by the scheme Basic. They stand in the URL
 * (http://USER:PASSWORD@HOST/, special characters as %XX), or in the file of `netrc_file` or `netrc`. They are not part
 * of the endpoint's name, and no message contains them. The same holds for the query of a URL, which may have a
 * signature or a token: the name ends with its '?'.
 *
 * `headers` are sent as they are. Headers that leat has to set itself, such as Range, If-Match and Host, are refused
 * (-EINVAL). Only Accept, Accept-Encoding, Accept-Language and User-Agent are sent to other servers.
 *
 * s3: takes at most 12 headers: those that begin with x-amz- (metadata, tags, storage class, encryption, ...),
 * Content-Type, Content-Language, Content-Disposition, Content-Encoding, Cache-Control and Expires. A sink sends them
 * with the request that makes the object, so an upload that is resumed keeps those that it was begun with.
 * x-amz-request-payer, x-amz-expected-bucket-owner and x-amz-server-side-encryption-customer-* are part of each
 * request. The last of these are sent by https: only, or to this machine; otherwise they are -EINVAL.
 *
 * Stores: keys of s3:
 * -------------------
 * An s3: request is signed (AWS Signature Version 4) with the keys of the first of these sources that has some. leat
 * asks the sources when the endpoint is opened, which may block.
 *   - The environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
 *   - The profile AWS_PROFILE (default) of AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials) and of AWS_CONFIG_FILE
 *     (~/.aws/config).
 *   - The profile's credential_process, which has 60 s.
 *   - The endpoint of containers: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI.
 *   - The endpoint of instances, which has a second for each of three answers. It is not asked if
 *     AWS_EC2_METADATA_DISABLED is "true".
 *
 * Keys of the last three are renewed 5 minutes before they expire, or once the store says that they have expired. Keys
 * of a profile are read again once the store says that they have expired, or does not know them. If the store says that
 * this machine's clock is wrong, requests are signed by the store's time. A source that is configured and fails is an
 * error, which names all sources that were asked. Without keys the request is not signed.
 *
 * The region is that of AWS_REGION or AWS_DEFAULT_REGION, else the profile's, else us-east-1. The store is that of
 * AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, else the profile's endpoint_url, else Amazon's. The bucket stands in the
 * path of a store that such a URL names, and in Amazon's host name, unless AWS_S3_ADDRESSING_STYLE, or that of the
 * profile, is "virtual" or "path".
 *
 * Stores: sinks
 * -------------
 * An object that is a sink appears whole at the commit, or not at all. An object that fits into one part is sent by one
 * request, whose last byte is withheld until the commit. s3: sends a longer object in parts. For http: what is more
 * than 8 MiB is kept in a file without a name, in TMPDIR or /var/tmp, until the commit.
 *
 * For s3: 4 parts are kept at once. Parts of at most 8 MiB are kept in memory, beside the memory limit, longer parts in
 * such files. If the source is a regular file, and no filter makes other bytes of it, no bytes are kept at all: what is
 * sent is read from the source again, and is compared with what was read first (-ESTALE).
 *
 * Each s3: request carries the SHA-256 of its body. ETags are compared with MD5 values. After an upload of several
 * parts the object's size is compared, too. Bytes that differ are -EBADMSG.
 *
 * A failed upload is aborted, within 10 s. If that is not possible, the error says that an upload may be left.
 * `no_clobber` first asks whether the object exists (-EEXIST), and then makes the request conditional.
 *
 * A commit, all its requests together, takes at most `idle_timeout_ms`, or 10 minutes if that is not set. A cancel ends
 * the wait. Then the object may be there, and the error says so. Sinks that the pipeline committed earlier stay.
 *
 * Stores: registries
 * ------------------
 * leat connects to a registry of oci: with TLS. On loopback (localhost, 127.0.0.0/8, [::1]) TLS is used only if the
 * registry answers a request without it by 400.
 *
 * If the registry wants a password or a token, the login is read when the endpoint is opened: from the file that
 * REGISTRY_AUTH_FILE names, or else from containers/auth.json of XDG_RUNTIME_DIR, from containers/auth.json of
 * XDG_CONFIG_HOME (~/.config), or from config.json of DOCKER_CONFIG (~/.docker). If the file names a helper for the
 * host, leat runs the program docker-credential-HELPER at that time and waits for it, for 30 seconds at most. A token
 * that has expired is replaced.
 *
 * A blob is sent in pieces of 4 MiB, and two pieces are kept beside the memory limit. Each piece begins where the
 * registry says that the blob ends so far.
 *
 * Threads: any thread may call, unless a declaration says otherwise. Blocking: a call does not block, unless its
 * declaration says otherwise.
 */
#ifndef LEAT_ENDPOINT_H
#define LEAT_ENDPOINT_H

#include <leat/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A source or a sink. */
typedef struct leat_endpoint leat_endpoint;

/** Which way the bytes go. */
enum leat_direction {
    LEAT_READ = 0,  /**< A source. */
    LEAT_WRITE = 1, /**< A sink. */
};

/** Who closes a descriptor. */
enum leat_ownership {
    LEAT_BORROW = 0, /**< The caller keeps the descriptor, and closes it after the pipeline has ended. */
    LEAT_TAKE = 1,   /**< leat closes the descriptor, on failure too. */
};

/** How a sink treats a regular file. */
enum leat_write_mode {
    LEAT_WRITE_PUBLISH = 0,  /**< All or nothing, see "Files: published or in place". */
    LEAT_WRITE_IN_PLACE = 1, /**< Writes over it and cuts it to length. A failure leaves what was written. */
    LEAT_WRITE_APPEND = 2,   /**< Writes behind what is there. A failure leaves what was written. */
};

/** Options of leat_endpoint_open. Members for other kinds of endpoints have no effect. */
struct leat_endpoint_options {
    size_t size;        /**< Of this struct. */
    int32_t write_mode; /**< Sinks: enum leat_write_mode. */
    /** Sinks, not 0: fsync(2) the file before it is published, and its directory afterwards. */
    int32_t sync;
    /** Sinks, not 0: keep the source's times, and its mode without set-user-ID and set-group-ID. */
    int32_t preserve;
    /** tcp and unix: how long connecting may take, for all addresses of the host together. 0: 30 seconds. tcp-listen
     * and unix-listen: how long the peer may take to come. 0: no limit. -1: no limit. In milliseconds. */
    int32_t connect_timeout_ms;
    /** Whatever may have to be waited for, such as sockets, pipes and terminals: how long it may keep the transfer
     * waiting without being ready for a single byte. A child of leat_filter_exec has the longest such time of the
     * pipeline's endpoints, to read something and, after the end of its input, to write something. 0 or -1: no limit.
     * In milliseconds. */
    int32_t idle_timeout_ms;
    /** Sinks, not 0: refuse a regular file that exists, also one that is made while the pipeline runs (-EEXIST). For an
     * object in a store see "Stores: sinks". */
    int32_t no_clobber;
    /** Sinks, not 0: replace a regular file without write permission, and write to a device that is in use. */
    int32_t force;
    /** Sinks, not 0: attributes of the old file that the new file can't have are lost. */
    int32_t drop_attributes;
    /** Stores: how often a request that failed for now is repeated without progress. 0: 8 times. -1: never. */
    int32_t retries;
    /** Stores: how many connections read parts of an object at the same time, at most LEAT_STREAMS_MAX. 0: one, and
     * more, up to 8, as long as measurement shows that the bytes come faster for it. */
    int32_t streams;
    /** Stores: how long an object may take in all, from its opening on. 0 or -1: no limit. In milliseconds. */
    int32_t total_timeout_ms;
    /** Sinks of s3: how many bytes one request sends, if there are more of them. 0: 8 MiB. Every 1,000 parts it is
     * doubled. It need not be a multiple of a MiB. S3 wants at least 5 MiB. */
    uint64_t part_size;
    /** Stores, with TLS: the file with the certificates of the authorities that are trusted, and no others, in PEM.
     * NULL: the system's, see "Stores: TLS and proxies". Borrowed until the endpoint is open. */
    const char *cacert;
    /** Stores, with TLS: the file with the client's certificate, in PEM. NULL: none. Borrowed until the endpoint is
     * open. */
    const char *cert;
    /** Stores, with TLS: the file with the private key of `cert`, in PEM, without a password. NULL: the key is in the
     * same file. Borrowed until the endpoint is open. */
    const char *key;
    /** http: and https: headers of each request, "NAME: VALUE", with NULL behind the last one. NULL: none. s3: takes
     * some of them, see "Stores: logins and headers". Borrowed until the endpoint is open. */
    const char *const *headers;
    /** http: and https: a file with users and passwords of hosts, as curl(1) reads it. NULL: none. Borrowed until the
     * endpoint is open. */
    const char *netrc_file;
    /** http: and https:, not 0: they are in ~/.netrc, if netrc_file is NULL. */
    int32_t netrc;
    /** Sinks of s3: the path of a journal, which says which parts the store has. NULL: there is no journal. The string
     * is copied.
     *
     * If the file exists, its upload continues. A part is not sent again if the store has it, by size and ETag, and its
     * bytes are those that come again, by SHA-256. A run that fails or is cancelled leaves the upload and the journal,
     * unless the failure is one of the bytes (-EBADMSG, -ESTALE) or of the object (-EEXIST). When the object is made,
     * the file is removed. One process at a time may use the journal (-EBUSY). A file that is no journal, or the
     * journal of another object, is -EINVAL. */
    const char *resume;
    /** Sinks of s3: the checksum that the store compares and keeps with the object: "sha256" (NULL), "crc32", "crc32c"
     * or "crc64nvme", in any case of letters. Others are -EINVAL. A CRC is that of the whole object, however many parts
     * were sent. In any case each request is signed with the SHA-256 of its body. Borrowed until the endpoint is
     * open. */
    const char *checksum;
};

/** The most connections that may read one object. */
enum {
    LEAT_STREAMS_MAX = 64 /**< See `streams`. */
};

/**
 * Opens an endpoint: resolves a spec, and changes nothing.
 *
 * @param ret_endpoint  The endpoint. A pipeline takes it, or leat_endpoint_close frees it.
 * @param spec          The spec, see above. It is copied.
 * @param direction     Whether the endpoint is a source or a sink.
 * @param options       NULL: the defaults.
 * @param ret_error     What was wrong with the spec; its `node` is `spec`, without a login. NULL: no details.
 *
 * Blocking: only while paths are looked up, and while keys of s3: and logins of oci: are asked for.
 *
 * @return 0; -EINVAL: a bad spec or option; -E2BIG: options that this library does not know, or too many headers for
 *         s3:; what stat(2) returns.
 */
LEAT_API int leat_endpoint_open(leat_endpoint **ret_endpoint, const char *spec, enum leat_direction direction,
                                const struct leat_endpoint_options *options, struct leat_error *ret_error);

/**
 * Makes an endpoint of a descriptor.
 *
 * Its use as a source or a sink gives it its direction.
 *
 * @param ret_endpoint  The endpoint. A pipeline takes it, or leat_endpoint_close frees it.
 *
 * @return 0; -EBADF: no such descriptor is open; -EISDIR: it is a directory; -EINVAL: no such ownership; -ENOMEM.
 */
LEAT_API int leat_endpoint_from_fd(leat_endpoint **ret_endpoint, int fd, enum leat_ownership ownership);

/**
 * Makes a source and a sink of the two directions of a stream socket.
 *
 * They are for two pipelines, which may run at the same time. If the sink succeeds, the writing direction is shut down.
 * If it fails, the connection is reset if it is TCP. The flags of the descriptor do not change. A descriptor that is
 * taken and is non-blocking can be spliced.
 *
 * @param ret_read   The source. A pipeline takes it, or leat_endpoint_close frees it.
 * @param ret_write  The sink. A pipeline takes it, or leat_endpoint_close frees it.
 * @param fd         The socket. With LEAT_TAKE it is closed when both endpoints are gone, or have been through a
 *                   pipeline.
 *
 * @return 0; -ENOTSOCK: not a socket; -EPROTOTYPE: not a stream socket; -EBADF; -EINVAL: no such ownership; -ENOMEM.
 */
LEAT_API int leat_endpoint_duplex(leat_endpoint **ret_read, leat_endpoint **ret_write, int fd,
                                  enum leat_ownership ownership);

/**
 * Makes a source of bytes in memory.
 *
 * @param ret_endpoint  The source. A pipeline takes it, or leat_endpoint_close frees it.
 * @param bytes         Borrowed; they must not change until the pipeline has ended.
 * @param size          Their number.
 *
 * @return 0; -ENOMEM.
 */
LEAT_API int leat_endpoint_from_memory(leat_endpoint **ret_endpoint, const void *bytes, size_t size);

/**
 * Makes a sink that fills memory.
 *
 * @param ret_endpoint  The sink. A pipeline takes it, or leat_endpoint_close frees it.
 * @param bytes         Where the bytes go; borrowed until the pipeline has ended.
 * @param capacity      Its room in bytes. If more bytes come, the pipeline fails with -ENOSPC.
 * @param ret_size      How many bytes came. It is set when the pipeline commits, and is untouched if the pipeline
 *                      fails. NULL: not wanted.
 *
 * @return 0; -ENOMEM.
 */
LEAT_API int leat_endpoint_to_memory(leat_endpoint **ret_endpoint, void *bytes, size_t capacity, size_t *ret_size);

/**
 * The functions of a source or a sink that calls the program.
 *
 * The thread that runs the pipeline makes each call, one at a time. A function must not block. If it has nothing yet,
 * it returns -EAGAIN, and the program later calls leat_endpoint_notify. Each function returns 0 or a negative errno.
 * Any other answer, or a count that is too large, fails the pipeline with -EPROTO.
 */
struct leat_endpoint_callbacks {
    size_t size; /**< Of this struct. */
    /** Writes up to n bytes to `bytes`, and their number to *ret_n. 0 with *ret_n == 0 is the end. Sources need it. */
    int (*read)(void *user, void *bytes, size_t n, size_t *ret_n);
    /** Takes up to n bytes, and writes their number to *ret_n: at least one, unless it returns -EAGAIN or an error.
     * Sinks need it. */
    int (*write)(void *user, const void *bytes, size_t n, size_t *ret_n);
    /** Optional. `code` is 0 if everything was delivered and verified, or the code of the pipeline's failure. It is
     * called once. If it returns an error for 0, the pipeline fails. The source is called last, when the sinks are
     * committed. They stay so if the source then fails, and the report says "done" of each. */
    int (*finish)(void *user, int code);
    /** Optional. The endpoint is freed. This is the last call. */
    void (*free)(void *user);
};

/**
 * Makes a source or a sink of functions.
 *
 * @param ret_endpoint  The endpoint. A pipeline takes it, or leat_endpoint_close frees it.
 * @param callbacks     The functions; copied.
 * @param user          Is passed to each function.
 * @param ret_error     NULL, or where the call says in a sentence why it failed; with -EINVAL, which member is wrong
 * and what is allowed.
 *
 * @return 0; -EINVAL: neither `read` nor `write` is there; -E2BIG; -EMFILE; -ENFILE; -ENOMEM.
 */
LEAT_API int leat_endpoint_from_callbacks(leat_endpoint **ret_endpoint, const struct leat_endpoint_callbacks *callbacks,
                                          void *user, struct leat_error *ret_error);

/**
 * Says that a callback endpoint that returned -EAGAIN is ready.
 *
 * Early and needless calls do no harm. The call is async-signal-safe.
 *
 * @return 0; -EINVAL: an endpoint of another kind.
 */
LEAT_API int leat_endpoint_notify(leat_endpoint *endpoint);

/**
 * Compares two endpoints.
 *
 * They are the same if they stand for one file, device, pipe or socket, or for one name of a file that does not exist
 * yet, whatever their specs. What was there when each was opened counts. Endpoints of memory, callbacks, children and
 * connections are never the same as another.
 *
 * @return 1: they are the same. 0: they are not, as far as is known.
 */
LEAT_API int leat_endpoint_is_same(const leat_endpoint *a, const leat_endpoint *b);

/**
 * Takes a second reference.
 *
 * A pipeline takes the reference that it is given, on failure too. With this call the program keeps one.
 *
 * @return The endpoint.
 */
LEAT_API leat_endpoint *leat_endpoint_ref(leat_endpoint *endpoint);

/**
 * Drops a reference.
 *
 * The last reference must not be dropped while a pipeline uses the endpoint.
 *
 * @param endpoint  NULL is allowed.
 */
LEAT_API void leat_endpoint_close(leat_endpoint *endpoint);

#ifdef __cplusplus
}
#endif
#endif
