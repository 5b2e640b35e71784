/** An element with its attributes; children are markup. */
export function element(name, attributes, ...children) {
  const pairs = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`);
  return `<${name}${pairs.join('')}${children.length === 0 ? '/>' : `>${children.join('')}</${name}>`}`;
}

export function escaped(value) {
  const plain = typeof value === 'number' ? Math.round(value * 10) / 10 : value;
  return String(plain).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** @param {object} [more] attributes: `text-anchor`, `class` and the like */
export function text(x, y, words, { size = FONT_SIZE, ...more } = {}) {
  return element('text', { x, y, 'font-size': size, ...more }, escaped(words));
}

export function line(x1, y1, x2, y2, attributes) {
  return element('line', { x1, y1, x2, y2, ...attributes });
}

export const FONT_SIZE = 15;

/**
 * How wide words are at most, about: which of its fonts a reader has is not known, so each sign counts as in the
 * widest of them.
 */
export function widthOf(words, size = FONT_SIZE) {
  let ems = 0;
  for (const sign of String(words)) {
    if (/[iljftr.,:;|'!()[\] ]/.test(sign)) ems += 0.4;
    else if (/[mwMW@%]/.test(sign)) ems += 0.98;
    else ems += /[A-Z]/.test(sign) ? 0.72 : 0.63;
  }
  return ems * size;
}

/** The words in lines that are no wider than that. */
export function wrapped(words, width, size = FONT_SIZE) {
  const lines = [''];
  for (const word of words.split(' ')) {
    const longer = lines.at(-1) === '' ? word : `${lines.at(-1)} ${word}`;
    if (lines.at(-1) === '' || widthOf(longer, size) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
