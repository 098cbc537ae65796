import { findAccessProblem } from "#core/home/access";
import { scriptOf, type LookupContext } from "./words.ts";

/** Why others could change a command's script, as a clause that names the cure; null when they cannot. */
export function findScriptAccessProblem(
  argv: readonly string[] | null,
  place: LookupContext & { readonly home: string },
): string | null {
  const script = argv === null ? null : scriptOf(argv, place);
  return script === null ? null : findAccessProblem(script, { home: place.home });
}
