/** The lines that differ between two versions of a text (Myers' algorithm), with some context. */

export interface DiffLine {
  readonly kind: "same" | "removed" | "added";
  readonly text: string;
  /** Its number in the new text, of a removed line in the old one. Starts at 1. */
  readonly line: number;
}

/** More differences than this are shown as everything removed and everything added: the search is quadratic in them. */
const MOST_EDITS = 400;

/** All lines of both texts in order. */
export function diffLines(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let [endBefore, endAfter] = [before.length, after.length];
  while (endBefore > start && endAfter > start && before[endBefore - 1] === after[endAfter - 1]) {
    endBefore--;
    endAfter--;
  }
  const edits = editsOf(before.slice(start, endBefore), after.slice(start, endAfter));
  const kinds = [
    ...Array.from({ length: start }, () => "same" as const),
    ...edits,
    ...Array.from({ length: before.length - endBefore }, () => "same" as const),
  ];
  let [old, now] = [0, 0];
  return kinds.map((kind): DiffLine => {
    if (kind === "removed") return { kind, text: before[old++]!, line: old };
    if (kind === "same") old++;
    return { kind, text: after[now++]!, line: now };
  });
}

/** The parts of a diff that changed, each with up to `context` lines around it. */
export function hunksOf(diff: readonly DiffLine[], context: number): readonly (readonly DiffLine[])[] {
  const changed = diff.flatMap(({ kind }, index) => (kind === "same" ? [] : [index]));
  const ranges: [from: number, to: number][] = [];
  for (const index of changed) {
    const from = Math.max(0, index - context);
    const to = Math.min(diff.length, index + context + 1);
    const last = ranges.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = to;
    else ranges.push([from, to]);
  }
  return ranges.map(([from, to]) => diff.slice(from, to));
}

type Edit = DiffLine["kind"];

function editsOf(before: readonly string[], after: readonly string[]): readonly Edit[] {
  const trace = traceOf(before, after);
  if (trace === undefined) return [...before.map((): Edit => "removed"), ...after.map((): Edit => "added")];
  const edits: Edit[] = [];
  let [x, y] = [before.length, after.length];
  for (let depth = trace.length - 1; depth >= 0; depth--) {
    const furthest = trace[depth]!;
    const k = x - y;
    const down = k === -depth || (k !== depth && reach(furthest, k - 1) < reach(furthest, k + 1));
    const fromK = down ? k + 1 : k - 1;
    const fromX = depth === 0 ? 0 : reach(furthest, fromK);
    const fromY = depth === 0 ? 0 : fromX - fromK;
    while (x > fromX && y > fromY) {
      edits.push("same");
      x--;
      y--;
    }
    if (depth > 0) edits.push(down ? "added" : "removed");
    [x, y] = [fromX, fromY];
  }
  return edits.toReversed();
}

/** For each number of edits, how far into `before` the diagonals had got until then; undefined beyond the bound. */
function traceOf(before: readonly string[], after: readonly string[]): ReadonlyMap<number, number>[] | undefined {
  const furthest = new Map<number, number>([[1, 0]]);
  const trace: ReadonlyMap<number, number>[] = [];
  for (let depth = 0; depth <= Math.min(MOST_EDITS, before.length + after.length); depth++) {
    trace.push(new Map(furthest));
    for (let k = -depth; k <= depth; k += 2) {
      const down = k === -depth || (k !== depth && reach(furthest, k - 1) < reach(furthest, k + 1));
      let x = down ? reach(furthest, k + 1) : reach(furthest, k - 1) + 1;
      while (x < before.length && x - k < after.length && before[x] === after[x - k]) x++;
      furthest.set(k, x);
      if (x >= before.length && x - k >= after.length) return trace;
    }
  }
  return undefined;
}

function reach(furthest: ReadonlyMap<number, number>, k: number): number {
  return furthest.get(k) ?? 0;
}
