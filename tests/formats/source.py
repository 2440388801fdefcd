"""The sound that the format matrix encodes: synthesised speech of two voices over soft noise, 3 s."""
import pathlib
import subprocess
import wave

SECONDS = 3.01  # not a whole number of any codec's frames


class Sources:
    """WAV files of the sound at any rate, of one channel or two (another voice in each)."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder / "source"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.master = self.folder / "master.wav"
        voices = []
        for language, text in (("en", "The quick brown fox jumps over the lazy dog, and sleeps."), ("cmn", "今天天气很好，我们去公园散步吧。")):
            voice = self.folder / f"{language}.wav"
            subprocess.run(["espeak-ng", "-v", language, "-w", str(voice), text], check=True)
            voices.append(str(voice))
        # -R: sox's noise is the same every time. The noise fills the bands that speech leaves empty. Half a second
        # without speech, for what encoders do in pauses.
        self._sox("-R", "-M", *voices, "-r", "192000", "-b", "24", str(self.master), "pad", "0.5", "trim", "0",
                  f"{SECONDS}", "pad", "0", "5", "trim", "0", f"{SECONDS}", "norm", "-4")
        noise = self.folder / "noise.wav"
        self._sox("-R", "-n", "-r", "192000", "-c", "2", "-b", "24", str(noise), "synth", f"{SECONDS}", "pinknoise",
                  "vol", "0.02")
        mixed = self.folder / "mixed.wav"
        self._sox("-m", "-v", "0.9", str(self.master), "-v", "1", str(noise), str(mixed))
        mixed.replace(self.master)

    def wav(self, rate: int, channels: int) -> pathlib.Path:
        """The sound as 16-bit WAV."""
        path = self.folder / f"{rate}-{channels}.wav"
        if not path.exists():
            mix = ["remix", "1"] if channels == 1 else []
            self._sox("-D", str(self.master), "-b", "16", "-r", str(rate), str(path), *mix)
        return path

    def samples(self, rate: int) -> int:
        """How many samples a channel has at a rate."""
        with wave.open(str(self.wav(rate, 1))) as file:
            return file.getnframes()

    @staticmethod
    def _sox(*arguments):
        subprocess.run(["sox", *arguments], check=True, stderr=subprocess.DEVNULL)
