"""A program: a contender for tests of the agent, with times that it makes up.

    talker.py NS[,NS…] [spin | die | mute | babble | short | shut | flood] [REQUEST]

Answers request after request with these times in turn, in no time itself; the first time of each answer of more than
three is ten times as long. With `spin` the times are real. The others do what they say at the REQUESTth request (the
first is 0, the greeting -1): end with 3, say nothing more, answer with no JSON, answer with a time too few, close their
output, answer without end.
"""

import json
import os
import sys
import time


def misbehave(how: str) -> None:
    if how == "die":
        print("no such thing as luck", file=sys.stderr, flush=True)
        sys.exit(3)
    if how == "mute":
        time.sleep(1000)
    if how == "babble":
        print("Segmentation fault (not really)", flush=True)
    if how == "flood":
        while True:
            print("x" * 1_000_000, end="", flush=True)
    if how == "shut":
        os.close(1)
        time.sleep(1000)


def spin(ns: int) -> int:
    began = time.perf_counter_ns()
    while time.perf_counter_ns() - began < ns:
        pass
    return time.perf_counter_ns() - began


def main() -> None:
    times = [int(word) for word in sys.argv[1].split(",")]
    how = sys.argv[2] if len(sys.argv) > 2 else ""
    when = int(sys.argv[3]) if len(sys.argv) > 3 else None
    if when == -1:
        misbehave(how)
    hello = {"load_ns": 7, "pid": os.getpid(), "cores": sorted(os.sched_getaffinity(0)), "word": "é"}
    print(json.dumps(hello, ensure_ascii=False), flush=True)
    given = 0
    for number, line in enumerate(sys.stdin):
        if number == when:
            misbehave(how)
        count = int(line.removeprefix("run "))
        begin_ns = time.perf_counter_ns()
        if how == "spin":
            samples = [spin(times[0]) for _ in range(count)]
            end_ns = time.perf_counter_ns()
        else:
            samples = [times[(given + i) % len(times)] for i in range(count)]
            samples[0] *= 10 if count > 3 else 1
            given += count
            end_ns = begin_ns + sum(samples)
        if (how, number) == ("short", when):
            del samples[-1]
        print(json.dumps({"samples_ns": samples, "begin_ns": begin_ns, "end_ns": end_ns}), flush=True)


main()
