/** So many texts are kept for those who come later: more kinds of browsers than have a page open at a time. */
const MAX_TEXTS = 1000;

/** Texts that many have in common, each kept once. What all say differently is forgotten again. */
export class SharedTexts {
  readonly #known = new Map<string, string>();
  readonly #check: (text: string) => void;

  /** @param check throws at a text that is not to be kept; asked once for each that is */
  constructor(check: (text: string) => void = () => {}) {
    this.#check = check;
  }

  /** The same text, which all who ask share. */
  of(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    this.#check(text);
    if (this.#known.size >= MAX_TEXTS) this.#known.clear();
    this.#known.set(text, text);
    return text;
  }
}
