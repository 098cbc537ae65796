/** What a scripted model says. */

/** A call of a tool. */
export interface ScriptedCall {
  readonly tool: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** The answer to one request of the model: its text, a call, or several calls of one step. */
export type ScriptedAnswer = string | ScriptedCall | readonly ScriptedCall[];
