"""Makes the filters of system calls that the sandbox loads: ``scripts/seccomp.py``, needs libseccomp and pyseccomp.

Each is a list of what is allowed. What is refused on purpose fails with "operation not permitted"; whatever
is not listed, and so every system call that is invented later, fails as one that does not exist, which is what
C libraries expect and have other ways for.
"""

from __future__ import annotations

import errno
import stat
import sys
from pathlib import Path
from typing import Any

import pyseccomp as seccomp

from flowreasoner.sandbox.inside.seccomp import OWN_PID, PROFILES

FOLDER = Path(__file__).parents[1] / "core" / "flowreasoner" / "sandbox" / "inside" / "filters"
ARCHITECTURES = {"x86_64": seccomp.Arch.X86_64, "aarch64": seccomp.Arch.AARCH64}

FILES = """read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 close close_range lseek fsync
fdatasync sync_file_range open openat openat2 creat stat lstat fstat newfstatat statx statfs fstatfs access faccessat
faccessat2 readlink readlinkat getdents getdents64 getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr
getcwd chdir fchdir mkdir mkdirat rmdir unlink
unlinkat rename renameat renameat2 link linkat symlink symlinkat truncate ftruncate fallocate
umask flock fadvise64 copy_file_range sendfile splice
tee dup dup2 dup3 pipe pipe2 ioctl inotify_rm_watch""".split()
WATCHING = "inotify_init inotify_init1 inotify_add_watch".split()
METADATA = """chmod fchmod fchmodat chown fchown fchownat lchown utime utimes utimensat futimesat setxattr lsetxattr
fsetxattr removexattr lremovexattr fremovexattr""".split()
WAITING = """poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2
eventfd eventfd2 timerfd_create timerfd_settime timerfd_gettime signalfd signalfd4 rt_sigaction rt_sigprocmask
rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack restart_syscall pause alarm getitimer setitimer
nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time times futex futex_waitv""".split()
MEMORY = """mmap munmap mremap mprotect madvise brk msync mincore mlock munlock mbind get_mempolicy set_mempolicy
membarrier""".split()
ITSELF = """set_robust_list get_robust_list set_tid_address rseq arch_prctl sched_yield sched_getaffinity
sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min getpriority getpid
getppid gettid getuid geteuid getgid getegid getresuid getresgid getgroups getpgid getpgrp getsid setsid setpgid
getrlimit getrusage sysinfo uname getcpu exit exit_group wait4 waitid getrandom prctl capget""".split()
CONNECTED = """socketpair sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg shutdown getsockopt setsockopt getsockname
getpeername""".split()
PROCESSES = ["fork", "vfork", "execve", "execveat"]
SOCKETS = ["socket", "bind", "listen", "accept", "accept4", "connect"]
REFUSED = """tkill ptrace process_vm_readv process_vm_writev process_madvise pidfd_open pidfd_getfd
pidfd_send_signal mount umount2 pivot_root chroot unshare setns open_tree move_mount fsopen fsconfig fsmount
open_by_handle_at name_to_handle_at bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register
keyctl add_key request_key init_module finit_module delete_module kexec_load reboot swapon swapoff sethostname
setdomainname acct syslog quotactl personality setuid setgid setreuid setregid setresuid setresgid setgroups capset
rt_sigqueueinfo rt_tgsigqueueinfo process_mrelease memfd_create memfd_secret seccomp landlock_create_ruleset
landlock_add_rule landlock_restrict_self timer_create fanotify_init fanotify_mark""".split()

CLONE_THREAD = 0x10000
CLONE_NAMESPACES = 0x7E020080  # mount, cgroup, uts, ipc, user, process, network and time
SIGKILL = 9
RLIMIT_CPU = 0
FILE_COMMANDS = (*range(8), 9, 36, 37, 38, 1030, 1031, 1032)  # fcntl, but for who is sent which signal
REFUSE = seccomp.ERRNO(errno.EPERM)


def build(architecture: Any, profile: str) -> seccomp.SyscallFilter:
    """Returns the filter of a profile for an architecture."""
    made = seccomp.SyscallFilter(seccomp.ERRNO(errno.ENOSYS))
    if architecture != seccomp.system_arch():
        made.add_arch(architecture)
        made.remove_arch(seccomp.system_arch())
    helpers = profile in {"lib", "shared-lib"}
    for name in [*FILES, *WAITING, *MEMORY, *ITSELF, *CONNECTED]:
        _rule(made, seccomp.ALLOW, name)
    # Without mounts of its own, a run could change the modes and times of the host's files, which Landlock
    # does not know of. It is told that it has, since many programs copy such things and need not.
    for name in METADATA:
        _rule(made, seccomp.ERRNO(0) if profile.startswith("shared") else seccomp.ALLOW, name)
    # Landlock does not know of watching either, which tells the names of files in folders that may not be listed.
    for name in WATCHING:
        _rule(made, REFUSE if profile.startswith("shared") else seccomp.ALLOW, name)
    for name in PROCESSES:
        _rule(made, seccomp.ALLOW if helpers else REFUSE, name)
    for name in SOCKETS:
        _rule(made, seccomp.ALLOW if profile == "lib" else REFUSE, name)
    for name in REFUSED:
        _rule(made, REFUSE, name)
    _add_processes(made, helpers=helpers)
    _add_restricted(made)
    return made


def _add_processes(made: seccomp.SyscallFilter, *, helpers: bool) -> None:
    """Adds what makes processes and threads, and what signals them."""
    # A thread may be made, a namespace never; clone3 hides its flags in memory, so callers must use clone.
    allowed = CLONE_NAMESPACES if helpers else CLONE_NAMESPACES | CLONE_THREAD
    _rule(made, seccomp.ALLOW, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, allowed, allowed & CLONE_THREAD))
    if not helpers:
        _rule(made, REFUSE, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_THREAD, 0))
    for name, signal in (("kill", 1), ("tgkill", 2)):
        if helpers:
            _rule(made, seccomp.ALLOW, name)
            continue
        # SIGKILL of a run then always comes from outside, and is never taken for the program's own end.
        own, other = (seccomp.Arg(0, how, OWN_PID) for how in (seccomp.EQ, seccomp.NE))
        _rule(made, seccomp.ALLOW, name, own, seccomp.Arg(signal, seccomp.NE, SIGKILL))
        _rule(made, REFUSE, name, own, seccomp.Arg(signal, seccomp.EQ, SIGKILL))
        _rule(made, REFUSE, name, other)


def _add_restricted(made: seccomp.SyscallFilter) -> None:
    """Adds what is allowed for some arguments only; a file or a limit must not bring SIGKILL either."""
    for command in FILE_COMMANDS:
        _rule(made, seccomp.ALLOW, "fcntl", seccomp.Arg(1, seccomp.EQ, command))
    for pid in (0, OWN_PID):
        _rule(made, seccomp.ALLOW, "sched_setaffinity", seccomp.Arg(0, seccomp.EQ, pid))
    itself = seccomp.Arg(0, seccomp.EQ, 0)
    _rule(made, seccomp.ALLOW, "setrlimit", seccomp.Arg(0, seccomp.NE, RLIMIT_CPU))
    _rule(made, seccomp.ALLOW, "prlimit64", itself, seccomp.Arg(1, seccomp.NE, RLIMIT_CPU))
    _rule(made, seccomp.ALLOW, "prlimit64", itself, seccomp.Arg(2, seccomp.EQ, 0))
    for name, mode in (("mknod", 1), ("mknodat", 2)):
        _rule(made, seccomp.ALLOW, name, seccomp.Arg(mode, seccomp.MASKED_EQ, stat.S_IFMT(0o177777), stat.S_IFIFO))


def _rule(made: seccomp.SyscallFilter, action: Any, name: str, *args: Any) -> None:
    try:
        made.add_rule(action, name, *args)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"left out: {name}: {error}\n")  # this architecture, or this libseccomp, has no such call


def main() -> None:
    """Writes all filters."""
    FOLDER.mkdir(exist_ok=True)
    for machine, architecture in ARCHITECTURES.items():
        for profile in PROFILES:
            made = build(architecture, profile)
            with (FOLDER / f"{machine}-{profile}.bpf").open("wb") as file:
                made.export_bpf(file)


if __name__ == "__main__":
    main()
