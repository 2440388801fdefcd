"""Impulse responses of rooms that do not exist: early echoes by the image method, then a tail of noise that decays.

Allen and Berkley 1979, "Image method for efficiently simulating small-room acoustics", for boxes; the density of echoes makes
the rest indistinguishable from noise.
"""

import numpy as np

from augment import RATE

# Metres a second.
SOUND = 343.0


def response(rng, seconds=0.5, early=0.06):
    """[seconds * RATE] samples; the direct sound is at 0 and is 1."""
    size = rng.uniform((2.5, 2.5, 2.3), (9, 7, 3.6))
    decay = rng.uniform(0.12, 0.7)
    # Sabine: the share of energy that the walls leave.
    volume, surface = size.prod(), 2 * (size[0] * size[1] + size[1] * size[2] + size[0] * size[2])
    reflected = np.sqrt(max(1 - 0.161 * volume / (surface * decay), 0.02))
    source, ear = (rng.uniform(0.1, 0.9, 3) * size for _ in range(2))
    reach = int(np.ceil((early * SOUND + np.linalg.norm(size)) / size.min() / 2)) + 1
    n = np.arange(-reach, reach + 1)
    axes = []
    for k in range(3):
        # Images at 2 n L + x after |2 n| walls and at 2 n L - x after |2 n - 1|.
        places = np.concatenate([2 * n * size[k] + source[k], 2 * n * size[k] - source[k]]) - ear[k]
        axes.append((places, np.concatenate([abs(2 * n), abs(2 * n - 1)])))
    (x, a), (y, b), (z, c) = axes
    distance = np.sqrt(x[:, None, None] ** 2 + y[None, :, None] ** 2 + z[None, None] ** 2).ravel()
    walls = (a[:, None, None] + b[None, :, None] + c[None, None]).ravel()
    direct = np.linalg.norm(source - ear)
    late = (distance - direct) / SOUND
    near = (late < early) & (late >= 0)
    out = np.zeros(int(seconds * RATE))
    np.add.at(out, (late[near] * RATE).astype(int), reflected ** walls[near] * direct / np.maximum(distance[near], 0.1))
    t = np.arange(len(out)) / RATE
    start = int(early * RATE)
    # The tail goes on as loud as the last echoes are.
    level = np.sqrt((out[start // 2 : start] ** 2).mean()) * 10 ** (-3 * early / 4 / decay)
    tail = rng.normal(size=len(out)) * 10 ** (-3 * (t - early) / decay) * level
    out[start:] = tail[start:]
    out[0] = 1.0
    return out.astype(np.float32)
