"""Publishes H.264 and Opus with FFmpeg's own WHIP muxer, as PyAV carries it (built with GnuTLS).

    python ffmpeg_whip.py URL SECONDS
"""
import sys
import time
from fractions import Fraction

import av

url, seconds = sys.argv[1], float(sys.argv[2])
output = av.open(url, "w", format="whip")
video = output.add_stream("libx264", rate=25)
video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
video.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "g": "25", "bf": "0"}
audio = output.add_stream("libopus", rate=48000, layout="stereo")

source = av.open("testsrc2=size=320x180:rate=25", format="lavfi")
tone = av.open("sine=frequency=440:sample_rate=48000,aformat=channel_layouts=stereo", format="lavfi")
pictures, sounds = source.decode(video=0), tone.decode(audio=0)
resampler = av.AudioResampler(format="s16", layout="stereo", rate=48000)

began, picture, samples = time.monotonic(), 0, 0
while picture < seconds * 25:
    frame = next(pictures).reformat(format="yuv420p")
    frame.pts, frame.time_base = picture, Fraction(1, 25)
    output.mux(video.encode(frame))
    picture += 1
    while samples < picture * 48000 // 25:
        for sound in resampler.resample(next(sounds)):
            sound.pts, sound.time_base = samples, Fraction(1, 48000)
            samples += sound.samples
            output.mux(audio.encode(sound))
    if picture == 1:
        print("connected", flush=True)
    time.sleep(max(0, began + picture / 25 - time.monotonic()))
output.close()
