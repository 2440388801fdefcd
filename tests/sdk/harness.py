"""The `ting` binary under test, and the programs that talk to it."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

SDK = pathlib.Path(__file__).resolve().parent
ROOT = SDK.parent.parent
DATA = ROOT / "tests" / "data"
SEED = ROOT.parent / "shared" / "seed.txt"
# Nothing takes this long; a longer wait is for what never comes.
PATIENCE = 180


class Process:
    """A program whose output is kept as it comes."""

    def __init__(self, command, **options):
        self.lines = []
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            [str(part) for part in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            **options,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with self._process.stdout as output:
            for line in output:
                with self._changed:
                    self.lines.append(line.rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self.lines.append(None)
            self._changed.notify_all()

    @property
    def output(self):
        """All that was printed so far."""
        return "\n".join(line for line in self.lines if line is not None)

    def wait_for(self, pattern):
        """The first match of `pattern` in the output."""
        deadline = time.monotonic() + PATIENCE
        with self._changed:
            while True:
                if found := re.search(pattern, self.output):
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or self.lines[-1:] == [None]:
                    raise AssertionError(f"never printed {pattern!r}:\n{self.output}")
                self._changed.wait(left)

    def interrupt(self):
        """What Ctrl+C does."""
        self._process.send_signal(signal.SIGINT)

    def kill(self):
        """Ends the program without a warning."""
        self._process.kill()
        self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)

    def wait(self):
        """The exit status."""
        try:
            status = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"never ended:\n{self.output}") from None
        self._reader.join(PATIENCE)
        return status


class Server(Process):
    """`ting serve` on a free port, with a data folder that goes with it unless one is given."""

    def __init__(self, *arguments, data_dir=None, home=None, command=()):
        binary = os.environ.get("TING_BIN", ROOT / "target" / "debug" / "ting")
        serve = [*command, binary, "serve", "--listen", "127.0.0.1:0", *arguments]
        self._folder = None
        variables = {k: v for k, v in os.environ.items() if k != "TING_DATA_DIR"}
        if home:
            # No data folder is named: the usual one is below this.
            variables |= {"HOME": home, "XDG_DATA_HOME": ""}
        else:
            if not data_dir:
                self._folder = tempfile.TemporaryDirectory()
                data_dir = self._folder.name
            serve += ["--data-dir", data_dir]
        super().__init__(serve, env=variables)
        self.url = self.wait_for(r"ws://127\.0\.0\.1:\d+/api-ws/v1/inference")[0]
        self.http_url = self.wait_for(r"http://127\.0\.0\.1:\d+/api/v1")[0]

    def health(self):
        """What `/healthz` says."""
        address = self.url.replace("ws://", "http://").replace("/api-ws/v1/inference", "/healthz")
        # A proxy of the environment has no business between a test and its server.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(address, timeout=PATIENCE) as answer:
            return json.load(answer)

    def stop(self):
        """Stops the server in order."""
        self.interrupt()
        return self.wait()

    def kill(self):
        super().kill()
        if self._folder:
            self._folder.cleanup()


def python(program, *arguments, directory=None, **environment):
    """A Python program that runs with the SDK, the fake microphone and the given environment variables."""
    variables = {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(SDK / "fakes"),
        "DASHSCOPE_API_KEY": "sk-test",
        "NO_PROXY": "127.0.0.1",
        **environment,
    }
    return Process([sys.executable, program, *arguments], cwd=directory, env=variables)
