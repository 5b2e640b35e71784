/** Characters as bytes, one for each. */
export const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
