// The order in which codecs are offered.

/** Whether this browser sends H.264 over WebRTC, as far as it tells. */
export const offersH264 = () =>
  globalThis.RTCRtpSender?.getCapabilities?.('video')?.codecs.some(({ mimeType }) => /h264/i.test(mimeType)) ?? true;

/**
 * Puts H.264 first, which everyone can play: constrained baseline before other profiles.
 * @param {RTCRtpTransceiver} transceiver
 */
export function prefer(transceiver) {
  const codecs = RTCRtpSender.getCapabilities?.('video')?.codecs ?? [];
  const rank = (/** @type {RTCRtpCodec} */ { mimeType, sdpFmtpLine = '' }) => {
    if (!/h264/i.test(mimeType)) return /rtx|red|fec/i.test(mimeType) ? 4 : 3;
    if (!sdpFmtpLine.includes('packetization-mode=1')) return 2;
    return /profile-level-id=42e0/i.test(sdpFmtpLine) ? 0 : 1;
  };
  try {
    transceiver.setCodecPreferences?.([...codecs].sort((a, b) => rank(a) - rank(b)));
  } catch {
    // This browser keeps its own order.
  }
}
