/** The status of a turn: what is awaited, for how long, how many tokens it took, and how to stop it. */
import type { Frame } from "#core/frames";
import type { TurnProgress } from "#core/ports/agent";
import { fitLine, textWidth } from "../../text-width.ts";

/** Shorter waits show no status, because it would only flicker. */
const QUIET_MS = 250;
const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
export const TICK_MS = 125;
const SEPARATOR = " · ";
/** What is awaited keeps this much room before other parts are left out. */
const LEAST_ROOM = 16;

interface Doing {
  readonly words: string;
  /** Ends at this time, for what is waited for. */
  readonly until?: number;
}

export class Activity {
  readonly #now: () => number;
  readonly #stopHint: string;
  #began: number | undefined;
  #doing: Doing | undefined;
  #tokens = 0;
  /** Calls that run, by their id. */
  readonly #tools = new Map<string, string>();

  /** `stopHint` says which keys stop the turn. */
  constructor(stopHint: string, now: () => number = () => performance.now()) {
    this.#stopHint = stopHint;
    this.#now = now;
  }

  /** Something is awaited from now on: a turn, or the hooks that close a session. */
  begin(words: string): void {
    this.#began = this.#now();
    this.#tokens = 0;
    this.#tools.clear();
    this.#doing = { words };
  }

  end(): void {
    this.#began = undefined;
  }

  /** True between {@link begin} and {@link end}. */
  get isRunning(): boolean {
    return this.#began !== undefined;
  }

  /** Takes a frame of the turn; `visible` is true when its text is on the screen, which says enough. */
  show(frame: Frame, visible: boolean): void {
    if (frame.type === "tool_use") this.#tools.set(frame.tool_id, frame.tool);
    else if (frame.type === "tool_result") this.#tools.delete(frame.tool_id);
    else if (frame.type === "text" || frame.type === "reasoning") {
      this.#doing = visible ? undefined : { words: frame.type === "text" ? "Answering" : "Thinking" };
      return;
    } else if (frame.type !== "injected") return;
    this.#doing = { words: this.#tools.size === 0 ? "Thinking" : `Running ${toolNames([...this.#tools.values()])}` };
  }

  progress(progress: TurnProgress): void {
    if (progress.kind === "tokens") this.#tokens = progress.input_tokens + progress.output_tokens;
    else if (progress.kind === "request") this.#doing = { words: "Thinking" };
    else this.#doing = { words: progress.problem, until: this.#now() + progress.delay_ms };
  }

  /** One line of at most `width` columns, or undefined while there is nothing to say. */
  line(width: number): string | undefined {
    const [began, doing] = [this.#began, this.#doing];
    if (began === undefined || doing === undefined) return undefined;
    const elapsed = this.#now() - began;
    if (elapsed < QUIET_MS) return undefined;
    const spinner = SPINNER[Math.floor(elapsed / TICK_MS) % SPINNER.length]!;
    const tokens = this.#tokens === 0 ? [] : [`${shortNumber(this.#tokens)} tokens`];
    const time = `${Math.floor(elapsed / 1000)} s`;
    const choices = [[time, ...tokens, this.#stopHint], [time, this.#stopHint], [this.#stopHint]];
    const room = (parts: readonly string[]) => width - 2 - textWidth(["", ...parts].join(SEPARATOR));
    const words = wordsOf(doing, this.#now());
    const needed = Math.min(LEAST_ROOM, textWidth(words));
    const parts = choices.find((some) => room(some) >= needed) ?? [];
    return `${spinner} ${[fitLine(words, Math.max(1, room(parts))), ...parts].join(SEPARATOR)}`;
  }
}

function wordsOf({ words, until }: Doing, now: number): string {
  if (until === undefined) return words;
  return `Retry in ${Math.max(0, Math.ceil((until - now) / 1000))} s: ${words}`;
}

/** The names of calls that run together: `terminal`, `read_file ×3`, `terminal, read_file`. */
function toolNames(names: readonly string[]): string {
  return [...Map.groupBy(names, (name) => name)]
    .map(([name, same]) => (same.length === 1 ? name : `${name} ×${same.length}`))
    .join(", ");
}

function shortNumber(number: number): string {
  return number < 1000 ? String(number) : `${(number / 1000).toFixed(number < 10_000 ? 1 : 0)}k`;
}
