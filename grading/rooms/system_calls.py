"""
The system calls that a room may make, as a filter for the kernel.

A list of those that Python, NumPy and Matplotlib need, and of what exercises on files,
processes, threads and time may use. What is not on it does not exist in a room; so a call that
a later kernel brings is not there either, and C libraries do without it.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import tempfile

ALLOWED = """
    access alarm arch_prctl brk capget chdir chmod chown clock_getres clock_gettime
    clock_nanosleep close close_range copy_file_range creat dup dup2 dup3 epoll_create
    epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve exit
    exit_group faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown
    fchownat fcntl fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat
    fstatfs fsync ftruncate futex futex_waitv futimesat get_robust_list getcpu getcwd getdents
    getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid
    getppid getpriority getrandom getresgid getresuid getrlimit getrusage getsid getsockname
    getsockopt gettid gettimeofday getuid getxattr ioctl kill lchown lgetxattr link linkat
    listxattr llistxattr lremovexattr lseek lsetxattr lstat madvise membarrier mkdir mkdirat
    mknod mknodat mmap mprotect mremap msync munmap nanosleep newfstatat open openat openat2
    pause pidfd_open pidfd_send_signal pipe pipe2 poll ppoll prctl pread64 preadv preadv2
    prlimit64 pselect6 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv
    recvfrom recvmmsg recvmsg removexattr rename renameat renameat2 restart_syscall rmdir rseq
    rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
    rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min
    sched_getaffinity sched_getparam sched_getscheduler sched_setaffinity sched_yield select
    sendfile sendmmsg sendmsg sendto set_robust_list set_tid_address setitimer setpgid
    setpriority setrlimit setsid setsockopt setxattr shutdown sigaltstack signalfd signalfd4
    socketpair stat statfs statx symlink symlinkat sync_file_range sysinfo tgkill time
    timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create
    timerfd_gettime timerfd_settime times tkill truncate umask uname unlink unlinkat utime
    utimensat utimes vfork wait4 waitid write writev
"""
# Not there either, but said to be forbidden: what somebody who tries them understands.
FORBIDDEN = """
    add_key bpf chroot keyctl memfd_create mount msgget name_to_handle_at open_by_handle_at
    perf_event_open pivot_root process_vm_readv process_vm_writev ptrace request_key semget
    setns shmat shmget socket syslog umount2 unshare userfaultfd
"""

# From linux/sched.h: new mount, cgroup, host name, message queue, user, process, network
# and (the lowest bit, which is a signal's in the old call) time namespaces.
NEW_NAMESPACES = 0x7E020000
# From seccomp.h of libseccomp 2.5.
ALLOW, ERRNO, MASKED_EQUAL = 0x7FFF0000, 0x00050000, 7


class ArgumentComparison(ctypes.Structure):
    """libseccomp's `struct scmp_arg_cmp`: what an argument has to be."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    )


@functools.cache
def library() -> ctypes.CDLL:
    """Return libseccomp, which knows each machine's numbers of the calls."""
    try:
        found = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        raise OSError("without libseccomp; on Debian and Ubuntu: apt install libseccomp2") from None
    found.seccomp_init.argtypes = [ctypes.c_uint32]
    found.seccomp_init.restype = ctypes.c_void_p
    found.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint,
        ctypes.POINTER(ArgumentComparison),
    ]  # fmt: skip
    found.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
    found.seccomp_release.argtypes = [ctypes.c_void_p]
    return found


@functools.cache
def filter_of_calls() -> bytes:
    """
    Return the filter, a program of the kernel's packet filter (linux/filter.h).

    Raises
    ------
    OSError
        Without libseccomp.
    """
    known = library()
    context = known.seccomp_init(ERRNO | errno.ENOSYS)
    for name in ALLOWED.split():
        add_rule(context, ALLOW, name)
    for name in FORBIDDEN.split():
        add_rule(context, ERRNO | errno.EPERM, name)
    # clone3 keeps its flags out of a filter's sight; without it, C libraries use clone
    no_namespace = ArgumentComparison(0, MASKED_EQUAL, NEW_NAMESPACES, 0)
    add_rule(context, ALLOW, "clone", no_namespace)
    with tempfile.TemporaryFile() as file:
        failed = known.seccomp_export_bpf(context, file.fileno())
        known.seccomp_release(context)
        if failed:
            raise OSError(-failed, f"libseccomp: {os.strerror(-failed)}")
        file.seek(0)
        return file.read()


def add_rule(context: int, action: int, name: str, *comparisons: ArgumentComparison) -> None:
    """Add a rule for a call; one that this machine or library does not know has none."""
    number = library().seccomp_syscall_resolve_name(name.encode())
    if number < 0:
        return
    array = (ArgumentComparison * len(comparisons))(*comparisons)
    failed = library().seccomp_rule_add_array(context, action, number, len(comparisons), array)
    if failed:
        raise OSError(-failed, f"libseccomp, {name}: {os.strerror(-failed)}")
