#!/usr/bin/env python3
"""Looks for the minimum of a function in rounds: the results of one round decide which tasks the next one has.

    ./minimum.py -s localhost:4

The arguments are those of driver. A real program would run a simulation where this one runs awk.
"""

import os
import sys

from disbatcher import DisBatcher

db = DisBatcher("minimum", sys.argv[1:], driver=os.environ.get("DRIVER", "driver"))
low, high, next_id = 0.0, 4.0, 0
for _ in range(6):
    points = {}
    for step in range(5):
        x = low + (high - low) * step / 4
        db.submit(f"awk 'BEGIN {{ x = {x}; print (x * x - 2) ^ 2 }}'")
        points[next_id] = x
        next_id += 1
    results = db.syncTasks(points)
    best = min(points, key=lambda tid: float(results[tid]["OutData"]))
    low, high = points[best] - (high - low) / 4, points[best] + (high - low) / 4
    print(f"{points[best]:.4f}", flush=True)

# Whoever submits last submits alone: it starts when it arrives, and needs no task after it.
db.submit("exit 7")
print("last task:", db.wait_one_task()["ReturnCode"])
db.done()
