/** Asks on the terminal for a platform and its settings. */
import { visible } from "#allowlist/visible";
import type { PlatformName } from "#core/home/platform-settings";
import { didYouMean } from "#core/suggest";
import type { SetupField } from "#gateway/adapters/setup";
import { columns } from "../../columns.ts";
import type { CliContext } from "../../context.ts";
import type { Prompts } from "../../prompts.ts";
import type { FieldValues } from "./change.ts";
import { fromTyped, readField, type FieldValue } from "./fields.ts";
import { tellHint } from "./instructions.ts";

/** Removes an optional value that config.yaml has. */
const NONE = "-";

/** What the questions need. */
interface Asking {
  readonly prompts: Prompts;
  readonly context: CliContext;
}

/** A platform as it is offered. */
interface PlatformChoice {
  readonly name: PlatformName;
  /** How it is configured now; empty for one that config.yaml does not name. */
  readonly state: string;
  readonly about: string;
}

/** Asks which platform to set up. */
export async function askForPlatform(
  choices: readonly PlatformChoice[],
  { prompts, context }: Asking,
): Promise<PlatformName> {
  const names = choices.map(({ name }) => name);
  context.note("The platforms:");
  const rows = choices.map(({ name, state, about }, index) => [`  ${index + 1}`, name, state, about]);
  for (const line of columns(rows)) context.note(line);
  for (;;) {
    const word = (await prompts.ask(`Platform, 1 to ${names.length} or its name`)).toLowerCase();
    const found = names[Number(word) - 1] ?? names.find((name) => name === word);
    if (found !== undefined) return found;
    if (word !== "") context.note(`There is no platform "${visible(word)}".${didYouMean(word, names)}`);
  }
}

export interface FieldQuestions extends Asking {
  readonly platform: PlatformName;
  readonly fields: readonly SetupField[];
  /** What config.yaml has, or what was answered before, by key. */
  readonly present: Readonly<Record<string, string>>;
  /** Where `present` comes from: `config.yaml`. */
  readonly origin: string;
  /** True for a platform that config.yaml has no section of: then Enter makes an optional secret that has a fallback. */
  readonly isNew: boolean;
  /** False when the user has read them already. */
  readonly hints: boolean;
  /** True where nothing is tested: variables may then be unset. */
  readonly mayBeUnset: boolean;
}

/** The answers by key: as text, empty for none, and as config.yaml is to have them. */
export interface FieldAnswers {
  readonly texts: Readonly<Record<string, string>>;
  readonly values: FieldValues;
}

/** Asks for every field, again until the value is valid. Rejects with HERMES_INTERRUPTED when the user stops. */
export async function askForFields(questions: FieldQuestions): Promise<FieldAnswers> {
  const texts: Record<string, string> = {};
  const values: Record<string, FieldValue | undefined> = {};
  for (const field of questions.fields) {
    const { text, value } = await askForField(field, questions);
    texts[field.key] = text;
    values[field.key] = value;
  }
  return { texts, values };
}

interface FieldAnswer {
  readonly text: string;
  readonly value: FieldValue | undefined;
}

async function askForField(field: SetupField, questions: FieldQuestions): Promise<FieldAnswer> {
  const { platform, prompts, context, present, isNew, hints, mayBeUnset } = questions;
  const { key, label, hint } = field;
  const [secret, optional] = [field.secret === true, field.optional === true];
  const isPresent = (present[key] ?? "") !== "";
  const generated = secret && !isPresent && (isNew || !optional) ? field.fallback : undefined;
  const otherwise = isPresent ? present[key]! : secret ? (generated ?? "") : (field.fallback ?? "");
  if (hints) tellHint(hint, context);
  for (;;) {
    const typed = secret
      ? await prompts.askSecret(`${label}${aboutSecret(field, questions, generated !== undefined)}`)
      : await prompts.ask(`${label}${aboutPlain(optional, otherwise)}`, otherwise);
    if (optional && (typed === NONE || (typed === "" && otherwise === ""))) return { text: "", value: undefined };
    const isKept = typed === "" || typed === otherwise;
    const text = isKept ? otherwise : fromTyped(typed, field);
    if (text === "") continue;
    const read = await readField(platform, field, text, { env: context.env, mayBeUnset });
    if ("problem" in read) {
      context.note(visible(read.problem));
      continue;
    }
    if (isKept && generated !== undefined) context.note(`Generated: ${generated}`);
    return { text, value: read.value };
  }
}

/** What the question says behind its label; a fallback is shown by the prompt. */
function aboutPlain(optional: boolean, otherwise: string): string {
  if (!optional) return "";
  return otherwise === "" ? " (Enter for none)" : `, ${NONE} for none`;
}

function aboutSecret({ key, optional }: SetupField, { present, origin }: FieldQuestions, isGenerated: boolean): string {
  const isPresent = (present[key] ?? "") !== "";
  const enter = isPresent ? `Enter keeps the one ${origin}` : isGenerated ? "Enter generates one" : "";
  const none = optional !== true ? "" : enter === "" ? "Enter for none" : `${NONE} for none`;
  const parts = [enter, none].filter((part) => part !== "");
  return ` (${["not shown", ...parts].join("; ")})`;
}
