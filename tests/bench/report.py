# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures from samples, and the table."""
import random
import statistics


def percentile(samples, p):
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(p / 100 * len(ordered)))]


def median(samples):
    return statistics.median(samples)


def paired(netd, peer):
    """Of samples taken in turn: the median of the rounds' own ratios, which a slow drift of the machine does not move."""
    return median([a / b for a, b in zip(netd, peer)])


def interval(netd, peer, times=1000):
    """A 95 % interval of paired(), by drawing rounds again. The seed is fixed: the same samples say the same."""
    rng, ratios = random.Random(1), [a / b for a, b in zip(netd, peer)]
    drawn = sorted(median(rng.choices(ratios, k=len(ratios))) for _ in range(times))
    return drawn[int(0.025 * times)], drawn[int(0.975 * times)]


def row(bench, what, unit, netd, peer=None, peer_name="", goal="", met=None, note="", ratio=None):
    """One line of the table. netd and peer are samples, or one figure; met is a function of (median, ratio), or None where there is no goal."""
    netd, peer = as_list(netd), as_list(peer)
    value = median(netd)
    if ratio is None and peer:
        ratio = value / median(peer)
    return {"bench": bench, "what": what, "unit": unit, "peer_name": peer_name, "netd": netd, "peer": peer, "ratio": ratio,
            "goal": goal, "met": met(value, ratio) if met else None, "note": note}


def at_most(limit):
    return lambda value, ratio: (value if ratio is None else ratio) <= limit


def as_list(samples):
    return [] if samples is None else list(samples) if isinstance(samples, (list, tuple)) else [samples]


def number(x):
    return f"{x:.0f}" if x >= 1000 else f"{x:.1f}" if x >= 10 else f"{x:.2f}"


HEAD = ["bench", "what", "unit", "peer", "", "p99", "netd", "p99", "ratio", "goal", "met"]


def cells(r):
    def two(samples):
        # Of few samples the highest is no percentile.
        return [number(median(samples)) if samples else "", number(percentile(samples, 99)) if len(samples) >= 20 else ""]
    return [r["bench"], r["what"], r["unit"], r["peer_name"], *two(r["peer"]), *two(r["netd"]),
            f"{r['ratio']:.3f}" if r["ratio"] is not None else "", r["goal"], {True: "yes", False: "NO", None: ""}[r["met"]]]


def print_table(rows):
    lines = [HEAD] + [cells(r) for r in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    right = {5, 6, 7, 8, 4}
    for n, line in enumerate(lines):
        print("  ".join(c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths))).rstrip())
        if n == 0:
            print("  ".join("-" * w for w in widths))
    for r in rows:
        if r["note"]:
            print(f"{r['bench']}, {r['what']}: {r['note']}")
