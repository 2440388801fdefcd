"""A `pyaudio` whose microphone plays a WAV file in real time, then silence.

Only what a recording program calls is here. The file is the one named by the environment variable
FAKE_MICROPHONE_WAV: 16-bit mono, of the rate the program asks for.
"""

import os
import time
import wave

paInt16 = 8


class PyAudio:
    """The audio system, with one microphone."""

    def open(self, format, channels, rate, input=False, **_options):
        """Opens the microphone."""
        assert format == paInt16 and channels == 1 and input
        return Stream(os.environ["FAKE_MICROPHONE_WAV"], rate)

    def terminate(self):
        """Closes the audio system."""


class Stream:
    """An open microphone."""

    def __init__(self, path, rate):
        with wave.open(path) as file:
            found = (file.getframerate(), file.getnchannels(), file.getsampwidth())
            assert found == (rate, 1, 2), found
            self._samples = file.readframes(file.getnframes())
        self._rate = rate
        self._position = 0
        self._opened = time.monotonic()
        self.active = True

    def read(self, frames, exception_on_overflow=True):
        """The next `frames` samples, as soon as a microphone would have heard them."""
        start = 2 * self._position
        self._position += frames
        # An absolute schedule: what the program does between two reads does not make the microphone late.
        heard = self._opened + self._position / self._rate
        time.sleep(max(0.0, heard - time.monotonic()))
        return self._samples[start : start + 2 * frames].ljust(2 * frames, b"\0")

    def stop_stream(self):
        """Stops listening."""
        self.active = False

    def close(self):
        """Gives the microphone back."""
        self.active = False
