/* SPDX-License-Identifier: MIT */
/* The platform: calls that POSIX does not have, in one constant table. Exactly one file defines the table, chosen when
 * the library is linked: kernel/linux.c, or base/posix.c on other systems. So the other rooms need no #ifdef for this.
 */
#ifndef BASE_PLATFORM_H
#define BASE_PLATFORM_H

#include "base/op.h"
#include <dirent.h>
#include <leat/endpoint.h>
#include <stdatomic.h>
#include <sys/stat.h>

/* Shared memory of processes, and the means to wait for each other and to detect a crashed peer. It is made of Linux's
 * futexes, locks and descriptors, so a platform has all of it or nothing. Results are 0 or -errno. */
struct platform_sharing {
    /* Creates a memory file of `size` zero bytes. Seals keep it from growing and shrinking and from losing its seals,
     * so the bytes stay there. Gives the descriptor. */
    int (*make)(const char *name, uint64_t size);

    /* Checks that `fd` is a file that `make` created. Returns 0, or -EINVAL if it is not. */
    int (*check)(int fd);

    /* Maps `size` bytes of the file twice, one mapping right behind the other, so that a range that wraps at the end is
     * contiguous. */
    int (*map_twice)(int fd, uint64_t offset, size_t size, void **ret);

    /* Takes the lock `index`. The kernel drops it when the last copy of this descriptor is closed, also if its owner
     * crashed. The lock belongs to the open file description, not to the process, so a process reopens the file to get
     * locks of its own. -EAGAIN: another open file description has the lock. */
    int (*lock)(int fd, uint32_t index);
    int (*unlock)(int fd, uint32_t index);
    /* Returns 1 if another open file description has the lock, or 0. */
    int (*locked)(int fd, uint32_t index);

    /* Sleeps while *word is `value`, for at most timeout_ns. May return early. */
    void (*wait)(_Atomic uint32_t *word, uint32_t value, int64_t timeout_ns);
    /* Wakes up to n sleepers. Returns how many it woke. */
    int (*wake)(_Atomic uint32_t *word, int n);

    /* Creates an event, which wakes pollers. Gives the descriptor. All peers share its open file, so event_set never
     * sleeps, whatever a peer does to the flags or to the count. If that is impossible, event_set does nothing. */
    int (*event)(void);
    bool (*is_event)(int fd);
    void (*event_set)(int fd);

    /* Creates a descriptor that is readable when one of the events was set, until poller_clear. Gives it. */
    int (*poller)(const int *events, size_t n);
    void (*poller_clear)(int poller);
    /* Also makes the poller readable every `interval_ms`. Gives the timer; poller_clear_timer clears it, and it goes
     * on. */
    int (*poller_tick)(int poller, int interval_ms);
    void (*poller_clear_timer)(int timer);

    /* Creates a watch that reports when open files are closed, by any process, or by the kernel after a kill. Gives a
     * descriptor that is readable when there is a report. */
    int (*closings)(void);
    /* Watches the file that `fd` is open on. Returns a number for this file, the same number each time. */
    int (*closings_add)(int closings, int fd);
    void (*closings_remove)(int closings, int number);
    /* Writes the numbers of up to n files that were closed; -1: any of them may be closed. Returns how many it wrote.
     * -EAGAIN: none. */
    int (*closings_next)(int closings, int *numbers, size_t n);

    /* Returns the position of a descriptor, or -errno. Does not take the kernel's lock on the position, which another
     * process may hold for ever. */
    int64_t (*position)(int fd);
    /* Receives a byte and the descriptors that came with it. Gives all of them, close-on-exec, and sets *n to their
     * number; before the call *n is the room in `fds`. Closes any other descriptors that came. -EPROTO: there were more
     * than fit into `fds`. -EMFILE: the process has too many open descriptors to receive all of them. -ENODATA: end of
     * file. It does not wait: -EAGAIN. On failure no descriptor is given. */
    int (*receive)(int socket, int *fds, size_t *n);
};

struct platform_process {
    pid_t pid, parent, session;
    uint64_t start; /* start time; together with pid it names one process for ever */
    bool ended;     /* a zombie: the parent has not yet waited for it */
};

/* Functions for processes that are not children of this one. */
struct platform_processes {
    /* Can this process see other processes? */
    bool (*can_list)(void);
    /* Fills *ret. -ESRCH: the process can't be seen, or has ended. */
    int (*look)(pid_t pid, struct platform_process *ret);
    /* Calls `visit` for each process that can be seen. Returns 0, or -errno if none can be seen. */
    int (*each)(void (*visit)(void *user, const struct platform_process *process), void *user);
    /* Did the program of this process start with this entry ("NAME=VALUE") in its environment? Returns false if that is
     * unknown. */
    bool (*has_environment)(pid_t pid, const char *entry);

    /* Opens a descriptor that refers to this process alone, and is readable once the process has ended. Gives it, or
     * returns -errno (-ESRCH: there is no such process). */
    int (*open)(pid_t pid);
    /* Sends a signal to the process of this descriptor. */
    int (*signal)(int process, int number);
};

/* What is known about the file system of a path. */
struct platform_file_system {
    const char *name; /* "ext4"; NULL: unknown. Static */
    bool network;     /* the file system may be on another machine, which may copy data itself */
    bool is_fixed;    /* a file system of the kernel, such as procfs or sysfs, in which no file can be created */
};

/* Facts about a path from statx(2). */
enum {
    PATH_MOUNTED = 1 << 0,     /* the path is a mount point */
    PATH_APPEND_ONLY = 1 << 1, /* chattr +a */
    PATH_IMMUTABLE = 1 << 2,   /* chattr +i */
};

/* A file to copy attributes from or to. */
struct platform_file {
    int fd;           /* it is open; not used if there is a path */
    const char *path; /* NULL, or leads to the file: if it can't be opened, see path_of_fd */
};

/* Hears of what can't be copied. */
struct platform_losses {
    /* `code` is a negative errno, `what` names it: "its access control list". Returns 0: the copy goes on without it;
     * or a negative errno. */
    int (*lose)(void *user, int code, const char *what);
    void *user;
};

struct platform {
    const char *name;

    /* NULL: a process can see its own children alone. */
    const struct platform_processes *processes;

    /* NULL: this platform has no shared memory for leat. */
    const struct platform_sharing *sharing;

    /* Executes OP_SPLICE to OP_PUNCH, READ and WRITE with OP_NOWAIT or OP_DONTCACHE, LINK of a file without a name, and
     * RENAME with OP_NEW. Returns -1 and sets errno on failure: ENOSYS if the call does not exist here, EOPNOTSUPP if
     * this descriptor does not support the flag. */
    ssize_t (*execute)(struct op *op);

    /* Opens the file of `fd` again with other flags, as a new open file description. Never blocks. Gives the
     * descriptor, or returns -errno. */
    int (*reopen)(int fd, int flags);

    /* Is the descriptor open with O_DIRECT? */
    bool (*is_direct)(int fd);

    /* Opens the same file or block device again, past the page cache. *ret_alignment: offsets, lengths and memory
     * addresses must be multiples of it. Gives the descriptor, or returns -errno (-EINVAL, -EOPNOTSUPP: the file system
     * does not support it). */
    int (*open_direct)(int fd, enum leat_direction direction, size_t *ret_alignment);

    /* Sets the length of a new file and allocates its blocks, so that writes to it need not wait for each other. */
    int (*allocate)(int fd, uint64_t length);

    /* Starts to write a range (length 0: to the end) back to the disk; `wait`: waits until it is there. The kernel
     * reports a failed write-back only once, so the caller must take an error as final. */
    int (*write_back)(int fd, int64_t offset, uint64_t length, bool wait);

    /* Writes the whole file system of an open file to its disk. Returns 0 or -errno. */
    int (*sync_file_system)(int fd);

    /* Locks a whole open file for a write, and does not wait. The lock is dropped when the file is closed; where the
     * platform has locks of open files, only then, and otherwise also when this process closes another descriptor of
     * the same file. Returns 0 or -errno; -EBUSY: another process, or another open file, has a lock. */
    int (*lock_file)(int fd);

    /* Returns PATH_ bits. A bit whose fact is unknown is not set. */
    unsigned (*path_flags)(const char *path);

    /* Pins the file that a path leads to (`follows`), or the symbolic link itself, without opening it. `path` is
     * relative to `at`. Never blocks, has no effect on a device and needs no permission on the file. The descriptor
     * stays with the file if its names change. Gives a descriptor that only fstat and path_of_fd may use, or returns
     * -errno; -ENOSYS: this platform can't do it. */
    int (*pin)(int at, const char *path, bool follows);

    /* Opens a directory for lookups, which needs no permission to read the directory. `path` is relative to `at`. Gives
     * the descriptor, or returns -errno. */
    int (*open_directory)(int at, const char *path);

    /* Writes a path that leads to the open file of `fd` as long as fd is open, whatever names the file has. -ENOSYS:
     * there is no such path. procfs may not be mounted; file_system of this path tells whether it can be used. */
    int (*path_of_fd)(int fd, char *text, size_t size);

    /* Copies to `to` what the file `from` has besides bytes, owner, mode and times: access control list, extended
     * attributes, security label, capabilities and the flags of chattr(1). An attribute that only `to` has stays,
     * except an access control list, which is removed. Returns 1 if something was added or removed, or 0 if nothing had
     * to change. Calls `losses` for each thing that can't be copied; a code of that function ends the copy, and is
     * returned. */
    int (*copy_attributes)(const struct platform_file *from, const struct platform_file *to,
                           const struct platform_losses *losses);

    /* Compares what two names in two folders have besides bytes, owner, mode and times, as copy_attributes copies it. A
     * symbolic link is not followed. `kind` is that of both (S_IFREG). Returns 0: nothing differs, or this platform
     * can't tell; 1: something differs, and `ret` names it ("the attribute 'user.x'"); or -errno. */
    int (*differing_attributes)(const int folder[2], const char *name, mode_t kind, char *ret, size_t size);

    /* Gives a file an extended attribute; `value` NULL: it shall have none of this name. Returns 0 or
     * -errno; -EOPNOTSUPP: this platform or file system has none. */
    int (*attribute_set)(const struct platform_file *file, const char *name, const void *value, size_t n);
    /* Calls `add` for each extended attribute of a file that copy_attributes would copy, in the order
     * of their names, until it returns something other than 0. Returns that, 0, or -errno. */
    int (*attributes_each)(const struct platform_file *file,
                           int (*add)(void *user, const char *name, const void *value, size_t n), void *user);
    /* Read and add flags of chattr(1) of an open file, those that copy_attributes would copy, as FS_IOC_GETFLAGS has
     * them. Return 0 or -errno; -EOPNOTSUPP: it can't have any. */
    int (*flags_get)(int fd, unsigned *ret);
    int (*flags_set)(int fd, unsigned flags);

    /* Creates a file without a name in a directory, for reading and writing; `path` is relative to `at`. Gives the
     * descriptor, or returns -errno (-EOPNOTSUPP, -EISDIR, ...). Only a call of OP_LINK shows whether the file can get
     * a name. */
    int (*open_unnamed)(int at, const char *path, unsigned mode);

    /* See fd_pipe. */
    int (*pipe)(int ret[2]);

    /* Makes a private pipe for splicing, of at most `size` bytes (at least a page, a power of two of pages). *ret_size
     * is its real size. Both ends are non-blocking. Gives both, or returns -errno. */
    int (*pipe_make)(int ret[2], size_t size, size_t *ret_size);

    /* Returns the size of a pipe that leat did not make, or 0 if it is unknown. */
    size_t (*pipe_size)(int fd);

    /* Makes a pipe larger, up to `want` bytes, as far as its user's limits on the pages of pipes allow and as long as
     * new pipes of this user still get their usual size. It never gets smaller than it was. Fills the sizes before and
     * after, or returns -errno: -ENOSYS where pipes have one size. */
    int (*pipe_grow)(int fd, size_t want, size_t *ret_was, size_t *ret_is);

    /* Returns how many unread bytes are in a pipe; `fd` is either end. 0 if unknown. */
    size_t (*pipe_unread)(int fd);

    /* Call socket(2) and accept(2). The descriptors are close-on-exec and non-blocking, on Linux from the start. Both
     * give the descriptor, or return -errno. */
    int (*socket)(int family, int type, int protocol);
    int (*accept)(int listener);

    /* Finds the next data at or after `offset`, and the hole after it. -ENXIO: there is no data up to the end. Moves
     * the position of `fd`, so nothing else may share that position. */
    int (*find_data)(int fd, uint64_t offset, uint64_t *ret_start, uint64_t *ret_end);

    /* Fills *ret for the file that a path leads to. -errno: the path can't be used, and *ret is empty. */
    int (*file_system)(const char *path, struct platform_file_system *ret);

    /* Returns the name of an errno value, such as "ENOSPC", or NULL. Static. */
    const char *(*errno_name)(int code);

    /* Returns the descriptor number that a path refers to, such as 3 for /proc/self/fd/3, or -1 for any other path. */
    int (*path_to_fd)(const char *path);

    /* Do two descriptors share one open file description? Returns 1, 0, or -EOPNOTSUPP if the kernel can't tell. */
    int (*is_same_open_file)(int a, int b);

    /* Returns the kind of an entry of readdir(3), such as S_IFDIR, or 0: the file system does not say it here. */
    mode_t (*entry_kind)(const struct dirent *entry);

    /* Returns how many processors the calling thread may run on; at least 1. See leat_processors_count. With one
     * processor, spinning keeps the other side from going on. */
    unsigned (*processors)(void);

    /* Has this processor the instructions for CRC-32C that are optional on 64-bit ARM? Asked only there. */
    bool (*has_arm_crc)(void);

    /* Removes one pending SIGPIPE of this thread. */
    void (*consume_sigpipe)(void);
};

extern const struct platform platform;

#endif
