/** Compacts a session by itself before a request that would come near the limit of the model's context. */
import { problemOf } from "#core/errors";
import type { Tool } from "#core/ports/agent";
import { compactSession } from "./compact.ts";
import { approximateTokens } from "./compaction.ts";
import type { SelectedModel } from "./models/select.ts";
import type { TurnScope } from "./scope.ts";
import type { TurnMessages } from "./turn-messages.ts";

interface ContextGuardOptions {
  readonly selected: SelectedModel;
  readonly conversation: TurnMessages;
  readonly instructions: string;
  readonly tools: readonly Tool[];
}

/** Watches how much of the context a turn's requests take. */
export class ContextGuard {
  readonly #scope: TurnScope;
  readonly #options: ContextGuardOptions;
  readonly #fixed: number;
  /** What servers count for each token that is counted here. */
  #ratio = 1;
  #counted = 0;
  #gaveUp = false;
  #requests = 0;

  constructor(scope: TurnScope, options: ContextGuardOptions) {
    this.#scope = scope;
    this.#options = options;
    const described = options.tools.map(({ name, description, parameters }) => ({ name, description, parameters }));
    this.#fixed = approximateTokens(described) + approximateTokens([options.instructions]);
  }

  /**
   * Compacts the session if the next request needs it, which is the turn's `count`-th. A failure is logged, and the
   * request is sent as it is. Gives the number of requests that the turn made for it so far.
   */
  async beforeRequest(count: number): Promise<number> {
    const { deps, session } = this.#scope;
    const { selected, conversation } = this.#options;
    const { contextLength } = selected;
    const threshold = deps.compactAt?.() ?? 0;
    // Counting a long history takes time.
    const isWatched = contextLength !== undefined && threshold > 0 && conversation.isStored && !this.#gaveUp;
    if (!isWatched) return this.#requests;
    this.#count();
    if (this.#counted * this.#ratio <= contextLength * threshold) return this.#requests;
    try {
      const next = count + this.#requests;
      const done = await compactSession(this.#scope, { selected, contextLength, count: next });
      if (done === null) this.#gaveUp = true;
      else {
        this.#requests++;
        conversation.reload();
      }
    } catch (error) {
      this.#scope.line.signal.throwIfAborted();
      this.#gaveUp = true;
      deps.log.warn("the session could not be compacted", { problem: problemOf(error), session_id: session.id });
    }
    this.#count();
    return this.#requests;
  }

  /** Takes what the server counted for the request. */
  afterRequest(inputTokens: number): void {
    if (inputTokens > 0 && this.#counted > 0) this.#ratio = inputTokens / this.#counted;
  }

  #count(): void {
    this.#counted = this.#fixed + this.#options.conversation.tokens();
  }
}
