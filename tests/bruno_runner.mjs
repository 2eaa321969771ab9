// Runs the whole Bruno collection as Bruno's own command line does: in its order, with its scripts,
// its variables and its assertions. Bruno itself is 275 MB of packages, too much for each test run.
//
//   node tests/bruno_runner.mjs FOLDER '{"baseUrl": …}'      one JSON line per request
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [folder, given] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const METHODS = ["get", "post", "put", "patch", "delete"];
const AsyncFunction = (async () => {}).constructor;

const blocksOf = (file) =>
  Object.fromEntries(
    Array.from(readFileSync(file, "utf-8").matchAll(/^([a-z][a-z:-]*) \{\n(.*?)^\}$/gms), ([, name, body]) => [
      name,
      body.replace(/^ {2}/gm, "").trimEnd(),
    ]),
  );
const pairsOf = (block = "") =>
  Object.fromEntries(block.split("\n").filter(Boolean).map((line) => line.split(/: (.*)/s).slice(0, 2)));
const numberOf = (file) => Number(pairsOf(blocksOf(file).meta).seq);
const filesIn = (place) =>
  readdirSync(place)
    .filter((name) => name.endsWith(".bru") && name !== "folder.bru")
    .map((name) => path.join(place, name))
    .sort((a, b) => numberOf(a) - numberOf(b));

const environment = { ...pairsOf(blocksOf(path.join(folder, "environments/demo.bru")).vars), ...JSON.parse(given) };
const variables = {};
const bru = {
  cwd: () => folder,
  getEnvVar: (name) => environment[name],
  setVar: (name, value) => (variables[name] = value),
};
const filled = (text) =>
  text.replace(/\{\{(\w+)\}\}/g, (whole, name) => variables[name] ?? environment[name] ?? whole);
const run = (script, res) => script && new AsyncFunction("bru", "require", "res", script)(bru, require, res);

function bodyOf(blocks) {
  const name = Object.keys(blocks).find((block) => block.startsWith("body:"));
  if (name === undefined) return {};
  const text = filled(blocks[name]);
  if (name === "body:json") return { body: text, headers: { "Content-Type": "application/json" } };
  if (name === "body:form-urlencoded") return { body: new URLSearchParams(pairsOf(text)) };
  return { body: text };
}

async function send(blocks) {
  const method = METHODS.find((name) => name in blocks);
  const { auth, url } = pairsOf(blocks[method]);
  const inherited = pairsOf(blocksOf(path.join(folder, "collection.bru"))["auth:bearer"]);
  const token = auth === "inherit" ? { Authorization: `Bearer ${filled(inherited.token)}` } : {};
  const { body, headers } = bodyOf(blocks);
  const own = pairsOf(blocks.headers);
  const sent = { body, headers: { ...token, ...headers, ...own }, method: method.toUpperCase() };
  const answer = await fetch(filled(url), sent);
  const text = await answer.text();
  const isJson = (answer.headers.get("content-type") ?? "").includes("json");
  return { status: answer.status, body: isJson && text ? JSON.parse(text) : text };
}

function holds({ status }, asserted) {
  const [, how, wanted] = /^res\.status: (eq|in) (.*)$/.exec(asserted);
  return (how === "eq" ? [Number(wanted)] : JSON.parse(wanted)).includes(status);
}

const folders = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "environments")
  .map((entry) => path.join(folder, entry.name))
  .sort((a, b) => numberOf(path.join(a, "folder.bru")) - numberOf(path.join(b, "folder.bru")));

for (const file of folders.flatMap(filesIn)) {
  const blocks = blocksOf(file);
  await run(blocks["script:pre-request"]);
  const res = await send(blocks);
  await run(blocks["script:post-response"], res);
  const { name } = pairsOf(blocks.meta);
  const told = { name, status: res.status, asserted: blocks.assert, holds: holds(res, blocks.assert) };
  console.log(JSON.stringify({ ...told, answer: told.holds ? undefined : res.body }));
}
