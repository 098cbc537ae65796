/** Attacks on the home, in hundreds of combinations. */
import { testSpellings } from "./try-spellings.ts";

testSpellings(230, 400);
