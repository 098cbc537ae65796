/** The question before plugins are installed, updated or removed. */
import { HermesError } from "#core/errors";
import { createPrompts } from "../prompts.ts";

export interface ConsentOptions {
  readonly yes?: true;
  readonly json?: true;
}

/** Asks a question on the terminal; false means no. */
export type Consent = (question: string) => Promise<boolean>;

/** How to ask: `--yes` answers. Throws HERMES_USAGE where nobody can be asked, before anything is done. */
export function consentFor({ yes, json }: ConsentOptions): Consent {
  if (yes === true) return () => Promise.resolve(true);
  if (json === true || !process.stdin.isTTY || !process.stderr.isTTY) {
    throw new HermesError("HERMES_USAGE", {
      problem: "Nobody can be asked here. Add --yes to go ahead without asking.",
    });
  }
  return createPrompts().confirm;
}
