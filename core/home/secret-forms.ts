/**
 * The forms by which secrets are recognised in text. Each has two regular expressions: redact.ts finds complete
 * secrets, redact-unfinished.ts those that a text ends in the middle of.
 */
import { isSecretName } from "#core/secret-names";

/** How a kind of secret is written. All fields are regular expressions. */
interface Written {
  /** What comes before the secret characters. */
  readonly lead: string;
  /** One of the secret characters. */
  readonly body: string;
  /** The secret characters of a complete secret. */
  readonly complete: string;
  /** How many secret characters there can be; any number when absent. */
  readonly most?: number;
  /** True when the lead is part of the secret and is masked, too. */
  readonly whole?: boolean;
  readonly ignoreCase?: boolean;
  /** A text without this does not contain it. */
  readonly needs?: string;
}

export interface SecretForm {
  /** Finds complete secrets; the first group is the lead. */
  readonly complete: RegExp;
  /** Finds the beginning of a secret at the end of a text; the first group is the lead. */
  readonly begun: RegExp;
  /** What follows of a secret that has begun. */
  readonly rest: RegExp;
  readonly whole: boolean;
  readonly needs: string | undefined;
}

/** A JSON escape may precede a secret; its last letter is not part of the text. */
const EDGE = String.raw`(?<=^|\W|\\[bfnrt]|\\u[\da-f]{4})`;
const LETTERS = "[A-Za-z0-9_-]";

/** A well-known beginning, and at least this many characters. */
function shape(beginning: string, body: string, count: string): Written {
  return { lead: EDGE + beginning, body, complete: body + count, whole: true };
}

const WRITTEN: readonly Written[] = [
  shape("(?:sk|pk|rk)-", LETTERS, "{16,}"),
  shape("gh[pousr]_", "[A-Za-z0-9]", "{20,}"),
  shape("github_pat_", "[A-Za-z0-9_]", "{20,}"),
  shape("xox[abposr]-", "[A-Za-z0-9-]", "{10,}"),
  shape("AKIA", "[0-9A-Z]", String.raw`{16}\b`),
  shape("AIza", LETTERS, "{30,}"),
  shape(String.raw`\d{6,12}:`, LETTERS, String.raw`{30,}\b`),
  {
    // The first part of a JWT is a header, not a secret; only the other two are held back.
    lead: String.raw`${EDGE}eyJ[A-Za-z0-9_-]{10,}\.`,
    body: "[A-Za-z0-9_.-]",
    complete: String.raw`[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}`,
    whole: true,
  },
  {
    lead: String.raw`${EDGE}Bearer\s+`,
    body: "[A-Za-z0-9._~+/=-]",
    complete: "[A-Za-z0-9._~+/=-]{8,}",
    ignoreCase: true,
  },
  {
    lead: String.raw`(?:api[_-]?key|access[_-]?token|auth[_-]?token|client[_-]?secret|secret[_-]?key|password|passwd)["']?\s*[:=]\s*\\?["']?`,
    body: String.raw`[^\s"',;&}\\]`,
    complete: String.raw`[^\s"',;&}\\]{4,}`,
    ignoreCase: true,
  },
  {
    // `NAME=…` of a command line; the name decides whether it is a secret.
    lead: String.raw`(?:^|[\s"';&]|\\[nrt])(?<name>[A-Za-z_][A-Za-z0-9_]{1,100})=\\?["']?`,
    body: String.raw`[^\s"';&$\\]`,
    complete: String.raw`[^\s"';&$\\]+`,
    needs: "=",
  },
  {
    // `--token …`
    lead: String.raw`(?:^|\s|\\[nrt])--?(?:[a-z0-9]{1,30}-){0,5}(?:api-?key|token|secret|password|passwd)(?:=|\s+)\\?["']?(?![-"'$])`,
    body: String.raw`[^\s"';&\\]`,
    complete: String.raw`[^\s"';&\\]+`,
    ignoreCase: true,
  },
  {
    // `?token=…` of an address.
    lead: String.raw`[?&](?:[\w.-]{0,60}[_.-])?(?:key|token|secret|password|passwd|signature|sig)=`,
    body: String.raw`[^\s"'<>&#\\]`,
    complete: String.raw`[^\s"'<>&#\\]+`,
    ignoreCase: true,
    needs: "=",
  },
  {
    // `user:password@`
    lead: String.raw`:\/\/[^\s/:@]{0,100}:`,
    body: String.raw`[^\s/@]`,
    complete: String.raw`[^\s/@]{1,200}(?=@)`,
    most: 200,
    needs: "://",
  },
];

export const FORMS: readonly SecretForm[] = WRITTEN.map((written) => {
  const { lead, body, complete, most, whole = false, ignoreCase = false, needs } = written;
  const flags = ignoreCase ? "i" : "";
  return {
    complete: new RegExp(`(${lead})${complete}`, `g${flags}`),
    begun: new RegExp(`(${lead})${body}{1,${most ?? ""}}$`, flags),
    rest: new RegExp(`${body}*`, `y${flags}`),
    whole,
    needs,
  };
});

/** True for a match without a name, or when its name is that of a secret variable. */
export function namesSecret(name: string | undefined): boolean {
  if (name === undefined) return true;
  // A name of one word is a variable's in capitals; `token=1` is a sentence.
  const isVariable = name.includes("_") || name === name.toUpperCase() || /password/i.test(name);
  return isVariable && isSecretName(name);
}
