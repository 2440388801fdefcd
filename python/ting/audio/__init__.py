"""What is done with audio: recognition, in `ting.audio.asr`."""
