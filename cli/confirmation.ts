/** The question before something is installed or deleted. */
import { HermesError } from "#core/errors";
import { createPrompts } from "./prompts.ts";

export interface ConfirmationOptions {
  readonly yes?: boolean | undefined;
  readonly json?: true;
}

/** Asks a question on the terminal; false means no. */
export type Confirm = (question: string) => Promise<boolean>;

/**
 * How to ask: `--yes` answers. Throws HERMES_USAGE with the problem where nobody can be asked, before anything is done.
 */
export function confirmationFor(
  { yes, json }: ConfirmationOptions,
  problem = "Nobody can be asked here. Add --yes to go ahead without asking.",
): Confirm {
  if (yes === true) return () => Promise.resolve(true);
  if (json === true || !process.stdin.isTTY || !process.stderr.isTTY)
    throw new HermesError("HERMES_USAGE", { problem });
  return createPrompts().confirm;
}
