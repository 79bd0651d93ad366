"""Runs a command and writes what the operating system says it took, as JSON.

    measure.py REPORT SECONDS_MAX COMMAND...

A command that runs longer is killed. SIGTERM is passed on, so that a service can be told to end;
what each of its threads took is noted before.
"""

import collections
import json
import os
import pathlib
import signal
import sys


def threads(pid):
    """Processor seconds of the threads that live now, by name; nothing where there is no /proc."""
    ticks = os.sysconf("SC_CLK_TCK")
    found = collections.Counter()
    for stat in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"):
        # The name is in brackets and may hold spaces; user and kernel time are fields 14 and 15.
        name, _, rest = stat.read_text().partition("(")[2].rpartition(")")
        fields = rest.split()
        found[name] += (int(fields[11]) + int(fields[12])) / ticks
    return found


def main():
    report, seconds_max, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    # A signal that comes before there is somebody to pass it on to waits.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    pid = os.posix_spawnp(command[0], command, os.environ, setsigmask=[])
    noted = {}

    def end(*_):
        noted.update(threads(pid))
        os.kill(pid, signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
    signal.alarm(seconds_max)
    _, status, usage = os.wait4(pid, 0)
    # macOS counts bytes, Linux kibibytes.
    unit = 1 if sys.platform == "darwin" else 1024
    with open(report, "w", encoding="utf-8") as file:
        json.dump(
            {
                "processor_seconds": usage.ru_utime + usage.ru_stime,
                "peak_memory_bytes": usage.ru_maxrss * unit,
                "threads": noted,
            },
            file,
        )
    return os.waitstatus_to_exitcode(status) != 0


if __name__ == "__main__":
    sys.exit(main())
