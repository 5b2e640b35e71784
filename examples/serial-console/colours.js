const sgr = (code) => (text) => `\x1b[${code}m${text}\x1b[0m`;

export const bold = sgr(1);
export const dim = sgr(2);
export const green = sgr(32);
export const blue = sgr('1;34');
/** One of the 256. */
export const ground = (number, text) => sgr(`48;5;${number}`)(text);
