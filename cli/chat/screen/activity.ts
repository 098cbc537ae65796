/** The status of a turn: what is awaited, for how long, how many tokens it took, and how to stop it. */
import { elapsed as lengthOfTime } from "#core/age";
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
/** As the agent estimates it for a context whose tokens nobody told. */
const CHARACTERS_PER_TOKEN = 4;
const LEAST_ESTIMATE = 10;

interface Doing {
  readonly words: string;
  /** Ends at this time, for what is waited for. */
  readonly until?: number;
}

/**
 * How full the model's context is, in a few letters: with so many tokens in it, or, without a number, after the last
 * turn. Empty when nobody knows.
 */
export type ContextMeter = (tokens?: number) => string;

export interface ActivityOptions {
  /** Which keys stop the turn. */
  readonly stopHint: string;
  readonly meter?: ContextMeter | undefined;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

export class Activity {
  readonly #now: () => number;
  readonly #stopHint: string;
  #began: number | undefined;
  #doing: Doing | undefined;
  #tokens = 0;
  /** Characters of the answer that arrives: its tokens are known when it is complete. */
  #streamed = 0;
  #context = "";
  readonly #meter: ContextMeter;
  /** Calls that run, by their id. */
  readonly #tools = new Map<string, string>();

  constructor({ stopHint, meter = () => "", now = () => performance.now() }: ActivityOptions) {
    this.#stopHint = stopHint;
    this.#meter = meter;
    this.#now = now;
  }

  /** Something is awaited from now on: a turn, or the hooks that close a session. */
  begin(words: string): void {
    this.#began = this.#now();
    this.#tokens = 0;
    this.#streamed = 0;
    this.#context = this.#meter();
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

  /** Takes a frame of the turn. A complete answer ends what is awaited, until something else is. */
  show(frame: Frame): void {
    if (frame.type === "tool_use") this.#tools.set(frame.tool_id, frame.tool);
    else if (frame.type === "tool_result") this.#tools.delete(frame.tool_id);
    else if (frame.type === "text" || frame.type === "reasoning") {
      this.#streamed += frame.delta.length;
      this.#doing = { words: frame.type === "text" ? "Answering" : "Thinking" };
      return;
    } else if (frame.type === "assistant") {
      this.#doing = undefined;
      return;
    } else if (frame.type !== "injected") return;
    this.#doing = { words: this.#tools.size === 0 ? "Thinking" : `Running ${toolNames([...this.#tools.values()])}` };
  }

  progress(progress: TurnProgress): void {
    if (progress.kind === "tokens") {
      this.#tokens = progress.input_tokens + progress.output_tokens;
      this.#streamed = 0;
      this.#context = this.#meter(progress.context_tokens);
    } else if (progress.kind === "request") this.#doing = { words: "Thinking" };
    else if (progress.kind === "retry") {
      this.#streamed = 0;
      this.#doing = { words: progress.problem, until: this.#now() + progress.delay_ms };
    }
  }

  /** One line of at most `width` columns, or undefined while there is nothing to say. */
  line(width: number): string | undefined {
    const [began, doing] = [this.#began, this.#doing];
    if (began === undefined || doing === undefined) return undefined;
    const elapsed = this.#now() - began;
    if (elapsed < QUIET_MS) return undefined;
    const spinner = SPINNER[Math.floor(elapsed / TICK_MS) % SPINNER.length]!;
    const tokens = this.#tokensText();
    const context = this.#context === "" ? [] : [this.#context];
    const seconds = Math.floor(elapsed / 1000);
    const time = seconds < 60 ? `${seconds} s` : lengthOfTime(seconds);
    const hint = this.#stopHint;
    const choices = [[time, ...tokens, ...context, hint], [time, ...tokens, hint], [time, hint], [hint]];
    const room = (parts: readonly string[]) => width - 2 - textWidth(["", ...parts].join(SEPARATOR));
    const words = wordsOf(doing, this.#now());
    const needed = Math.min(LEAST_ROOM, textWidth(words));
    const parts = choices.find((some) => room(some) >= needed) ?? [];
    return `${spinner} ${[fitLine(words, Math.max(1, room(parts))), ...parts].join(SEPARATOR)}`;
  }

  /** The tokens of the turn, with an estimate for the answer that arrives. */
  #tokensText(): readonly string[] {
    const estimate = Math.round(this.#streamed / CHARACTERS_PER_TOKEN);
    const tokens = this.#tokens + estimate;
    if (tokens === 0 || (this.#tokens === 0 && estimate < LEAST_ESTIMATE)) return [];
    return [`${estimate === 0 ? "" : "~"}${shortNumber(tokens)} tokens`];
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
