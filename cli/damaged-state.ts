/** Moves a damaged `state.db` away when a command fails because of it. */
import { HermesError, problemOf } from "#core/errors";
import { isDamage } from "#core/home/damage";
import { setAside } from "#core/home/damaged";

/** The error to report instead of one that a command has failed with. */
export function explainDamage(error: unknown, file: string): unknown {
  if (!isDamage(error)) return error;
  try {
    const moved = setAside(file);
    if (moved === undefined) return error;
    return new HermesError("HERMES_STATE_DAMAGED", { file, ...moved }, { cause: error });
  } catch (failure) {
    return new HermesError("HERMES_STATE_UNAVAILABLE", {
      file,
      problem: `${problemOf(error)}, and it cannot be moved away: ${problemOf(failure)}`,
    });
  }
}
