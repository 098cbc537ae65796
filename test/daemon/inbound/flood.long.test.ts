/** Floods of thousands of requests. */
import { testFloods } from "./flood.ts";

testFloods(2000);
