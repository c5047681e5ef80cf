// Constructed style sheets. A sheet belongs to the document in which it was made.

/** Creates a sheet for the shadow roots of a document. Returns none for a document without a window. @param {Document} page @param {string} text */
export function newSheet(page, text) {
  const { defaultView: view } = page;
  if (!view) return undefined;
  const sheet = new view.CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}
