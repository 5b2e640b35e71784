/** One line of CSV (RFC 4180). A cell that a spreadsheet would take for a formula gets an apostrophe in front. */
export function csvLine(cells) {
  return `${cells.map(cell).join(',')}\r\n`;
}

function cell(value) {
  const text = String(value ?? '');
  const safe = /^[\s]*[=+\-@|\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
