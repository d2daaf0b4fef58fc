/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Copies of whole trees: a folder with all that is in it. And comparisons of trees.
 *
 *     struct leat_tree_options options = LEAT_INIT(struct leat_tree_options);
 *     struct leat_error error = LEAT_INIT(struct leat_error);
 *     options.keep = LEAT_TREE_ALL;
 *     if (leat_tree_copy("/srv/data", "/backup/data", &options, NULL, &error) < 0)
 *         fprintf(stderr, "%s: %s\n", error.node, error.text);
 *
 * A tree is a folder, or the objects of a store whose keys begin with a prefix: `s3://BUCKET[/PREFIX]`, where PREFIX
 * stands for "PREFIX/". leat/endpoint.h says how a store is found. As for an endpoint, a name that begins with a scheme
 * is never a path: write `./s3:` for such a folder.
 *
 * In a store each file is an object. Its metadata has the time of the file and its mode ("mtime", "mode"), and with
 * LEAT_TREE_ALL its owner and group ("uid", "gid"), as rclone writes them; they are read back. With LEAT_TREE_ALL each
 * folder has an object, too, which keeps the same of it; its key ends in a slash. Symbolic links, FIFOs, sockets,
 * devices, hard links, extended attributes, access control lists and flags can't be kept there: each is a problem, or
 * is counted in `dropped`.
 *
 * A thread reads the folders; several workers copy what is in them. Each file appears whole or not at all, with all
 * that is kept of it. Names may have any bytes, and paths any length. No link in either tree leads the copy out of it.
 *
 * Archives
 * --------
 * `tar:NAME` is a tree in a tar archive. NAME is any endpoint (leat/endpoint.h): a path, "-", "s3://BUCKET/KEY". A path
 * that begins with "tar:" is written "./tar:...". The other side of the copy is a folder. libarchive is loaded for that
 * (-ELIBACC without it; -ENOSYS if leat was built without it).
 *
 * A source is in the format ustar, pax or GNU's, plain or compressed by gzip, zstd, xz, bzip2 or lz4, whatever its name
 * says. The calling thread makes what the entries say, in their order, and has the locale "C" until the call returns;
 * `jobs` has no effect, and `listed` and `problem` are called on this thread. A later entry of a name replaces an
 * earlier one. Further names of a file are hard links, also with LEAT_TREE_BASIC. Owners are the numbers in the
 * archive. A slash in front of a name is taken away. It is a problem if a name has a part "..", leads through a
 * symbolic link, or is a hard link to what the target does not have. An archive that is cut off or damaged is one, too
 * (-EBADMSG), and ends the copy; the files before that are whole.
 *
 * A target is written in the format pax, compressed by gzip or zstd if its name ends with .gz, .tgz, .zst or .tzst, by
 * `jobs` threads. It is published as any sink is: a file appears whole or not at all. Names are relative to the source,
 * which is "./"; each folder is followed by what is in it, sorted by bytes. The same tree gives the same bytes: times
 * of last access and names of owners are left out, and with LEAT_TREE_BASIC the owner is 0. A socket is a problem. So
 * is a file that becomes shorter while it is read, whose rest is zeros, and one that becomes longer, whose rest is
 * missing.
 *
 * An image of containers is a source, too, by its name in leat/image.h. Its layers are unpacked one over the other,
 * with their whiteouts, each after it was compared with its digest; until then it is in a file without a name in
 * TMPDIR, or in /var/tmp. The target must be missing or empty (-ENOTEMPTY). `listed` is called at the end. As a target
 * it becomes an image with one layer for the platform of this machine, without a time. The layer is as any archive,
 * compressed by gzip; a name that begins with ".wh." is a problem, because it would remove another one.
 *
 * -EINVAL: an archive at both ends, or with an option that shares, goes on, compares or deletes: `shards`, `claims`,
 * `resume`, a journal that is not optional, `update`, `delete_extra`, `dry_run`, `publish`, `sync`.
 */
#ifndef LEAT_TREE_H
#define LEAT_TREE_H

#include <leat/base.h>
#include <leat/endpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What is kept of a file. */
enum leat_tree_keep {
    /** Contents, modes without set-user-ID and set-group-ID, symbolic links, holes, and times. */
    LEAT_TREE_BASIC = 0,
    /** All: also owners, hard links of all but folders, extended attributes, access control lists, capabilities, flags
     * of chattr(1), all mode bits, FIFOs, sockets and devices. */
    LEAT_TREE_ALL = 1,
};

/** What has changed in the target. */
enum leat_tree_change {
    LEAT_TREE_MADE = 1,    /**< A folder was made. */
    LEAT_TREE_COPIED = 2,  /**< A file, a symbolic link or a special file was copied. */
    LEAT_TREE_LINKED = 3,  /**< A further name of a file was made. */
    LEAT_TREE_DELETED = 4, /**< A name was deleted. */
};

enum {
    LEAT_TREE_JOBS_MAX = 256,       /**< The most workers. */
    LEAT_TREE_SHARDS_MAX = 1000000, /**< The most shards. */
    LEAT_TREE_TARGETS_MAX = 16      /**< The most targets of one copy. */
};

/** What a target could not have. */
enum leat_tree_lost {
    LEAT_TREE_LOST_OTHER = 0,        /**< Anything else. */
    LEAT_TREE_LOST_OWNER = 1,        /**< The owner, or the owner and the group. */
    LEAT_TREE_LOST_GROUP = 2,        /**< The group alone. */
    LEAT_TREE_LOST_MODE = 3,         /**< The mode bits. */
    LEAT_TREE_LOST_TIMES = 4,        /**< The times. */
    LEAT_TREE_LOST_ACL = 5,          /**< An access control list. */
    LEAT_TREE_LOST_ATTRIBUTE = 6,    /**< An extended attribute, or several. */
    LEAT_TREE_LOST_CAPABILITIES = 7, /**< The capabilities of a program. */
    LEAT_TREE_LOST_FLAGS = 8,        /**< Flags of chattr(1). */
    LEAT_TREE_LOST_HARD_LINK = 9,    /**< That two names are one file. */
    LEAT_TREE_LOST_SYMLINK = 10,     /**< A symbolic link. */
    LEAT_TREE_LOST_SPECIAL = 11,     /**< A FIFO, a socket or a device. */
};

enum {
    LEAT_TREE_LOST_KINDS = 16 /**< Room for the kinds of losses, of this version and of later ones. */
};

/** In what two trees, or a tree and a list, differ. */
enum leat_tree_difference_kind {
    LEAT_TREE_ONLY_SOURCE = 0, /**< The target has no such name. A folder is told, and not what is in it. */
    LEAT_TREE_ONLY_TARGET = 1, /**< The source, or the list, has no such name. A folder is told, not what is in it. */
    LEAT_TREE_KIND = 2,        /**< One is a file, for instance, and the other is a folder. */
    LEAT_TREE_CONTENTS = 3, /**< The bytes of a file; `offset` is where the first other byte is, or the shorter end. */
    LEAT_TREE_LINK = 4,     /**< Where a symbolic link leads to. */
    LEAT_TREE_DEVICE = 5,   /**< The numbers of a device. */
    LEAT_TREE_OWNER = 6,    /**< The owner or the group. */
    LEAT_TREE_MODE = 7,     /**< The mode bits. */
    LEAT_TREE_TIME = 8,     /**< The time of the last modification. */
    LEAT_TREE_ATTRIBUTES = 9,  /**< Extended attributes, access control lists, capabilities, or flags of chattr(1). */
    LEAT_TREE_HARD_LINKS = 10, /**< In one tree it is a further name of a file, in the other one it is not. */
};

enum {
    LEAT_TREE_DIFFERENCE_KINDS = 16 /**< Room for the kinds of differences, of this version and of later ones. */
};

/** One difference. The layout is fixed. */
struct leat_tree_difference {
    int32_t kind;     /**< An enum leat_tree_difference_kind. */
    const char *name; /**< What differs, relative to the root of the tree; "." is the root. */
    uint64_t offset;  /**< Of LEAT_TREE_CONTENTS: the offset of the first byte that differs; else 0. */
    const char *text; /**< How it differs, for people: "the mode is 0644, in the target 0600". */
};

/** A line of a list of digests. The layout is fixed. */
struct leat_tree_entry {
    const char *name;      /**< A file, relative to the folder. Its parts are joined by "/"; "./" is passed over. */
    const char *algorithm; /**< Of the digest: "sha256". */
    const char *hex;       /**< The digest in hexadecimal. */
};

/** What was done, or has been done so far. */
struct leat_tree_result {
    size_t size;          /**< sizeof(struct leat_tree_result); the caller sets it. */
    uint64_t files;       /**< Regular files that were copied; further names of one file are hard links. */
    uint64_t bytes;       /**< Bytes of these files; so far also of those that are not complete. */
    uint64_t directories; /**< Folders that were made, or were there. */
    uint64_t symlinks;    /**< Symbolic links. */
    uint64_t hard_links;  /**< Further names of files, symbolic links, FIFOs, sockets and devices. */
    uint64_t specials;    /**< FIFOs, sockets and devices. */
    uint64_t dropped;     /**< Attributes that could not be kept, with `drop_attributes`. */
    uint64_t problems;    /**< What was not copied, or not as it should be. */
    uint64_t differences; /**< What leat_tree_verify has found. */
    uint64_t differing[LEAT_TREE_DIFFERENCE_KINDS]; /**< The same, of each enum leat_tree_difference_kind. */
    uint64_t excluded;  /**< Names that a rule left out; what is in a folder that is left out is not counted. */
    uint64_t unchanged; /**< Names that `update` left alone. */
    uint64_t resumed;   /**< Names that were copied before, as the journal proves, and were not copied again. */
    uint64_t journal;   /**< 1: the journal was left, so that `resume` can go on from it. 0: there is none. */
    uint64_t deleted;   /**< Names that `delete_extra` has deleted. */
    /** What the target could not have, of each enum leat_tree_lost: the same as `dropped`, or a part of `problems`. */
    uint64_t lost[LEAT_TREE_LOST_KINDS];
    uint64_t jobs;        /**< How many workers the copy has. */
    uint64_t found;       /**< Names that were found so far in the source, without folders. */
    uint64_t found_bytes; /**< Bytes of the files among them, with `sizes`. 0: not known. */
    uint64_t
        has_found_all; /**< 1: there are no more names, so `found` and `found_bytes` are those of the whole tree. */
};

/** How a tree is copied. All pointers are borrowed for the call. */
struct leat_tree_options {
    size_t size;             /**< sizeof(struct leat_tree_options). */
    int32_t keep;            /**< An enum leat_tree_keep. */
    int32_t drop_attributes; /**< Not 0: what can't be kept is counted in `dropped`, and is no problem. */
    int32_t one_file_system; /**< Not 0: folders on another file system than the source's root stay empty. */
    int32_t jobs; /**< Workers, up to LEAT_TREE_JOBS_MAX; 0: one for each processor, at least 2; 32 with a store. */
    /** The digest of each regular file, taken while it is copied: "sha256"; NULL: none. */
    const char *digest;
    /**
     * Gets each digest.
     *
     * @param name  The file, relative to the root of the tree; borrowed.
     * @param hex   The digest in lower-case hexadecimal; borrowed.
     *
     * Threads: workers; one call at a time. The order of the calls is not defined.
     */
    void (*listed)(void *user, const char *name, const char *hex);
    /**
     * Gets each problem. The copy goes on without what has the problem.
     *
     * @param error  The problem; `node` is the path that has it, shortened if it is long; borrowed.
     *
     * Threads: any thread of the call; one call at a time, and none while `listed` is called.
     */
    void (*problem)(void *user, const struct leat_error *error);
    /**
     * Is called every `progress_ms` milliseconds, on the thread of the call.
     *
     * @return 0; any other number ends the copy with -ECANCELED.
     */
    int (*progress)(void *user, const struct leat_tree_result *so_far);
    int32_t progress_ms; /**< 0: 200. */
    void *user;          /**< Handed to the functions. */
    /**
     * Several processes, on any number of hosts, copy the tree: so many, each with its own number in `shard`. Each
     * reads the whole source and copies its share of the names; together they copy all. They send no messages, may run
     * at any time, and may end in any order. A call that failed or was killed can be made again. 0 or 1: this call
     * copies all.
     *
     * A file of more than 64 MiB is copied by several of them, and gets its name by the one that ends last, unless
     * there is a digest.
     *
     * A folder in which its owner may not write is copied whole by one of them, unless the user is root. A hard link
     * between it and another folder can't be kept, which is a problem or counted, as with `drop_attributes`.
     *
     * All of them need the same source, the same options and the same user. The share of a name is the same on every
     * machine: leat-copy(1) has the formula.
     */
    int32_t shards;
    int32_t shard; /**< Which share the call copies, from 0 to `shards` - 1. */
    /**
     * Gets each difference that leat_tree_verify finds.
     *
     * @param difference  The struct and its texts are borrowed.
     *
     * Threads: workers; one call at a time, and none while `problem` is called. The order of the calls is not defined.
     */
    void (*difference)(void *user, const struct leat_tree_difference *difference);
    /**
     * Rules, ended by NULL, that say what is copied: "+ PATTERN" copies what matches, "- PATTERN" leaves it out. The
     * first rule that matches a name decides; a name that none matches is copied. What is in a folder that is left out
     * is not looked at. NULL: all is copied.
     *
     * Patterns are those of rsync(1): `*` and `?` match any bytes and any byte but '/', `[...]` one byte of a set, `**`
     * any bytes. A pattern that begins with '/' is compared with the whole path, relative to the root of the tree; any
     * other, with the end of the path. One that ends in '/' matches folders alone; "PATTERN/" and three stars, a folder
     * and all that is in it.
     */
    const char *const *rules;
    /**
     * Names, ended by NULL, relative to the root of the tree: only these are copied, and the folders above them are
     * made with their attributes. A name that is a folder stands for the folder without what is in it; one with a slash
     * at its end, for the folder with all that is in it. A name that is missing is a problem. If a name leads out of
     * the tree, by "..", by a slash at its beginning or through a symbolic link, nothing is copied: -EINVAL. The source
     * must be a folder, and `delete_extra` is not possible. NULL: all names.
     */
    const char *const *names;
    int32_t max_depth; /**< Levels below the root that are copied: a folder on the last one stays empty; 0: all. */
    /** Not 0: a name that the target has already is left alone if it is unchanged. That is a file with the size and the
     * modification time of the source's, a link with the same text, a special file of the same kind and number. A file
     * that is newer in the target than in the source is left alone, too. So are its attributes. The target must be a
     * folder. */
    int32_t update;
    /**
     * Not NULL: processes on any number of hosts copy the tree, and take what is to be copied from each other: a folder
     * that all of them see, which is made if it is missing, or "s3://BUCKET[/PREFIX]". It belongs to one copy, and is
     * removed by the program when it likes. A store that does not keep the promise of If-None-Match: -EOPNOTSUPP. All
     * processes need the same source, target and options, and processes may join and leave at any time. The call
     * returns when everything is copied, by this process or another one. With shards, `dry_run`, `delete_extra` or
     * `publish` it is -EINVAL.
     */
    const char *claims;
    /** After how many milliseconds without a sign of life a process counts as dead, and another one does what it had
     * begun. 0: 60,000. All processes need the same. */
    int32_t lease_ms;
    /**
     * The path of the journal: a file that lists what is copied, so that a copy that ended early can go on. If it is
     * missing, it is made; the journal of another copy is overwritten; another file is refused with -EINVAL. It is
     * removed when all is copied, and left after a failure. NULL: no journal.
     *
     * A process that is killed loses the records of at most 64 names, or of 1 MiB, for each worker. docs/formats.md
     * describes the file.
     */
    const char *journal;
    /**
     * Not 0: goes on from the journal, if there is one. What it proves to be copied is not copied again: `resumed`
     * counts it, and `listed` gets its digest. What changed since in the source or in the target is copied again. If
     * the machine was started anew since, contents are compared. -EINVAL: the journal is that of another source,
     * target, shard, digest, or of other attributes. -EBUSY: another process uses it.
     */
    int32_t resume;
    int32_t journal_optional; /**< Not 0: a journal that can't be made or written is no failure. */
    int32_t journal_stays;    /**< Not 0: the journal is left, too, when all is copied. */
    /**
     * Not 0: names that the target has and the source has not are deleted, folders with all that is in them. What
     * `rules` leave out stays, and so do the folders above it. A folder that could not be read, or in which something
     * failed, loses nothing; nor does one that is not read, because of `max_depth` or `one_file_system`. No link is
     * followed, and no other file system is entered. The source and the target must be folders, without shards
     * and claims.
     */
    int32_t delete_extra;
    /** Not 0: nothing is changed. The numbers, the problems and `changed` say what would be done, as far as that is
     * known without reading files and writing. No digest can be asked for, and there are no shards and claims. */
    int32_t dry_run;
    /**
     * Gets each change of the target, after it was made. An archive as the source or the target does not call it.
     *
     * @param change  An enum leat_tree_change.
     * @param name    Relative to the root of the tree, "." for the root itself; borrowed.
     *
     * Threads: any thread of the call; one call at a time, and none while `problem` is called. A folder is told before
     * what is in it, unless it is deleted; otherwise the order is not defined.
     */
    void (*changed)(void *user, int32_t change, const char *name);
    /**
     * Not 0: the tree is published as a whole. It is copied into the hidden folder .NAME.leat-tree beside the target
     * NAME, which then gets that name by one rename. A folder of that name is replaced with all that is in it: the
     * rename exchanges both, where the file system can do that, and the old one is removed. If something could not be
     * copied, the target stays as it was; with a journal the hidden folder is left for `resume`, otherwise it is
     * removed. -EINVAL with shards, claims, `update` and `dry_run`, if one end is no folder, and if one of the folders
     * is in the other.
     */
    int32_t publish;
    /**
     * Not 0: the copy is on the disk when the call returns, by syncfs(2), before it is published. Every 10 seconds the
     * same is done before the journal says so; after a power cut `resume` compares only what was copied later. The
     * target must be a folder.
     */
    int32_t sync;
    /** Not 0: the length of each file is looked up while the folders are read, which is one more call for a file, so
     * that `progress` gets `found_bytes`. */
    int32_t sizes;
    /**
     * Gets each large file that is being copied, right before each call of `progress`.
     *
     * @param name   The file, relative to the root of the tree; borrowed.
     * @param done   Bytes that were copied.
     * @param bytes  Bytes of the file.
     *
     * Threads: as `progress`.
     */
    void (*large)(void *user, const char *name, uint64_t done, uint64_t bytes);
    /** Stores: how servers are connected to, as in leat_endpoint_open for each object. NULL: the defaults. */
    const struct leat_endpoint_options *endpoint;
    /**
     * Further targets, ended by NULL; with the first one up to LEAT_TREE_TARGETS_MAX. Each becomes a copy, and each
     * byte of the source is read once. All targets must be folders. NULL: there are none.
     *
     * A target that can't have a name, or not even its root, does not stop the others. The `node` of its problems
     * begins with the target as it was named. What at least one target has is counted once in the result, and its
     * digest is told.
     *
     * -EINVAL, before anything is made: one target is another one, or is in another one or in the source; the source is
     * an archive; with shards, `claims`, `journal` (unless it is optional; then there is none), `resume`, `update`,
     * `delete_extra`, `dry_run`, `publish` or `sync`.
     */
    const char *const *more_targets;
};

/**
 * Copies a tree.
 *
 * What the target has besides stays. A file that the target has under the same name is replaced; a folder is merged. A
 * folder never replaces anything else, nor anything else a folder.
 *
 * @param source      A folder, a symbolic link to one, "tar:NAME", an archive; or s3://BUCKET[/PREFIX].
 * @param target      The folder that becomes the copy. If it is missing, it is made; the folder around it must exist.
 *                    Or s3://BUCKET[/PREFIX]; the bucket must exist.
 * @param options     NULL: the defaults.
 * @param ret_result  NULL, or what was done; it is filled on failure, too.
 * @param ret_error   NULL, or the first failure.
 *
 * Blocking: until the copy has ended. `progress` can end it earlier; a worker that moves a large file ends with it.
 *
 * @return 0: all was copied; -EINVAL: the options or a name are wrong, or the target is the source or is inside of it;
 * -ECANCELED; or the code of the first problem. In all cases but the first two the rest of the tree was copied, except
 * after -ECANCELED and -ENOMEM.
 *
 * Threads: any. Calls do not share anything.
 */
LEAT_API int leat_tree_copy(const char *source, const char *target, const struct leat_tree_options *options,
                            struct leat_tree_result *ret_result, struct leat_error *ret_error);

/**
 * Compares two trees, in parallel, and changes nothing.
 *
 * With LEAT_TREE_BASIC the kinds of all names, the bytes of files, the texts of symbolic links and the numbers of
 * devices are compared. With LEAT_TREE_ALL also owners, modes, times of modification, attributes as LEAT_TREE_ALL says,
 * and which names are hard links of each other.
 *
 * @param source      A folder, or a symbolic link to one.
 * @param target      The folder that is to be equal, or a symbolic link to one.
 * @param options     NULL: the defaults. `difference` gets what differs, `problem` what can't be read. Of the other
 *                    members `digest` and `drop_attributes` are not allowed.
 * @param ret_result  NULL, or what was compared; it is filled on failure, too. `files` counts regular files of both
 *                    trees, `bytes` the bytes that were read of the source.
 * @param ret_error   NULL, or the first failure; if there is none, the first difference, with its name as `node`.
 *
 * Blocking: until the end. `progress` can end it earlier.
 *
 * @return 0: the trees are equal; -EBADMSG: they differ, and all could be read; -EINVAL: the options are wrong;
 * -ECANCELED; or the code of the first problem.
 *
 * Threads: any. Calls do not share anything.
 */
LEAT_API int leat_tree_verify(const char *source, const char *target, const struct leat_tree_options *options,
                              struct leat_tree_result *ret_result, struct leat_error *ret_error);

/**
 * Compares the files of a list of digests with a folder, in parallel, and changes nothing.
 *
 * Symbolic links are not followed: neither on the way to a file, nor as a file. A file that is missing is
 * LEAT_TREE_ONLY_SOURCE, something else of this name LEAT_TREE_KIND, and another digest LEAT_TREE_CONTENTS. A name that
 * leads out of the folder is a problem, and so is an algorithm that can't be computed. The list may have any length;
 * memory does not grow with it. A list that is sorted by name, or at least by folder, opens each folder once.
 *
 * @param folder      The folder that the names are relative to.
 * @param next        Gives the next line of the list in *ret_entry, whose texts are valid until the next call. Returns
 *                    1; 0: the list has ended; or a negative errno, which ends the comparison with that code. A thread
 *                    of the library calls it; one call at a time.
 * @param next_user   Handed to `next`.
 * @param options     As of leat_tree_verify; LEAT_TREE_ALL is not allowed, and `one_file_system` has no effect.
 * @param ret_result  As of leat_tree_verify; `bytes` are those of the files that were read.
 * @param ret_error   As of leat_tree_verify.
 *
 * Blocking: until the end. `progress` can end it earlier.
 *
 * @return 0: all files are as the list says; otherwise as leat_tree_verify.
 *
 * Threads: any. Calls do not share anything.
 */
LEAT_API int leat_tree_verify_list(const char *folder, int (*next)(void *next_user, struct leat_tree_entry *ret_entry),
                                   void *next_user, const struct leat_tree_options *options,
                                   struct leat_tree_result *ret_result, struct leat_error *ret_error);

/** What a journal of a copy says (`journal` of struct leat_tree_options). */
struct leat_tree_journal {
    size_t size;     /**< sizeof(struct leat_tree_journal); the caller sets it. */
    int32_t shard;   /**< Which share the process copies, from 0 on. */
    int32_t shards;  /**< How many shares the copy has; 1: one process copies all. */
    int32_t is_done; /**< 1: the process has copied its share. */
    uint64_t names;  /**< Names that are recorded as copied. A name that was copied twice counts twice. */
};

/**
 * Reads a journal of a copy.
 *
 * @param path         The journal. It may be in use; then what was written so far is read.
 * @param head         NULL, or gets the absolute paths of the copy, first; borrowed.
 * @param entry        NULL, or gets each name, relative to the root of the tree, and its digest, in hexadecimal, or "";
 *                     borrowed.
 * @param user         Handed to both. If one returns a negative errno, the call ends with it.
 * @param ret_journal  NULL, or what the journal says; filled in if the call succeeds.
 * @param ret_error    NULL, or the failure.
 *
 * Blocking: as reading a file does.
 *
 * @return 0; -EBADMSG: the file is no journal of this version; -EINVAL: the result has no size; or a negative errno of
 * the file.
 *
 * Threads: any. Calls do not share anything.
 */
LEAT_API int leat_tree_journal_read(const char *path, int (*head)(void *user, const char *source, const char *target),
                                    int (*entry)(void *user, const char *name, const char *digest), void *user,
                                    struct leat_tree_journal *ret_journal, struct leat_error *ret_error);

/**
 * Gives the names of all that is in a tree, without the folders, in an order that is not defined.
 *
 * @param folder      A folder, or a symbolic link to one. Other links are not followed.
 * @param found       Gets each name, relative to the folder; the text is borrowed. `is_file`: 1: it is a regular file.
 *                    0: it is a symbolic link, a FIFO, a socket or a device. Returns 0, or a negative errno, which ends
 *                    the call with that code. Workers call it; one call at a time, and none while `problem` is called.
 * @param found_user  Handed to `found`.
 * @param options     As of leat_tree_verify; `keep` has no effect.
 * @param ret_result  NULL, or a result of which `directories`, `found`, `excluded` and `problems` are filled in.
 * @param ret_error   NULL, or the first failure.
 *
 * Blocking: until the end. `progress` can end it earlier.
 *
 * @return 0: all names were given; -EINVAL: the options are wrong; -ECANCELED; or the code of the first problem.
 *
 * Threads: any. Calls do not share anything.
 */
LEAT_API int leat_tree_walk(const char *folder, int (*found)(void *found_user, const char *name, int32_t is_file),
                            void *found_user, const struct leat_tree_options *options,
                            struct leat_tree_result *ret_result, struct leat_error *ret_error);

#ifdef __cplusplus
}
#endif
#endif
