// Chooses the order of codecs in an offer.

/** Returns whether this browser reports that it can send H.264 over WebRTC. */
export const offersH264 = () =>
  globalThis.RTCRtpSender?.getCapabilities?.('video')?.codecs.some(({ mimeType }) => /h264/i.test(mimeType)) ?? true;

/**
 * Puts H.264 first, which all viewers can play: constrained baseline before other profiles.
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
    // This browser does not allow another order.
  }
}
