/** So many texts are kept for those who come later: more kinds of browsers than have a page open at a time. */
const MAX_TEXTS = 1000;

/** Texts that many have in common, each kept once. What all say differently is forgotten again. */
export class SharedTexts {
  readonly #known = new Map<string, string>();

  /** The same text, which all who ask share. */
  of(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#known.size >= MAX_TEXTS) this.#known.clear();
    this.#known.set(text, text);
    return text;
  }
}
