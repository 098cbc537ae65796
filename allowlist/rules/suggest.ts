/** Which rule to offer for a command: a prefix where further words change little, else exactly this command. */
import type { CommandRule } from "#core/ports/command-rules";
import { quoteWord } from "#core/shell-quote";

/** Programs that only read what their arguments name, whatever these are. */
const READERS = words(
  "ls cat head tail wc grep egrep fgrep stat du df which uname cmp comm cut tr nl pwd echo basename dirname realpath",
  "readlink id whoami md5sum sha256sum",
);

/** Programs whose second word says what they do. */
const WITH_SUBCOMMANDS = words(
  "git gh glab npm pnpm yarn bun cargo go make just docker podman kubectl pip pip3 uv poetry apt apt-get apt-cache brew",
  "systemctl terraform dotnet gradle mvn rake bundle mix deno helm aws gcloud tox nox task ninja",
);

/** The second word of these runs whatever follows it. */
const RUNNERS = words("run exec x dlx eval tool run-script shell sh with compose");

/** `npm run NAME`: the third word says what runs. */
const WITH_SCRIPTS = words("npm pnpm yarn bun");

/** Programs that run a script, which their second word names. */
const INTERPRETERS = /^(?:(?:ba|da|z|k)?sh|python[\d.]*|node|tsx|perl|ruby|php|lua)$/;

const NAME = /^[a-z][\w:.-]*$/i;

/** The rule for the words of one program. */
export function suggestRule(given: readonly string[]): CommandRule {
  const [program = "", second = "", third = ""] = given;
  const prefix = (count: number): CommandRule => ({ words: given.slice(0, count), exact: false });
  const exactly: CommandRule = { words: given, exact: true };
  if (READERS.has(program)) return prefix(1);
  if (INTERPRETERS.test(program)) return /^[\w./][^=]*$/.test(second) ? prefix(2) : exactly;
  if (!WITH_SUBCOMMANDS.has(program) || !NAME.test(second)) return exactly;
  if (!RUNNERS.has(second)) return prefix(2);
  return WITH_SCRIPTS.has(program) && second === "run" && NAME.test(third) ? prefix(3) : exactly;
}

/** True when one of the rules allows these words. */
export function isAllowed(given: readonly string[], rules: readonly CommandRule[]): boolean {
  return rules.some(
    ({ words: wanted, exact }) =>
      wanted.length <= given.length &&
      (!exact || wanted.length === given.length) &&
      wanted.every((word, index) => word === given[index]),
  );
}

/** The rule as a user reads and types it: `git status …`, or without the dots for exactly these words. */
export function textOfRule({ words: wanted, exact }: CommandRule): string {
  return `${wanted.map(quoteWord).join(" ")}${exact ? "" : " …"}`;
}

function words(...lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(" ")));
}
