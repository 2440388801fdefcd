"""A sound that speech codecs take for a voice, for the make_*.py scripts."""
import math, random


def voice(rate, seconds, seed):
    """Pulses of changing pitch through two resonances, with pauses and noise: samples in [-1, 1]."""
    noise = random.Random(seed)
    out, phase = [], 0.0
    states = [[0.0, 0.0], [0.0, 0.0]]
    for n in range(int(rate * seconds)):
        t = n / rate
        phase += (120 + 40 * math.sin(2 * math.pi * 1.3 * t)) / rate
        pulse = 1.0 if phase >= 1 else 0.0
        phase %= 1
        hiss = noise.gauss(0, 0.05)
        silent = 0.3 < t % 0.5 < 0.38
        x = 0.0 if silent else pulse + (hiss if 0.2 < t % 0.5 < 0.26 else 0.1 * hiss)
        y = 0.0
        for (hz, width), state in zip([(600, 90), (1700, 150)], states):
            r = math.exp(-math.pi * width / rate)
            z = x + 2 * r * math.cos(2 * math.pi * hz / rate) * state[0] - r * r * state[1]
            state[1], state[0] = state[0], z
            y += z
        out.append(y)
    peak = max(map(abs, out))
    return [0.6 * y / peak for y in out]
