import { isBehind, type Kept, type Mark, type Session } from './engine.ts';

/** The newest entries of the epoch of `head`, `head` first, as many as are asked for and there. */
export async function newest(session: Session, head: Mark, count: number): Promise<Kept[]> {
  const found: Kept[] = [];
  let last: Kept | undefined;
  while (found.length < count) {
    const page = await session.previous(last);
    last = page.at(-1);
    if (!last) break;
    found.push(...page.filter((kept) => kept.epoch === head.epoch && !isBehind(head, kept)));
    if (last.epoch !== head.epoch && isBehind(last, head)) break;
  }
  return found.slice(0, count);
}
