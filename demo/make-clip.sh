#!/bin/sh
# Makes demo/clip.flv, the stream of `--demo`, from ffmpeg's own sources.
#
# It loops without a seam: 24 s are 720 frames of video at 30 a second and exactly 1125 frames of AAC
# at 48 kHz (8/15 s is the shortest such length). Pictures and sound repeat every 24 s, and the audio
# packets are cut out of the middle of a longer encoding, so that the last one overlaps into the first.
# No B-frames and constrained baseline: what every player can take.
#
# Wants ffmpeg with libx264 and drawtext, DejaVu and Noto Sans CJK (Debian: fonts-dejavu, fonts-noto-cjk).
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
seconds=24
sans=/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
bold=/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf
mono=/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf
cjk=/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc
still() { ffmpeg -v error -y -f lavfi -i "$1" -vf "$2" -frames:v 1 "$work/$3"; }

# A night sky, two soft lights, and the dot that runs along the line: one picture each.
still color=s=854x480 "format=rgb24,geq=r='14+22*Y/H+10*X/W':g='20+14*Y/H+6*X/W':b='44+46*Y/H+26*X/W'" sky.png
light() {
    still color=s=520x520 "format=rgba,geq=r=$1:g=$2:b=$3:a='118*pow(max(0\,1-hypot(X-260\,Y-260)/260)\,2)'" "$4"
}
light 70 190 255 blue.png
light 255 90 140 rose.png
still color=s=40x40 "format=rgba,geq=r=255:g=214:b=120:a='255*clip(16.5-hypot(X-19.5\,Y-19.5)\,0\,1)'" dot.png

text() { printf "drawtext=fontfile=%s:text='%s':%s" "$1" "$2" "$3"; }
turn="2*PI*t/12"
ffmpeg -v error -y \
    -loop 1 -framerate 30 -i "$work/sky.png" -loop 1 -framerate 30 -i "$work/blue.png" \
    -loop 1 -framerate 30 -i "$work/rose.png" -loop 1 -framerate 30 -i "$work/dot.png" \
    -f lavfi -i "smptehdbars=size=854x480:rate=30" \
    -filter_complex "
        [4]crop=854:10:0:0[bars];
        [0][1]overlay=x='167+190*cos($turn)':y='-20+70*sin($turn)'[a];
        [a][2]overlay=x='167-190*cos($turn)':y='-20-70*sin($turn)'[b];
        [b][bars]overlay=x=0:y=470[c];
        [c]drawbox=x=107:y=338:w=640:h=4:color=white@0.18:t=fill[d];
        [d][3]overlay=x='88+640*mod(t/$seconds\,1)':y=320[e];
        [e]$(text $bold Lianmai 'fontcolor=white:fontsize=44:x=40:y=34'),
        $(text $cjk 连麦 'fontcolor=white@0.85:fontsize=40:x=262:y=34'),
        $(text $mono '%{pts\:hms}' 'fontcolor=white:fontsize=84:x=(w-tw)/2:y=196'),
        $(text $sans 'frame %{eif\:n\:d\:3} of 720' 'fontcolor=white@0.7:fontsize=22:x=(w-tw)/2:y=372'),
        drawbox=x=806:y=44:w=16:h=16:color=0xff4d5e@0.95:t=fill:enable='lt(mod(t\,1)\,0.1)',
        format=yuv420p" \
    -t $seconds -an -c:v libx264 -preset veryslow -profile:v baseline -level:v 3.1 -crf 26 -maxrate 450k -bufsize 450k \
    -g 30 -keyint_min 30 -sc_threshold 0 -bf 0 -x264-params force-cfr=1:open-gop=0 \
    -color_primaries bt709 -color_trc bt709 -colorspace bt709 -color_range tv "$work/video.mp4"

# Four quiet chords of six seconds (A minor, F, C, G: whole numbers of Hz, so the wave joins up), and
# a soft beep with each second. 72 s, of which the second 24 are kept: nothing starts or ends in them.
chord() {
    at="gte(mod(t\,24)\,$1)*lt(mod(t\,24)\,$1+6)*pow(sin(PI*mod(t\,6)/6)\,0.5)"
    printf '%s' "$at*(sin(2*PI*$2*t)+sin(2*PI*$3*t)+sin(2*PI*$4*t))"
}
chords="$(chord 0 220 262 330)+$(chord 6 175 220 262)+$(chord 12 196 262 330)+$(chord 18 196 247 294)"
beep="0.12*exp(-14*mod(t\,1))*sin(2*PI*880*t)"
ffmpeg -v error -y -f lavfi -i "aevalsrc=exprs='0.035*($chords)+$beep|0.035*($chords)+$beep':c=stereo:s=48000:d=72" \
    -c:a aac -b:a 64k "$work/audio.m4a"

ffmpeg -v error -y -i "$work/video.mp4" -ss $seconds -i "$work/audio.m4a" -map 0:v -map 1:a -c copy \
    -frames:a 1125 -metadata title="Lianmai demo" -fflags +bitexact -flags +bitexact \
    -flvflags no_duration_filesize clip.flv

count() { ffprobe -v error -select_streams "$1" -count_packets -show_entries stream=nb_read_packets -of csv=p=0 clip.flv; }
test "$(count v) $(count a)" = "720 1125"
ls -l clip.flv
