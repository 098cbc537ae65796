/** How `hermes gateway setup` asks for the settings of a platform, one in the folder of each. */

/** A setting that is asked for. */
export interface SetupField {
  /** The key below `gateway.platforms.<name>`. */
  readonly key: string;
  /** What is asked for: `Bot token`. */
  readonly label: string;
  /** Where to get it, or what it is for: one sentence. */
  readonly hint: string;
  /** Typed without being shown. */
  readonly secret?: true;
  /** May be empty: then the key is left out. */
  readonly optional?: true;
  /** Several values, separated by commas. */
  readonly list?: true;
  /** What Enter gives. */
  readonly fallback?: string;
  /** What is wrong with a value, in one sentence; undefined when nothing is. */
  readonly problem?: (value: string) => string | undefined;
}

export interface PlatformSetup {
  /** What to do at the provider before the questions, one step each. */
  readonly steps: readonly string[];
  readonly fields: readonly SetupField[];
  /**
   * Tries the settings with one call to the provider, or to `apiRoot`. Rejects with HERMES_ADAPTER_CONFIG or
   * HERMES_ADAPTER_START: one sentence that says what is wrong and where to get it right.
   */
  readonly check: (values: Readonly<Record<string, string>>, apiRoot?: string) => Promise<SetupCheck>;
}

export interface SetupCheck {
  /** Who the settings belong to: `@HermesBot`. */
  readonly account: string;
  /** What is left to do at the provider, a sentence each. */
  readonly notes: readonly string[];
}
