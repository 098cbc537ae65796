/**
 * The handlers of one event, and the function that calls them.
 *
 * A loop that calls many different functions from one place keeps V8 from inlining any of them. The handlers of a
 * frequent event therefore get a function whose source is its own: each call in it only ever sees one handler, so V8
 * inlines it. (tapable generates code, too, but without a `try`, and V8 compiles equal code once for all its hooks.)
 */

import { compileFunction } from "node:vm";

export type Emission<Context> = (event: string, context: Context) => void;

interface Handled<Context> {
  readonly handler: (event: string, context: Context) => unknown;
  /** True for an async function, which is skipped at exit: only the loop does that. */
  readonly isAsync: boolean;
}

export interface EmissionSteps<Context, Registration extends Handled<Context>> {
  /** Calls the handlers from the one at `first` on. Must not throw. */
  readonly loop: (handlers: readonly Registration[], first: number, event: string, context: Context) => void;
  /** Takes an answer that is not undefined. What this throws counts as the handler's failure. */
  readonly answered: (registration: Registration, event: string, answer: unknown) => void;
  readonly failed: (registration: Registration, event: string, error: unknown) => void;
}

/** Sees emissions begin. */
export interface EmissionFollower<Context, Registration> {
  readonly wants: (event: string) => boolean;
  /** The handlers to call at one emission, in place of those that are registered. Must not throw. */
  readonly begin: (event: string, context: Context, handlers: readonly Registration[]) => readonly Registration[];
}

/** After this many emissions the handlers get a function of their own, which takes about 50 µs to create. */
const FREQUENT = 1000;
/** More handlers than this are always called in a loop: their function would be too large to be inlined. */
const MOST_HANDLERS = 16;

/** Makes every source different, so that no two functions share what V8 learns about their calls. */
let made = 0;

export class EventHandlers<Context, Registration extends Handled<Context>> {
  readonly handlers: readonly Registration[];
  /** Calls all handlers in order. */
  emission: Emission<Context>;
  readonly #followers: readonly EmissionFollower<Context, Registration>[];
  #emissions = 0;

  constructor(
    handlers: readonly Registration[],
    steps: EmissionSteps<Context, Registration>,
    followers: readonly EmissionFollower<Context, Registration>[] = [],
  ) {
    this.handlers = handlers;
    this.#followers = followers;
    if (followers.length > 0) {
      this.emission = (event, context) => steps.loop(this.begin(event, context), 0, event, context);
      return;
    }
    const loop: Emission<Context> = (event, context) => steps.loop(handlers, 0, event, context);
    this.emission =
      handlers.length === 0
        ? nothing
        : (event, context) => {
            if (++this.#emissions === FREQUENT) this.emission = compile(handlers, steps) ?? loop;
            loop(event, context);
          };
  }

  /** True when nobody would notice an emission. */
  get isSilent(): boolean {
    return this.handlers.length === 0 && this.#followers.length === 0;
  }

  /** The handlers to call at an emission that begins now. */
  begin(event: string, context: Context): readonly Registration[] {
    return this.#followers.reduce((handlers, follower) => follower.begin(event, context, handlers), this.handlers);
  }
}

/**
 * Creates a function that calls the handlers in order. Its source consists of numbers and constant words only.
 * Returns undefined where the loop must do: for an async function and for too many handlers.
 */
function compile<Context, Registration extends Handled<Context>>(
  handlers: readonly Registration[],
  { loop, answered, failed }: EmissionSteps<Context, Registration>,
): Emission<Context> | undefined {
  if (handlers.length > MOST_HANDLERS || handlers.some(({ isAsync }) => isAsync)) return undefined;
  const names = handlers.map((_, index) => `handler${index}`);
  const calls = names.map(
    (name, index) =>
      `index = ${index}; answer = ${name}(event, context); if (answer !== undefined) onAnswer(${index}, event, answer);`,
  );
  const source = `// emission ${++made}
return (event, context) => {
  let index = 0, answer;
  try { ${calls.join(" ")} } catch (error) { onError(index, event, context, error); }
};`;
  const onAnswer = (index: number, event: string, answer: unknown) => answered(handlers[index]!, event, answer);
  const onError = (index: number, event: string, context: Context, error: unknown) => {
    failed(handlers[index]!, event, error);
    loop(handlers, index + 1, event, context);
  };
  const parameters = ["onAnswer", "onError", ...names];
  const make = compileFunction(source, parameters, { filename: "hermes:emission" }) as (
    ...values: unknown[]
  ) => unknown;
  return make(onAnswer, onError, ...handlers.map(({ handler }) => handler)) as Emission<Context>;
}

function nothing(): void {
  // Nobody listens.
}
