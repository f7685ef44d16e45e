"""The filters of system calls, run by an interpreter of their instructions, for both architectures."""

import errno
import struct

import pytest

from flowreasoner.sandbox.inside import seccomp

ALLOW, ERRNO, KILL = 0x7FFF_0000, 0x0005_0000, 0x8000_0000
REFUSED, UNKNOWN = ERRNO | errno.EPERM, ERRNO | errno.ENOSYS
MACHINES = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
NUMBERS = {
    "x86_64": {
        "read": 0, "open": 2, "mmap": 9, "ioctl": 16, "socket": 41, "connect": 42, "clone": 56, "fork": 57,
        "execve": 59, "kill": 62, "fcntl": 72, "chmod": 90, "ptrace": 101, "mount": 165, "tgkill": 234, "unshare": 272,
        "prlimit64": 302, "setns": 308, "process_vm_readv": 310, "memfd_create": 319, "bpf": 321, "userfaultfd": 323,
        "io_uring_setup": 425, "pidfd_open": 434, "clone3": 435, "openat": 257, "keyctl": 250, "perf_event_open": 298,
        "setxattr": 188, "inotify_init1": 294, "inotify_add_watch": 254, "fanotify_init": 300, "fanotify_mark": 301,
        "inotify_init": 253, "sched_setaffinity": 203, "timer_create": 222, "landlock_restrict_self": 446,
    },
    "aarch64": {
        "read": 63, "mmap": 222, "ioctl": 29, "socket": 198, "connect": 203, "clone": 220, "execve": 221, "kill": 129,
        "fcntl": 25, "fchmodat": 53, "ptrace": 117, "mount": 40, "tgkill": 131, "unshare": 97, "prlimit64": 261,
        "setns": 268, "process_vm_readv": 270, "memfd_create": 279, "bpf": 280, "userfaultfd": 282,
        "io_uring_setup": 425, "pidfd_open": 434, "clone3": 435, "openat": 56, "keyctl": 219, "perf_event_open": 241,
        "setxattr": 5, "inotify_init1": 26, "inotify_add_watch": 27, "fanotify_init": 262, "fanotify_mark": 263,
        "sched_setaffinity": 122, "timer_create": 107, "landlock_restrict_self": 446,
    },
}  # fmt: skip
THREAD = 0x3D0F00
PID = seccomp.OWN_PID
NEVER = """ptrace mount unshare setns process_vm_readv memfd_create bpf userfaultfd io_uring_setup pidfd_open clone3
keyctl perf_event_open timer_create landlock_restrict_self fanotify_init fanotify_mark""".split()


def decide(program, architecture, number, *args):
    """Runs a classic BPF program on the data of a system call and returns what it answers."""
    data = struct.pack("<iIQ6Q", number, architecture, 0, *[arg & (1 << 64) - 1 for arg in (*args, *[0] * 6)[:6]])
    instructions = list(struct.iter_unpack("<HBBI", program))
    accumulator = position = 0
    while True:
        code, true, false, value = instructions[position]
        position += 1
        match code:
            case 0x20:  # load a word
                accumulator = struct.unpack_from("<I", data, value)[0]
            case 0x54:  # and
                accumulator &= value
            case 0x05:  # jump
                position += value
            case 0x15 | 0x25 | 0x35 | 0x45:
                holds = {
                    0x15: accumulator == value, 0x25: accumulator > value, 0x35: accumulator >= value,
                    0x45: bool(accumulator & value),
                }[code]  # fmt: skip
                position += true if holds else false
            case 0x06:  # return
                return value
            case _:
                raise AssertionError(f"unknown instruction {code:#x}")


@pytest.fixture(params=MACHINES)
def machine(request):
    return request.param


@pytest.fixture(params=seccomp.PROFILES)
def profile(request):
    return request.param


@pytest.fixture
def answer(machine, profile):
    with open(seccomp.path(machine, profile), "rb") as file:  # noqa: PTH123
        program = file.read()
    return lambda name, *args: decide(program, MACHINES[machine], NUMBERS[machine][name], *args)


def test_ordinary_calls_are_allowed(answer):
    for name in ("read", "mmap", "openat"):
        assert answer(name) == ALLOW
    assert answer("ioctl") == ALLOW
    assert answer("fcntl", 3, 1030) == ALLOW


@pytest.mark.parametrize("name", NEVER)
def test_what_reaches_the_kernel_or_other_processes_is_refused_in_every_profile(answer, name):
    assert answer(name) in {REFUSED, UNKNOWN}


def test_a_call_that_is_not_known_is_answered_as_one_that_does_not_exist(machine, profile, answer):
    with open(seccomp.path(machine, profile), "rb") as file:  # noqa: PTH123
        assert decide(file.read(), MACHINES[machine], 999) == UNKNOWN
    assert answer("clone3") == UNKNOWN


def test_another_architecture_ends_the_process(machine, profile):
    with open(seccomp.path(machine, profile), "rb") as file:  # noqa: PTH123
        program = file.read()
    for other in (0x4000_0003, *set(MACHINES.values()) - {MACHINES[machine]}):
        assert decide(program, other, 0) & 0xFFFF_0000 in {0, KILL}
    if machine == "x86_64":
        assert decide(program, MACHINES[machine], 0x4000_0000) != ALLOW  # the numbers of x32


def test_threads_are_allowed_and_namespaces_are_not(answer, profile):
    assert answer("clone", THREAD) == ALLOW
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000, 0x80):
        assert answer("clone", THREAD | flag) in {REFUSED, UNKNOWN}
        assert answer("clone", flag | 17) in {REFUSED, UNKNOWN}
    assert (answer("clone", 17) == ALLOW) is profile.endswith("lib")


def test_processes_and_sockets_are_a_matter_of_the_profile(answer, profile):
    assert (answer("execve") == ALLOW) is profile.endswith("lib")
    assert (answer("socket", 2, 1) == ALLOW) is (profile == "lib")
    assert (answer("connect", 3) == ALLOW) is (profile == "lib")


def test_a_process_signals_only_itself_and_never_by_sigkill(answer, profile):
    if profile.endswith("lib"):
        assert answer("kill", 5, 15) == ALLOW
        return
    for name, place in (("kill", 1), ("tgkill", 2)):
        for pid in (0, 1, -1, -PID, PID + 1, PID | 1 << 32):
            args = [pid, 0, 0]
            args[place] = 15
            assert answer(name, *args) in {REFUSED, UNKNOWN}
        for signal in (6, 9, 15):
            args = [PID, 0, 0]
            args[place] = signal
            assert (answer(name, *args) == ALLOW) is (signal != 9)


def test_no_other_way_leads_to_sigkill(answer):
    for command in (8, 10, 15):
        assert answer("fcntl", 3, command, 9) != ALLOW
    assert answer("prlimit64", 0, 0, 1) != ALLOW
    assert answer("prlimit64", 0, 0, 0) == answer("prlimit64", 0, 7, 1) == ALLOW
    assert answer("prlimit64", 1, 7, 1) != ALLOW
    assert answer("sched_setaffinity", 0) == answer("sched_setaffinity", PID) == ALLOW
    assert answer("sched_setaffinity", 1) != ALLOW


def test_modes_of_files_are_left_alone_where_they_may_be_the_hosts(answer, profile, machine):
    wanted = ERRNO if profile.startswith("shared") else ALLOW
    assert answer("setxattr") == wanted
    assert answer("chmod" if machine == "x86_64" else "fchmodat") == wanted


def test_folders_that_may_be_the_hosts_are_not_watched(answer, profile, machine):
    wanted = REFUSED if profile.startswith("shared") else ALLOW
    assert answer("inotify_init1") == answer("inotify_add_watch") == wanted
    if machine == "x86_64":
        assert answer("inotify_init") == wanted
