/** The configuration of a process that has no host: read again when its file has changed. */
import { statSync } from "node:fs";
import { problemOf } from "#core/errors";
import { loadConfig, type Config } from "#core/home/config";
import { demandFor } from "#core/home/demands";
import type { Log } from "#core/home/log";
import type { HomePaths } from "#core/home/paths";

export interface FollowedConfigOptions {
  readonly paths: HomePaths;
  readonly env: NodeJS.ProcessEnv;
  /** What has been read already. */
  readonly config: Config;
  /** Applies a changed configuration, which is valid. */
  readonly onChange: (config: Config) => Promise<void>;
  readonly log: Log;
}

export class FollowedConfig {
  readonly #options: FollowedConfigOptions;
  #config: Config;
  /** What the files looked like when they were read. */
  #seen: string;
  #refreshing: Promise<void> | undefined;

  constructor(options: FollowedConfigOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#seen = this.#look();
  }

  /** The last valid one. */
  get values(): Config["values"] {
    return this.#config.values;
  }

  /** Reads it again if its file has changed. An invalid one is logged, and the last valid one kept. Never rejects. */
  refresh(): Promise<void> {
    if (this.#refreshing === undefined && this.#look() === this.#seen) return Promise.resolve();
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #read(): Promise<void> {
    const { paths, env, onChange, log } = this.#options;
    this.#seen = this.#look();
    try {
      const config = await loadConfig(paths, env);
      demandFor("worker", config);
      await onChange(config);
      this.#config = config;
      for (const warning of config.warnings) log.warn(warning);
      log.info("the worker applies the changed config.yaml");
    } catch (error) {
      log.error(`the changed config.yaml is not applied: ${problemOf(error)}`);
    }
  }

  #look(): string {
    const { config, fallbackConfig } = this.#options.paths;
    return [config, fallbackConfig].map(stampOf).join(" ");
  }
}

function stampOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? "none" : [stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(":");
}
