"""What both Python workers share: measuring, hashing answers, the protocol (a JSON request in, a JSON line out)."""

import contextlib
import hashlib
import io
import json
import os
import resource
import sys
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")


def cpu_seconds():
    """User and system time of this process, all its threads, and its finished children."""
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        total += usage.ru_utime + usage.ru_stime
    return total


def peak_bytes():
    """Peak resident memory of this process or of its largest finished child."""
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    try:
        with open("/proc/self/status") as status:
            own = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except OSError:
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return max(own, largest)


def measured(work):
    """Runs work() and returns its result with wall seconds, CPU seconds and the peak so far."""
    cpu, start = cpu_seconds(), time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):  # Python cellarr prints while it optimises
        result = work()
    figures = {"seconds": time.perf_counter() - start, "cpu": cpu_seconds() - cpu, "peak": peak_bytes()}
    return result, figures


def describe_matrix(rows, columns, values, shape, numbered):
    """Hash of the values in row-major order; with `numbered`, of their rows and columns in the slice as well."""
    rows, columns = np.asarray(rows, dtype=np.int32), np.asarray(columns, dtype=np.int32)
    order = np.lexsort((columns, rows))
    values = np.asarray(values, dtype=np.float64)[order]
    answer = {
        "shape": [int(length) for length in shape],
        "stored": int(values.size),
        "values": hashlib.sha256(values.tobytes()).hexdigest(),
    }
    if numbered:
        places = rows[order].tobytes() + columns[order].tobytes()
        answer["places"] = hashlib.sha256(places).hexdigest()
    return answer


def hash_texts(texts):
    return hashlib.sha256("\n".join(map(str, texts)).encode()).hexdigest()


def folder_bytes(path):
    return sum(
        os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names
    )


def serve(handlers):
    """Answers the request of the command line."""
    request = json.loads(sys.argv[1])
    answer = handlers[request["task"]](request)
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


def repeated(ask, repeats):
    """What each of `repeats` times of asking in this process cost."""
    return {"runs": [measured(ask)[1] for _ in range(repeats)]}
