/** Attacks on the home, of each kind once; `spellings.long.test.ts` also tries many combinations. */
import { testSpellings } from "./try-spellings.ts";

testSpellings(30, 200);
