// The tables of the law, generated from the platform's own (scripts/generate_law_tables.py).
// The page has them inline: scripts/build_verifier.py replaces this module.
import { readFileSync } from "node:fs";

export const LAW = JSON.parse(
  readFileSync(new URL("../schemas/law.json", import.meta.url), "utf-8"),
);
