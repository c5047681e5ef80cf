"""Publishes to a WHIP address or plays from a WHEP address with GStreamer's webrtcbin.

    python3 gstreamer.py publish|play URL

Prints a line for each picture and packet of audio that it gets when it plays.
"""
import sys
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

ROLE, URL = sys.argv[1:]
Gst.init(None)

VIDEO = "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000"
AUDIO = "application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000"
PUBLISH = f"""
webrtcbin name=peer bundle-policy=max-bundle
videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=180,framerate=25/1
  ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! video/x-h264,profile=constrained-baseline
  ! rtph264pay config-interval=-1 aggregate-mode=zero-latency ! {VIDEO} ! peer.
audiotestsrc is-live=true ! audioconvert ! audioresample ! opusenc ! rtpopuspay ! {AUDIO} ! peer.
"""

# A description with one element alone would be that element, not a pipeline.
PLAY = "webrtcbin name=peer bundle-policy=max-bundle fakesrc num-buffers=0 ! fakesink"
pipeline = Gst.parse_launch(PUBLISH if ROLE == "publish" else PLAY)
peer = pipeline.get_by_name("peer")
loop = GLib.MainLoop()


def offered(promise):
    promise.wait()
    # The offer belongs to the reply, which has to live as long.
    reply = promise.get_reply()
    offer = reply["offer"]
    done = Gst.Promise.new()
    peer.emit("set-local-description", offer, done)
    done.interrupt()


def gathered(*_):
    """Posts the offer once all candidates stand in it."""
    if peer.get_property("ice-gathering-state") != GstWebRTC.WebRTCICEGatheringState.COMPLETE:
        return
    sdp = peer.get_property("local-description").sdp.as_text()
    request = urllib.request.Request(URL, sdp.encode(), {"Content-Type": "application/sdp"})
    with urllib.request.urlopen(request) as answer:
        _, message = GstSdp.SDPMessage.new_from_text(answer.read().decode())
    answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
    peer.emit("set-remote-description", answer, None)


def pad_added(_, pad):
    """Counts what comes out of a track."""
    if pad.get_direction() != Gst.PadDirection.SRC:
        return
    kind = pad.get_current_caps().get_structure(0).get_string("media")
    branch = "rtph264depay ! h264parse ! avdec_h264" if kind == "video" else "rtpopusdepay ! opusdec"
    sink = Gst.parse_bin_from_description(f"queue ! {branch} ! fakesink name=end signal-handoffs=true", True)
    sink.get_by_name("end").connect("handoff", lambda *_: print(kind, flush=True))
    pipeline.add(sink)
    sink.sync_state_with_parent()
    pad.link(sink.get_static_pad("sink"))


def state(*_):
    print("connection", peer.get_property("connection-state").value_nick, flush=True)


def negotiate(*_):
    promise = Gst.Promise.new_with_change_func(offered)
    peer.emit("create-offer", None, promise)


peer.connect("notify::ice-gathering-state", gathered)
peer.connect("notify::connection-state", state)
peer.connect("pad-added", pad_added)
if ROLE == "play":
    pipeline.set_state(Gst.State.READY)
    for caps in (VIDEO, AUDIO):
        direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
        peer.emit("add-transceiver", direction, Gst.Caps.from_string(caps))
else:
    # This comes when the formats of both tracks are known.
    peer.connect("on-negotiation-needed", negotiate)
pipeline.set_state(Gst.State.PLAYING)
if ROLE == "play":
    negotiate()
loop.run()
