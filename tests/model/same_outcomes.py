#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""same_outcomes.py FULL ORDERED - does the search in one order lose anything?

Both files hold the `outcome` lines of cohort.pml built with PRINT_OUTCOMES: what the server has of
each honest device when all have ended. States that differ in the names of the honest devices or of
the rosters count as one. Exits 1 unless each state of ORDERED is one of FULL, and for each of FULL
there is one of ORDERED where the devices sent the same and revealed the same or more."""
import itertools
import sys


def renamed(devices, order, flip):
    """The state with device order[k] called k, and the rosters' names exchanged when flip."""
    place = {old: new for new, old in enumerate(order)}

    def bits(value):
        return sum(1 << place.get(i, i) for i in range(8) if value >> i & 1)
    return tuple((sent, roster ^ 1 if flip and sent >= 2 else roster, *map(bits, sets))
                 for sent, roster, *sets in (devices[old] for old in order))


def outcomes(path):
    """Each state under all its names."""
    with open(path, encoding='ascii') as file:
        lines = {line for line in file if line.startswith('outcome ')}
    result = set()
    for line in lines:
        devices = [tuple(map(int, d.split(','))) for d in line.split()[1:]]
        orders = itertools.permutations(range(len(devices)))
        result.add(frozenset(renamed(devices, o, flip) for o in orders for flip in (False, True)))
    return result


def split(state):
    """What the devices sent, and what they revealed."""
    return tuple(d[:4] for d in state), tuple(share for d in state for share in d[4:])


full, ordered = outcomes(sys.argv[1]), outcomes(sys.argv[2])
revealed = {}
for state in itertools.chain(*ordered):
    sent, shares = split(state)
    revealed.setdefault(sent, []).append(shares)


def covered(states):
    sent, shares = split(min(states))
    return any(all(a & ~b == 0 for a, b in zip(shares, more)) for more in revealed.get(sent, ()))


invented = len(ordered - full)
lost = sum(not covered(states) for states in full)
print(f'{len(full)} outcomes in any order, {len(ordered)} in the one order: '
      f'{lost} lost, {invented} invented')
sys.exit(1 if lost or invented or not full else 0)
