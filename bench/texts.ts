/** What a model writes, in the three-character pieces in which it arrives. */

const ROWS = Array.from({ length: 100 }, (_, id) => ({ id, name: `row ${id}`, key: `a-${id}`, done: id % 2 === 0 }));
const BYTES = Uint8Array.from({ length: 3000 }, (_, n) => (n * 7919 + (n >> 3) * 104_729) % 256);

export const TEXTS = {
  JSON: JSON.stringify(ROWS),
  base64: Buffer.from(BYTES).toString("base64"),
  Thai: "แพลตฟอร์มนี้ช่วยให้คุณรันโค้ดของคุณเองในจุดต่างๆของวงจรชีวิตของเอเจนต์".repeat(40),
  prose: "The quick brown fox jumps over the lazy dog; 12 of them, at 10:30! Is that all? ".repeat(40),
} as const;

export type TextKind = keyof typeof TEXTS;
export const TEXT_KINDS = Object.keys(TEXTS) as readonly TextKind[];
const PIECE = 3;

/** The text's piece with this number; it starts again at its end. */
export function pieceOf(kind: TextKind, number: number): string {
  const text = TEXTS[kind];
  const at = (number * PIECE) % (text.length - (text.length % PIECE));
  return text.slice(at, at + PIECE);
}
