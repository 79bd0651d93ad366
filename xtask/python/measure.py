"""Runs a command and writes what the operating system says it took, as JSON.

    measure.py REPORT SECONDS_MAX COMMAND...

A command that runs longer is killed. SIGTERM is passed on, so that a service can be told to end.
"""

import json
import os
import signal
import sys
import time


def main():
    report, seconds_max, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    started = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
    signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
    signal.alarm(seconds_max)
    _, status, usage = os.wait4(pid, 0)
    # macOS counts bytes, Linux kibibytes.
    unit = 1 if sys.platform == "darwin" else 1024
    with open(report, "w", encoding="utf-8") as file:
        json.dump(
            {
                "wall_seconds": time.perf_counter() - started,
                "processor_seconds": usage.ru_utime + usage.ru_stime,
                "peak_memory_bytes": usage.ru_maxrss * unit,
            },
            file,
        )
    return os.waitstatus_to_exitcode(status) != 0


if __name__ == "__main__":
    sys.exit(main())
