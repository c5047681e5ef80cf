/** SVG paths of the controls' icons. */
export const ICON = {
  play: 'M8 5v14l11-7z',
  pause: 'M7 5h4v14H7zm6 0h4v14h-4z',
  sound: 'M4 9v6h4l5 5V4L8 9zm11.5 3A4 4 0 0 0 13.5 8.5v7a4 4 0 0 0 2-3.5zM13.5 4v2a6.5 6.5 0 0 1 0 12v2a8.5 8.5 0 0 0 0-16z',
  muted: 'M4 9v6h4l5 5V4L8 9zm17.4 1.4L20 9l-2 2-2-2-1.4 1.4 2 2-2 2L16 15.8l2-2 2 2 1.4-1.4-2-2z',
  full: 'M5 5h6v2H7v4H5zm8 0h6v6h-2V7h-4zM5 13h2v4h4v2H5zm12 0h2v6h-6v-2h4z',
  small: 'M9 5h2v6H5V9h4zm4 0h2v4h4v2h-6zM5 13h6v6H9v-4H5zm8 0h6v2h-4v4h-2z',
  pip: 'M3 5h18v14H3zm2 2v10h14V7zm6 4h7v5h-7z',
  captions: 'M3 5h18v14H3zm2 2v10h14V7zm6 3v1.5H8v1h3V14H6.5v-4zm6.5 0v1.5H14v1h3.5V14h-5v-4z',
  eye: 'M12 6c4.5 0 8 3.2 9.5 6-1.5 2.8-5 6-9.5 6s-8-3.2-9.5-6C4 9.2 7.5 6 12 6zm0 2.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z',
  stats: 'M5 12h3v7H5zm5.5-7h3v14h-3zM16 9h3v10h-3z',
};
