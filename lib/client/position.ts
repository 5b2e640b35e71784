import type { Position } from '../protocol/position.ts';

/** What the server wrote is taken at its word. */
export function positionOf(text: string | undefined): Position | undefined {
  if (!text) return undefined;
  const [epoch, offset] = text.split(':') as [string, string];
  return { epoch, offset: +offset };
}
