/** A platform's section of config.yaml: what it has, and a change of it. */
import type { Document, Node } from "yaml";
import { HermesError } from "#core/errors";
import { isMapping } from "#core/mapping";
import type { PlatformName } from "#core/home/platform-settings";
import { editConfigText } from "../../edit-config.ts";
import { textOf, type FieldValue } from "./fields.ts";

/** The values of a section by key; undefined removes the key. */
export type SectionChanges = Readonly<Record<string, FieldValue | boolean | undefined>>;

/** The section as it is written in the text, variables included; undefined for none. */
export async function readSection(
  text: string,
  platform: PlatformName,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { parse } = await import("yaml");
  const found = ["gateway", "platforms", platform].reduce<unknown>(
    (inner, key) => (isMapping(inner) ? inner[key] : undefined),
    parse(text, { merge: true }),
  );
  return isMapping(found) ? found : undefined;
}

/**
 * The text with the changes in the section, which is made if there is none. Comments, the order of keys and values that
 * stay the same are kept. `file` is what errors name. Throws HERMES_CONFIG_WRITE for a section that is a reference to
 * another one.
 */
export async function changeSection(
  text: string,
  platform: PlatformName,
  changes: SectionChanges,
  file: string,
): Promise<string> {
  const { isAlias, isMap } = await import("yaml");
  const section = ["gateway", "platforms", platform];
  return editConfigText(text, (document) => {
    for (const [index] of section.entries()) {
      const above = section.slice(0, index + 1);
      const node = document.getIn(above, true);
      if (isAlias(node)) {
        const problem = `${above.join(".")} refers to another section (*${node.source}); write it out first`;
        throw new HermesError("HERMES_CONFIG_WRITE", { file, problem });
      }
      if (!isMap(node)) document.setIn(above, document.createNode({}));
    }
    for (const [key, value] of Object.entries(changes)) setValue(document, [...section, key], value);
  });
}

function setValue(document: Document, path: readonly string[], value: SectionChanges[string]): void {
  if (value === undefined) return void document.deleteIn(path);
  const before = document.getIn(path, true) as Node | undefined;
  if (before !== undefined && isSame(before.toJS(document), value)) return;
  if (!Array.isArray(value)) return document.setIn(path, value);
  const list = document.createNode(value, { flow: true });
  document.setIn(path, Object.assign(list, { comment: before?.comment, commentBefore: before?.commentBefore }));
}

function isSame(before: unknown, value: FieldValue | boolean): boolean {
  if (typeof value === "boolean") return before === value;
  return Array.isArray(before) === Array.isArray(value) && textOf(before) === textOf(value);
}
