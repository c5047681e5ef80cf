// Constructed style sheets, which belong to the document in which they were made.

/** A sheet that roots of a document can adopt; none in a document without a window. @param {Document} page @param {string} text */
export function newSheet(page, text) {
  const { defaultView: view } = page;
  if (!view) return undefined;
  const sheet = new view.CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}
