/** A place in the journal: `offset` entries into the history named `epoch`. Offset 0 is before the first entry. */
export interface Position {
  /** 1 to 64 of `A-Z a-z 0-9 _ -`; changes whenever history was lost. */
  readonly epoch: string;
  readonly offset: number;
}

const SHAPE = /^([\w-]{1,64}):(0|[1-9]\d{0,15})$/;

export function formatPosition(position: Position): string {
  return `${position.epoch}:${position.offset}`;
}

/** The position that the text gives, or nothing if it gives none. */
export function parsePosition(text: string): Position | undefined {
  const match = SHAPE.exec(text);
  const offset = Number(match?.[2]);
  return match && Number.isSafeInteger(offset) ? { epoch: match[1] as string, offset } : undefined;
}
