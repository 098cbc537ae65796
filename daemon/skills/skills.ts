/** The skills of a home: `skills/<name>/SKILL.md`, with `name` and `description` at its top. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import { isMapping } from "#core/mapping";
import type { Skill } from "#core/ports/daemon-tools";
import { readRegularFile } from "#core/regular-file";
import { didYouMean } from "#core/suggest";
import { parseYaml } from "#core/yaml-document";

const FILE = "SKILL.md";
const MOST_BYTES = 256 * 1024;
/** Of a description, which is in each request to the model. */
const LONGEST_DESCRIPTION = 1024;
const FRONTMATTER = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/;

interface ReadSkill extends Skill {
  readonly folder: string;
  /** The text below the frontmatter. */
  readonly content: string;
}

export class Skills {
  readonly #folder: string;
  readonly #log: Pick<Log, "warn">;
  #skills: readonly ReadSkill[] = [];
  readonly #said = new Set<string>();

  constructor(folder: string, log: Pick<Log, "warn">) {
    this.#folder = folder;
    this.#log = log;
  }

  /** Reads the folder again. What cannot be read is left out, with a line in the log. */
  async refresh(): Promise<void> {
    const found = new Map<string, ReadSkill>();
    for (const name of foldersIn(this.#folder)) {
      const skill = await this.#read(name);
      if (skill === undefined) continue;
      if (found.has(skill.name)) this.#warn(skill.folder, `the name "${skill.name}" is taken by another skill`);
      else found.set(skill.name, skill);
    }
    this.#skills = [...found.values()];
  }

  list(): readonly Skill[] {
    return this.#skills.map(({ name, description }) => ({ name, description }));
  }

  /** What the model gets of a skill. Throws a sentence that names the skills there are. */
  contentOf(name: string): string {
    const skill = this.#skills.find((one) => one.name === name);
    const names = this.#skills.map((one) => one.name);
    if (skill === undefined) {
      throw new Error(`There is no skill "${name}", only: ${names.join(", ") || "none"}.${didYouMean(name, names)}`);
    }
    return `The skill "${name}" (its files are in ${skill.folder}):\n\n${skill.content}`;
  }

  async #read(directory: string): Promise<ReadSkill | undefined> {
    const folder = join(this.#folder, directory);
    const reading = readRegularFile(join(folder, FILE), { mostBytes: MOST_BYTES });
    if (reading.kind === "absent") return undefined;
    if (reading.kind === "refused") return this.#warn(folder, `${FILE} ${reading.problem}`);
    const text = reading.content.toString("utf8");
    const [whole = "", top] = FRONTMATTER.exec(text) ?? [];
    try {
      const { value } = await parseYaml(top ?? "", ({ problem }) => new Error(`not valid YAML: ${problem}`));
      const { name, description } = isMapping(value) ? value : {};
      return {
        name: typeof name === "string" && name.trim() !== "" ? name.trim() : directory,
        description: typeof description === "string" ? description.trim().slice(0, LONGEST_DESCRIPTION) : "",
        folder,
        content: text.slice(whole.length).trim(),
      };
    } catch (error) {
      return this.#warn(folder, `${FILE}: ${problemOf(error)}`);
    }
  }

  /** Once for each problem: the folder is read before each turn. */
  #warn(folder: string, problem: string): undefined {
    if (!this.#said.has(folder + problem)) this.#log.warn("a skill is left out", { folder, problem });
    this.#said.add(folder + problem);
    return undefined;
  }
}

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith("."))
      .toSorted();
  } catch {
    // A home without skills.
    return [];
  }
}
